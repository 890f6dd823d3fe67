//! The agent as a host: how many slots it offers, and which clients it admits.
//!
//! It may call `leases`, `node` and `client` (for the causes of failed connections). How a client is admitted at the
//! node never enters: that is a flow.

pub(crate) mod admission;
pub(crate) mod host_state;
pub(crate) mod offer;
pub(crate) mod waiting_admits;
