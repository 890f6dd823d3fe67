//! Which peers the user accepts on the other side of a lease.
//!
//! Here live the rules and the check of a peer against them. State of the agent never enters.

pub(crate) mod dialable;
pub(crate) mod peer_policy;
pub(crate) mod suitability;
