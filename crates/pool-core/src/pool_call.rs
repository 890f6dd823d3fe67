use vipnode_types::{
    NodeId,
    wire::{AdmitCall, DialCall, EvictCall, NoticeCall, PriceCall},
};

/// A call to an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolCall {
    /// Admit a client.
    Admit(AdmitCall),
    /// Undo a lease.
    Evict(EvictCall),
    /// Dial a peer.
    Dial(DialCall),
    /// Agree to a price.
    Price(PriceCall),
    /// Admit a client, in protocol 2.
    Whitelist(NodeId),
    /// Show the user something.
    Notice(NoticeCall),
}
