use vipnode_types::{
    NodeId,
    wire::{ErrorCode, EvictReason, Side, WireError},
};

use crate::{
    CallId, CallOutcome, Core, Effect, SendWhen,
    leases::calls_in_flight::{CallInFlight, CallKind, Eviction},
    output::Output,
};

impl Core {
    /// Handles the end of a call to an agent.
    pub(crate) fn call_done(&mut self, output: &mut Output, call: CallId, outcome: &CallOutcome) {
        // Unknown: the core gave it up, or never made it.
        let Some(call) = self.leases.end_call(call) else { return };
        // What follows may take the slot again: the lease that was admitted, or the next try.
        let freed = call.slot.filter(|slot| self.leases.free_slot(*slot));
        match call.kind {
            CallKind::Admit(client) => self.admit_done(output, &call, client, outcome),
            CallKind::DialHost => self.dial_done(output, &call, outcome),
            CallKind::DialClient | CallKind::Notice => {}
            CallKind::Price { side, row } => self.price_done(output, &call, (side, row), outcome),
            CallKind::Evict(eviction) => self.evict_done(output, &call, eviction, outcome),
        }
        if let Some(slot) = freed {
            self.refresh_open_hosts(slot.host());
        }
    }

    /// Handles the end of a slot that was held for some time. Returns false if none is due.
    pub(crate) fn timed_slot_due(&mut self, output: &mut Output) -> bool {
        let Some(timed) = self.leases.pop_timed_slot(output.now) else { return false };
        let (host, held) = (timed.slot.host(), self.leases.free_slot(timed.slot));
        match timed.eviction {
            Some((lease, eviction)) if held => self.call_evict(output, host, lease, eviction),
            // The list in the next connect reply covers it.
            Some((_, eviction)) => self.end_unpaired(output, output.now, host, eviction.unpaired),
            None => {}
        }
        if held {
            self.refresh_open_hosts(host);
        }
        true
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
        self.call_evict(output, host, call.lease, Eviction::at_host(client, EvictReason::TooLate));
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
        let (matching, context) = self.matching();
        matching.new_host_refused(call.lease, host, client, context);
        match outcome {
            CallOutcome::Refused(error) => self.refused(output, host, client, error),
            _ => self.back_off_host(host),
        }
        self.end_lease(output, index, EvictReason::TooLate, None, None);
        if *outcome == CallOutcome::Expired {
            // The host may still admit the client, which will not connect.
            self.too_late(output, call, id);
        }
        self.counters.not_admitted = self.counters.not_admitted.saturating_add(1);
        self.go_on_asking(output, client);
    }

    /// Handles a host's refusal to admit a client. What strangers can cause (a host without room, or with too much to do, a
    /// version that it rejects, or a client that its node rejects) neither rests the host nor ranks it lower.
    fn refused(&mut self, output: &Output, host: u32, client: u32, error: &WireError) {
        if error.is(ErrorCode::Full) || error.is(ErrorCode::Busy) {
            let until = output.now.plus(self.limits.refused_slot_ms);
            self.leases.hold_slot_until(host, until, None);
            let (matching, context) = self.matching();
            matching.suspend_pair_until(host, client, until, context);
        } else if error.is(ErrorCode::LightFull) || error.is(ErrorCode::NotAdmitted) {
            // Of light slots, the host reports that they are taken, and when it has one again.
            let (matching, context) = self.matching();
            matching.pair_failed(host, client, context);
        } else if error.is(ErrorCode::Unsuitable) {
            if !self.agents.reject_version(host, client, &self.limits) {
                // The pool cannot remember the version, so it keeps the pair apart.
                let (matching, context) = self.matching();
                matching.pair_failed(host, client, context);
            }
        } else {
            self.back_off_host(host);
        }
    }

    fn back_off_host(&mut self, host: u32) {
        let (matching, context) = self.matching();
        matching.back_off_host(host, context);
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
        self.lease_undone(output, call, outcome);
        let host = self.agents.live(call.node);
        if *outcome == CallOutcome::Done {
            if let Some(host) = host {
                self.end_unpaired(output, output.now, host, eviction.unpaired);
            }
            return;
        }
        // On a dead connection nothing is sent again: the list in the next connect reply covers it.
        let there = self.still_there(call);
        let expired = there.filter(|_| *outcome == CallOutcome::Expired);
        if let Some(node) = there.filter(|_| eviction.tries < self.limits.evict_tries) {
            match outcome {
                CallOutcome::Expired => {
                    self.call_evict(output, node, call.lease, eviction.again());
                    return;
                }
                CallOutcome::Refused(_) if eviction.at_host => {
                    // Its node cannot do it now. Until it does, the slot is taken.
                    let due = output.now.plus(self.evict_again_ms(eviction.tries));
                    self.leases.hold_slot_until(node, due, Some((call.lease, eviction.again())));
                    self.refresh_open_hosts(node);
                    return;
                }
                _ => {}
            }
        }
        self.counters.evictions_unanswered = self.counters.evictions_unanswered.saturating_add(1);
        if let Some(host) = host {
            self.end_unpaired(output, output.now, host, eviction.unpaired);
        }
        if let Some(node) = expired {
            // On its next connection, the agent gets the list of its leases. Otherwise, it would keep this one forever.
            let reason = "an eviction was not answered; connect again".to_owned();
            output.push(Effect::Close { connection: call.connection, reason, when: SendWhen::Now });
            self.detach(output, node);
        }
    }

    /// How long a refused eviction waits, in milliseconds: twice as long after each try, at most 8 times.
    fn evict_again_ms(&self, tries: u32) -> u64 {
        self.limits.evict_again_ms.saturating_mul(2_u64.saturating_pow(tries.min(3)))
    }
}
