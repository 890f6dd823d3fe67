use serde::{Deserialize, Serialize};

use crate::{Capability, LeaseId, LeaseSetHash};

/// What an agent sees of the peers that the pool gave it or had it admit, and of no others (D46).
///
/// The first report on a socket is [`full`](Self::full); later ones say what changed. A report of
/// nothing new is `{"seq":7}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportRequest {
    /// 1 on a new socket, then one more each time.
    pub seq: u32,
    /// The whole set of leases whose peer is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<Vec<UpLease>>,
    /// Peers that connected since the last report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub up: Vec<LeaseId>,
    /// Peers that went since the last report. A lease in `down` and in `up` went and came back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub down: Vec<LeaseId>,
    /// The whole set after this report; present whenever `full`, `up` or `down` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<LeaseSetHash>,
    /// What hosts serve, as they told the client's node; once for each lease and socket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_capabilities: Vec<HostCapabilities>,
    /// Slots in all, if that changed (see [`super::HostOffer::slots`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Whether the node's slots for light nodes are all taken, if that changed; false on a new socket. While it is
    /// true, the host gets no light clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub light_slots_full: Option<bool>,
    /// Number of the newest block, where that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<u64>,
}

/// A connected peer in a full report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpLease {
    /// The lease it belongs to.
    pub lease: LeaseId,
    /// Whether it stayed connected since it was last reported up. If not, a new row of the meter begins.
    pub continuous: bool,
}

/// What a host serves, as a client's node saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostCapabilities {
    /// The lease with it.
    pub lease: LeaseId,
    /// The capabilities, with versions.
    pub capabilities: Vec<Capability>,
}

/// The pool's answer to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportReply {
    /// Sequence or hash did not fit, nothing was counted: send a full report.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resync: bool,
}
