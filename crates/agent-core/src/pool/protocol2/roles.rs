//! Protocol 2 names peers and no roles: of two leases of a pair, one each way, its words do not say which one lives.

use vipnode_types::{LeaseId, wire::EvictReason};

use crate::{Action, AgentCore, leases::lease::Lease};

impl AgentCore {
    /// Whether a lease of an earlier run cannot be told from one the other way round. Neither is taken over: the one
    /// that ended meanwhile would be held for as long as the other lives. The next update does not name the peer, so
    /// the pool lets go of the pair too and may bring it together anew.
    pub(super) fn is_unclear(&self, lease: &Lease) -> bool {
        let other_way = |other: &Lease| other.runs() && !other.id.is_direct() && other.side != lease.side;
        lease.leftover && self.leases.siblings(lease).any(other_way)
    }

    /// The pool gave the pair this very role. What an earlier run left the other way round, and nobody confirmed, is
    /// over: from now on the peer's name would stand for the new lease.
    pub(crate) fn role_is_clear(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.runs()) else { return };
        lease.unconfirmed = false;
        let (peer, side) = (lease.peer.id, lease.side);
        let other_way = |other: &Lease| other.unconfirmed && other.peer.id == peer && other.side != side;
        for other in self.leases.ids(|other| other.runs() && other_way(other)) {
            self.end(other, Some(EvictReason::Unknown), out);
        }
    }
}
