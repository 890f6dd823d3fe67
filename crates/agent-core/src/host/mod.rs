//! The agent as a host: how much it offers, and whom it lets in.
//!
//! It may call `leases`, `node` and `client` (for why a pair does not connect). How a client is let in at the node never
//! enters: that is a flow.

pub(crate) mod admission;
pub(crate) mod hosting;
pub(crate) mod offer;
