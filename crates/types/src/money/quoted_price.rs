use std::{fmt, num::NonZeroU32, str::FromStr};

use super::asset::short;
use crate::{Amount, AmountError, Asset, Price, text_form::serde_as_text};

/// A price as people write it, before the asset is known: "100 gwei/minute", "0.50 USDC/month", "free".
///
/// The pool and the agent read it in the pool's asset; nothing is rounded.
///
/// ```
/// use vipnode_types::{Asset, QuotedPrice};
///
/// let quoted: QuotedPrice = "0.50 USDC/month".parse()?;
/// let price = quoted.in_asset("USDC:6".parse()?)?;
/// assert_eq!(price.to_string(), "0.5 USDC/month");
/// assert!(quoted.in_asset(Asset::ETHER).is_err());
/// # Ok::<(), vipnode_types::AmountError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QuotedPrice {
    /// The amount without its decimal point.
    digits: u128,
    /// How many of the digits are decimals; the last of them is not 0.
    decimals: u8,
    /// At most 16 characters; empty if the price is free.
    unit: String,
    period: Period,
}

/// A number of a named span of time: "minute", "30 days".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Period {
    number: u32,
    name: &'static str,
    pub(super) ms: NonZeroU32,
}

const SECOND_MS: u32 = 1_000;
pub(super) const MINUTE_MS: u32 = 60 * SECOND_MS;
const HOUR_MS: u32 = 60 * MINUTE_MS;
const DAY_MS: u32 = 24 * HOUR_MS;

/// The periods that people name, the shortest first. A month has 30 days.
pub(super) const PERIODS: [(&str, u32); 7] = [
    ("ms", 1),
    ("second", SECOND_MS),
    ("minute", MINUTE_MS),
    ("hour", HOUR_MS),
    ("day", DAY_MS),
    ("week", 7 * DAY_MS),
    ("month", 30 * DAY_MS),
];

/// Other names of periods, as in durations.
const SHORT_PERIODS: [(&str, &str); 11] = [
    ("millisecond", "ms"),
    ("s", "second"),
    ("sec", "second"),
    ("min", "minute"),
    ("h", "hour"),
    ("hr", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("wk", "week"),
    ("mo", "month"),
    ("mth", "month"),
];

/// The longest unit.
const UNIT_CHARACTERS: usize = 16;

/// The most decimals that are read.
const MOST_DECIMALS: usize = 38;

impl QuotedPrice {
    /// The price in an asset.
    ///
    /// # Errors
    /// [`AmountError::Unit`] if the unit is not one of the asset, [`AmountError::TooFine`] if there are more decimals than
    /// it has, [`AmountError::PriceTooLarge`].
    pub fn in_asset(&self, asset: Asset) -> Result<Price, AmountError> {
        if self.unit.is_empty() {
            return Ok(Price::free(asset));
        }
        let unit = || AmountError::Unit { unit: self.unit.clone(), asset };
        let exponent = asset.exponent(&self.unit).ok_or_else(unit)?;
        let fine = || AmountError::TooFine { text: self.to_string(), asset };
        let zeros = exponent.checked_sub(self.decimals).ok_or_else(fine)?;
        let units = 10_u128.checked_pow(zeros.into()).and_then(|factor| self.digits.checked_mul(factor));
        let price = units.and_then(|units| Price::new(asset, Amount::new(units), self.period.ms));
        price.ok_or_else(|| AmountError::PriceTooLarge { text: self.to_string() })
    }

    /// Whether nothing is asked.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.digits == 0
    }

    /// Another price in the unit and the period of this one, so that people can compare the two. Rounded down, with "about", if
    /// the asset has too few decimals for it. A price that this unit cannot show is as [`Price::in_sentence`] shows it.
    ///
    /// ```
    /// use vipnode_types::{Asset, QuotedPrice};
    ///
    /// let (usdc, least): (Asset, QuotedPrice) = ("USDC:6".parse()?, "360 USDC/hour".parse()?);
    /// let price = "5.85 USDC/minute".parse::<QuotedPrice>()?.in_asset(usdc)?;
    /// assert_eq!(least.in_same_unit(price), "351 USDC/hour");
    /// # Ok::<(), vipnode_types::AmountError>(())
    /// ```
    #[must_use]
    pub fn in_same_unit(&self, price: Price) -> String {
        match self.same_unit(price) {
            Some((same, true)) => same.to_string(),
            Some((same, false)) if !same.is_free() => format!("about {same}"),
            _ => price.in_sentence(),
        }
    }

    /// A price in the unit and the period of this one, rounded down, and whether it is exact; `None` if it is free, or its asset
    /// does not have the unit.
    fn same_unit(&self, price: Price) -> Option<(Self, bool)> {
        let exponent = price.asset().exponent(&self.unit).filter(|_| !price.is_free())?;
        // Below 2^96 times 2^32.
        let scaled = price.amount().get().saturating_mul(self.period.ms.get().into());
        let period = u128::from(price.period_ms().get());
        let (mut digits, rest) = (scaled.checked_div(period)?, scaled.checked_rem(period)?);
        let mut decimals = exponent;
        while decimals > 0 && digits.checked_rem(10) == Some(0) {
            (digits, decimals) = (digits.checked_div(10)?, decimals.saturating_sub(1));
        }
        Some((Self { digits, decimals, ..self.clone() }, rest == 0))
    }
}

impl FromStr for QuotedPrice {
    type Err = AmountError;

    /// Reads an amount and a period: "100 gwei/minute", "100 gwei a minute", "0.5 ether per month". Without a period, a
    /// price in ether is per minute, as the original had it; another one is refused. Also reads "free" and "0".
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let text = text.trim();
        if matches!(text, "free" | "0") {
            return Ok(Self { digits: 0, decimals: 0, unit: String::new(), period: Period::MINUTE });
        }
        // The smallest unit is meant by nobody: 100 would be a price of almost nothing.
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AmountError::NoUnit { text: short(text) });
        }
        let parts = ["/", " per ", " an ", " a "].iter().find_map(|separator| text.rsplit_once(separator));
        let (amount, period) = match parts {
            Some((amount, period)) => (amount, Some(period.parse()?)),
            None => (text, None),
        };
        if amount.trim().starts_with(['-', '\u{2212}']) {
            return Err(AmountError::Negative { text: short(text) });
        }
        let (number, unit) = split_number(amount.trim());
        let (digits, decimals) = read_number(number).ok_or_else(|| AmountError::Number { text: short(text) })?;
        if unit.is_empty() {
            return Err(AmountError::NoUnit { text: short(amount.trim()) });
        }
        if unit.len() > UNIT_CHARACTERS || !unit.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(AmountError::Number { text: short(text) });
        }
        // Nobody means so much a minute by "0.50 USDC".
        if period.is_none() && digits > 0 && Asset::ETHER.exponent(unit).is_none() {
            return Err(AmountError::NoPeriod { text: short(text) });
        }
        Ok(Self { digits, decimals, unit: unit.to_owned(), period: period.unwrap_or(Period::MINUTE) })
    }
}

impl Asset {
    /// Reads an amount as people write it: "10 USDC", "0.5 ether". Nothing is rounded.
    ///
    /// # Errors
    /// [`AmountError::Number`], [`AmountError::BareNumber`], [`AmountError::Unit`] if the unit is not one of this asset,
    /// [`AmountError::TooFine`] if there are more decimals than it has, [`AmountError::TooLarge`].
    pub fn amount(self, text: &str) -> Result<Amount, AmountError> {
        let (number, unit) = split_number(text.trim());
        let (digits, decimals) = read_number(number).ok_or_else(|| AmountError::Number { text: short(text) })?;
        if unit.is_empty() {
            return Err(AmountError::BareNumber { text: short(text), asset: self });
        }
        let exponent = self.exponent(unit).ok_or_else(|| AmountError::Unit { unit: short(unit), asset: self })?;
        let fine = || AmountError::TooFine { text: short(text), asset: self };
        let zeros = exponent.checked_sub(decimals).ok_or_else(fine)?;
        let units = 10_u128.checked_pow(zeros.into()).and_then(|factor| digits.checked_mul(factor));
        units.map(Amount::new).ok_or_else(|| AmountError::TooLarge { text: short(text) })
    }
}

/// Splits what begins with a number before its unit.
fn split_number(text: &str) -> (&str, &str) {
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    (number, unit.trim())
}

/// The digits of a number without its decimal point, and how many of them are decimals; zeros at the end of the decimals
/// are left out.
fn read_number(number: &str) -> Option<(u128, u8)> {
    let (whole, fraction) = match number.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (number, ""),
    };
    if whole.is_empty() || fraction.contains('.') {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let decimals = u8::try_from(fraction.len()).ok().filter(|&decimals| usize::from(decimals) <= MOST_DECIMALS)?;
    Some((format!("{whole}{fraction}").parse().ok()?, decimals))
}

impl Period {
    const MINUTE: Self = Self { number: 1, name: "minute", ms: non_zero(MINUTE_MS) };
}

/// A number that is not 0.
const fn non_zero(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl FromStr for Period {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let lower = text.trim().to_ascii_lowercase();
        let split = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
        let (number, unit) = lower.split_at(split);
        let unit = unit.trim();
        if unit == "m" {
            return Err(AmountError::AmbiguousPeriod { period: short(text.trim()) });
        }
        let is = |name: &str| unit == name || unit.strip_suffix('s') == Some(name);
        let long = SHORT_PERIODS.iter().find(|(name, _)| is(name)).map(|(_, long)| *long);
        let named = |(name, _): &&(&'static str, u32)| long.map_or_else(|| is(name), |long| long == *name);
        let number = if number.is_empty() { Some(1) } else { number.parse::<u32>().ok() };
        let found = PERIODS.iter().find(named).zip(number).and_then(|((name, ms), number)| {
            let ms = NonZeroU32::new(ms.checked_mul(number)?)?;
            Some(Self { number, name, ms })
        });
        found.ok_or_else(|| AmountError::Period { period: short(text.trim()) })
    }
}

impl fmt::Display for QuotedPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // With a unit, it is printed with it: the unit has to be one of the asset also if the price is zero.
        if self.unit.is_empty() {
            return f.write_str("free");
        }
        let decimals = usize::from(self.decimals);
        let digits = format!("{:0>width$}", self.digits, width = decimals.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{whole}{point}{fraction} {}/", self.unit)?;
        match self.period {
            Period { number: 1, name, .. } => f.write_str(name),
            Period { number, name: "ms", .. } => write!(f, "{number} ms"),
            Period { number, name, .. } => write!(f, "{number} {name}s"),
        }
    }
}

serde_as_text!(QuotedPrice);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::TypedError as _;

    /// Found by `fuzz/run`: "0 m" was printed as "free", which reads as another value.
    #[test]
    fn a_price_of_zero_is_printed_with_its_unit() {
        for text in ["0", "free", "0 m", "0000mth", "0.00 USDC/month"] {
            let quoted: QuotedPrice = text.parse().unwrap();
            assert_eq!(quoted.to_string().parse().as_ref(), Ok(&quoted), "{text}");
            assert!(quoted.is_free(), "{text}");
        }
    }

    fn ether(text: &str) -> Result<Price, AmountError> {
        text.parse::<QuotedPrice>()?.in_asset(Asset::ETHER)
    }

    #[test]
    fn d27_amounts_are_exact() {
        let wei = |text: &str| ether(&format!("{text}/ms")).map(|price| price.amount().get());
        assert_eq!(wei("5 wei"), Ok(5));
        assert_eq!(wei("1.5 gwei"), Ok(1_500_000_000));
        assert_eq!(wei("2ETHER"), Ok(2_000_000_000_000_000_000));
        assert_eq!(wei("1 Finney"), Ok(1_000_000_000_000_000));
        assert_eq!(wei("1.0 wei"), Ok(1));
        assert!(matches!(wei("1.5 wei"), Err(AmountError::TooFine { .. })));
        for bad in ["", ".", "1. gwei", ".5 gwei", "1.2.3 gwei", "1 gw\u{200b}ei"] {
            assert!(matches!(wei(bad), Err(AmountError::Number { .. })), "{bad}");
        }
        assert!(matches!(wei("-1 wei"), Err(AmountError::Negative { .. })));
        for other in ["1 euro", "0 euro", "0x", "0x10"] {
            assert!(matches!(wei(other), Err(AmountError::Unit { .. })), "{other}");
        }
        assert!(matches!(wei("400000000000000000000 ether"), Err(AmountError::PriceTooLarge { .. })));
    }

    #[test]
    fn d27_an_amount_is_read_in_its_asset() {
        let usdc: Asset = "USDC:6".parse().unwrap();
        assert_eq!(usdc.amount("10.5 usdc"), Ok(Amount::new(10_500_000)));
        assert_eq!(Asset::ETHER.amount("1 gwei"), Ok(Amount::new(1_000_000_000)));
        assert!(matches!(usdc.amount("10"), Err(AmountError::BareNumber { .. })));
        assert!(matches!(usdc.amount("0.0000001 USDC"), Err(AmountError::TooFine { .. })));
        assert!(matches!(usdc.amount("1 ether"), Err(AmountError::Unit { .. })));
        assert!(matches!(usdc.amount("-1 USDC"), Err(AmountError::Number { .. })));
        let most = "400000000000000000000000000000000000 USDC";
        assert!(matches!(usdc.amount(most), Err(AmountError::TooLarge { .. })));
    }

    /// Found by fuzzing: what is shown could not be given back.
    #[test]
    fn reads_its_own_words() {
        assert_eq!(ether("free"), Ok(Price::FREE));
        assert_eq!(ether("0"), Ok(Price::FREE));
        let hundred_gwei = Price::per_minute(100_000_000_000);
        for text in ["100 gwei/minute", "100 gwei a minute", "100 gwei per minutes", "100 gwei", " 6000gwei / hour "] {
            assert_eq!(ether(text), Ok(hundred_gwei), "{text}");
        }
        assert_eq!("100".parse::<QuotedPrice>(), Err(AmountError::NoUnit { text: "100".to_owned() }));
        for bad in
            ["a minute", "/minute", "free a minute", "5 wei a minute a minute", "1 gwei/fortnight", "1 gwei/0 ms"]
        {
            assert!(bad.parse::<QuotedPrice>().is_err(), "{bad}");
        }
        assert!("1 gwei/50 days".parse::<QuotedPrice>().is_err(), "beyond 2^32 ms");
    }

    /// "0.50 USDC" would be 30 USDC an hour.
    #[test]
    fn only_a_price_in_ether_may_lack_its_period() {
        let no_period = |text: &str| AmountError::NoPeriod { text: text.to_owned() };
        for text in ["0.50 USDC", "3 credits"] {
            let error = text.parse::<QuotedPrice>().unwrap_err();
            assert_eq!(error, no_period(text));
            let hint = error.hint().unwrap();
            assert!(hint.contains(&format!("\"{text}/month\"")), "{hint}");
            assert!(format!("{text}/month").parse::<QuotedPrice>().is_ok(), "the hint is right");
        }
        for text in ["100 gwei", "1 ETH", "5 wei", "0 USDC"] {
            assert!(text.parse::<QuotedPrice>().is_ok(), "{text}");
        }
    }

    #[test]
    fn periods_may_be_short_unless_they_are_ambiguous() {
        for (short, long) in [
            ("1 gwei/s", "1 gwei/second"),
            ("1 gwei/min", "1 gwei/minute"),
            ("1 gwei/5mins", "1 gwei/5 minutes"),
            ("1 gwei/h", "1 gwei/hour"),
            ("1 gwei per 2 hrs", "1 gwei/2 hours"),
            ("1 gwei/D", "1 gwei/day"),
            ("1 gwei/30d", "1 gwei/month"),
            ("1 gwei/wk", "1 gwei/week"),
            ("1 gwei/mo", "1 gwei/month"),
        ] {
            assert_eq!(ether(short), ether(long), "{short}");
            assert!(ether(short).is_ok(), "{short}");
        }
        assert!(matches!(ether("1 gwei/m"), Err(AmountError::AmbiguousPeriod { .. })));
    }

    #[test]
    fn shows_what_was_written() {
        for text in ["100 gwei/minute", "0.5 USDC/month", "2 credits/day", "1 wei/11 ms", "3 ether/2 weeks", "free"] {
            assert_eq!(text.parse::<QuotedPrice>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_price_is_shown_in_the_unit_of_another() {
        let shown = |like: &str, price: &str| {
            let price = price.parse::<QuotedPrice>().unwrap().in_asset("USDC:6".parse().unwrap()).unwrap();
            let like: QuotedPrice = like.parse().unwrap();
            like.in_same_unit(price)
        };
        assert_eq!(shown("360 usdc/hour", "5.85 USDC/minute"), "351 usdc/hour", "as the user writes it");
        assert_eq!(shown("1 USDC/2 days", "0.5 USDC/day"), "1 USDC/2 days");
        assert_eq!(shown("1 USDC/day", "1 USDC/week"), "about 0.142857 USDC/day");
        assert_eq!(shown("1 USDC/minute", "0.000001 USDC/month"), "0.000001 USDC/month", "not nothing");
        assert_eq!(shown("1 gwei/minute", "2 USDC/day"), "2 USDC/day", "of another asset");
        assert_eq!(shown("1 USDC/minute", "free"), "nothing");
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_read(digits in 1u128.., decimals in 0u8..10, number in 1u32..50, period in 0..PERIODS.len()) {
            let (name, ms) = PERIODS[period];
            let text = format!("{}.{:0>width$} gwei/{number} {name}", digits >> 40, digits % 1_000, width = usize::from(decimals.max(3)));
            if ms.checked_mul(number).is_some() {
                let quoted: QuotedPrice = text.parse().unwrap();
                prop_assert_eq!(quoted.to_string().parse(), Ok(quoted));
            }
        }

        #[test]
        fn never_panics(text in ".{0,80}") {
            let _ = text.parse::<QuotedPrice>();
        }
    }
}
