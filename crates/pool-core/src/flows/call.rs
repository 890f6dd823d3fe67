use vipnode_types::{
    LeaseId, Ms,
    wire::{AdmitCall, DialCall, EvictCall, EvictReason, NoticeCall, Side},
};

use crate::{
    Core, Effect, PoolCall, SendWhen,
    leases::calls_in_flight::{CallInFlight, CallKind, Eviction, Unpaired},
    metering::unpaired::Pair,
    output::Output,
    protocol2::dialect::Delivery,
};

impl Core {
    /// Asks a host to admit a client.
    pub(crate) fn call_admit(&mut self, output: &mut Output, host: u32, message: AdmitCall) {
        self.call(output, host, message.lease, CallKind::Admit(message.client), PoolCall::Admit(message));
    }

    /// Asks one side of a lease to dial the other.
    pub(crate) fn call_dial(&mut self, output: &mut Output, node: u32, message: DialCall) {
        let kind = match message.side {
            Side::Client => CallKind::DialHost,
            Side::Host => CallKind::DialClient,
        };
        self.call(output, node, message.lease, kind, PoolCall::Dial(message));
    }

    /// Asks an agent to undo a lease. An agent that is not connected finds it missing in its next `ConnectReply`.
    pub(crate) fn call_evict(&mut self, output: &mut Output, node: u32, lease: LeaseId, eviction: Eviction) {
        let Eviction { other: peer, reason, fault, at_host, .. } = eviction;
        let of_payer = matches!(reason, EvictReason::NoFunds | EvictReason::TrialOver);
        let account = if of_payer && !at_host { self.payer(node) } else { None };
        let message = EvictCall { lease, peer, reason, fault, account };
        self.call(output, node, lease, CallKind::Evict(eviction), PoolCall::Evict(message));
    }

    /// Has an agent show its user something.
    pub(crate) fn call_notice(&mut self, output: &mut Output, node: u32, notice: NoticeCall) {
        self.call(output, node, LeaseId::new(0), CallKind::Notice, PoolCall::Notice(notice));
    }

    /// Sends a call, if the agent's protocol has it and the agent can be called.
    pub(crate) fn call(&mut self, output: &mut Output, node: u32, lease: LeaseId, kind: CallKind, message: PoolCall) {
        let Some(dialect) = self.agents.get(node).map(crate::agents::node::Node::dialect) else { return };
        let message = match dialect.delivery(message) {
            Delivery::Call(message) => message,
            Delivery::NextUpdate => {
                if let CallKind::Evict(eviction) = kind {
                    self.evict_later(output, node, eviction);
                }
                return;
            }
            Delivery::Never => return,
        };
        let answer_ms = self.limits.admit_deadline_ms;
        let (Some(handle), Some(at)) = (self.agents.handle(node), self.agents.get(node)) else { return };
        let Some(connection) = at.connection().filter(|_| at.callable()) else { return };
        // The gateway counts from when the call is sent, which is after a commit, and reports the end. Two ticks after
        // the latest possible end, the core gives the call up.
        let latest = output.now.plus(self.limits.commit_ms).plus(answer_ms);
        let deadline = latest.plus(self.limits.tick_ms.saturating_mul(2));
        let changes_node = match kind {
            CallKind::Admit(_) => true,
            CallKind::Evict(eviction) => eviction.at_host,
            CallKind::DialHost | CallKind::DialClient | CallKind::Price { .. } | CallKind::Notice => false,
        };
        let slot = if changes_node { self.leases.hold_slot(node) } else { None };
        let call = self.leases.begin_call(CallInFlight { kind, lease, node: handle, connection, slot, deadline });
        self.refresh_open_hosts(node);
        let release = SendWhen::AfterCommit;
        output.push(Effect::Call { connection, call, message, answer_ms, when: release });
    }

    /// Brings a host's position among those with free slots up to date.
    pub(crate) fn refresh_open_hosts(&mut self, host: u32) {
        let (matching, context) = self.matching();
        matching.refresh_open_hosts(host, context);
    }

    /// Schedules an eviction for the answer to the agent's next update.
    fn evict_later(&mut self, output: &mut Output, node: u32, eviction: Eviction) {
        self.drop_peer(output, node, eviction.other);
        let heard = output.now.plus(self.limits.report_interval_ms);
        self.end_unpaired(output, heard, node, eviction.unpaired);
    }

    /// Counts the time that only a host saw, up to its eviction at `end`.
    pub(crate) fn end_unpaired(&mut self, output: &mut Output, end: Ms, host: u32, unpaired: Option<Unpaired>) {
        let Some(Unpaired { client, since, pricing }) = unpaired else { return };
        let Some(client) = self.agents.live(client) else { return };
        self.add_unpaired(output, Pair { client, host }, pricing, end.since(since));
    }
}
