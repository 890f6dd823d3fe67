//! What crosses owners: each flow calls several of them in the order that the protocol needs.
//!
//! `impl AgentCore` appears here and in `agent_core` alone. State of its own never enters.

pub(crate) mod stop;
