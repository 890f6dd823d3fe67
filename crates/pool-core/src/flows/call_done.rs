use vipnode_types::{
    NodeId,
    wire::{ErrorCode, EvictReason, Side},
};

use crate::{
    CallId, CallOutcome, Core, Effect,
    leases::agent_calls::{CallInFlight, CallKind, Eviction},
    output::Output,
};

impl Core {
    /// Handles the end of a call to an agent.
    pub(crate) fn call_done(&mut self, output: &mut Output, call: CallId, outcome: &CallOutcome) {
        // Unknown: the core gave it up, or never made it.
        let Some(call) = self.leases.end_call(call) else { return };
        match call.kind {
            CallKind::Admit(client) => self.admit_done(output, &call, client, outcome),
            CallKind::DialHost => self.dial_done(output, &call, outcome),
            CallKind::DialClient => {}
            CallKind::Evict(eviction) => self.evict_done(output, &call, eviction, outcome),
        }
    }

    /// Ends the oldest call whose end the gateway did not report in time. Returns false if there is none.
    pub(crate) fn give_up_a_call(&mut self, output: &mut Output) -> bool {
        let Some(call) = self.leases.overdue_call(output.now) else { return false };
        self.call_done(output, call, &CallOutcome::Expired);
        true
    }

    /// Returns the node of a call if its agent still uses the connection of the call.
    fn still_there(&self, call: &CallInFlight) -> Option<u32> {
        let index = self.agents.live(call.node)?;
        (self.agents.get(index)?.connection() == Some(call.connection)).then_some(index)
    }

    /// Handles a host's answer to an admit, or the lack of one.
    fn admit_done(&mut self, output: &mut Output, call: &CallInFlight, client: NodeId, outcome: &CallOutcome) {
        let waiting = self.leases.find(call.lease);
        let waiting = waiting.filter(|&index| self.leases.get(index).is_some_and(|lease| lease.is_admitting()));
        match (waiting, outcome) {
            (Some(lease), CallOutcome::Done) => self.admitted(output, lease),
            (Some(lease), _) => self.not_admitted(output, lease, call, client, outcome),
            (None, CallOutcome::Done | CallOutcome::Expired) => self.too_late(output, call, client),
            (None, _) => {}
        }
    }

    /// Evicts a client that has other slots by now, or is gone. The call holds its id, because its record may be gone too.
    fn too_late(&mut self, output: &mut Output, call: &CallInFlight, client: NodeId) {
        let Some(host) = self.still_there(call) else { return };
        self.call_evict(output, host, call.lease, Eviction::new(client, EvictReason::TooLate));
    }

    fn not_admitted(
        &mut self,
        output: &mut Output,
        index: u32,
        call: &CallInFlight,
        id: NodeId,
        outcome: &CallOutcome,
    ) {
        let Some((client, host)) = self.leases.get(index).map(|lease| (lease.client(), lease.host())) else { return };
        let rejected = matches!(outcome, CallOutcome::Refused(error) if error.is(ErrorCode::Unsuitable));
        if !(rejected && self.agents.refuse_version(host, client, &self.limits)) {
            let (matching, context) = self.matching();
            matching.rest_host(host, context);
        }
        self.end_lease(output, index, EvictReason::TooLate, None, None);
        if *outcome == CallOutcome::Expired {
            // The host may still admit the client, which will not connect.
            self.too_late(output, call, id);
        }
        self.counters.not_admitted = self.counters.not_admitted.saturating_add(1);
        self.go_on_asking(output, client);
    }

    fn dial_done(&mut self, output: &mut Output, call: &CallInFlight, outcome: &CallOutcome) {
        let (CallOutcome::Refused(error), Some(lease)) = (outcome, self.leases.find(call.lease)) else { return };
        // The client rejects this host: the slot becomes free again.
        let Some(client) = self.agents.live(call.node) else { return };
        if error.is(ErrorCode::Unsuitable) {
            self.rejected(client, lease);
        }
        self.end_lease(output, lease, EvictReason::Left, Some(Side::Client), None);
        self.back_off(client);
    }

    fn evict_done(&mut self, output: &mut Output, call: &CallInFlight, eviction: Eviction, outcome: &CallOutcome) {
        if *outcome == CallOutcome::Done {
            self.end_unpaired(output.now, eviction.unpaired);
            return;
        }
        // On a dead connection nothing is sent again: the list in the next connect reply covers it.
        let expired = self.still_there(call).filter(|_| *outcome == CallOutcome::Expired);
        if let Some(node) = expired.filter(|_| eviction.tries < self.limits.evict_tries) {
            let eviction = Eviction { tries: eviction.tries.saturating_add(1), ..eviction };
            self.call_evict(output, node, call.lease, eviction);
            return;
        }
        self.counters.evictions_unanswered = self.counters.evictions_unanswered.saturating_add(1);
        self.end_unpaired(output.now, eviction.unpaired);
        if let Some(node) = expired {
            // On its next connection, the agent gets the list of its leases. Otherwise, it would keep this one forever.
            let reason = "an eviction was not answered; connect again".to_owned();
            output.push(Effect::Close { connection: call.connection, reason });
            self.detach(output, node);
        }
    }
}
