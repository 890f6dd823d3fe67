use vipnode_types::{LeaseId, Ms};

use crate::{collections::deadlines::Deadlines, leases::Leases};

/// The deadlines of leases. A deadline has no effect if its lease has ended.
#[derive(Debug)]
pub(crate) struct LeaseDeadlines {
    /// The time by which both sides must be connected to each other.
    offers: Deadlines<LeaseId>,
    /// By when a pair should be connected, or the host dials.
    dials: Deadlines<LeaseId>,
    /// By when the client has to report, after its host reported "gone".
    hosts_gone: Deadlines<LeaseId>,
}

impl LeaseDeadlines {
    pub(crate) const fn new() -> Self {
        Self { offers: Deadlines::new(), dials: Deadlines::new(), hosts_gone: Deadlines::new() }
    }
}

impl Leases {
    /// Sets the deadline by which both sides must be connected to each other.
    pub(crate) fn arm_offer(&mut self, id: LeaseId, due: Ms) {
        self.deadlines.offers.push(due, id);
    }

    /// Sets the deadline by which a pair should be connected.
    pub(crate) fn arm_dial(&mut self, id: LeaseId, due: Ms) {
        self.deadlines.dials.push(due, id);
    }

    /// Sets the deadline of the client's report on a host's "gone".
    pub(crate) fn arm_half_down(&mut self, id: LeaseId, due: Ms) {
        self.deadlines.hosts_gone.push(due, id);
    }

    /// Returns a lease whose offer is due.
    pub(crate) fn pop_offer(&mut self, now: Ms) -> Option<LeaseId> {
        self.deadlines.offers.pop_due(now)
    }

    /// Returns a lease whose pair should be connected by now.
    pub(crate) fn pop_dial(&mut self, now: Ms) -> Option<LeaseId> {
        self.deadlines.dials.pop_due(now)
    }

    /// Returns a lease whose host reported "gone", and whose client should have reported by now.
    pub(crate) fn pop_half_down(&mut self, now: Ms) -> Option<LeaseId> {
        self.deadlines.hosts_gone.pop_due(now)
    }

    /// When the first deadline is due.
    pub(crate) fn next_deadline(&self) -> Option<Ms> {
        let LeaseDeadlines { offers, dials, hosts_gone } = &self.deadlines;
        [offers.next(), dials.next(), hosts_gone.next(), self.next_timed_slot()].into_iter().flatten().min()
    }

    /// The number of deadlines.
    pub(crate) fn deadlines(&self) -> usize {
        let LeaseDeadlines { offers, dials, hosts_gone } = &self.deadlines;
        let leases = offers.len().saturating_add(dials.len()).saturating_add(hosts_gone.len());
        leases.saturating_add(self.timed_slots())
    }
}
