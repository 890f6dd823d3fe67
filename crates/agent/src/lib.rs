//! The agent's role: runs the core of `vipnode-agent-core` between a node and a pool.
//!
//! [`AgentRunner::spawn`] starts it, [`AgentRunner::stop`] has it undo everything and end,
//! [`AgentRunner::join`] waits for the end. One task owns the agent core and carries out its actions in order:
//!
//! - a lease is durable in the journal ([`state::Journal`]) before the node is called;
//! - calls to the node are made one after the other;
//! - each source of events has its own queue, and each queue has a limit ([`limits`]).
//!
//! [`local`] serves the agent's status on this machine. [`release()`] undoes what a crash left on the node, without a
//! pool.

mod agent_error;
mod agent_notice;
pub mod clock;
mod delegation;
pub mod limits;
pub mod local;
mod metrics;
mod node;
mod notifier;
mod pool;
pub mod random;
mod request_error;
mod resolver;
mod run;
pub mod state;

pub use agent_error::AgentError;
pub use agent_notice::AgentNotice;
pub use delegation::{agent_public, link, link_other, take_link};
pub use metrics::{AgentMetrics, MetricsServer};
pub use pool::{
    AcceptedPool, AccountClient, ConnectCheck, Connector, KnownPool, NetConnector, PinChange, PinReason, PoolAddress,
    PoolConnection, Reached, pool_status, reach,
};
pub use resolver::{Resolver, SystemResolver};
pub use run::{AgentRunner, NodeKeyAt, PoolAccess, Released, RunnerConfig, planned_release, release};

/// The errors of this crate, for the book's errors page.
pub const ERROR_TABLES: &[vipnode_types::ErrorTable] = &[
    vipnode_types::ErrorTable { title: "Start and operation of an agent", rows: AgentError::ROWS },
    vipnode_types::ErrorTable { title: "Requests to and from an agent", rows: request_error::RequestError::ROWS },
    vipnode_types::ErrorTable { title: "Daily statements at a host", rows: run::StatementFault::ROWS },
    vipnode_types::ErrorTable { title: "Local agents, `vipnode status`", rows: local::LocalError::ROWS },
];
