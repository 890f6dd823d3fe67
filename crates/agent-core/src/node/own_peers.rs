use std::collections::BTreeSet;

use vipnode_types::{NodeId, wire::Side};

use super::state::NodeState;
use crate::{
    Notice,
    leases::{Lease, Leases},
};

/// The node's own peers: those without a lease.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OwnPeers {
    /// Their number reached half the reserve since the last warning.
    were_enough: bool,
}

impl OwnPeers {
    /// Returns how many there are.
    pub(crate) fn count(node: &NodeState, leases: &Leases) -> u32 {
        let leased: BTreeSet<NodeId> = leases.iter().map(|lease| lease.peer_id()).collect();
        let own = node.peers().filter(|peer| !leased.contains(peer)).count();
        u32::try_from(own).unwrap_or(u32::MAX)
    }

    /// Warns once when sold slots seem to crowd out the node's own peers.
    pub(crate) fn watch(&mut self, now: u32, reserve: u32, leases: &Leases) -> Option<Notice> {
        let enough = now >= reserve / 2;
        // A client that the user named has no slot that is for sale.
        let is_sold = |lease: &Lease| lease.side() == Side::Host && !lease.is_direct() && lease.connection().is_up();
        let sold = leases.iter().any(is_sold);
        if enough {
            self.were_enough = true;
        } else if sold && std::mem::take(&mut self.were_enough) {
            return Some(Notice::OwnPeersFalling { now, reserve });
        }
        None
    }
}
