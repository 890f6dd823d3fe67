//! Types that are a string in JSON: [`serde_as_text!`] for any of them, [`hex_bytes!`] for a fixed number of bytes in
//! hex.

use crate::errors;

errors! {
    /// Why a text is not bytes or a number in hex.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum HexError {
        /// The text has the wrong length or contains a character that is not hex.
        Form {
            /// What the text should be, with its article.
            what: &'static str,
            /// How many characters it has.
            characters: usize,
        }: local, "{what} must have {characters} hex characters", hint "Copy all {characters} characters.";
        /// The node returned something other than a hex number.
        Quantity: local, "this is not 0x followed by a hex number of at most 128 bits",
            no_hint "only the execution client can fix this";
        /// The node returned a number that is larger than its field can be.
        Range: local, "the number is too large", no_hint "only the execution client can fix this";
        /// The node returned something other than bytes in hex.
        Data: local, "this is not 0x followed by whole bytes in hex", no_hint "only the execution client can fix this";
    }
}

/// Implements serde for types that are a string on the wire. Without further arguments, the string is that of `Display`
/// and `FromStr`; the first closure replaces what is written, the second how a `&str` is read.
macro_rules! serde_as_text {
    ($kind:ty) => {
        $crate::text_form::serde_as_text!($kind, |value| value);
    };
    ($kind:ty, |$value:ident| $written:expr) => {
        $crate::text_form::serde_as_text!($kind, |$value| $written, |text| text.parse::<$kind>());
    };
    ($kind:ty, |$value:ident| $written:expr, |$text:ident| $read:expr) => {
        impl ::serde::Serialize for $kind {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                let $value = self;
                serializer.collect_str(&$written)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $kind {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(deserializer)?;
                let $text: &str = &text;
                $read.map_err(::serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// Gives a newtype of a byte array its text form: lower-case hex, for `Display`, `FromStr`, `Debug` and serde.
macro_rules! hex_bytes {
    ($kind:ident, $bytes:literal, $what:literal) => {
        impl ::std::fmt::Display for $kind {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(::const_hex::Buffer::<$bytes>::new().format(&self.0))
            }
        }

        impl ::std::fmt::Debug for $kind {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, concat!(stringify!($kind), "({})"), self)
            }
        }

        impl ::std::str::FromStr for $kind {
            type Err = $crate::HexError;

            fn from_str(text: &str) -> ::core::result::Result<Self, $crate::HexError> {
                let mut bytes = [0; $bytes];
                let decoded = ::const_hex::decode_to_slice(text, &mut bytes);
                decoded.map_err(|_| $crate::HexError::Form { what: $what, characters: 2 * $bytes })?;
                Ok(Self(bytes))
            }
        }

        $crate::text_form::serde_as_text!($kind);
    };
}
pub(crate) use hex_bytes;
