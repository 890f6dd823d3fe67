use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::WireError;
use crate::{JoinProof, Ms, NodeId};

/// A future agent asks how the pool sees it. The pool keeps nothing of it, and it takes no slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReachRequest {
    /// TCP port of the node's devp2p, tried at the address that the asker comes from and at no other; without one
    /// nothing is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The node that would join.
    pub node: NodeId,
    /// Its `eth_chainId`.
    pub chain_id: u64,
    /// For a pool with a join secret: under the challenge of the socket, over HTTP under an empty nonce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinProof>,
}

/// How the pool sees the asker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReachReply {
    /// Where the asker comes from.
    pub address: IpAddr,
    /// What happened when the pool dialed the port; `None` if the request has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<Reach>,
    /// The pool's clock, by which it judges signatures, in milliseconds since the Unix epoch.
    pub time_ms: Ms,
    /// Whether such a node may join.
    pub admission: Admission,
}

/// What happened when the pool dialed a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// A server accepted it.
    Open,
    /// Nothing listens there.
    Refused,
    /// No answer in time, or no route.
    Timeout,
}

/// Whether a node may join, as far as an unauthenticated caller may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// It may join.
    Allowed,
    /// Only members may join. Who is one is not told to an unauthenticated caller.
    MembersOnly,
    /// It may not join, and why.
    Refused(WireError),
}
