use serde::{Deserialize, Serialize};

use crate::Wei;

/// What a pool shows to everybody: the original's fields (A63), amounts as strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolStatus {
    /// When this was made, in seconds since the Unix epoch.
    pub time_updated: u64,
    /// When the pool started, in seconds since the Unix epoch.
    pub time_started: u64,
    /// `vipnode/<version>` of the pool.
    pub version: String,
    /// Hosts with a live connection, at most a limit of the pool.
    pub active_hosts: Vec<HostStatus>,
    /// Sums.
    pub stats: PoolStats,
    /// What is wrong, if something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One active host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStatus {
    /// The first 12 characters of its id.
    pub short_id: String,
    /// When it last reported, in seconds since the Unix epoch.
    pub last_seen: u64,
    /// `web3_clientVersion` of its node.
    pub node_version: String,
    /// Its agent's version.
    pub vipnode_version: String,
    /// Its newest block, by its own word.
    pub block_number: u64,
    /// Leases that run on it.
    pub num_peers: u32,
    /// Places it sells in all.
    pub slots: u32,
}

/// Sums over a pool.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PoolStats {
    /// Hosts that report.
    pub num_active_hosts: u32,
    /// Hosts ever seen and not pruned.
    pub num_total_hosts: u32,
    /// Clients that report.
    pub num_active_clients: u32,
    /// Clients ever seen and not pruned.
    pub num_total_clients: u32,
    /// Leases that both sides see.
    pub num_running_leases: u32,
    /// Leases that ended and were metered.
    pub num_metered_leases: u64,
    /// Milliseconds billed on ended leases.
    pub metered_ms: u64,
    /// What ended leases cost.
    pub metered_cost: Wei,
}
