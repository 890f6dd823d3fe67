//! Which host a client gets: the clients that wait, the hosts with free slots, who is compatible with whom, the best of
//! a few, and why. It may read agents and leases. It never changes a lease and never calls an agent.

pub(crate) mod candidates;
pub(crate) mod compatibility;
pub(crate) mod explain;
pub(crate) mod no_host;
pub(crate) mod open_hosts;
pub(crate) mod pending_offers;
pub(crate) mod recent_pairs;
pub(crate) mod score;
pub(crate) mod selection;
pub(crate) mod wait_queue;
