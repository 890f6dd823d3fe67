//! The nodes whose agents came to this pool: who they are, on which connection, when they were last seen and what they
//! offer. It may call the collections. Leases, matching and money never enter.

pub(crate) mod credentials;
pub(crate) mod node;
pub(crate) mod presence;
pub(crate) mod profile;
pub(crate) mod registry;
