use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Wei, WeiError};

/// The price of a slot: wei per minute that both sides saw each other. Zero means free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Price(Wei);

/// Milliseconds in the minute a price is for.
const MS_A_MINUTE: u128 = 60_000;

impl Price {
    /// Nothing to pay.
    pub const FREE: Self = Self(Wei::ZERO);

    /// That much a minute.
    #[must_use]
    pub const fn per_minute(wei: Wei) -> Self {
        Self(wei)
    }

    /// The amount for one minute.
    #[must_use]
    pub const fn minute(self) -> Wei {
        self.0
    }

    /// Whether nothing is asked.
    #[must_use]
    pub fn is_free(self) -> bool {
        self.0 == Wei::ZERO
    }

    /// What `billed_ms` cost: `floor(price × ms / 60000)`, rounded down in the client's favor.
    /// `None` where the product is beyond 2^128 − 1.
    ///
    /// ```
    /// use vipnode_types::{Price, Wei};
    ///
    /// let price: Price = "100 gwei a minute".parse()?;
    /// assert_eq!(price, Price::per_minute("100 gwei".parse()?));
    /// assert_eq!(price.cost(90_000), Some("150 gwei".parse()?));
    /// assert_eq!(Price::per_minute(Wei::new(1)).cost(59_999), Some(Wei::ZERO), "rounded down");
    /// # Ok::<(), vipnode_types::WeiError>(())
    /// ```
    #[must_use]
    pub fn cost(self, billed_ms: u64) -> Option<Wei> {
        let product = self.0.get().checked_mul(u128::from(billed_ms))?;
        product.checked_div(MS_A_MINUTE).map(Wei::new)
    }
}

impl FromStr for Price {
    type Err = WeiError;

    /// Reads an amount with a unit as [`Wei`] does, `0`, and its own words: "100 gwei a minute", "free".
    fn from_str(text: &str) -> Result<Self, WeiError> {
        match text.trim() {
            "free" => Ok(Self::FREE),
            // Wei is meant by nobody: 100 would be a price of almost nothing.
            text if text != "0" && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() => {
                Err(WeiError::NoUnit { text: text.chars().take(64).collect() })
            }
            text => text.strip_suffix(" a minute").unwrap_or(text).parse().map(Self),
        }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_free() { f.write_str("free") } else { write!(f, "{} a minute", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Found by fuzzing: what is shown could not be given back.
    #[test]
    fn reads_its_own_words() {
        assert_eq!("free".parse(), Ok(Price::FREE));
        assert_eq!("100 gwei a minute".parse(), Ok(Price::per_minute(Wei::new(100_000_000_000))));
        assert_eq!("100 gwei".parse(), Ok(Price::per_minute(Wei::new(100_000_000_000))));
        assert_eq!("0".parse(), Ok(Price::FREE));
        assert_eq!("100".parse::<Price>(), Err(WeiError::NoUnit { text: "100".to_owned() }));
        for bad in ["", "a minute", " a minute", "free a minute", "5 a minute a minute", "1 gwei an hour"] {
            assert!(bad.parse::<Price>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_read(wei: u128) {
            let price = Price::per_minute(Wei::new(wei));
            prop_assert_eq!(price.to_string().parse(), Ok(price));
        }
    }
}
