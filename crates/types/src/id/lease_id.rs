use std::fmt;

use serde::{Deserialize, Serialize};

/// The ID of a lease: one client on one host. The pool increments IDs and never reuses one.
///
/// A lease keeps its ID when the pool starts a new billing period for it (every 24 h, or after a reconnect). IDs are less than
/// 2^53, so JavaScript represents them exactly.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct LeaseId(u64);

impl LeaseId {
    /// The lease ID with that number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The ID of a lease that an agent makes without a pool: a host or a client that its user named. The upper half of
    /// all IDs is reserved for these.
    #[must_use]
    pub const fn direct(number: u64) -> Self {
        Self(number | Self::DIRECT)
    }

    /// Whether an agent made the lease without a pool. Pools do not know such a lease and must not name it.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        self.0 >= Self::DIRECT
    }

    /// The first ID of a direct lease.
    const DIRECT: u64 = 1 << 52;

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lease {}", self.0)
    }
}
