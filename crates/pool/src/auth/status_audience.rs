use std::str::FromStr;

use vipnode_types::errors;

use crate::call_refusal::CallRefusal;

/// Who may see a pool's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusAudience {
    /// Everyone.
    #[default]
    Public,
    /// Agents that have connected, on their own WebSockets.
    Members,
    /// No one.
    Off,
}

errors! {
    /// Why a text does not name a [`StatusAudience`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum StatusAudienceError {
        /// The text is not public, members, or off.
        Unknown: local, "not a valid audience for the status", hint "Pass public, members, or off.";
    }
}

impl StatusAudience {
    /// Checks a caller; `connected` is whether it has connected.
    pub(crate) const fn admits(self, connected: bool) -> Result<(), CallRefusal> {
        match self {
            Self::Public => Ok(()),
            Self::Members if connected => Ok(()),
            Self::Members => Err(CallRefusal::StatusForMembers),
            Self::Off => Err(CallRefusal::StatusOff),
        }
    }
}

impl FromStr for StatusAudience {
    type Err = StatusAudienceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "public" => Ok(Self::Public),
            "members" => Ok(Self::Members),
            "off" => Ok(Self::Off),
            _ => Err(StatusAudienceError::Unknown),
        }
    }
}
