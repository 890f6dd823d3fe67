//! The methods that the pool serves, over WebSocket and HTTP: a call is parsed, judged, and becomes a command.
//!
//! It may call `auth`, `fairness` and `engine`. No decision that needs the pool's state ever enters; that is the core's.

pub(crate) mod agent_call;
pub(crate) mod dispatch;
pub(crate) mod http_rpc;
pub(crate) mod http_sessions;
pub(crate) mod protocol2;
pub(crate) mod reach;
pub(crate) mod websocket;
