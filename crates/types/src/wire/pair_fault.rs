use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why two nodes do not come together, as one of them saw it. It is told to the other one's user and decides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairFault {
    /// Their genesis blocks differ.
    Genesis,
    /// Their network ids differ.
    Network,
    /// Their forks differ.
    Forks,
    /// They share no version of `eth`.
    EthVersion,
    /// The host's places for light nodes are taken.
    LightPlaces,
    /// Something that a newer release knows.
    #[serde(other)]
    Other,
}
