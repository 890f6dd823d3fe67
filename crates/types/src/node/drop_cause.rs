/// Why a node's connection to a peer ended, as far as the node tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DropCause {
    /// It does not tell, or tells only that something went wrong at the other end.
    #[default]
    Untold,
    /// The two have another genesis block.
    Genesis,
    /// The two have another network id.
    Network,
    /// The two have other forks, or one of them knows a newer fork that the other has passed by.
    Forks,
    /// The two share no version of `eth`.
    EthVersion,
    /// One of the two wished it so: a user or agent, or a node without a free slot for a light one.
    Requested,
}
