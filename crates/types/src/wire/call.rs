use serde::{Deserialize, Serialize};

use super::{PairFault, Side, connect::is_zero};
use crate::{Account, Enode, LeaseId, Ms, NodeId, Price};

/// Asks a host to trust a client's node. The host responds after it has updated its node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdmitCall {
    /// The lease that begins.
    pub lease: LeaseId,
    /// The client's node.
    pub client: NodeId,
    /// The price that the client pays.
    pub price: Price,
    /// The enode at which the client's node can be dialed; `None` if the node accepts no connections. Some execution
    /// clients reject a trusted peer whose address they do not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_enode: Option<Enode>,
    /// The client's `web3_clientVersion`, as reported by its agent; empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_version: String,
    /// Whether the client is a light node, which uses one of the slots that some nodes reserve for light nodes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub light: bool,
}

/// A lease has ended. A host removes the client from its trusted peers and then disconnects it; a client stops dialing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EvictCall {
    /// The lease that ended.
    pub lease: LeaseId,
    /// The other node.
    pub peer: NodeId,
    /// The reason why the lease ended.
    pub reason: EvictReason,
    /// The problem that the other side's node observed, if its agent reported one, or that the pool knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<PairFault>,
    /// Only for a client whose lease ended with `no_funds` or `trial_over`: the account that pays for the client's
    /// node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
}

/// Dial a peer of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DialCall {
    /// The lease. In a call to a client, it may be a new lease with another host that the client asked for.
    pub lease: LeaseId,
    /// The side of the recipient.
    pub side: Side,
    /// The enode to dial.
    pub peer: Enode,
    /// The price of the slot.
    pub price: Price,
    /// The other node's `web3_clientVersion`, as reported by its agent; empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_version: String,
    /// The same as `redial_ms` of a host in an ask reply; absent in a call to a host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redial_ms: Option<u64>,
}

/// Asks both sides of a lease whether they agree to a new price: one that was announced earlier, or the current price
/// at the end of a free trial. The lease adopts the price once both have agreed, and ends if one side does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PriceCall {
    /// The lease whose price would change.
    pub lease: LeaseId,
    /// The number of the lease's billing period to which the price would apply.
    pub row: u32,
    /// The price that the client will pay.
    pub price: Price,
    /// The operator's fee, in basis points of what the client pays.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fee_bps: u16,
    /// The earliest time from which the price applies, by the pool's clock in Unix milliseconds: the start of the
    /// billing period, or after a trial, the time of this call.
    pub from_ms: Ms,
}

/// The result of a call that the agent carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Done {}

/// The reason why a lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EvictReason {
    /// One side left.
    Left,
    /// One side disconnected and did not reconnect.
    Disconnected,
    /// One side sent no report for too long.
    NoReports,
    /// The two nodes did not connect in time.
    NotConnected,
    /// One side rejects the other because of its version or the capabilities that it serves.
    Unsuitable,
    /// The host withdrew its slots.
    Drained,
    /// One side does not accept the price.
    Price,
    /// The limit on time that only the host reported was reached.
    Unpaired,
    /// The account that pays for the client has too little left.
    NoFunds,
    /// No account pays for the client anymore.
    NoPayer,
    /// The operator changed how clients pay; the next lease is under the new terms.
    PaymentChanged,
    /// The client has used up its free trial, and no account with enough funds pays for it.
    TrialOver,
    /// A paying client needed the slot of the client's free trial. The client can use the rest of its trial later.
    PayersFirst,
    /// The host responded too late, and the client already has other slots.
    TooLate,
    /// The operator of the pool banned one side.
    Banned,
    /// The pool does not know this lease.
    Unknown,
    /// A reason that this release does not know, sent by a newer pool. The lease has ended all the same.
    #[serde(other)]
    Other,
}

impl EvictReason {
    /// All reasons.
    pub const ALL: [Self; 17] = [
        Self::Left,
        Self::Disconnected,
        Self::NoReports,
        Self::NotConnected,
        Self::Unsuitable,
        Self::Drained,
        Self::Price,
        Self::Unpaired,
        Self::NoFunds,
        Self::NoPayer,
        Self::PaymentChanged,
        Self::TrialOver,
        Self::PayersFirst,
        Self::TooLate,
        Self::Banned,
        Self::Unknown,
        Self::Other,
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
            Self::NoPayer => "no_payer",
            Self::PaymentChanged => "payment_changed",
            Self::TrialOver => "trial_over",
            Self::PayersFirst => "payers_first",
            Self::TooLate => "too_late",
            Self::Banned => "banned",
            Self::Unknown => "unknown",
            Self::Other => "other",
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

    /// Otherwise an agent could not read the call, and its node would keep the peer.
    #[test]
    fn a_reason_of_a_later_release_is_read() {
        let call = EvictCall {
            lease: LeaseId::new(1),
            peer: NodeId::new([1; 64]),
            reason: EvictReason::Other,
            fault: None,
            account: None,
        };
        let later = serde_json::to_string(&call).unwrap().replace("\"other\"", "\"of_a_later_release\"");
        assert_eq!(serde_json::from_str::<EvictCall>(&later).unwrap(), call);
    }
}
