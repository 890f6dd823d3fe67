use std::str::FromStr;

use vipnode_types::wire::{ErrorCode, WireError};

/// Who may see a pool's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusAudience {
    /// Everybody.
    #[default]
    Public,
    /// Whoever has connected, on its own WebSocket.
    Members,
    /// Nobody.
    Off,
}

impl StatusAudience {
    /// Judges somebody who asks; `connected` tells whether the pool knows who that is.
    pub(crate) fn admits(self, connected: bool) -> Result<(), WireError> {
        let refused = |code, why, hint| Err(WireError::new(code, why, hint));
        match self {
            Self::Public => Ok(()),
            Self::Members if connected => Ok(()),
            Self::Members => refused(
                ErrorCode::NotMember,
                "this pool shows its status to its members only",
                "ask on the WebSocket of an agent that has connected, or ask the operator for --status public",
            ),
            Self::Off => refused(
                ErrorCode::Unsuitable,
                "this pool shows its status to nobody",
                "ask the operator for --status public or --status members",
            ),
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
