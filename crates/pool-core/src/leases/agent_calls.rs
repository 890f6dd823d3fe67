use std::collections::BTreeMap;

use vipnode_types::{
    LeaseId, Ms, NodeId, Price,
    wire::{AdmitCall, DialCall, ErrorCode, EvictCall, EvictReason, PairFault, Side},
};

use crate::{
    CallId, CallOutcome, ConnectionId, Core, Effect, PoolCall, Release, collections::slab::Handle, output::Output,
};

/// Calls to agents that have not come to their end. All have the same time to be answered, so the
/// oldest ends first.
#[derive(Debug, Default)]
pub(crate) struct AgentCalls {
    next: u64,
    in_flight: BTreeMap<u64, AgentCall>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct AgentCall {
    pub(crate) kind: CallKind,
    pub(crate) lease: LeaseId,
    pub(crate) node: Handle,
    pub(crate) peer: ConnectionId,
    deadline: Ms,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum CallKind {
    /// A host is to let this client in.
    Admit(NodeId),
    /// A client is to dial a further host.
    DialHost,
    /// A host is to dial a client.
    DialClient,
    /// Undo a lease.
    Evict(Eviction),
}

/// What an eviction is about, in case it has to be sent again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Eviction {
    pub(crate) other: NodeId,
    pub(crate) reason: EvictReason,
    pub(crate) fault: Option<PairFault>,
    pub(crate) tries: u32,
    /// The client said that it left, but the host sees it until this is done: since when, at what price.
    pub(crate) unpaired: Option<Unpaired>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Unpaired {
    pub(crate) client: Handle,
    pub(crate) since: Ms,
    pub(crate) price: Price,
}

impl AgentCalls {
    pub(crate) fn len(&self) -> usize {
        self.in_flight.len()
    }

    /// When the core gives up on the oldest by itself.
    pub(crate) fn next_deadline(&self) -> Option<Ms> {
        self.in_flight.first_key_value().map(|(_, call)| call.deadline)
    }
}

impl Core {
    pub(crate) fn call_admit(&mut self, output: &mut Output, host: u32, message: AdmitCall) {
        self.call(output, host, message.lease, CallKind::Admit(message.client), PoolCall::Admit(message));
    }

    pub(crate) fn call_dial(&mut self, output: &mut Output, node: u32, message: DialCall) {
        let kind = match message.side {
            Side::Client => CallKind::DialHost,
            Side::Host => CallKind::DialClient,
        };
        self.call(output, node, message.lease, kind, PoolCall::Dial(message));
    }

    /// Has an agent undo a lease. One that is away finds it missing in its next `ConnectReply`.
    pub(crate) fn call_evict(&mut self, output: &mut Output, node: u32, lease: LeaseId, eviction: Eviction) {
        let message = EvictCall { lease, peer: eviction.other, reason: eviction.reason, fault: eviction.fault };
        self.call(output, node, lease, CallKind::Evict(eviction), PoolCall::Evict(message));
    }

    fn call(&mut self, output: &mut Output, node: u32, lease: LeaseId, kind: CallKind, message: PoolCall) {
        let Some(message) = self.in_its_words(output, node, message, kind) else { return };
        let answer_ms = self.limits.admit_deadline_ms;
        let (Some(handle), Some(at)) = (self.nodes.handle(node), self.nodes.get(node)) else { return };
        let Some(peer) = at.peer.filter(|_| at.callable) else { return };
        self.agent_calls.next = self.agent_calls.next.saturating_add(1);
        let number = self.agent_calls.next;
        // The gateway counts from when the call leaves, which is after a commit, and tells the end; two ticks
        // after the latest such moment the core stops believing in that.
        let latest = output.now.plus(self.limits.commit_ms).plus(answer_ms);
        let given_up = latest.plus(self.limits.tick_ms.saturating_mul(2));
        let call = AgentCall { kind, lease, node: handle, peer, deadline: given_up };
        self.agent_calls.in_flight.insert(number, call);
        let release = Release::AfterCommit;
        output.push(Effect::Call { peer, call: CallId(number), message, answer_ms, release });
    }

    pub(crate) fn call_done(&mut self, output: &mut Output, call: CallId, outcome: &CallOutcome) {
        // Unknown: given up already, or never asked.
        let Some(call) = self.agent_calls.in_flight.remove(&call.0) else { return };
        match call.kind {
            CallKind::Admit(client) => self.admit_done(output, &call, client, outcome),
            CallKind::DialHost => self.dial_done(output, &call, outcome),
            CallKind::DialClient => {}
            CallKind::Evict(eviction) => self.evict_done(output, &call, eviction, outcome),
        }
    }

    /// Ends the oldest call that its gateway forgot; false where there is none.
    pub(crate) fn give_up_a_call(&mut self, output: &mut Output) -> bool {
        let Some((&number, call)) = self.agent_calls.in_flight.first_key_value() else { return false };
        if call.deadline > output.now {
            return false;
        }
        self.call_done(output, CallId(number), &CallOutcome::Expired);
        true
    }

    /// The node of a call, while its agent is on the socket that was called.
    pub(crate) fn still_there(&self, call: &AgentCall) -> Option<u32> {
        let index = self.nodes.live(call.node)?;
        (self.nodes.get(index)?.peer == Some(call.peer)).then_some(index)
    }

    fn evict_done(&mut self, output: &mut Output, call: &AgentCall, eviction: Eviction, outcome: &CallOutcome) {
        if *outcome == CallOutcome::Done {
            self.end_unpaired(output.now, eviction.unpaired);
            return;
        }
        // On a dead socket nothing is sent again: the list at the next connect says it.
        let expired = self.still_there(call).filter(|_| *outcome == CallOutcome::Expired);
        if let Some(node) = expired.filter(|_| eviction.tries < self.limits.evict_tries) {
            let eviction = Eviction { tries: eviction.tries.saturating_add(1), ..eviction };
            self.call_evict(output, node, call.lease, eviction);
            return;
        }
        self.counters.evictions_unanswered = self.counters.evictions_unanswered.saturating_add(1);
        self.end_unpaired(output.now, eviction.unpaired);
        if let Some(node) = expired {
            // What it does not hear on this socket it hears from the list on the next one; else it would
            // hold a lease for ever that nobody else holds.
            let reason = "an eviction was not answered; connect again".to_owned();
            output.push(Effect::Close { peer: call.peer, reason });
            self.detach(output, node);
        }
    }

    pub(crate) fn end_unpaired(&mut self, now: Ms, unpaired: Option<Unpaired>) {
        let Some(Unpaired { client, since, price }) = unpaired else { return };
        let Some(client) = self.nodes.live(client) else { return };
        if let Some(number) = self.prices.acquire(price) {
            self.count_unpaired(client, number, now.since(since));
            self.prices.release(number);
        }
    }

    fn dial_done(&mut self, output: &mut Output, call: &AgentCall, outcome: &CallOutcome) {
        if let (CallOutcome::Refused(error), Some(lease)) = (outcome, self.leases.find(call.lease)) {
            // The client does not want this host: the place goes back.
            if let Some(client) = self.nodes.live(call.node) {
                if error.is(ErrorCode::Unsuitable) {
                    self.rejected(client, lease);
                }
                self.end_lease(output, lease, EvictReason::Left, Some(Side::Client), None);
                self.back_off(client);
            }
        }
    }
}
