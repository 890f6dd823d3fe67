//! The agent as a client: which hosts it accepts, why they fail, and which it avoids for a while.
//!
//! It may call `leases` and `node`. Asking the pool never enters.

pub(crate) mod avoided_hosts;
pub(crate) mod connect_failure;
pub(crate) mod host_choice;
pub(crate) mod host_search;
