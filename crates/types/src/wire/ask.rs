use serde::{Deserialize, Serialize};

use crate::{Enode, LeaseId, NodeId, Price};

/// A client wants to be brought to a number of hosts.
///
/// The answer holds one slot as soon as a host admitted the client; further ones come as
/// [`super::DialCall`]s. Over HTTP, where the pool cannot call, ask again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AskRequest {
    /// Hosts in all, those it has included. The pool remembers it and tops up by itself when one
    /// is lost; 0 stops that.
    pub want: u32,
    /// Hosts not to be given, because they were tried and failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<NodeId>,
}

/// The hosts that admitted the client.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AskReply {
    /// New slots, each already admitted.
    pub hosts: Vec<LeasedHost>,
    /// How many slots are still missing to `want`.
    pub missing: u32,
    /// Where some are missing: why, for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A host with a slot for the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeasedHost {
    /// The name of the lease.
    pub lease: LeaseId,
    /// Whom to dial.
    pub host: Enode,
    /// What the slot costs.
    pub price: Price,
    /// `web3_clientVersion` of the host, as its agent told it; empty where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_version: String,
}
