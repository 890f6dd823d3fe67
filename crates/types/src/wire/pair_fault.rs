use serde::{Deserialize, Serialize};

/// Why two nodes did not connect, as observed by one of them. It is shown to the other side's user. Only `light_slots`
/// affects matching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PairFault {
    /// Their genesis blocks differ.
    Genesis,
    /// Their network IDs differ.
    Network,
    /// Their forks differ.
    Forks,
    /// They share no version of `eth`.
    EthVersion,
    /// The host's slots for light nodes are taken.
    LightSlots,
    /// A reason that this release does not know.
    #[serde(other)]
    Other,
}
