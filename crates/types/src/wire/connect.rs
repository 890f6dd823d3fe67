use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{PaymentTerms, PayoutView};
use crate::{
    Capability, ChainSpec, Enode, JoinProof, LeaseId, MinVersion, Ms, PayoutOrder, PoolId, Price, QuotedPrice,
};

/// An agent's description of itself and its node. The node ID is in the envelope's delegation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectRequest {
    /// The protocol version, [`super::PROTOCOL`] (3).
    pub protocol: u32,
    /// `vipnode/<version>` of the agent.
    pub agent_version: String,
    /// `web3_clientVersion` of the node.
    pub client_version: String,
    /// The capabilities that the node reports it serves. The pool adds the versions that other nodes observed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// The oldest releases that the agent accepts on the other side of a lease.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub min_versions: Vec<MinVersion>,
    /// The chain that the node follows.
    pub chain: ChainSpec,
    /// The enode at which the node listens, as reported by the node; `None` if the node accepts no connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enode: Option<Enode>,
    /// The offer of slots; present only if the agent sells slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostOffer>,
    /// The requirements for hosts; present only if the agent wants hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientCriteria>,
    /// Proof of the join secret, for a pool that requires one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinProof>,
    /// Whether this node may also connect over protocol 2, where only the node key's signature authenticates it. If
    /// false, the pool refuses such connections from now on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_protocol2: bool,
}

/// A host's offer of slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostOffer {
    /// The total number of slots, including those in use; 0 while the node is not in sync.
    pub slots: u32,
    /// The account that receives the earnings, signed by the node key. The first account takes effect at once; see
    /// `vipnode_payout` for later changes. If the field is absent, the pool keeps the account that it has. A host
    /// without an account earns nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<PayoutOrder>,
    /// Whether the host serves only paying clients, and none on a free trial.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_trials: bool,
}

/// A client's requirements for a host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientCriteria {
    /// The highest price that the client accepts, as its user wrote it: the pool converts it to the asset that it
    /// charges in. `None` for any price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_price: Option<QuotedPrice>,
    /// The capabilities that a host must serve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_capabilities: Vec<Capability>,
    /// Whether the client's node waits several seconds after the call before it dials a host. The pool then asks the
    /// host to dial at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dials_late: bool,
}

/// The pool's welcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectReply {
    /// `vipnode/<version>` of the pool.
    pub pool_version: String,
    /// The pool's ID, which agents remember for each URL. Over a WebSocket, it equals the ID that the 101 response
    /// proved. A pool without a data directory has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_id: Option<PoolId>,
    /// The operator's welcome message to the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub welcome: Option<String>,
    /// The report interval in milliseconds; a report is due even if nothing changed.
    pub report_interval_ms: u64,
    /// The current price of a slot at this pool.
    pub price: Price,
    /// The pool's fee, in basis points of what clients pay: hosts earn the rest.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fee_bps: u16,
    /// The payment mode of this pool, and its payment terms.
    #[serde(default)]
    pub terms: PaymentTerms,
    /// All leases of this node that the pool considers active. The agent undoes its changes for any other lease.
    pub leases: Vec<LeaseView>,
    /// The address of an older connection of this node that was still open and that this connection replaced. If this
    /// happens repeatedly, another agent is using the key of the same node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<IpAddr>,
    /// Only for a host, and only if the pool has other hosts: the reason why none of them is on the node's chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_hosts: Option<String>,
    /// Only for a host: the account that receives its earnings; `None` if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<PayoutView>,
    /// The announced price, which has not taken effect; `None` if no change is announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_price: Option<NextPrice>,
}

/// An announced price. It applies to new leases from `from_ms` on, and to running leases from their next billing period
/// after `from_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NextPrice {
    /// The future price of a slot.
    pub price: Price,
    /// The operator's fee, in basis points of what clients pay.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fee_bps: u16,
    /// The time at which the price takes effect, by the pool's clock, in Unix milliseconds.
    pub from_ms: Ms,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(super) const fn is_zero(number: &u16) -> bool {
    *number == 0
}

/// A lease as seen from one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeaseView {
    /// The lease ID, as used by both sides and the pool.
    pub lease: LeaseId,
    /// The side of the recipient.
    pub side: Side,
    /// The other node.
    pub peer: Enode,
    /// The price of the slot.
    pub price: Price,
}

/// One of the two sides of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The side that uses the slot.
    Client,
    /// The side that provides the slot.
    Host,
}

impl Side {
    /// Returns the opposite side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Host,
            Self::Host => Self::Client,
        }
    }
}
