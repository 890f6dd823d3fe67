use serde::{Deserialize, Serialize};

use crate::{Price, Wei};

/// What a pool shows of itself: the original's fields (A63) and more. Moments are RFC 3339, amounts in wei
/// are strings (D29).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolStatus {
    /// When this was made.
    pub time_updated: String,
    /// When the pool started.
    pub time_started: String,
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
    /// When it last reported.
    pub last_seen: String,
    /// Which execution client: the name of a [`crate::protocol2::Kind`].
    pub kind: String,
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
    /// The newest block of the chain that most of the hosts shown are on: the median of their words, so that
    /// a lie of one moves it by one place and no further (D36).
    pub latest_block_number: u64,
    /// What accounts have earned and were not paid: nothing, while nothing is owed.
    pub total_credit: Wei,
    /// What accounts have deposited: nothing, while nothing is collected.
    pub total_deposit: Wei,
    /// Nodes that owe something and have no account: none, while nothing is owed.
    pub num_trial_balances: u32,
    /// Leases that both sides see.
    pub num_running_leases: u32,
    /// Leases that ended and were metered.
    pub num_metered_leases: u64,
    /// Milliseconds billed on ended leases.
    pub metered_ms: u64,
    /// What ended leases cost.
    pub metered_cost: Wei,
    /// What a place costs now.
    #[serde(default)]
    pub price: Price,
    /// Agents with a connection.
    #[serde(default)]
    pub num_agents: u64,
    /// Leases of any state: places that are taken.
    #[serde(default)]
    pub num_leases: u64,
    /// Places that could be given away now.
    #[serde(default)]
    pub num_free_places: u64,
    /// Clients that want more hosts and wait until the pool finds them.
    #[serde(default)]
    pub num_waiting_clients: u64,
    /// Requests for hosts that wait for a yes.
    #[serde(default)]
    pub num_pending_asks: u64,
    /// Calls to agents that were not answered yet.
    #[serde(default)]
    pub num_calls_in_flight: u64,
}
