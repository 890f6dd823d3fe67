use vipnode_types::{
    NodeId,
    wire::{AdmitCall, DialCall, EvictCall},
};

/// A call to an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolCall {
    /// Let a client in.
    Admit(AdmitCall),
    /// Undo a lease.
    Evict(EvictCall),
    /// Dial a peer.
    Dial(DialCall),
    /// Let a client in, by protocol 2.
    Whitelist(NodeId),
}
