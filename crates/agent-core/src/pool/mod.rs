//! What the agent says to its pool and hears from it.
//!
//! Here live the link (one socket at a time, with growing waits between sockets), the dialect that it is spoken in, and
//! the messages that an agent sends: hello, report, ask and leave, each with one request in flight at most. It may call
//! `policy`. Leases and node never enter: flows hand in what is to be said. Of protocol 2 only `protocol2` knows.

pub(crate) mod ask;
pub(crate) mod backoff;
pub(crate) mod dialect;
pub(crate) mod hello;
pub(crate) mod leave;
pub(crate) mod link;
pub(crate) mod protocol2;
pub(crate) mod report;
