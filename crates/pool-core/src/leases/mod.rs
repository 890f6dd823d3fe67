//! The leases: what was offered, what agents were called to do for them, whether both sides see each other, and their
//! end. It may read agents. Which host a client gets, and what a lease costs, never enter.

pub(crate) mod agent_calls;
pub(crate) mod end;
pub(crate) mod lease;
pub(crate) mod offer;
pub(crate) mod pairing;
pub(crate) mod table;
