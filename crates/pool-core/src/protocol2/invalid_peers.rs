use vipnode_types::NodeId;

use crate::{Core, Protocol2State, Row, agents::node::Node, output::Output};

/// Peers that a node is to drop, told to it as `invalid_peers` until it reports them no longer. Only
/// what the pool had it let in, or sent it to, is ever among them.
impl Core {
    /// Has a node of protocol 2 drop a peer.
    pub(super) fn drop_peer(&mut self, output: &mut Output, index: u32, peer: NodeId) {
        let most = self.limits.invalid_peers as usize;
        let Some(node) = self.nodes.get_mut(index) else { return };
        let Protocol2State { drop, told, .. } = &mut **node.credentials.protocol2.get_or_insert_default();
        if drop.contains(&peer) {
            return;
        }
        if drop.len() >= most {
            drop.remove(0);
            *told = told.saturating_sub(1);
        }
        drop.push(peer);
        self.persist_node(output, index);
    }

    /// What a node is to drop now that it reported `peers`, which are sorted. What it was told of on
    /// this socket and reports no longer, it has dropped. A peer that it was given anew meanwhile, in either role, has
    /// its turn once that lease is over: a place that the host then refuses must not make the pool forget.
    pub(super) fn still_to_drop(&mut self, output: &mut Output, index: u32, peers: &[NodeId]) -> Vec<String> {
        if self.nodes.get(index).is_none_or(|node| node.credentials.to_drop().is_empty()) {
            return Vec::new();
        }
        let leased = self.leases_of(index).into_iter().filter_map(|(lease, side)| {
            let other = self.leases.get(lease)?.node(side.other());
            self.id_of(other)
        });
        let mut leased: Vec<NodeId> = leased.collect();
        leased.sort_unstable();
        let past = self.nodes.get_mut(index).and_then(|node| node.credentials.protocol2.as_deref_mut());
        let Some(Protocol2State { drop, told, .. }) = past else { return Vec::new() };
        let (were_told, before) = (usize::from(*told), drop.len());
        let all = std::mem::take(drop).into_iter().enumerate();
        let left = all.filter(|(at, id)| *at >= were_told || peers.binary_search(id).is_ok()).map(|(_, id)| id);
        let (now, later): (Vec<_>, Vec<_>) = left.partition(|id| leased.binary_search(id).is_err());
        *told = u16::try_from(now.len()).unwrap_or(u16::MAX);
        let ids = now.iter().map(ToString::to_string).collect();
        *drop = now;
        drop.extend(later);
        if drop.len() != before {
            self.persist_node(output, index);
        }
        ids
    }

    /// Whether a lease of this pair could be taken for one the other way round: protocol 2 names peers and no roles.
    pub(crate) fn names_no_roles(&self, a: u32, b: u32) -> bool {
        [a, b].into_iter().any(|index| self.nodes.get(index).is_some_and(|node| node.credentials.is_node_key()))
    }

    /// Whether one of them is yet to drop the other, and nobody knows in which of two roles it had it: a new lease
    /// would keep the old one alive there.
    pub(crate) fn drops_unclear(&self, a: u32, b: u32) -> bool {
        let (Some(a), Some(b)) = (self.nodes.get(a), self.nodes.get(b)) else { return false };
        let both = |node: &Node| node.ever_host && node.ever_client;
        let drops = |node: &Node, other| node.credentials.drops() && node.credentials.to_drop().contains(other);
        both(a) && both(b) && (drops(a, &b.id) || drops(b, &a.id))
    }

    pub(super) fn persist_node(&self, output: &mut Output, index: u32) {
        if let Some(row) = self.node_row(index) {
            output.persist(Row::Node(Box::new(row)));
        }
    }
}
