use std::str::FromStr;

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
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "public" => Ok(Self::Public),
            "members" => Ok(Self::Members),
            "off" => Ok(Self::Off),
            _ => Err("write public, members or off"),
        }
    }
}
