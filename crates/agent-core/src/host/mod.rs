//! The agent as a host: how many slots it offers, and which clients it admits.
//!
//! May call `leases`, `node`, and `client` (for the causes of failed connections). Admitting a client on the node does
//! not belong here: that is a flow.

pub(crate) mod admission;
pub(crate) mod host_state;
pub(crate) mod offer;
pub(crate) mod waiting_admits;
