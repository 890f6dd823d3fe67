//! The leases of this node, on either side.
//!
//! Here live the lease, the table of all leases, the journal of what is to be undone, and what ended leases saw in all.
//! It calls nothing else in this crate but limits. Neither pool nor node enter: a lease holds what is known of it and
//! never sends anything.

pub(crate) mod journal;
pub(crate) mod lease;
pub(crate) mod release;
pub(crate) mod table;
pub(crate) mod totals;
