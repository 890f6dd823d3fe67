use std::{fmt, str::FromStr};

use serde::{Deserialize as _, Deserializer, de::Error as _};

use crate::{HexError, text_form::serde_as_text};

/// A number as execution clients write it in JSON: `0x` and hex digits. Leading zeros are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity(pub u128);

serde_as_text!(Quantity);

impl Quantity {
    /// Reads a field that is a quantity as a number of fewer bits: `#[serde(deserialize_with = "Quantity::field")]`.
    ///
    /// # Errors
    /// It is not a quantity, or is too large for the number.
    pub fn field<'de, D: Deserializer<'de>, T: TryFrom<u128>>(deserializer: D) -> Result<T, D::Error> {
        Self::deserialize(deserializer)?.number().map_err(D::Error::custom)
    }

    /// Reads a field that is a quantity or missing, as [`Self::field`] does.
    ///
    /// # Errors
    /// It is not a quantity, or is too large for the number.
    pub fn optional_field<'de, D: Deserializer<'de>, T: TryFrom<u128>>(deserializer: D) -> Result<Option<T>, D::Error> {
        let quantity = Option::<Self>::deserialize(deserializer)?;
        quantity.map(|quantity| quantity.number().map_err(D::Error::custom)).transpose()
    }

    /// Returns it as a number of fewer bits.
    ///
    /// # Errors
    /// [`HexError::Range`] if it is too large.
    pub fn number<T: TryFrom<u128>>(self) -> Result<T, HexError> {
        self.0.try_into().map_err(|_| HexError::Range)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl FromStr for Quantity {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        let digits = text.strip_prefix("0x").ok_or(HexError::Quantity)?;
        // A sign would be accepted by `from_str_radix`.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(HexError::Quantity);
        }
        u128::from_str_radix(digits, 16).map(Self).map_err(|_| HexError::Quantity)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quantity(text: &str) -> Option<u128> {
        text.parse().ok().map(|Quantity(number)| number)
    }

    #[test]
    fn only_quantities_are_numbers() {
        assert_eq!((quantity("0x0"), quantity("0x10"), quantity("0x00ff")), (Some(0), Some(16), Some(255)));
        for bad in ["", "0x", "10", "0x+1", "0x-1", "0xg", "0x 1", &format!("0x1{}", "0".repeat(32))] {
            assert_eq!(quantity(bad), None, "{bad}");
        }
        assert_eq!((Quantity(255).number::<u8>(), Quantity(256).number::<u8>()), (Ok(255), Err(HexError::Range)));
    }

    #[test]
    fn a_field_has_the_bits_of_its_number_or_is_missing() {
        #[derive(serde::Deserialize, Debug, PartialEq)]
        struct Fields {
            #[serde(deserialize_with = "Quantity::field")]
            one: u64,
            #[serde(default, deserialize_with = "Quantity::optional_field")]
            other: Option<u128>,
        }
        let read = |json: &str| serde_json::from_str::<Fields>(json).ok();
        assert_eq!(read(r#"{"one":"0x2","other":"0x3"}"#), Some(Fields { one: 2, other: Some(3) }));
        assert_eq!(read(r#"{"one":"0x2"}"#), Some(Fields { one: 2, other: None }));
        assert_eq!(read(r#"{"one":"0x2","other":null}"#), Some(Fields { one: 2, other: None }));
        for bad in
            [r#"{"one":2}"#, r#"{"one":"2"}"#, r#"{"one":"0x10000000000000000"}"#, r#"{"one":"0x2","other":"3"}"#]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(number: u128, text in ".{0,40}") {
            prop_assert_eq!(quantity(&Quantity(number).to_string()), Some(number));
            let _ = quantity(&text);
        }
    }
}
