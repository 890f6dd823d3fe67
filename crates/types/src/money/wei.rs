use std::{fmt, str::FromStr};

use crate::{errors, text_form::serde_as_text};

/// An amount of wei, never negative, never a float. Arithmetic is checked.
///
/// In JSON it is a string of decimal digits: a number would lose precision in a browser (fault D29, docs/faults.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Wei(u128);

errors! {
    /// Why a text is not an amount.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum WeiError {
        /// The text does not begin with a number.
        Number {
            /// The text, at most 64 characters.
            text: String,
        }: local,
            "{text:?} is not a valid amount",
            hint "Write wei (100000000), 0x hex, or a number and a unit (100 gwei, 0.5 ether).";
        /// The text after the number is not a unit.
        Unit {
            /// The unit, at most 64 characters.
            unit: String,
        }: local, "{unit:?} is not a valid unit",
            hint "Use wei, kwei, mwei, gwei, microether, milliether, or ether.";
        /// A price is a number without a unit.
        NoUnit {
            /// The number, at most 64 characters.
            text: String,
        }: local, "{text} has no unit",
            hint "Write the price per minute with its unit: \"{text} gwei\", or \"{text} wei\".";
        /// The amount has a fraction of one wei.
        TooFine {
            /// The text, at most 64 characters.
            text: String,
        }: local, "{text:?} is not a whole number of wei",
            hint "Write an amount without a fraction of one wei.";
        /// The amount is larger than 2^128 − 1 wei.
        TooLarge {
            /// The text, at most 64 characters.
            text: String,
        }: local, "{text:?} is too large", hint "Write an amount below 2^128 wei.";
    }
}

impl Wei {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// That many wei.
    #[must_use]
    pub const fn new(wei: u128) -> Self {
        Self(wei)
    }

    /// The number of wei.
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

/// Decimal exponents of the units, with the original's second names.
fn exponent(unit: &str) -> Option<usize> {
    Some(match unit {
        "" | "wei" => 0,
        "kwei" | "babbage" => 3,
        "mwei" | "lovelace" => 6,
        "gwei" | "shannon" => 9,
        "microether" | "szabo" => 12,
        "milliether" | "finney" => 15,
        "ether" | "eth" => 18,
        _ => return None,
    })
}

impl FromStr for Wei {
    type Err = WeiError;

    /// Reads integer wei, `0x` hex, or a decimal number with a unit, in any letter case, the space
    /// optional. Exact: what is not a whole number of wei is refused, never rounded (fault D27, docs/faults.md).
    fn from_str(text: &str) -> Result<Self, WeiError> {
        let short: String = text.chars().take(64).collect();
        let lower = text.trim().to_ascii_lowercase();
        if let Some(hex) = lower.strip_prefix("0x") {
            if hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(WeiError::Number { text: short });
            }
            return u128::from_str_radix(hex, 16).map(Self).map_err(|_| WeiError::TooLarge { text: short });
        }
        let split = lower.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(lower.len());
        let (number, unit) = lower.split_at(split);
        let places =
            exponent(unit.trim()).ok_or_else(|| WeiError::Unit { unit: unit.trim().chars().take(64).collect() })?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.contains('.') || (fraction.is_empty() && number.contains('.')) {
            return Err(WeiError::Number { text: short });
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > places {
            return Err(WeiError::TooFine { text: short });
        }
        format!("{whole}{fraction:0<places$}").parse().map(Self).map_err(|_| WeiError::TooLarge { text: short })
    }
}

impl fmt::Display for Wei {
    /// The largest of ether, gwei and wei that shows the exact amount with at most nine decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, places) = match self.0 {
            0 => ("wei", 0),
            wei if wei % 1_000_000_000 == 0 && wei >= 1_000_000_000_000_000 => ("ether", 18),
            wei if wei >= 1_000_000 => ("gwei", 9_usize),
            _ => ("wei", 0),
        };
        let digits = format!("{:0>width$}", self.0, width = places.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{whole} {unit}"),
            fraction => write!(f, "{whole}.{fraction} {unit}"),
        }
    }
}

serde_as_text!(Wei, |wei| wei.0, |text| {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(serde::de::Error::custom("an amount is a string of decimal digits, in wei"));
    }
    text.parse().map(Self)
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn d27_amounts_are_exact() {
        let wei = |text: &str| text.parse::<Wei>().map(Wei::get);
        assert_eq!(wei("5 wei"), Ok(5));
        assert_eq!(wei("1.5 gwei"), Ok(1_500_000_000));
        assert_eq!(wei("0"), Ok(0));
        assert_eq!(wei("0x10"), Ok(16));
        assert_eq!(wei("2ETHER"), Ok(2_000_000_000_000_000_000));
        assert_eq!(wei("1 Finney"), Ok(1_000_000_000_000_000));
        assert_eq!(wei("1.50"), Err(WeiError::TooFine { text: "1.50".into() }));
        assert_eq!(wei("1.0"), Ok(1));
        assert!(wei("").is_err() && wei(".").is_err() && wei("1.").is_err() && wei(".5 gwei").is_err());
        assert!(wei("-1").is_err() && wei("1 euro").is_err() && wei("0x").is_err() && wei("1.2.3 gwei").is_err());
        assert!(matches!(wei("400000000000000000000 ether"), Err(WeiError::TooLarge { .. })));
    }

    #[test]
    fn d28_ten_ether_is_ten_ether() {
        assert_eq!("10 ether".parse::<Wei>().unwrap().to_string(), "10 ether");
        assert_eq!(Wei::new(1_500_000_000).to_string(), "1.5 gwei");
        assert_eq!(Wei::new(7).to_string(), "7 wei");
    }

    #[test]
    fn d29_json_amounts_are_strings() {
        assert_eq!(serde_json::to_string(&Wei::new(u128::MAX)).unwrap(), format!("\"{}\"", u128::MAX));
        assert!(serde_json::from_str::<Wei>("5").is_err());
        assert!(serde_json::from_str::<Wei>("\"1 gwei\"").is_err());
    }

    proptest! {
        #[test]
        fn parses_what_it_prints(wei: u128) {
            let amount = Wei::new(wei);
            prop_assert_eq!(amount.to_string().parse::<Wei>(), Ok(amount));
            let json = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(serde_json::from_str::<Wei>(&json).unwrap(), amount);
        }

        #[test]
        fn never_panics(text in ".{0,80}") {
            let _ = text.parse::<Wei>();
        }
    }
}
