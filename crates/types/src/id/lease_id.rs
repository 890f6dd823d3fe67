use std::fmt;

use serde::{Deserialize, Serialize};

/// The ID of one grant: one client on one host. The pool counts IDs up and never uses one twice.
///
/// A grant lives through several rows of the meter (a rollover each 24 h, a side that returns);
/// the wire names the grant, so that these change nothing for the agents. IDs stay below 2^53, so that
/// JavaScript reads them exactly.
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

    /// The ID of a grant that an agent makes without a pool: a host or a client that its user named. The upper half of
    /// all IDs is reserved for these.
    #[must_use]
    pub const fn direct(number: u64) -> Self {
        Self(number | Self::DIRECT)
    }

    /// Whether an agent made the grant without a pool. Pools neither know nor may name such a lease.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        self.0 >= Self::DIRECT
    }

    /// The first ID of a direct grant.
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
