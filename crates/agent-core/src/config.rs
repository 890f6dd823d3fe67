use std::collections::BTreeSet;

use vipnode_types::{Account, Enode, EnodeHost, NodeId, Price, QuotedPrice};

use crate::{DirectConfig, PayConfig, PeerPolicy, Protocol2Config};

/// The settings of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentConfig {
    /// `vipnode/<version>`.
    pub agent_version: String,
    /// Whether there is a pool. Without one, only peers that the user named are served and kept.
    pub pool: bool,
    /// Peers that the user named, in addition to those of a pool.
    pub direct: DirectConfig,
    /// How many hosts to keep from a pool; 0 for an agent that is not a client.
    pub min_peers: u32,
    /// The maximum price of a slot, in the asset that the pool charges in; `None` for any price.
    pub max_price: Option<QuotedPrice>,
    /// How the client pays where clients pay with x402; `None` if it does not.
    pub pay: Option<PayConfig>,
    /// Disconnect every peer of the node that has no lease and that the node does not keep by its own settings.
    pub strict: bool,
    /// Peers that the node keeps by its own settings, connected or not: the agent makes no changes for them and undoes
    /// none.
    pub keep: BTreeSet<NodeId>,
    /// Which peers are accepted on the other side of a lease.
    pub policy: PeerPolicy,
    /// Slots to sell; `None` for an agent that is not a host.
    pub host: Option<HostConfig>,
    /// Where others dial the node.
    pub advertise: Advertise,
    /// Whether a pool that was reached at a public address may have the node dial private ones.
    pub dial_private: bool,
    /// Settings for protocol 2, for an original pool; `None` for protocol 3.
    pub protocol2: Option<Protocol2Config>,
    /// Over protocol 3: the pool may also accept this node over protocol 2, where only the node's key signs.
    pub allow_protocol2: bool,
    /// A request to the pool without an answer for this long, in milliseconds: the socket is half-open (fault D40,
    /// docs/faults.md).
    pub request_ms: u64,
    /// Seed of the agent's own choices (jitter).
    pub seed: [u8; 32],
}

impl AgentConfig {
    /// Whether a price does not exceed the maximum. One in another asset than the maximum does, unless it is free.
    #[must_use]
    pub fn pays(&self, price: Price) -> bool {
        let most = self.max_price.as_ref().filter(|_| !price.is_free());
        most.is_none_or(|most| most.in_asset(price.asset()).is_ok_and(|most| !price.exceeds(most)))
    }
}

/// Where others dial the node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Advertise {
    /// The address that the node reports.
    #[default]
    Node,
    /// This host, and the port that the node reports (fault D34, docs/faults.md).
    Host(EnodeHost),
    /// This enode, whatever the node reports.
    Enode(Enode),
}

/// What a host sells and keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// Slots to sell. At most `node_max_peers - reserve`, which the agent enforces whatever a pool requests.
    pub slots: u32,
    /// Slots kept for the node's own peers.
    pub reserve: u32,
    /// The node's `--maxpeers`, which is not available over RPC.
    pub node_max_peers: u32,
    /// The account that is paid.
    pub payout: Option<Account>,
    /// The lowest price for which the host sells slots, after the pool's fee; `None` for any.
    pub min_price: Option<QuotedPrice>,
    /// Whether the host serves only paying clients, and none on a free trial.
    pub no_trials: bool,
    /// With a newest block older than this, the host offers no slots, in seconds; `None` for a chain that does not
    /// produce blocks.
    pub max_head_age_s: Option<u64>,
}
