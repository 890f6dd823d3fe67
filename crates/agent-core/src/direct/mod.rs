//! Peers that the user named, without a pool.
//!
//! Contains their settings, the resolution of their host names, and the check that the leases match the settings. May
//! call `leases`. Nothing about the pool belongs here: it does not know these leases and cannot end them.

pub(crate) mod config;
pub(crate) mod direct_peers;
pub(crate) mod dns_names;
pub(crate) mod name_error;
