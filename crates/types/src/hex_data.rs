use std::{fmt, str::FromStr};

use serde::{Deserialize as _, Deserializer};

use crate::{HexError, text_form::serde_as_text};

/// Bytes as execution clients write them in JSON: `0x` and two hex digits for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexData(pub Vec<u8>);

serde_as_text!(HexData);

impl HexData {
    /// Reads a field as bytes: `#[serde(deserialize_with = "HexData::field")]`.
    ///
    /// # Errors
    /// It is not `0x` and whole bytes in hex.
    pub fn field<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        Self::deserialize(deserializer).map(|Self(bytes)| bytes)
    }
}

impl fmt::Display for HexData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&const_hex::encode_prefixed(&self.0))
    }
}

impl FromStr for HexData {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        // It would also be read without its prefix.
        let bytes = text.starts_with("0x").then(|| const_hex::decode(text).ok()).flatten();
        bytes.map(Self).ok_or(HexError::Data)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_whole_bytes_with_their_prefix_are_data() {
        assert_eq!("0x".parse(), Ok(HexData(Vec::new())));
        for bad in ["", "00", "0x0", "0x0g", "0x0x00"] {
            assert_eq!(bad.parse::<HexData>(), Err(HexError::Data), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: Vec<u8>, text in ".{0,40}") {
            prop_assert_eq!(HexData(bytes.clone()).to_string().parse(), Ok(HexData(bytes)));
            let _ = text.parse::<HexData>();
        }
    }
}
