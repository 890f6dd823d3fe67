use std::fmt;

use crate::{Capability, MinVersion};

/// What one side of a lease requires of the other, and has reported to the pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PeerRules {
    /// The capabilities that a host must serve.
    pub need: Vec<Capability>,
    /// The oldest releases accepted on the other side.
    pub min_versions: Vec<MinVersion>,
}

/// A requirement that the other side does not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The other side does not serve this capability.
    Lacks(Capability),
    /// The other side runs an older release than this.
    TooOld(MinVersion),
}

impl PeerRules {
    /// Whether nothing is required.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.need.is_empty() && self.min_versions.is_empty()
    }

    /// Returns the first requirement that a host with these capabilities does not meet.
    #[must_use]
    pub fn misses(&self, served: &[Capability]) -> Option<Mismatch> {
        self.need.iter().find(|need| !need.is_met_by(served)).cloned().map(Mismatch::Lacks)
    }

    /// Returns the minimum version that a node with this `web3_clientVersion` does not meet.
    #[must_use]
    pub fn outdates(&self, client_version: &str) -> Option<Mismatch> {
        self.min_versions.iter().find(|least| least.refuses(client_version)).cloned().map(Mismatch::TooOld)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacks(need) => write!(f, "does not serve {need} (--need)"),
            Self::TooOld(least) => write!(f, "runs a release older than {least} (--min-client-version)"),
        }
    }
}
