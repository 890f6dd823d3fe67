use crate::{Limits, PoolCall};

/// How late an update of protocol 2 may be, beyond two of its intervals.
const SLACK_MS: u64 = 60_000;

/// The protocol that an agent speaks. Every difference that other code depends on is a method here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AgentProtocol {
    /// Leases have ids, and each message is a call.
    Protocol3,
    /// The protocol of the original: peers have no roles, and the answers to a node's own calls carry the news.
    Protocol2,
}

/// How a message of the pool reaches an agent.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "only one exists at a time, for the length of a call")]
pub(crate) enum Delivery {
    /// At once, as a call to the agent.
    Call(PoolCall),
    /// In the answer to its next update, as a peer to drop.
    NextUpdate,
    /// Not at all: the protocol has no such message.
    Never,
}

impl AgentProtocol {
    /// Returns how a message reaches the agent.
    pub(crate) fn delivery(self, message: PoolCall) -> Delivery {
        match (self, message) {
            (Self::Protocol3, message) => Delivery::Call(message),
            (Self::Protocol2, PoolCall::Admit(admit)) => Delivery::Call(PoolCall::Whitelist(admit.client)),
            (Self::Protocol2, PoolCall::Evict(_)) => Delivery::NextUpdate,
            (
                Self::Protocol2,
                PoolCall::Dial(_) | PoolCall::Price(_) | PoolCall::Whitelist(_) | PoolCall::Notice(_),
            ) => Delivery::Never,
        }
    }

    /// Whether the pool can call the agent to dial, so that hosts can be offered outside the answer to a request.
    pub(crate) const fn takes_dial_calls(self) -> bool {
        matches!(self, Self::Protocol3)
    }

    /// Whether its messages name leases. Otherwise, they name peers whose role in the pair is unknown.
    pub(crate) const fn names_roles(self) -> bool {
        matches!(self, Self::Protocol3)
    }

    /// Whether an agent reports each connected peer at once. Otherwise, it does with its next update, whenever that comes.
    pub(crate) const fn reports_at_once(self) -> bool {
        matches!(self, Self::Protocol3)
    }

    /// Returns how much later than with protocol 3 a pair may notice that it is no longer connected, in milliseconds.
    pub(crate) const fn late_ms(self, limits: &Limits) -> u64 {
        match self {
            Self::Protocol3 => 0,
            Self::Protocol2 => limits.report_interval_ms.saturating_mul(2),
        }
    }

    /// Returns how long a host's "gone" waits for the client's report, in milliseconds.
    pub(crate) fn host_gone_wait_ms(self, limits: &Limits) -> u64 {
        match self {
            Self::Protocol3 => limits.host_gone_wait_ms,
            Self::Protocol2 => two_updates(limits),
        }
    }
}

fn two_updates(limits: &Limits) -> u64 {
    limits.report_interval_ms.saturating_mul(2).saturating_add(SLACK_MS)
}
