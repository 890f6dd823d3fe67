//! The agent as a client: which hosts it accepts, why they fail, and which it avoids for a while.
//!
//! May call `leases` and `node`. Requests to the pool do not belong here.

pub(crate) mod avoided_hosts;
pub(crate) mod connect_failure;
pub(crate) mod failed_hosts;
pub(crate) mod host_rejection;
pub(crate) mod kept_price;
pub(crate) mod missing_hosts;
