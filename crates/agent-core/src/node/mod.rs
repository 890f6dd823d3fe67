//! What the agent knows of its node, and what it has the node do.
//!
//! Here live the state of the node (facts, peers, newest block), the tasks that change it (one at a time for each peer,
//! the journal first), and the watch over who is connected. It may call `leases`. What the pool is told never enters.

pub(crate) mod former_clients;
pub(crate) mod light_slots;
pub(crate) mod own_peers;
pub(crate) mod peer_watch;
pub(crate) mod state;
pub(crate) mod strict;
pub(crate) mod tasks;
