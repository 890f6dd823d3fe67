use serde::{Deserialize, Serialize};

use crate::{Account, Capability, ChainSpec, Enode, JoinProof, LeaseId, MinVersion, Price};

/// An agent presents itself and its node. Its node id stands in the envelope's delegation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectRequest {
    /// The protocol that is spoken, [`super::PROTOCOL`]: 3.
    pub protocol: u32,
    /// `vipnode/<version>` of the agent.
    pub agent_version: String,
    /// `web3_clientVersion` of the node.
    pub client_version: String,
    /// What the node serves, by its own account. The pool adds the versions that other nodes saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<Capability>,
    /// The oldest releases that it accepts on the other side of a lease.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub min_versions: Vec<MinVersion>,
    /// The chain that the node follows.
    pub chain: ChainSpec,
    /// Where the node listens, as far as it knows; `None` if it accepts no connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enode: Option<Enode>,
    /// Present on an agent that sells slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostOffer>,
    /// Present on an agent that seeks hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientCriteria>,
    /// For a pool with a join secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinProof>,
    /// Whether this node may also connect by protocol 2, where the node key's signature alone authenticates it;
    /// otherwise the pool refuses that from now on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_protocol2: bool,
}

/// What a host sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostOffer {
    /// Slots in all, taken ones included. 0 while the node is not in sync.
    pub slots: u32,
    /// Who earns; without it nothing is owed to anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<Account>,
}

/// What a client accepts of a host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientCriteria {
    /// The highest price it pays; `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_price: Option<Price>,
    /// What a host has to serve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_capabilities: Vec<Capability>,
}

/// The pool's welcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectReply {
    /// `vipnode/<version>` of the pool.
    pub pool_version: String,
    /// The operator's words to the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub welcome: Option<String>,
    /// A report is due this often, in milliseconds, also when nothing changed.
    pub report_interval_ms: u64,
    /// What a slot costs here now.
    pub price: Price,
    /// Every lease of this node that the pool considers active. The agent undoes what it did for any other.
    pub leases: Vec<LeaseView>,
}

/// One lease from one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeaseView {
    /// Its name.
    pub lease: LeaseId,
    /// Which side the reader is.
    pub side: Side,
    /// The other node.
    pub peer: Enode,
    /// What it costs.
    pub price: Price,
}

/// One of the two sides of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Uses the slot.
    Client,
    /// Provides the slot.
    Host,
}

impl Side {
    /// The one across.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Host,
            Self::Host => Self::Client,
        }
    }
}
