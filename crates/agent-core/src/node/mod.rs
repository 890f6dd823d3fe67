//! The agent's view of its node, and the next command for it.
//!
//! Contains the state of the node (facts, peers, newest block), the plan of the next command for a lease, and the
//! records of the node's own peers, unleased peers, former clients, and slots for light nodes. May call `leases`.
//! Nothing about the pool belongs here.

pub(crate) mod former_clients;
pub(crate) mod light_slots;
pub(crate) mod own_peers;
pub(crate) mod plan;
pub(crate) mod state;
pub(crate) mod strict;
pub(crate) mod task_error;
