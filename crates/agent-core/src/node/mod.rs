//! What the agent knows of its node, and what the node is to do next.
//!
//! Here live the state of the node (facts, peers, newest block), the plan of what it is told for a lease, and what is
//! remembered of its own peers, strangers, former clients and slots for light nodes. It may call `leases`. The pool
//! never enters.

pub(crate) mod former_clients;
pub(crate) mod light_slots;
pub(crate) mod own_peers;
pub(crate) mod plan;
pub(crate) mod state;
pub(crate) mod strict;
pub(crate) mod task_error;
