//! Fairness among address blocks: limits on connections, calls, permits, signature checks and processor time.
//!
//! It calls nothing else of this crate. No wire message, no session and no decision about who may join ever enters: it
//! counts by address block alone.

pub(crate) mod block;
pub(crate) mod command_permits;
pub(crate) mod connection_limiter;
pub(crate) mod cpu_budget;
pub(crate) mod fair_poll;
pub(crate) mod fair_semaphore;
pub(crate) mod token_bucket;
