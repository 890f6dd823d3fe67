use crate::text_form::serde_as_text;

/// An amount of the pool's asset in its smallest unit, never negative, never a float. Arithmetic is checked.
///
/// In JSON it is a string of decimal digits: a number would lose precision in a browser (fault D29, docs/faults.md).
/// [`Asset`](crate::Asset) reads and shows amounts as people write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Amount(u128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The largest amount: 2^128 − 1 smallest units.
    pub const MAX: Self = Self(u128::MAX);

    /// That many smallest units.
    #[must_use]
    pub const fn new(units: u128) -> Self {
        Self(units)
    }

    /// The number of smallest units.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }

    /// The sum, or `None` beyond 2^128 − 1.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

serde_as_text!(Amount, |amount| amount.0, |text| {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(serde::de::Error::custom("an amount is a string of decimal digits, in the asset's smallest unit"));
    }
    text.parse().map(Self)
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn d29_json_amounts_are_strings() {
        assert_eq!(serde_json::to_string(&Amount::MAX).unwrap(), format!("\"{}\"", u128::MAX));
        assert!(serde_json::from_str::<Amount>("5").is_err());
        assert!(serde_json::from_str::<Amount>("\"1 gwei\"").is_err());
    }

    proptest! {
        #[test]
        fn reads_the_json_that_it_writes(units: u128) {
            let json = serde_json::to_string(&Amount::new(units)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Amount>(&json).unwrap(), Amount::new(units));
        }
    }
}
