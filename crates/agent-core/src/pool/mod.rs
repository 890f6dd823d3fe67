//! The agent's session with its pool.
//!
//! Contains the session (one socket at a time, with increasing delays between them), the dialect that translates its
//! messages, and the messages that an agent sends: hello, report, ask, and leave, each with at most one request in
//! flight. May call `policy`. Leases and the node do not belong here: flows pass in what to send. Only `protocol2`
//! contains protocol 2.

pub(crate) mod backoff;
pub(crate) mod dialect;
pub(crate) mod displacements;
pub(crate) mod hello;
pub(crate) mod host_requests;
pub(crate) mod leave;
pub(crate) mod pool_loss;
pub(crate) mod pool_state;
pub(crate) mod protocol2;
pub(crate) mod report;
pub(crate) mod session;
