//! The agent's role: runs the mind of `vipnode-agent-core` between a node and a pool.
//!
//! [`AgentRunner::spawn`] starts it, [`AgentRunner::stop`] has it undo everything and end,
//! [`AgentRunner::join`] waits for the end. One task owns the mind and carries out its actions in order:
//!
//! - a grant is durable in the journal ([`state::Journal`]) before the node is told;
//! - the node is told one thing after the other;
//! - each source of events has a queue of its own, and each queue a limit ([`limits`]).
//!
//! [`local`] is what it tells on its own machine. [`release()`] undoes what a crash left on the node, without a pool.

mod actor;
mod agent_error;
pub mod clock;
pub mod limits;
mod link;
pub mod local;
mod metrics;
mod metrics_server;
mod node;
mod pool;
mod pool_address;
mod pool_status;
mod prepare;
pub mod random;
mod reach;
mod release;
mod resolver;
mod runner;
pub mod state;
mod told;

pub use agent_error::AgentError;
pub use link::{agent_public, link, link_other, take_link};
pub use metrics::AgentMetrics;
pub use metrics_server::MetricsServer;
pub use pool::{Door, Line, NetDoor};
pub use pool_address::PoolAddress;
pub use pool_status::pool_status;
pub use reach::{Reached, reach};
pub use release::release;
pub use resolver::{Resolver, SystemResolver};
pub use runner::{AgentRunner, NodeKeyAt, PoolAccess, RunnerConfig};
pub use told::Told;
