//! The status of an agent on its own machine: JSON-RPC on a socket that only its owner can open.
//!
//! Each agent listens on `<state directory>/agents/<node>.sock`, so that two agents do not collide and one directory
//! lists all agents. [`method::STATUS`] returns an [`AgentStatus`], [`method::EXPLAIN`] the pool's answer to
//! `vipnode_explain`, [`method::POOL`] its answer to `pool_status`, and [`method::FUNDS`] its answer to `vipnode_funds`. The methods change nothing and return no
//! secrets.
//!
//! Uses the limits and the views of the agent core; `run` passes it what it shows. The connection to the pool does not belong
//! here.

mod agent_flags;
mod agent_status;
mod connection_settings;
mod latencies;
mod local_error;
#[cfg(feature = "schema")]
mod openrpc_methods;
mod server;
mod status_client;
mod status_source;

pub use agent_flags::AgentFlags;
pub use agent_status::{
    AgentClientStatus, AgentHostStatus, AgentStatus, LeaseStatus, Metered, NodeStatus, PoolLink, PoolLossStatus,
};
pub use connection_settings::ConnectionSettings;
pub use local_error::LocalError;
#[cfg(feature = "schema")]
pub use openrpc_methods::rows;
pub use status_client::{agents, explain, funds, pool_status, socket, status};
pub use status_source::StatusSource;
pub use vipnode_agent_core::PoolState;

pub(crate) use agent_status::StaticStatus;
pub(crate) use server::LocalServer;
pub(crate) use status_client::remove_stale;
pub(crate) use status_source::{PoolQuery, Queries, StatusQuery};

/// The names of the methods.
pub mod method {
    /// The agent's status: an [`super::AgentStatus`].
    pub const STATUS: &str = "vipnode_agentStatus";
    /// Why the agent's node has these hosts: a [`vipnode_types::wire::ExplainReply`].
    pub const EXPLAIN: &str = "vipnode_agentExplain";
    /// The status of the agent's pool: a [`vipnode_types::wire::PoolStatus`].
    pub const POOL: &str = "vipnode_agentPoolStatus";
    /// What the agent's node may spend at its pool, and what it earned: a [`vipnode_types::wire::NodeFunds`].
    pub const FUNDS: &str = "vipnode_agentFunds";
}
