use vipnode_types::{Account, Price};

/// What the user wants of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentConfig {
    /// `vipnode/<version>`.
    pub agent_version: String,
    /// Hosts to keep; 0 for an agent that is no client.
    pub min_peers: u32,
    /// The dearest place taken.
    pub max_price: Option<Price>,
    /// Places to sell; `None` for an agent that is no host.
    pub host: Option<HostConfig>,
    /// Seed of the agent's own choices (jitter).
    pub seed: [u8; 32],
}

/// What a host sells and keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// Places to sell. Never more than `node_max_peers - reserve`; the agent keeps to it whatever a
    /// pool says.
    pub slots: u32,
    /// Places kept for the node's own peers.
    pub reserve: u32,
    /// `--maxpeers` of the node, which no RPC tells.
    pub node_max_peers: u32,
    /// Who earns.
    pub payout: Option<Account>,
    /// A head older than this offers nothing, in seconds; `None` for a chain that stands still.
    pub max_head_age_s: Option<u64>,
}
