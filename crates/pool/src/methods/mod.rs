//! The methods that the pool serves, over WebSocket and HTTP: a call is parsed once, judged, and becomes a command.
//!
//! It may call `auth`, `fairness` and `engine`. No decision that needs the state of agents and leases ever enters: the
//! core decides that.

mod dispatch;
pub(crate) mod http_rpc;
mod http_sessions;
mod protocol2;
mod reach;
mod request;
mod service;
pub(crate) mod websocket;

pub(crate) use service::Service;
