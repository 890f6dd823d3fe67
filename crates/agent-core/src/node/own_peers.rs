use vipnode_types::{NodeId, wire::Side};

use crate::{Action, AgentCore, Notice};

/// The node's own peers: those that no lease brought.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OwnPeers {
    /// They were at least half the reserve since the last warning.
    were_enough: bool,
}

impl AgentCore {
    pub(crate) fn own_peers(&self) -> u32 {
        let leased: std::collections::BTreeSet<NodeId> = self.leases.iter().map(|lease| lease.peer.id).collect();
        let own = self.node.peers.keys().filter(|peer| !leased.contains(peer)).count();
        u32::try_from(own).unwrap_or(u32::MAX)
    }

    /// Warns once when places sold seem to crowd out the node's own peers.
    pub(crate) fn watch_own_peers(&mut self, out: &mut Vec<Action>) {
        let Some(reserve) = self.config.host.as_ref().map(|host| host.reserve) else { return };
        let now = self.own_peers();
        let enough = now >= reserve / 2;
        let sold = self.leases.iter().any(|lease| lease.side == Side::Host && lease.up.is_some());
        if enough {
            self.own_peers.were_enough = true;
        } else if sold && std::mem::take(&mut self.own_peers.were_enough) {
            out.push(Action::Notice(Notice::OwnPeersFalling { now, reserve }));
        }
    }
}
