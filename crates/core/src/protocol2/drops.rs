use vipnode_types::NodeId;

use crate::{Core, Row, Speaker, turn::Turn};

/// Peers that a node is to drop, told to it as `invalid_peers` until it reports them no longer. Only
/// what the pool had it let in, or sent it to, is ever among them.
impl Core {
    /// Has a node of protocol 2 drop a peer.
    pub(super) fn drop_peer(&mut self, turn: &mut Turn, index: u32, peer: NodeId) {
        let most = self.limits.invalid_peers as usize;
        let Some(node) = self.nodes.get_mut(index) else { return };
        let Speaker::NodeKey { drop, told, .. } = &mut node.speaker else { return };
        if drop.contains(&peer) {
            return;
        }
        if drop.len() >= most {
            drop.remove(0);
            *told = told.saturating_sub(1);
        }
        drop.push(peer);
        self.persist_node(turn, index);
    }

    /// A node is given a peer anew, and is no longer to drop it.
    pub(crate) fn keep_peer(&mut self, turn: &mut Turn, index: u32, peer: &NodeId) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        let Speaker::NodeKey { drop, told, .. } = &mut node.speaker else { return };
        let Some(at) = drop.iter().position(|other| other == peer) else { return };
        drop.remove(at);
        if at < usize::from(*told) {
            *told = told.saturating_sub(1);
        }
        self.persist_node(turn, index);
    }

    /// What a node is to drop now that it reported `peers`, which are sorted. What it was told of on
    /// this socket and reports no longer, it has dropped.
    pub(super) fn still_to_drop(&mut self, turn: &mut Turn, index: u32, peers: &[NodeId]) -> Vec<String> {
        let Some(node) = self.nodes.get_mut(index) else { return Vec::new() };
        let Speaker::NodeKey { drop, told, .. } = &mut node.speaker else { return Vec::new() };
        let were_told = usize::from(*told);
        if drop.is_empty() {
            return Vec::new();
        }
        let before = drop.len();
        let mut at = 0_usize;
        drop.retain(|id| {
            let was_told = at < were_told;
            at = at.saturating_add(1);
            !was_told || peers.binary_search(id).is_ok()
        });
        let ids = drop.iter().map(ToString::to_string).collect();
        let left = drop.len();
        *told = u16::try_from(left).unwrap_or(u16::MAX);
        if left != before {
            self.persist_node(turn, index);
        }
        ids
    }

    pub(super) fn persist_node(&self, turn: &mut Turn, index: u32) {
        if let Some(row) = self.node_row(index) {
            turn.persist(Row::Node(Box::new(row)));
        }
    }
}
