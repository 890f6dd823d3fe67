use std::fmt;

/// A promise that was broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The promise that did not hold.
    pub promise: Promise,
    /// What was seen instead, for a developer.
    pub detail: String,
}

/// What both cores, and the programs around them, promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// The pool core keeps its own invariants.
    PoolInvariants,
    /// Each agent core keeps its own invariants.
    AgentInvariants,
    /// Nothing panics.
    NoPanic,
    /// A run ends: no two parties exchange messages without a pause, and there is always a next event.
    Progress,
    /// The same seed gives the same run.
    Determinism,
    /// Each request is answered once, in time; each call is named once.
    Replies,
    /// An agent writes each change to its journal before the node makes it.
    JournalFirst,
    /// A host never admits more clients than it sells slots.
    Slots,
    /// A pair has one lease, and a client has only hosts that serve what it needs.
    Leases,
    /// A metered row bills what both sides saw, and nothing that did not happen.
    Billing,
    /// The ledger creates no money, bills each metered period once, and keeps what was acknowledged.
    Ledger,
    /// The journal holds each row once and bills no time twice.
    Journal,
    /// Time that a pair was connected is billed.
    NothingLost,
    /// The store holds what the pool core holds, and the core can be restored from it.
    Durability,
    /// Everything is connected again within a bounded time after the last fault.
    Liveness,
    /// An agent that stops leaves nothing behind.
    Cleanup,
    /// An honest client has a host within a bounded time, whatever attackers do.
    HonestService,
    /// A client is served for no longer without being billed than its budget and its hosts' allowances.
    FreeService,
    /// Nobody honest is locked out or kept apart from an honest host.
    NoLockout,
    /// The pool core's tables are bounded, and so is what strangers have it write to its journal.
    Tables,
    /// A command of an honest agent waits for the core for a bounded time.
    CoreWait,
}

impl Promise {
    /// The violation of this promise.
    pub fn violation(self, detail: impl fmt::Display) -> Violation {
        Violation { promise: self, detail: detail.to_string() }
    }

    /// The violation of this promise, as an error.
    ///
    /// # Errors
    /// Always.
    pub fn broken<T>(self, detail: impl fmt::Display) -> Result<T, Violation> {
        Err(self.violation(detail))
    }

    /// The promise in a few words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PoolInvariants => "pool invariants",
            Self::AgentInvariants => "agent invariants",
            Self::NoPanic => "no panic",
            Self::Progress => "progress",
            Self::Determinism => "determinism",
            Self::Replies => "replies",
            Self::JournalFirst => "journal before node",
            Self::Slots => "slots",
            Self::Leases => "leases",
            Self::Billing => "billing",
            Self::Ledger => "ledger",
            Self::Journal => "journal",
            Self::NothingLost => "nothing lost",
            Self::Durability => "durability",
            Self::Liveness => "liveness",
            Self::Cleanup => "cleanup",
            Self::HonestService => "honest service",
            Self::FreeService => "free service",
            Self::NoLockout => "no lockout",
            Self::Tables => "tables",
            Self::CoreWait => "core wait",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise.name(), self.detail)
    }
}

impl std::error::Error for Violation {}
