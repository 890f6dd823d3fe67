use vipnode_types::wire::EvictReason;

/// Why a client was evicted, as the host's user reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvictionCause {
    /// The pool or this agent ended the lease for this reason.
    Ended(EvictReason),
    /// This agent stops.
    Stopping,
    /// The client's node was connected, but its agent did not report that to the pool in time.
    Unreported,
}

impl EvictionCause {
    /// Returns the reason that the metrics count.
    pub(crate) const fn reason(self) -> EvictReason {
        match self {
            Self::Ended(reason) => reason,
            Self::Stopping => EvictReason::Drained,
            Self::Unreported => EvictReason::NotConnected,
        }
    }
}
