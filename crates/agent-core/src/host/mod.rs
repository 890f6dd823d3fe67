//! The agent as a host: whom it lets in, and how much it offers.
//!
//! It may call `leases`, `node` and `policy`. How a client is let in at the node never enters: that is a task of
//! `node`.

pub(crate) mod admit;
pub(crate) mod offer;
