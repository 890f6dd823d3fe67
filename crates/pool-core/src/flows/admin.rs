use vipnode_types::{NodeId, wire::EvictReason};

use crate::{Core, Drains, Effect, NodePage, NodeView, SendWhen, Signer, agents::node::Node, output::Output};

// What an operator under attack may do and see. Each answer and each step has a bounded cost, so that looking at a pool
// does not make its agents wait.

impl Core {
    /// Ends the connection and all leases of a node. Its peers are evicted at once; whatever it did itself it undoes when
    /// it connects again, or by `vipnode release`.
    pub(crate) fn expel(&mut self, output: &mut Output, node: &NodeId, reason: String) {
        let Some(index) = self.agents.find(node) else { return };
        if self.is_silent(index) {
            self.go_down(output, index);
        }
        self.end_ask(output, index, &reason);
        let connection = self.agents.get(index).and_then(Node::connection);
        // While it is connected, its agent is notified too: otherwise its node would keep dialing the other side.
        for (lease, _) in self.leases.of(index) {
            self.end_lease(output, lease, EvictReason::Banned, None, None);
        }
        self.detach(output, index);
        if let Some(connection) = connection {
            output.push(Effect::Close { connection, reason, when: SendWhen::AfterCommit });
        }
    }

    /// Replaces what the operator drains: these nodes get no new leases.
    pub fn set_drains(&mut self, drains: Drains) {
        for changed in self.agents.set_drains(drains) {
            self.refresh(&changed);
        }
    }

    /// Returns the nodes that are connected or have a lease, examining at most `most` from this position on.
    #[must_use]
    pub fn nodes_from(&self, position: u32, most: u32) -> NodePage {
        let end = position.saturating_add(most).min(self.agents.capacity());
        let nodes = (position..end).filter_map(|index| self.node_view(index)).collect();
        NodePage { nodes, next: (end < self.agents.capacity()).then_some(end) }
    }

    fn node_view(&self, index: u32) -> Option<NodeView> {
        let node = self.agents.get(index)?;
        let (as_host, as_client) = (self.leases.host_count(index), self.leases.client_count(index));
        if !node.is_connected() && as_host == 0 && as_client == 0 {
            return None;
        }
        Some(NodeView {
            position: index,
            id: node.id(),
            agent: match node.credentials().signer {
                Signer::Agent { key, .. } => Some(key),
                Signer::NodeKey { .. } => None,
            },
            chain_id: self.agents.chain(node.chain()).map_or(0, |chain| chain.chain_id),
            address: node.address(),
            connected: node.is_connected(),
            since: node.since(),
            host: node.is_host(),
            client: node.is_client(),
            agent_version: self.agents.agent_version(node),
            client_version: self.agents.client_version(index),
            slots: node.slots(),
            leases_as_host: as_host,
            leases_as_client: as_client,
            drained: self.agents.is_drained(index),
        })
    }
}
