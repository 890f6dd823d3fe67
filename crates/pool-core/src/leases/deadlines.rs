use vipnode_types::{LeaseId, Ms};

use crate::{collections::deadlines::Deadlines, leases::Leases};

/// What comes later for leases. A deadline finds nothing to do where its lease ended meanwhile.
#[derive(Debug)]
pub(crate) struct LeaseDeadlines {
    /// Offers that both sides have to have seen.
    offers: Deadlines<LeaseId>,
    /// Pairs that should be connected by then.
    dials: Deadlines<LeaseId>,
    /// Hosts that said "gone".
    half_downs: Deadlines<LeaseId>,
}

impl LeaseDeadlines {
    pub(crate) const fn new() -> Self {
        Self { offers: Deadlines::new(), dials: Deadlines::new(), half_downs: Deadlines::new() }
    }
}

impl Leases {
    /// The moment at which both sides have to have seen each other.
    pub(crate) fn arm_offer(&mut self, id: LeaseId, due: Ms) {
        self.deadlines.offers.push(due, id);
    }

    /// The moment at which a pair should be connected.
    pub(crate) fn arm_dial(&mut self, id: LeaseId, due: Ms) {
        self.deadlines.dials.push(due, id);
    }

    /// The moment at which the client should have reported something about a host's "gone".
    pub(crate) fn arm_half_down(&mut self, id: LeaseId, due: Ms) {
        self.deadlines.half_downs.push(due, id);
    }

    /// A lease whose offer is to be judged by now.
    pub(crate) fn pop_offer(&mut self, now: Ms) -> Option<LeaseId> {
        self.deadlines.offers.pop_due(now)
    }

    /// A lease whose pair should be connected by now.
    pub(crate) fn pop_dial(&mut self, now: Ms) -> Option<LeaseId> {
        self.deadlines.dials.pop_due(now)
    }

    /// A lease whose host said "gone", and whose client should have said something by now.
    pub(crate) fn pop_half_down(&mut self, now: Ms) -> Option<LeaseId> {
        self.deadlines.half_downs.pop_due(now)
    }

    /// When the first of them comes.
    pub(crate) fn next_deadline(&self) -> Option<Ms> {
        let LeaseDeadlines { offers, dials, half_downs } = &self.deadlines;
        [offers.next(), dials.next(), half_downs.next()].into_iter().flatten().min()
    }

    /// How many there are.
    pub(crate) const fn deadlines(&self) -> usize {
        let LeaseDeadlines { offers, dials, half_downs } = &self.deadlines;
        offers.len().saturating_add(dials.len()).saturating_add(half_downs.len())
    }
}
