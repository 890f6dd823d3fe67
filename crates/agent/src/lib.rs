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

mod agent_error;
mod agent_notice;
pub mod clock;
mod delegation;
pub mod limits;
pub mod local;
mod metrics;
mod node;
mod pool;
pub mod random;
mod resolver;
mod run;
pub mod state;

pub use agent_error::AgentError;
pub use agent_notice::Told;
pub use delegation::{agent_public, link, link_other, take_link};
pub use metrics::{AgentMetrics, MetricsServer};
pub use pool::{Door, Line, NetDoor, PoolAddress, Reached, pool_status, reach};
pub use resolver::{Resolver, SystemResolver};
pub use run::{AgentRunner, NodeKeyAt, PoolAccess, RunnerConfig, release};
