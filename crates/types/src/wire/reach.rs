use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{ConnectRequest, HostSupply, WireError};
use crate::{JoinProof, Ms, NodeId};

/// The result of the pool's attempt to dial a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// A server accepted the connection.
    Open,
    /// Nothing listens on the port.
    Refused,
    /// The port did not answer in time, or no route leads to it.
    Timeout,
}

/// A request from a caller that may later connect as an agent. The pool stores nothing about the caller and does not
/// assign a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReachRequest {
    /// The node's devp2p TCP port. The pool tests it only at the caller's source address. Without a port, nothing is
    /// tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The node that would join.
    pub node: NodeId,
    /// The node's `eth_chainId`.
    pub chain_id: u64,
    /// Proof of the join secret, for a pool that requires one. The nonce is the socket's challenge; over HTTP, it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinProof>,
    /// The connect request that the agent would send. If present, the call must be signed like a connect call, but with
    /// the name of this method. The pool checks the request and the signature like those of a connect call, but does
    /// not connect the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Box<ConnectRequest>>,
}

/// The pool's view of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReachReply {
    /// The caller's source address.
    pub address: IpAddr,
    /// The result of dialing the port; `None` if the request has none, or the pool did not test it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<Reach>,
    /// The reason why the pool did not test the port of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_error: Option<WireError>,
    /// The pool's clock, which it uses to check signatures (milliseconds since the Unix epoch).
    pub time_ms: Ms,
    /// Whether the caller's node may join. For a request with `connect`, the result of the check.
    pub admission: Admission,
    /// Only for a connect request that the pool would accept: the hosts that the pool has for the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supply: Option<HostSupply>,
}

/// Whether a node may join: what the pool discloses to unauthenticated callers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// The node may join.
    Allowed,
    /// Only members can join. The pool does not disclose membership to unauthenticated callers.
    MembersOnly,
    /// The node may not join; the error gives the reason.
    Refused(WireError),
}
