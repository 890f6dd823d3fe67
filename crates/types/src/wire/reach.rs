use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WireError;
use crate::{JoinProof, Ms, NodeId};

/// Somebody who may become an agent asks how the pool sees it. Nothing is kept of it, and no place is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReachReply {
    /// Where the asker comes from.
    pub address: IpAddr,
    /// What became of the try; `None` where no port was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<Reach>,
    /// The wall clock of the pool, by which signatures are judged, in milliseconds since the Unix epoch.
    pub time: Ms,
    /// Whether such a node may join.
    pub admission: Admission,
}

/// What became of a connection to a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// Somebody took it.
    Open,
    /// Nobody listens there.
    Refused,
    /// No answer in time, or no way there.
    Silent,
}

/// Whether a node may join, as far as it is told to somebody who has not signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// It may.
    Willing,
    /// Only members may, and who is one is told to nobody who has not signed.
    Members,
    /// It may not, and why.
    Refused(WireError),
}
