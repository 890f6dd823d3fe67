use std::fmt;

use crate::{Capability, MinVersion};

/// What one side of a lease wants of the other, as far as the pool is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PeerRules {
    /// What a host has to serve.
    pub need: Vec<Capability>,
    /// Of which release the other has to be, on either side.
    pub min_versions: Vec<MinVersion>,
}

/// What one side does not find in the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// It does not serve this.
    Lacks(Capability),
    /// It runs an older release.
    TooOld(MinVersion),
}

impl PeerRules {
    /// Whether everything fits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.need.is_empty() && self.min_versions.is_empty()
    }

    /// What a host lacks that serves this.
    #[must_use]
    pub fn misses(&self, served: &[Capability]) -> Option<Misfit> {
        self.need.iter().find(|need| !need.is_met_by(served)).cloned().map(Misfit::Lacks)
    }

    /// What is wrong with a node's version.
    #[must_use]
    pub fn outdates(&self, client_version: &str) -> Option<Misfit> {
        self.min_versions.iter().find(|least| least.refuses(client_version)).cloned().map(Misfit::TooOld)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacks(need) => write!(f, "does not serve {need} (--need)"),
            Self::TooOld(least) => write!(f, "runs a release before {least} (--min-client-version)"),
        }
    }
}
