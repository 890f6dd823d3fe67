use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{LeaseId, NodeId, wire::Side};

use super::Lease;

/// All leases that are not undone yet, by ID.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leases(BTreeMap<LeaseId, Lease>);

impl Leases {
    pub(crate) fn get(&self, id: LeaseId) -> Option<&Lease> {
        self.0.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: LeaseId) -> Option<&mut Lease> {
        self.0.get_mut(&id)
    }

    pub(crate) fn insert(&mut self, lease: Lease) {
        self.0.insert(lease.id(), lease);
    }

    pub(crate) fn remove(&mut self, id: LeaseId) -> Option<Lease> {
        self.0.remove(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Lease> {
        self.0.values()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Lease> {
        self.0.values_mut()
    }

    /// Returns the IDs of those that match.
    pub(crate) fn ids(&self, fits: impl Fn(&Lease) -> bool) -> Vec<LeaseId> {
        self.iter().filter(|lease| fits(lease)).map(Lease::id).collect()
    }

    /// Returns the other leases with the same node, ended ones included.
    pub(crate) fn siblings<'a>(&'a self, lease: &'a Lease) -> impl Iterator<Item = &'a Lease> {
        self.iter().filter(move |other| other.id() != lease.id() && other.peer_id() == lease.peer_id())
    }

    /// Whether a lease of an earlier run could be confused with one in the opposite direction, where a pool names peers
    /// without their role. Neither is taken over: otherwise the one that ended meanwhile would be kept for as long as
    /// the other is active.
    pub(crate) fn is_unclear(&self, lease: &Lease) -> bool {
        let other_way = |other: &Lease| other.runs() && !other.is_direct() && other.side() != lease.side();
        lease.is_unreleased() && self.siblings(lease).any(other_way)
    }

    /// Returns the peers with a task in progress. The node gets one command at a time for each, so that the order of
    /// calls does not depend on the caller.
    pub(crate) fn busy_peers(&self) -> BTreeSet<NodeId> {
        self.iter().filter(|lease| lease.task().is_some()).map(Lease::peer_id).collect()
    }

    /// Returns how many slots of the pool are held on this side, including those that are being undone.
    pub(crate) fn held(&self, side: Side) -> u32 {
        count(self.iter().filter(|lease| lease.side() == side && !lease.is_direct()))
    }

    /// Returns how many active leases on this side the pool knows.
    pub(crate) fn running(&self, side: Side) -> u32 {
        count(
            self.iter()
                .filter(|lease| lease.side() == side && lease.runs() && !lease.is_unreleased() && !lease.is_direct()),
        )
    }

    /// Returns how many leases on this side have a connected peer.
    pub(crate) fn connected(&self, side: Side) -> u32 {
        count(self.iter().filter(|lease| lease.side() == side && lease.connection().is_up()))
    }

    /// Leaves the undoing of this lease to its sibling.
    pub(crate) fn hand_over(&mut self, id: LeaseId) {
        let Some(lease) = self.get(id) else { return };
        let peer = lease.peer_id();
        if lease.side() == Side::Client || lease.dial().is_some() {
            self.iter_mut().filter(|other| other.peer_id() == peer).for_each(Lease::dialed);
        }
    }

    /// Records that a command about this peer was sent: a list that was read before is out of date.
    pub(crate) fn forget_lists(&mut self, peer: NodeId) {
        self.iter_mut().filter(|lease| lease.peer_id() == peer).for_each(Lease::forget_list);
    }

    /// Returns how many calls of the pool wait for the node.
    pub(crate) fn pending_calls(&self) -> usize {
        self.iter().map(Lease::pending).fold(0, usize::saturating_add)
    }
}

fn count<'a>(leases: impl Iterator<Item = &'a Lease>) -> u32 {
    u32::try_from(leases.count()).unwrap_or(u32::MAX)
}
