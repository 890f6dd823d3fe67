use serde::{Deserialize, Serialize};

use crate::{Enode, LeaseId, NodeId, Price};

/// A client's request for a number of hosts.
///
/// The response contains the first slot as soon as a host has admitted the client. Further slots arrive as
/// [`super::DialCall`]s. Over HTTP, where the pool cannot call the agent, ask again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AskRequest {
    /// The total number of hosts wanted, including the hosts that the client already has. The pool stores this number
    /// and replaces lost hosts; a request for 0 ends the replacement.
    pub want: u32,
    /// Hosts to avoid because the client tried them and failed to connect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<NodeId>,
}

/// The hosts that admitted the client.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AskReply {
    /// New hosts, each of which has already admitted the client.
    pub hosts: Vec<LeasedHost>,
    /// The number of hosts still missing from the number requested (`want`).
    pub missing: u32,
    /// The reason why hosts are missing, as text for the user; `None` if none are missing, or if the pool is about to
    /// look for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A host with a slot for the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeasedHost {
    /// The ID of the lease on the host's slot.
    pub lease: LeaseId,
    /// The enode to dial.
    pub host: Enode,
    /// The price of the slot.
    pub price: Price,
    /// The host's `web3_clientVersion`, as reported by its agent; empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_version: String,
    /// The time for which the two nodes may wait until one of them dials the other, in milliseconds: they connected
    /// recently, and geth does not dial a node twice within 35 s. Absent if one of them can dial now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redial_ms: Option<u64>,
}
