use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of one grant: one client on one host. The pool counts them up and never uses one twice.
///
/// A grant lives through several rows of the meter (a rollover each 24 h, a side that returns);
/// the wire names the grant, so that these change nothing for the agents. Below 2^53, so that
/// JavaScript reads it exactly.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct LeaseId(u64);

impl LeaseId {
    /// The lease with that number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The name of a grant that an agent makes by itself, without a pool: a host or a client that its user named.
    /// The upper half of all names is for these, where no pool counts up to.
    #[must_use]
    pub const fn direct(number: u64) -> Self {
        Self(number | Self::DIRECT)
    }

    /// Whether an agent made it by itself. No pool is told of it, and none may speak of it.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        self.0 >= Self::DIRECT
    }

    /// The first of them.
    const DIRECT: u64 = 1 << 52;

    /// Its number.
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
