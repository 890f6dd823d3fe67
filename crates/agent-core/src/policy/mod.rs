//! Which peers the user accepts on the other side of a lease.
//!
//! Contains the rules and the check of a peer against them. The state of the agent does not belong here.
//!
//! Calls nothing else in this crate.

pub(crate) mod dialable;
pub(crate) mod peer_policy;
pub(crate) mod suitability;
