/// Why a node's connection to a peer ended, if the node reports the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DropCause {
    /// The node does not report it, or only reports that something went wrong at the other end.
    #[default]
    Unknown,
    /// Their genesis blocks differ.
    Genesis,
    /// Their network IDs differ.
    Network,
    /// Their forks differ, or one of them knows a newer fork that the other has passed.
    Forks,
    /// The two share no version of `eth`.
    EthVersion,
    /// One side requested it: a user, an agent, or a node without a free slot for a light node.
    Requested,
}
