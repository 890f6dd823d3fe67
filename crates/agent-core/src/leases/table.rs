use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{LeaseId, NodeId, wire::Side};

use super::Lease;

/// All leases whose grants are not undone yet, by name.
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

    /// The names of those that fit.
    pub(crate) fn ids(&self, fits: impl Fn(&Lease) -> bool) -> Vec<LeaseId> {
        self.iter().filter(|lease| fits(lease)).map(Lease::id).collect()
    }

    /// The other leases with the same node, ended ones included.
    pub(crate) fn siblings<'a>(&'a self, lease: &'a Lease) -> impl Iterator<Item = &'a Lease> {
        self.iter().filter(move |other| other.id() != lease.id() && other.peer_id() == lease.peer_id())
    }

    /// Whether a lease of an earlier run cannot be told from one the other way round, where a pool names peers and no
    /// roles. Neither is taken over: the one that ended meanwhile would be held for as long as the other lives.
    pub(crate) fn is_unclear(&self, lease: &Lease) -> bool {
        let other_way = |other: &Lease| other.runs() && !other.is_direct() && other.side() != lease.side();
        lease.is_leftover() && self.siblings(lease).any(other_way)
    }

    /// Nodes for which our node is doing something now: one thing at a time each, so that the order
    /// of calls does not rest on who carries them out.
    pub(crate) fn busy_peers(&self) -> BTreeSet<NodeId> {
        self.iter().filter(|lease| lease.task().is_some()).map(Lease::peer_id).collect()
    }

    /// Slots of the pool held on this side, those that are still being undone included.
    pub(crate) fn held(&self, side: Side) -> u32 {
        count(self.iter().filter(|lease| lease.side() == side && !lease.is_direct()))
    }

    /// Leases on this side that are not over and that the pool knows of.
    pub(crate) fn running(&self, side: Side) -> u32 {
        count(
            self.iter()
                .filter(|lease| lease.side() == side && lease.runs() && !lease.is_leftover() && !lease.is_direct()),
        )
    }

    /// Leases on this side whose peer is seen.
    pub(crate) fn connected(&self, side: Side) -> u32 {
        count(self.iter().filter(|lease| lease.side() == side && lease.presence().is_up()))
    }

    /// What was done for this lease is now undone with its sibling, all of it.
    pub(crate) fn hand_over(&mut self, id: LeaseId) {
        let Some(lease) = self.get(id) else { return };
        let peer = lease.peer_id();
        if lease.side() == Side::Client || lease.dial().is_some() {
            self.iter_mut().filter(|other| other.peer_id() == peer).for_each(Lease::dialed);
        }
    }

    /// The node was told something about this peer: a list that was read before does not hold any more.
    pub(crate) fn forget_lists(&mut self, peer: NodeId) {
        self.iter_mut().filter(|lease| lease.peer_id() == peer).for_each(Lease::forget_list);
    }

    /// Calls of the pool that wait for the node.
    pub(crate) fn pending_calls(&self) -> usize {
        self.iter().map(Lease::pending).fold(0, usize::saturating_add)
    }
}

fn count<'a>(leases: impl Iterator<Item = &'a Lease>) -> u32 {
    u32::try_from(leases.count()).unwrap_or(u32::MAX)
}
