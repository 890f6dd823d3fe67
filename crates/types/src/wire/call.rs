use serde::{Deserialize, Serialize};

use super::{PairFault, Side};
use crate::{Enode, LeaseId, NodeId, Price};

/// A host is to trust a client's node. The answer comes once the node was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdmitCall {
    /// The lease that begins.
    pub lease: LeaseId,
    /// The client's node.
    pub client: NodeId,
    /// What the client pays.
    pub price: Price,
    /// Where the client's node can be dialed; `None` if it accepts no connections. Some execution clients reject a
    /// trusted peer whose address they do not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_enode: Option<Enode>,
    /// `web3_clientVersion` of the client, as its agent told it; empty where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_version: String,
    /// The client is a light node: it takes one of the slots that some nodes reserve for light nodes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub light: bool,
}

/// A lease is over. A host untrusts and then disconnects; a client stops dialing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EvictCall {
    /// The lease that ended.
    pub lease: LeaseId,
    /// The other node.
    pub peer: NodeId,
    /// Why.
    pub reason: EvictReason,
    /// What the other side's node saw, where its agent told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<PairFault>,
}

/// Dial a peer of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DialCall {
    /// The lease. To a client it may be new: a further host of its ask.
    pub lease: LeaseId,
    /// Which side the reader is.
    pub side: Side,
    /// Whom to dial.
    pub peer: Enode,
    /// What it costs.
    pub price: Price,
    /// `web3_clientVersion` of the other node, as its agent told it; empty where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_version: String,
}

/// The agent did what a call asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Done {}

/// Why a lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EvictReason {
    /// One side left.
    Left,
    /// One side saw the other disconnect and not come back.
    Disconnected,
    /// One side sent no report for too long.
    NoReports,
    /// The two did not both see each other in time.
    NotConnected,
    /// One side does not accept the other: its version, or the capabilities that it serves.
    Unsuitable,
    /// The host takes its slots back.
    Drained,
    /// The price rose beyond what the client takes.
    Price,
    /// Time that only the host saw is used up.
    Unpaired,
    /// Nothing is left to pay with.
    NoFunds,
    /// The host answered too late; the client has other slots.
    TooLate,
    /// The pool does not know this lease.
    Unknown,
}

impl EvictReason {
    /// Every reason there is.
    pub const ALL: [Self; 11] = [
        Self::Left,
        Self::Disconnected,
        Self::NoReports,
        Self::NotConnected,
        Self::Unsuitable,
        Self::Drained,
        Self::Price,
        Self::Unpaired,
        Self::NoFunds,
        Self::TooLate,
        Self::Unknown,
    ];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Disconnected => "disconnected",
            Self::NoReports => "no_reports",
            Self::NotConnected => "not_connected",
            Self::Unsuitable => "unsuitable",
            Self::Drained => "drained",
            Self::Price => "price",
            Self::Unpaired => "unpaired",
            Self::NoFunds => "no_funds",
            Self::TooLate => "too_late",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_to_evict_has_its_name_on_the_wire() {
        for (at, reason) in EvictReason::ALL.into_iter().enumerate() {
            let wire = serde_json::to_string(&reason).unwrap();
            assert_eq!(wire, format!("\"{}\"", reason.name()));
            assert_eq!(serde_json::from_str::<EvictReason>(&wire).unwrap(), reason);
            assert!(!EvictReason::ALL[..at].contains(&reason));
        }
    }
}
