use crate::{Limits, PoolCall};

/// What an agent of protocol 2 is late by, at most, beyond two of its intervals.
const SLACK_MS: u64 = 60_000;

/// The protocol that an agent speaks. What differs between the two is asked here and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Leases have names, and each message is a call.
    Protocol3,
    /// The original's: peers without roles, and news in the answers to a node's own calls.
    Protocol2,
}

/// How an agent is told what the pool wants of it.
#[derive(Debug)]
pub(crate) enum Told {
    /// By this call.
    Called(PoolCall),
    /// In the answer to its next update: it is to drop the peer that it was to evict.
    Later,
    /// Not at all: it has no word for it.
    Untold,
}

impl Dialect {
    /// How an agent is told to do something.
    pub(crate) fn tell(self, message: PoolCall) -> Told {
        match (self, message) {
            (Self::Protocol3, message) => Told::Called(message),
            (Self::Protocol2, PoolCall::Admit(admit)) => Told::Called(PoolCall::Whitelist(admit.client)),
            (Self::Protocol2, PoolCall::Evict(_)) => Told::Later,
            (Self::Protocol2, PoolCall::Dial(_) | PoolCall::Whitelist(_)) => Told::Untold,
        }
    }

    /// Whether it can be told to dial, and hears of a host outside the answer to its request.
    pub(crate) const fn is_told_to_dial(self) -> bool {
        matches!(self, Self::Protocol3)
    }

    /// Whether its words name leases, or only peers, of which nobody knows the role.
    pub(crate) const fn names_roles(self) -> bool {
        matches!(self, Self::Protocol3)
    }

    /// How long both sides have to see each other after an offer, in milliseconds. A side of protocol 2 says so with
    /// one of its next updates.
    pub(crate) fn offer_ms(self, other: Self, limits: &Limits) -> u64 {
        match (self, other) {
            (Self::Protocol3, Self::Protocol3) => limits.offer_ms,
            _ => two_updates(limits),
        }
    }

    /// How long a host's "gone" waits for the word of a client that speaks this, in milliseconds.
    pub(crate) fn half_down_ms(self, limits: &Limits) -> u64 {
        match self {
            Self::Protocol3 => limits.half_down_ms,
            Self::Protocol2 => two_updates(limits),
        }
    }
}

fn two_updates(limits: &Limits) -> u64 {
    limits.report_interval_ms.saturating_mul(2).saturating_add(SLACK_MS)
}
