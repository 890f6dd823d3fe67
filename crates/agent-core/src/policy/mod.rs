//! Which peers the user takes on the other side of a lease.
//!
//! Here live the rules and how a peer that is seen is held against them. No state of the agent's enters.

pub(crate) mod peer_policy;
pub(crate) mod suitability;
