use vipnode_types::NodeId;

use crate::{Core, output::Output};

impl Core {
    /// Adds a peer that a node of protocol 2 has to drop, which the answers to its updates will name.
    pub(crate) fn drop_peer(&mut self, output: &mut Output, index: u32, peer: NodeId) {
        let most = self.limits.invalid_peers as usize;
        let Some(credentials) = self.agents.credentials_mut(index) else { return };
        if credentials.protocol2.get_or_insert_default().drop_peer(peer, most) {
            self.persist_node(output, index);
        }
    }

    /// Returns the peers that a node has yet to drop after it reported `peers`, which are sorted.
    pub(super) fn still_to_drop(&mut self, output: &mut Output, index: u32, peers: &[NodeId]) -> Vec<String> {
        if self.agents.get(index).is_none_or(|node| node.credentials().to_drop().is_empty()) {
            return Vec::new();
        }
        let leased = self.leases.of(index).into_iter().filter_map(|(lease, side)| {
            let other = self.leases.get(lease)?.node(side.other());
            self.agents.id(other)
        });
        let mut leased: Vec<NodeId> = leased.collect();
        leased.sort_unstable();
        let state = self.agents.credentials_mut(index).and_then(|credentials| credentials.protocol2.as_deref_mut());
        let Some(state) = state else { return Vec::new() };
        let invalid = state.still_to_drop(peers, &leased);
        if invalid.changed {
            self.persist_node(output, index);
        }
        invalid.ids
    }
}
