use std::collections::BTreeSet;

use vipnode_types::NodeId;

use crate::agents::Agents;

/// What the operator drains: these nodes, or the whole pool, get no new leases. Running leases continue until they end.
///
/// An operator under attack can so take a node out of the market without harm to those that it serves, and stop a whole
/// pool gently. The caller keeps the table, and limits its length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drains {
    /// Whether the whole pool is drained.
    pub all: bool,
    /// The nodes that are drained, known to the pool or not.
    pub nodes: BTreeSet<NodeId>,
}

impl Agents {
    /// As [`Agents::is_drained`], also for a node that is not known.
    pub(crate) fn drains_node(&self, node: &NodeId) -> bool {
        self.drains.all || self.drains.nodes.contains(node)
    }
}
