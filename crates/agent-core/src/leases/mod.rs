//! The leases of this node, on either side.
//!
//! Contains the lease, the table of all leases, the journal of the changes to undo, and the totals of ended leases.
//! Calls only `limits` in this crate. Nothing about the pool or the node belongs here: a lease stores what is known
//! about it and never sends anything.

pub(crate) mod ended_leases;
pub(crate) mod eviction_cause;
mod lease;
pub(crate) mod node_change;
pub(crate) mod open_changes;
mod peer_connection;
mod table;
mod task;

pub(crate) use self::{
    lease::{Lease, Terms},
    table::Leases,
    task::{DialState, Task, TaskKind},
};
