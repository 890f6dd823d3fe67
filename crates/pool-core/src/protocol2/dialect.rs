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

/// How a message of the pool reaches an agent.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one of them lives at a time, for the length of a call")]
pub(crate) enum Delivery {
    /// By this call.
    Call(PoolCall),
    /// In the answer to its next update: it is to drop the peer that it was to evict.
    NextUpdate,
    /// Not at all: the protocol cannot express it.
    Never,
}

impl Dialect {
    /// How a message reaches an agent that speaks this.
    pub(crate) fn delivery(self, message: PoolCall) -> Delivery {
        match (self, message) {
            (Self::Protocol3, message) => Delivery::Call(message),
            (Self::Protocol2, PoolCall::Admit(admit)) => Delivery::Call(PoolCall::Whitelist(admit.client)),
            (Self::Protocol2, PoolCall::Evict(_)) => Delivery::NextUpdate,
            (Self::Protocol2, PoolCall::Dial(_) | PoolCall::Whitelist(_)) => Delivery::Never,
        }
    }

    /// Whether it can be called to dial, and hears of a host outside the answer to its request.
    pub(crate) const fn takes_dial_calls(self) -> bool {
        matches!(self, Self::Protocol3)
    }

    /// Whether its messages name leases. Else they name peers, whose role in the pair is unknown.
    pub(crate) const fn names_roles(self) -> bool {
        matches!(self, Self::Protocol3)
    }

    /// How long both sides have to see each other after an offer, in milliseconds. A side of protocol 2 reports it with
    /// one of its next updates.
    pub(crate) fn offer_ms(self, other: Self, limits: &Limits) -> u64 {
        match (self, other) {
            (Self::Protocol3, Self::Protocol3) => limits.offer_ms,
            _ => two_updates(limits),
        }
    }

    /// How long a host's "gone" waits for a report of a client that speaks this, in milliseconds.
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
