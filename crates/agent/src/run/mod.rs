//! The life of an agent: [`AgentRunner`] starts it; `prepare` finds the node, the state directory, and the pool's
//! protocol; the actor then owns the agent core until the end. This folder calls all others; none of them calls it.

mod actions;
mod actor;
mod daily_statements;
mod funds_metrics;
mod journal_queue;
mod notice_kinds;
mod open_calls;
mod own_meter;
mod prepare;
mod release;
mod repeated_notices;
mod runner;
mod statement_fault;
mod statement_schedule;

pub use release::{Released, planned_release, release};
pub use runner::{AgentRunner, NodeKeyAt, PoolAccess, RunnerConfig};
pub(crate) use statement_fault::StatementFault;
