//! What crosses owners: each flow calls several of them in the order that the protocol needs.
//!
//! `impl AgentCore` appears here and in `agent_core` alone. State of its own never enters.

mod ask;
mod calls;
mod connect;
mod connect_failure;
mod direct;
mod hosts;
mod judge;
mod node;
mod protocol2;
mod reconcile;
mod report;
pub(crate) mod stop;
mod strict;
mod watch;
mod work;
