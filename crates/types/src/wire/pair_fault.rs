use serde::{Deserialize, Serialize};

/// The reason why two nodes did not connect, as observed by one of them. It is shown to the other side's user. Only
/// `light_slots` affects matching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PairFault {
    /// The nodes have different genesis blocks.
    Genesis,
    /// The nodes have different network IDs.
    Network,
    /// The nodes follow different forks.
    Forks,
    /// The nodes share no version of `eth`.
    EthVersion,
    /// The host's slots for light nodes are taken.
    LightSlots,
    /// The client was given a loopback address of the host, which leads to the client's own machine. Only the pool reports
    /// this, to the host.
    Loopback,
    /// A reason that this release does not know.
    #[serde(other)]
    Other,
}
