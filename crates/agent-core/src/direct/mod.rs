//! Peers that the user named, without a pool.
//!
//! Here live their settings, the resolution of their host names, and whether the leases match the settings. It may call
//! `leases`. The pool never enters: it does not know these leases and cannot end them.

pub(crate) mod config;
pub(crate) mod dns_names;
pub(crate) mod name_error;
pub(crate) mod named_peers;
