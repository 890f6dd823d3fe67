//! The leases of this node, on either side.
//!
//! Here live the lease, the table of all leases, the journal of what is to be undone, and the totals of ended leases.
//! It calls nothing else in this crate but limits. Neither pool nor node enter: a lease holds what is known of it and
//! never sends anything.

pub(crate) mod ended_leases;
pub(crate) mod journal;
mod lease;
mod presence;
pub(crate) mod release;
mod table;
mod task;

pub(crate) use self::{
    lease::{Lease, Terms},
    table::Leases,
    task::{DialState, Task, Work},
};
