use serde::{Deserialize, Serialize};

use super::NextPrice;
use crate::{Capability, LeaseId, LeaseSetHash, Price};

/// The state of the peers that the pool assigned to the agent or asked it to admit. A report never names other peers.
///
/// The first report on a socket is [`full`](Self::full); later ones contain only changes. A report without changes is
/// `{"seq":7}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportRequest {
    /// The sequence number: 1 on a new socket, then incremented by 1 with each report.
    pub seq: u32,
    /// The whole set of leases whose peer is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<Vec<UpLease>>,
    /// Peers that connected since the last report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub up: Vec<LeaseId>,
    /// Peers that disconnected since the last report. A lease in both `down` and `up` disconnected and reconnected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub down: Vec<LeaseId>,
    /// The hash of the whole set after this report; present whenever `full`, `up`, or `down` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<LeaseSetHash>,
    /// The capabilities of hosts, as reported to the client's node; sent once per lease and socket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_capabilities: Vec<HostCapabilities>,
    /// The host's total number of slots, if the number changed (see `slots` of `HostOffer`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Whether the node's slots for light nodes are all taken, if the value changed; false on a new socket. While the
    /// value is true, the host gets no light clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub light_slots_full: Option<bool>,
    /// The number of the newest block, if the number changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<u64>,
}

/// A connected peer in a full report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpLease {
    /// The lease of the connected peer.
    pub lease: LeaseId,
    /// Whether the peer has stayed connected since the agent last reported it as up. If not, a new billing period
    /// begins.
    pub continuous: bool,
}

/// The capabilities of a host, as observed by a client's node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostCapabilities {
    /// The client's lease with the host.
    pub lease: LeaseId,
    /// The capabilities, with versions.
    pub capabilities: Vec<Capability>,
}

/// A lease and its new price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeasePrice {
    /// The lease whose price is given.
    pub lease: LeaseId,
    /// The new price of the slot.
    pub price: Price,
}

/// The pool's answer to a report.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportReply {
    /// Whether the sequence number or the hash did not match. If true, nothing was counted, and the agent must send a
    /// full report.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resync: bool,
    /// The price of a slot in leases from now on, if the price changed since the agent connected, or an announced price
    /// was withdrawn. If `price` is present and `next_price` is absent, no price change is announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The operator's fee from now on, in basis points of what clients pay, if the fee or the price changed since the
    /// agent connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_bps: Option<u16>,
    /// A price that was announced since the agent connected, and has not taken effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_price: Option<NextPrice>,
    /// The prices of leases that have begun a new billing period, if the pool does not call the agent about prices:
    /// over HTTP, or if nobody pays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lease_prices: Vec<LeasePrice>,
}
