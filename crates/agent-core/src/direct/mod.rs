//! Peers that the user named, without a pool.
//!
//! Here live their settings, the names that are resolved for them, and whether what stands is what is wanted. It may
//! call `leases`. No pool enters: it is told nothing of these leases and cannot end them.

pub(crate) mod config;
pub(crate) mod name_error;
pub(crate) mod named_peers;
pub(crate) mod names;
