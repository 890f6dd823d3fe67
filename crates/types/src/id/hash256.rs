use std::{fmt, str::FromStr};

use sha3::Digest;

use crate::{HexError, text_form::serde_as_text};

/// A hash of 32 bytes, such as that of a block. Written as `0x` and 64 lowercase hex characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Hash256(pub [u8; 32]);

impl Hash256 {
    /// All bytes are zero.
    pub const ZERO: Self = Self([0; 32]);

    /// The 32 bytes.
    #[must_use]
    pub const fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Reads the 64 hex characters of a constant; zero if they are not that.
    pub(crate) const fn constant(hex: &str) -> Self {
        match const_hex::const_decode_to_array(hex.as_bytes()) {
            Ok(bytes) => Self(bytes),
            Err(_) => Self::ZERO,
        }
    }
}

/// Returns the hash that Ethereum uses, keccak256.
#[must_use]
pub fn keccak256(bytes: impl AsRef<[u8]>) -> Hash256 {
    let mut hasher = Keccak256::default();
    hasher.update(bytes);
    Hash256(hasher.finish())
}

/// Computes keccak256 of what is added bit by bit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keccak256(sha3::Keccak256);

impl Keccak256 {
    pub(crate) fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update(bytes.as_ref());
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

impl From<[u8; 32]> for Hash256 {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Hash256 {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(const_hex::Buffer::<32, true>::new().format(&self.0))
    }
}

impl fmt::Debug for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash256 {
    type Err = HexError;

    /// Reads 64 hex characters, with or without `0x`.
    fn from_str(text: &str) -> Result<Self, HexError> {
        let mut bytes = [0; 32];
        let decoded = const_hex::decode_to_slice(text, &mut bytes);
        decoded.map_err(|_| HexError::Form { what: "a hash", characters: 64 })?;
        Ok(Self(bytes))
    }
}

serde_as_text!(Hash256);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keccak256_is_that_of_ethereum() {
        let empty = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
        assert_eq!(keccak256("").to_string(), empty);
        assert_eq!(keccak256("").to_string().parse(), Ok(keccak256("")));
        assert_eq!(empty.trim_start_matches("0x").parse(), Ok(keccak256("")));
        assert!("0x12".parse::<Hash256>().is_err() && format!("{empty}00").parse::<Hash256>().is_err());
        let (mut whole, mut parts) = (Keccak256::default(), Keccak256::default());
        whole.update("ab");
        parts.update("a");
        parts.update("b");
        assert_eq!(whole.finish(), parts.finish());
    }
}
