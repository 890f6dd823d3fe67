use serde::{Deserialize, Serialize};

/// The state of an agent's connection to its pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PoolState {
    /// The agent runs without a pool, only with hosts or clients that the user named.
    #[default]
    None,
    /// The agent is connecting and has not joined the pool yet.
    Connecting,
    /// The pool cannot be reached, and the agent has not joined it since it started.
    Unreachable,
    /// The pool rejected the agent, which tries again later.
    Refused,
    /// The pool is not the one that the agent remembers; the agent signs nothing.
    Untrusted,
    /// The connection is lost; existing leases stay active.
    Disconnected,
    /// The agent has joined the pool.
    Joined,
}

impl PoolState {
    /// All states, in the order of their metrics.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Connecting,
        Self::Unreachable,
        Self::Refused,
        Self::Untrusted,
        Self::Disconnected,
        Self::Joined,
    ];

    /// Returns its name in notices, the live line, the status, and the metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Connecting => "connecting",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Untrusted => "untrusted",
            Self::Disconnected => "disconnected",
            Self::Joined => "joined",
        }
    }

    /// Returns the event of notices that the connection is now in this state.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::None => "without_pool",
            Self::Connecting => "pool_connecting",
            Self::Unreachable => "pool_unreachable",
            Self::Refused => "pool_refused",
            Self::Untrusted => "pool_untrusted",
            Self::Disconnected => "pool_disconnected",
            Self::Joined => "joined",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_name_of_its_state() {
        for state in PoolState::ALL.into_iter().filter(|state| *state != PoolState::None) {
            assert!(state.event().trim_start_matches("pool_") == state.name(), "{state:?}");
        }
    }
}
