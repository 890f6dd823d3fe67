//! What the agent says to its pool and hears from it.
//!
//! Here live the link (one socket at a time, with growing waits between sockets) and the four messages that an agent
//! sends over it: hello, report, ask and leave, each with one request in flight at most. It may call `leases`, `node`
//! and `policy`. What the node is told never enters: a reply that gives a host is handed to `client`. Of protocol 2 only
//! `protocol2` knows.

pub(crate) mod ask;
pub(crate) mod backoff;
pub(crate) mod hello;
pub(crate) mod leave;
pub(crate) mod link;
pub(crate) mod protocol2;
pub(crate) mod reconcile;
pub(crate) mod report;
