use vipnode_types::NodeId;

/// A peer in the table of a simulated node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimPeer {
    /// Who.
    pub id: NodeId,
    /// Whether the peer dialed.
    pub inbound: bool,
    /// Whether it is trusted now.
    pub trusted: bool,
    /// Whether a sub-protocol runs; not in the first milliseconds, and never for one that is thrown out again.
    pub ready: bool,
}
