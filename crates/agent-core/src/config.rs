use std::collections::BTreeSet;

use vipnode_types::{Account, Enode, EnodeHost, NodeId, Price};

use crate::{DirectConfig, PeerPolicy, Protocol2Config};

/// What the user wants of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentConfig {
    /// `vipnode/<version>`.
    pub agent_version: String,
    /// Whether there is a pool. Without one only the peers that the user named are served and kept.
    pub pool: bool,
    /// Peers that the user named, in addition to those of a pool.
    pub direct: DirectConfig,
    /// Hosts to keep of a pool; 0 for an agent that wants none.
    pub min_peers: u32,
    /// The highest price of a slot that is taken.
    pub max_price: Option<Price>,
    /// Disconnect every peer of the node that is on no lease and that the node does not keep by its own settings.
    pub strict: bool,
    /// Peers that the node keeps by its own settings, connected or not: nothing is done for them at the node, and
    /// nothing is undone.
    pub keep: BTreeSet<NodeId>,
    /// Which peers are taken on the other side of a lease.
    pub policy: PeerPolicy,
    /// Slots to sell; `None` for an agent that is not a host.
    pub host: Option<HostConfig>,
    /// Where others dial the node.
    pub advertise: Advertise,
    /// Speak protocol 2, to a pool of the original; `None` for protocol 3.
    pub protocol2: Option<Protocol2Config>,
    /// Over protocol 3: the pool may take this node over protocol 2 too, where only the node's key signs.
    pub allow_protocol2: bool,
    /// Seed of the agent's own choices (jitter).
    pub seed: [u8; 32],
}

/// Where others dial the node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Advertise {
    /// Where the node says that it listens.
    #[default]
    Node,
    /// At this host, at the port that the node says (D34).
    Host(EnodeHost),
    /// At this enode, whatever the node says.
    Enode(Enode),
}

/// What a host sells and keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// Slots to sell. Never more than `node_max_peers - reserve`; the agent keeps to it whatever a
    /// pool says.
    pub slots: u32,
    /// Slots kept for the node's own peers.
    pub reserve: u32,
    /// The node's `--maxpeers`, which is not available over RPC.
    pub node_max_peers: u32,
    /// The account that earns.
    pub payout: Option<Account>,
    /// A head older than this offers nothing, in seconds; `None` for a chain that stands still.
    pub max_head_age_s: Option<u64>,
}
