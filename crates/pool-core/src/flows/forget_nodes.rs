use vipnode_types::Ms;

use crate::{
    Core, Row, RowKey,
    agents::{
        never_paired::{forget_after, nonce_window_ms},
        node::Node,
    },
    output::Output,
};

/// Nodes checked for removal if the pool is full and a new node connects.
const LOOKS_FOR_ROOM: u32 = 1_000;

impl Core {
    /// Forgets a node that may be forgotten. Returns false if a bounded search finds none.
    pub(crate) fn make_room(&mut self, output: &mut Output) -> bool {
        let before = self.agents.len();
        self.sweep(output, LOOKS_FOR_ROOM);
        self.agents.len() < before
    }

    /// Returns how many nodes [`Self::make_room`] would forget, and how many it would check, but changes nothing.
    pub(crate) fn room_to_make(&self, now: Ms) -> (usize, u32) {
        let looks = LOOKS_FOR_ROOM.min(self.agents.capacity());
        (self.agents.swept_next(looks).filter(|index| self.may_forget(*index, now)).count(), looks)
    }

    /// Writes a bounded number of rows that waited, checks a bounded number of nodes, and forgets those that were not seen for
    /// long.
    pub(crate) fn sweep(&mut self, output: &mut Output, looks: u32) {
        for _ in 0..looks {
            if !self.metering.write_due_period(output, &self.limits) {
                break;
            }
        }
        for _ in 0..looks.min(self.agents.capacity()) {
            let index = self.agents.sweep_next();
            self.metering.forget_old(index, output.now, &self.agents);
            self.forget_if_old(output, index);
        }
    }

    /// Plans when a never-paired node is checked for removal. One that could be forgotten and is still needed is checked
    /// again later.
    pub(crate) fn schedule_forget(&mut self, index: u32) {
        let Some(after) = self.forget_after(index).map(|after| after.max(self.clock.window_ends())) else { return };
        let now = self.clock.now();
        let again = now.plus(nonce_window_ms(&self.limits));
        self.agents.schedule_forget(index, if after < now { again } else { after });
    }

    /// The time after which a node without a connection and without leases is forgotten. A client that used unpaired time
    /// today is remembered for the rest of the day: it could leave, and be new again with a new budget.
    fn forget_after(&self, index: u32) -> Option<Ms> {
        let after = forget_after(self.agents.get(index)?, &self.limits);
        let counts = self.metering.counts_until(index, self.clock.now());
        Some(counts.map_or(after, |until| after.max(until)))
    }

    /// Whether a node has neither a connection nor a lease.
    pub(crate) fn is_gone(&self, index: u32) -> bool {
        self.agents.get(index).is_some_and(|node| !Node::is_connected(node)) && !self.leases.any(index)
    }

    /// Forgets a never-paired node if it left long enough ago, or plans its next check. Returns false if no check is due.
    pub(crate) fn never_paired_due(&mut self, output: &mut Output) -> bool {
        let Some(index) = self.agents.pop_never_paired(output.now) else { return false };
        let Some(index) = index else { return true };
        if self.is_gone(index) && !self.forget_if_old(output, index) {
            self.schedule_forget(index);
        }
        true
    }

    /// Whether a node has neither a connection nor a lease, was not seen for long, and no revoked key of it would be valid
    /// again.
    fn may_forget(&self, index: u32, now: Ms) -> bool {
        let Some(after) = self.forget_after(index) else { return false };
        let old = now > after && now >= self.clock.window_ends() && self.is_gone(index);
        old && self.agents.may_keep_delegation(index, now, &self.limits)
    }

    /// Forgets the newest delegation of a forgotten node, once each older one of the node has ended. Returns false if there is
    /// none.
    pub(crate) fn forget_delegation(&mut self, output: &mut Output) -> bool {
        let ended = self.agents.take_ended_delegation(output.now);
        ended.into_iter().for_each(|id| output.persist(Row::Delete(RowKey::Delegation(id))));
        ended.is_some()
    }

    /// Forgets a node that may be forgotten. Returns whether it did.
    fn forget_if_old(&mut self, output: &mut Output, index: u32) -> bool {
        let forgets = self.may_forget(index, output.now);
        if forgets {
            self.forget(output, index);
        }
        forgets
    }

    fn forget(&mut self, output: &mut Output, index: u32) {
        self.refresh_waiting(index);
        let delegation = self.agents.keep_delegation(index, output.now);
        let Some(id) = self.agents.remove(index) else { return };
        delegation.into_iter().for_each(|row| output.persist(Row::Delegation(row)));
        self.matching.forget(index);
        if self.metering.forget(index) {
            output.persist(Row::Delete(RowKey::Times(id)));
        }
        self.counters.pruned = self.counters.pruned.saturating_add(1);
        output.persist(Row::Delete(RowKey::Node(id)));
    }
}
