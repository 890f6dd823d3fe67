//! Operations across owners: each flow calls several owners in the order that the protocol requires.
//!
//! `impl AgentCore` appears only here and in `agent_core`. Flows have no state of their own.

mod ask;
mod calls;
mod connect;
mod connect_failure;
mod direct_peers;
mod end_lease;
mod hosts;
mod kept_price;
mod lease_price;
mod node;
mod node_commands;
mod node_results;
mod pay;
mod peer_observation;
mod peer_suitability;
mod protocol2;
mod reconcile_with_pool;
mod report;
pub(crate) mod stop;
mod strict_peers;
