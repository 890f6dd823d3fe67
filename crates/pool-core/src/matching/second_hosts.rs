use std::collections::BTreeMap;

use vipnode_types::{LeaseId, Ms};

use crate::{
    collections::deadlines::Deadlines,
    matching::{Context, Matching},
};

/// Second hosts of clients whose first one is slow.
///
/// A host may admit a client and stay silent, or not answer at all, and the client would wait for its offer to end. So a
/// client that can be called gets a second host, of another address block, while more slots are free than clients wait. Of
/// the two, the one that pairs first stays, and the other lease ends.
#[derive(Debug)]
pub(crate) struct SecondHosts {
    /// First hosts, by when they should be paired.
    due: Deadlines<LeaseId>,
    /// Each lease of a pending pair of offers, with the other one.
    others: BTreeMap<LeaseId, LeaseId>,
}

impl SecondHosts {
    pub(crate) const fn new() -> Self {
        Self { due: Deadlines::new(), others: BTreeMap::new() }
    }

    pub(crate) fn next(&self) -> Option<Ms> {
        self.due.next()
    }

    pub(crate) const fn len(&self) -> usize {
        self.due.len()
    }

    /// The leases that are one of two, for checks.
    pub(crate) fn leases(&self) -> impl Iterator<Item = LeaseId> {
        self.others.keys().copied()
    }
}

impl Matching {
    /// The client of a first host gets a second one at `due`, if the two are not paired by then.
    pub(crate) fn await_pair(&mut self, first: LeaseId, due: Ms) {
        self.second_hosts.due.push(due, first);
    }

    /// Returns a first host that should be paired by now.
    pub(crate) fn pop_slow(&mut self, now: Ms) -> Option<LeaseId> {
        self.second_hosts.due.pop_due(now)
    }

    /// Two leases are offered to one client, of which it needs one.
    pub(crate) fn join_offers(&mut self, first: LeaseId, second: LeaseId) {
        self.second_hosts.others.insert(first, second);
        self.second_hosts.others.insert(second, first);
    }

    /// A lease is paired or over: returns the lease that was offered with it, which stands alone from now on.
    pub(crate) fn part_offers(&mut self, lease: LeaseId) -> Option<LeaseId> {
        let other = self.second_hosts.others.remove(&lease)?;
        self.second_hosts.others.remove(&other);
        Some(other)
    }

    /// Pending second hosts and first ones that have one, for checks.
    pub(crate) const fn second_hosts(&self) -> &SecondHosts {
        &self.second_hosts
    }

    /// Whether a chain has free slots beyond those that waiting clients need.
    pub(crate) fn has_slots_to_spare(&self, chain: u32, context: Context<'_>) -> bool {
        self.free_on(chain, context) > self.waiting_on(chain, context)
    }
}
