use tokio::sync::oneshot;
use vipnode_pool_core::{AddressBlock, Drains, NodePage};

/// What the operator of the pool has for the core's thread, besides commands.
#[derive(Debug)]
pub(crate) enum OperatorQuery {
    /// Asks for nodes, a page at a time, so that no page holds up the agents.
    Nodes { position: u32, most: u32, answer: oneshot::Sender<NodePage> },
    /// Asks for the time that each address block used, in nanoseconds.
    CoreTime(oneshot::Sender<Vec<(AddressBlock, u64)>>),
    /// What is drained from now on.
    Drains(Drains),
}
