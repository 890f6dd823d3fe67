//! The conversation of the agent with its pool.
//!
//! Here live the link (one socket at a time, with growing waits between sockets), the dialect that translates for it,
//! and the messages that an agent sends: hello, report, ask and leave, each with at most one request in flight. It may
//! call `policy`. Leases and node never enter: flows pass in what is to be sent. Only `protocol2` knows protocol 2.

pub(crate) mod ask;
pub(crate) mod backoff;
pub(crate) mod dialect;
pub(crate) mod displacements;
pub(crate) mod hello;
pub(crate) mod leave;
pub(crate) mod link;
pub(crate) mod pool_standing;
pub(crate) mod protocol2;
pub(crate) mod report;
