//! The methods that the pool serves, over WebSocket and HTTP: a call is parsed once, checked, and becomes a command.
//!
//! May call `auth`, `fairness`, and `engine`. Decisions that need the state of agents and leases do not belong here:
//! the core makes them.

mod account_call;
mod dispatch;
pub(crate) mod http_rpc;
mod http_sessions;
mod monitor;
mod pacing;
mod protocol2;
mod reach;
mod request;
mod service;
mod statements;
pub(crate) mod websocket;

pub(crate) use monitor::{Health, Monitor};
pub(crate) use pacing::Pacing;
pub(crate) use service::Service;
#[cfg(test)]
pub(crate) use service::tests::service as test_service;
pub(crate) use statements::Statements;
