use std::fmt;

use serde::{Deserialize, Serialize};
use vipnode_types::Ms;

use crate::auth::BanTarget;

/// A ban by the operator: the target, the reason, and the end. Times are by the pool's wall clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ban {
    /// The node, agent, address, or network that is banned.
    pub target: BanTarget,
    /// The operator's reason, which is sent to the banned agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The time at which the ban was made.
    pub since_ms: Ms,
    /// The time at which the ban ends; `None` for a ban without an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Ms>,
}

impl Ban {
    /// Characters of a reason; the rest is cut off, so that it fits into the close frame of a WebSocket.
    pub(crate) const REASON_CHARS: usize = 80;

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self, now: Ms) -> bool {
        self.until_ms.is_some_and(|until| now >= until)
    }

    /// Returns the message for the one that is banned.
    pub(crate) fn notice(&self) -> BanNotice {
        BanNotice { target: self.target, reason: self.reason.clone(), until: self.until_ms }
    }
}

/// The message for a node, an agent, or an address that is banned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BanNotice {
    target: BanTarget,
    reason: Option<String>,
    until: Option<Ms>,
}

impl fmt::Display for BanNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the operator of this pool banned {}", self.target.what())?;
        if let Some(until) = self.until {
            write!(f, " until {}", until.rfc3339_seconds())?;
        }
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}
