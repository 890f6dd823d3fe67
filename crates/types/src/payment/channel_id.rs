use crate::{Hash256, HexError, text_form::serde_as_text};

/// The ID of a payment channel: the EIP-712 hash of its [`ChannelConfig`](super::ChannelConfig), which contains the chain
/// and the escrow. Written as `0x` and 64 hex characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(Hash256);

impl ChannelId {
    /// The ID with these bytes, for example from an event of the escrow.
    #[must_use]
    pub const fn new(hash: Hash256) -> Self {
        Self(hash)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn hash(&self) -> Hash256 {
        self.0
    }
}

impl std::fmt::Display for ChannelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChannelId({self})")
    }
}

impl std::str::FromStr for ChannelId {
    type Err = HexError;

    /// Reads 64 hex characters, with or without `0x`.
    fn from_str(text: &str) -> Result<Self, HexError> {
        let form = HexError::Form { what: "a channel ID", characters: 64 };
        text.parse().map(Self).map_err(|_: HexError| form)
    }
}

serde_as_text!(ChannelId);
