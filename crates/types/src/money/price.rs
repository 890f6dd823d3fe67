use std::{fmt, num::NonZeroU32};

use serde::{Deserialize, Serialize};

use super::{
    basis_points::WHOLE_BPS,
    quoted_price::{MINUTE_MS, PERIODS},
};
use crate::{Amount, AmountError, Asset};

/// The price of a slot in an asset: an amount for each period during which both sides are connected to each other. Zero
/// means free.
///
/// It is kept as a fraction in lowest terms, so that two prices with the same meaning are equal. `QuotedPrice` is a price as
/// people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "PriceForm", into = "PriceForm")]
pub struct Price {
    asset: Asset,
    amount: u128,
    period_ms: NonZeroU32,
}

/// A price on the wire: an amount for a period.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PriceForm {
    /// The asset that the pool charges in.
    asset: Asset,
    /// The amount, in the asset's smallest unit, less than 2^96; 0 is free.
    amount: Amount,
    /// The period, in milliseconds: 60000 for a price per minute.
    period_ms: NonZeroU32,
}

impl Price {
    /// Nothing to pay, in ether.
    pub const FREE: Self = Self::free(Asset::ETHER);

    /// An amount is below 2 to this power, so that the cost of a part of a period fits into 128 bits.
    const AMOUNT_BITS: u32 = 96;

    /// Nothing to pay.
    #[must_use]
    pub const fn free(asset: Asset) -> Self {
        Self { asset, amount: 0, period_ms: NonZeroU32::MIN }
    }

    /// An amount for each period of that many milliseconds; `None` if the amount is 2^96 or more.
    #[must_use]
    pub fn new(asset: Asset, amount: Amount, period_ms: NonZeroU32) -> Option<Self> {
        if amount.get() >> Self::AMOUNT_BITS != 0 {
            return None;
        }
        let divisor = greatest_common_divisor(amount.get(), period_ms);
        // A divisor of both leaves no remainder.
        let amount = amount.get().checked_div(u128::from(divisor.get()))?;
        let period_ms = NonZeroU32::new(period_ms.get().checked_div(divisor.get())?)?;
        Some(Self { asset, amount, period_ms })
    }

    /// That many wei a minute.
    #[must_use]
    pub fn per_minute(wei: u64) -> Self {
        // Below 2^96.
        let price = NonZeroU32::new(MINUTE_MS).and_then(|ms| Self::new(Asset::ETHER, Amount::new(wei.into()), ms));
        price.unwrap_or(Self::FREE)
    }

    /// What the price is in.
    #[must_use]
    pub const fn asset(self) -> Asset {
        self.asset
    }

    /// The amount of the fraction in lowest terms.
    #[must_use]
    pub const fn amount(self) -> Amount {
        Amount::new(self.amount)
    }

    /// The period of the fraction in lowest terms, in milliseconds.
    #[must_use]
    pub const fn period_ms(self) -> NonZeroU32 {
        self.period_ms
    }

    /// Whether nothing is asked.
    #[must_use]
    pub const fn is_free(self) -> bool {
        self.amount == 0
    }

    /// The price after "a slot costs": not "free", which would be wrong there.
    #[must_use]
    pub fn in_sentence(self) -> String {
        if self.is_free() { "nothing".to_owned() } else { self.to_string() }
    }

    /// Whether it is more than `most`. A price in another asset is, unless it is free. Compared by cross-multiplication,
    /// whose products are below 2^128.
    ///
    /// ```
    /// use vipnode_types::{Amount, Asset, Price, QuotedPrice};
    ///
    /// let ether = |text: &str| text.parse::<QuotedPrice>()?.in_asset(Asset::ETHER);
    /// let price = ether("100 gwei/minute")?;
    /// assert_eq!(price, ether("6000 gwei/hour")?);
    /// assert!(ether("0.15 ether/day")?.exceeds(price));
    /// assert_eq!(price.cost(90_000), Some(Amount::new(150_000_000_000)));
    /// # Ok::<(), vipnode_types::AmountError>(())
    /// ```
    #[must_use]
    pub fn exceeds(self, most: Self) -> bool {
        let product = |one: Self, other: Self| one.amount.saturating_mul(other.period_ms.get().into());
        if self.asset == most.asset { product(self, most) > product(most, self) } else { !self.is_free() }
    }

    /// What a host gets of the price after a fee in basis points. It is exact where amount and period have room for a
    /// multiple of 10,000, else rounded down.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use vipnode_types::{Amount, Asset, Price};
    ///
    /// assert_eq!(Price::per_minute(1_000).less_fee(250), Price::per_minute(975));
    /// assert!(Price::per_minute(1).exceeds(Price::per_minute(1).less_fee(1)));
    /// assert!(!Price::per_minute(1).less_fee(1).is_free());
    /// let longest = Price::new(Asset::ETHER, Amount::new(1), NonZeroU32::MAX).unwrap();
    /// assert!(longest.less_fee(1).is_free(), "rounded down");
    /// ```
    #[must_use]
    pub fn less_fee(self, fee_bps: u16) -> Self {
        let kept = u128::from(WHOLE_BPS.saturating_sub(fee_bps));
        // The price is a fraction in lowest terms: without a longer period, a small amount would be rounded away.
        let room = u32::MAX.checked_div(self.period_ms.get()).unwrap_or(1);
        let amounts = ((1_u128 << Self::AMOUNT_BITS) - 1).checked_div(self.amount).unwrap_or(u128::MAX);
        let times = room.min(10_000).min(u32::try_from(amounts).unwrap_or(u32::MAX)).max(1);
        // Below 2^96 times 10,000.
        let amount =
            self.amount.saturating_mul(times.into()).saturating_mul(kept).checked_div(10_000).unwrap_or_default();
        let period_ms = self.period_ms.saturating_mul(NonZeroU32::new(times).unwrap_or(NonZeroU32::MIN));
        Self::new(self.asset, Amount::new(amount), period_ms).unwrap_or(self)
    }

    /// What `billed_ms` cost: `floor(amount × ms / period)`, rounded down in the client's favor.
    /// `None` beyond 2^128 − 1.
    #[must_use]
    pub fn cost(self, billed_ms: u64) -> Option<Amount> {
        self.cost_from(billed_ms, 0).map(|(cost, _)| cost)
    }

    /// What `billed_ms` cost after time whose cost left the remainder `carry`, and the remainder that this time leaves:
    /// quotient and remainder of `(amount × ms + carry) / period`. `None` beyond 2^128 − 1.
    ///
    /// With the remainder carried, it makes no difference where time is divided:
    ///
    /// ```
    /// use vipnode_types::{Amount, Price};
    ///
    /// let price = Price::per_minute(1);
    /// let (first, carry) = price.cost_from(50_000, 0).unwrap();
    /// let (second, _) = price.cost_from(50_000, carry).unwrap();
    /// assert_eq!((first, second), (Amount::ZERO, Amount::new(1)));
    /// assert_eq!(price.cost(100_000), Some(Amount::new(1)));
    /// ```
    #[must_use]
    pub fn cost_from(self, billed_ms: u64, carry: u32) -> Option<(Amount, u32)> {
        let period = u128::from(self.period_ms.get());
        let (periods, rest_ms) =
            (u128::from(billed_ms).checked_div(period)?, u128::from(billed_ms).checked_rem(period)?);
        let rest = self.amount.checked_mul(rest_ms)?.checked_add(carry.into())?;
        let cost = self.amount.checked_mul(periods)?.checked_add(rest.checked_div(period)?)?;
        let carry = u32::try_from(rest.checked_rem(period)?).ok()?;
        Some((Amount::new(cost), carry))
    }

    /// The amount for a period, if it is whole.
    fn in_period(self, ms: u32) -> Option<u128> {
        let product = self.amount.checked_mul(u128::from(ms))?;
        let period = u128::from(self.period_ms.get());
        (product.checked_rem(period)? == 0).then(|| product.checked_div(period))?
    }
}

/// How many digits and points an amount has, without the zeros around them: fewer are simpler.
fn marks(amount: &str) -> usize {
    let number = amount.split(' ').next().unwrap_or_default();
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len().saturating_add(usize::from(number.contains('.')))
}

/// By Euclid's algorithm.
fn greatest_common_divisor(amount: u128, period: NonZeroU32) -> NonZeroU32 {
    let rest = u32::try_from(amount.checked_rem(u128::from(period.get())).unwrap_or_default()).unwrap_or_default();
    let (mut larger, mut smaller) = (period, NonZeroU32::new(rest));
    while let Some(divisor) = smaller {
        smaller = NonZeroU32::new(larger.get() % divisor);
        larger = divisor;
    }
    larger
}

impl Default for Price {
    fn default() -> Self {
        Self::FREE
    }
}

impl TryFrom<PriceForm> for Price {
    type Error = AmountError;

    fn try_from(form: PriceForm) -> Result<Self, AmountError> {
        let PriceForm { asset, amount, period_ms } = form;
        Self::new(asset, amount, period_ms).ok_or_else(|| AmountError::PriceTooLarge { text: amount.get().to_string() })
    }
}

impl From<Price> for PriceForm {
    fn from(price: Price) -> Self {
        Self { asset: price.asset, amount: price.amount(), period_ms: price.period_ms }
    }
}

impl fmt::Display for Price {
    /// The period whose amount is the simplest exact number, as people write it: "100 gwei/minute", "0.06 USDC/minute" rather than
    /// "3.6 USDC/hour", "0.5 ether/month", "1 wei/11 ms".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_free() {
            return f.write_str("free");
        }
        let shown = |amount: u128| self.asset.show(Amount::new(amount)).to_string();
        let exact = PERIODS.iter().filter_map(|(name, ms)| Some((shown(self.in_period(*ms)?), *ms, name)));
        // The shortest period comes first, so it is the one of several that are as simple.
        match exact.min_by_key(|(amount, ms, _)| (*ms < MINUTE_MS, marks(amount), amount.len())) {
            Some((amount, _, period)) => write!(f, "{amount}/{period}"),
            None => write!(f, "{}/{} ms", self.asset.show(self.amount()), self.period_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::QuotedPrice;

    const MOST: u128 = (1 << Price::AMOUNT_BITS) - 1;

    fn price(amount: u128, period_ms: u32) -> Price {
        Price::new(Asset::ETHER, Amount::new(amount), NonZeroU32::new(period_ms).unwrap()).unwrap()
    }

    fn ether(text: &str) -> Price {
        text.parse::<QuotedPrice>().unwrap().in_asset(Asset::ETHER).unwrap()
    }

    fn any_price() -> impl Strategy<Value = Price> {
        (0..=MOST, 1..=u32::MAX).prop_map(|(amount, period_ms)| price(amount, period_ms))
    }

    fn any_asset() -> impl Strategy<Value = Asset> {
        prop_oneof![
            Just(Asset::ETHER),
            ("[A-Z]{1,12}", 0u8..=30).prop_map(|(symbol, decimals)| Asset::new(&symbol, decimals).unwrap())
        ]
    }

    /// Prices of people: a round amount for a named period.
    fn round_price() -> impl Strategy<Value = (u128, usize)> {
        ((1u128..1_000, 0u32..20).prop_map(|(digits, zeros)| digits * 10u128.pow(zeros)), 0..PERIODS.len())
    }

    #[test]
    fn the_shortest_amount_is_shown() {
        for text in ["100 gwei/minute", "0.5 ether/month", "2 ether/day", "3 gwei/hour", "1 wei/11 ms", "5 gwei/minute"]
        {
            assert_eq!(ether(text).to_string(), text);
        }
    }

    #[test]
    fn the_simplest_amount_is_shown() {
        let usdc = Asset::new("USDC", 6).unwrap();
        for text in
            ["0.06 USDC/minute", "0.07 USDC/minute", "18 USDC/month", "15 USDC/month", "0.5 USDC/month", "2 USDC/day"]
        {
            assert_eq!(text.parse::<QuotedPrice>().unwrap().in_asset(usdc).unwrap().to_string(), text);
        }
    }

    #[test]
    fn prices_in_other_assets_exceed_unless_free() {
        let usdc = Asset::new("USDC", 6).unwrap();
        let one = Price::new(usdc, Amount::new(1), NonZeroU32::MIN).unwrap();
        assert!(one.exceeds(Price::per_minute(u64::MAX)) && Price::per_minute(1).exceeds(one));
        assert!(!Price::free(usdc).exceeds(Price::FREE));
    }

    #[test]
    fn a_month_has_30_days() {
        assert_eq!(ether("30 ether/month"), ether("1 ether/day"));
        assert_eq!(ether("7 ether/week"), ether("1 ether/day"));
    }

    #[test]
    fn is_an_object_in_json() {
        let json = serde_json::to_string(&Price::per_minute(100)).unwrap();
        assert_eq!(json, r#"{"asset":{"symbol":"ETH","decimals":18},"amount":"1","period_ms":600}"#);
        let read = |amount: &str, period: u32| {
            let text =
                format!(r#"{{"asset":{{"symbol":"ETH","decimals":18}},"amount":{amount},"period_ms":{period}}}"#);
            serde_json::from_str::<Price>(&text)
        };
        assert_eq!(read("\"100\"", MINUTE_MS).unwrap(), Price::per_minute(100), "reduced");
        for (amount, period) in [("\"1\"", 0), ("1", 1), (&*format!("\"{}\"", MOST + 1), 1)] {
            assert!(read(amount, period).is_err(), "{amount} {period}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_read(price in any_price(), asset in any_asset()) {
            let price = Price::new(asset, price.amount(), price.period_ms()).unwrap();
            prop_assert_eq!(price.to_string().parse::<QuotedPrice>().unwrap().in_asset(asset), Ok(price));
            prop_assert_eq!(serde_json::from_str::<Price>(&serde_json::to_string(&price).unwrap()).unwrap(), price);
        }

        #[test]
        fn a_price_of_people_is_read_and_printed_exactly((amount, period) in round_price()) {
            let (name, ms) = PERIODS[period];
            let price = ether(&format!("{amount} wei/{name}"));
            prop_assert_eq!(price.cost(ms.into()), Some(Amount::new(amount)));
            prop_assert_eq!(ether(&price.to_string()), price);
        }

        /// Design: splitting a row anywhere changes no total, and an agent that knows only the total time gets the same sum.
        #[test]
        fn it_makes_no_difference_where_time_is_divided(price in any_price(), parts in prop::collection::vec(0u64..1 << 40, 1..8)) {
            let whole = price.cost(parts.iter().sum());
            let mut carry = 0;
            let mut sum = Some(Amount::ZERO);
            for ms in parts {
                sum = sum.zip(price.cost_from(ms, carry)).and_then(|(sum, (cost, rest))| {
                    carry = rest;
                    sum.checked_add(cost)
                });
            }
            prop_assert_eq!(sum, whole);
            prop_assert!(carry < price.period_ms.get());
        }

        #[test]
        fn a_price_exceeds_another_as_the_fractions_do(one in any_price(), other in any_price(), factor in 1u32..1_000) {
            let cross = |a: Price, b: Price| a.amount * u128::from(b.period_ms.get());
            prop_assert_eq!(one.exceeds(other), cross(one, other) > cross(other, one));
            if let Some(period) = one.period_ms.checked_mul(NonZeroU32::new(factor).unwrap())
                && let Some(same) = Price::new(Asset::ETHER, Amount::new(one.amount * u128::from(factor)), period)
            {
                prop_assert_eq!(same, one);
            }
        }

        #[test]
        fn the_cost_is_rounded_down(amount in 0u128..1 << 60, period in 1u32.., ms in 0u64..1 << 40) {
            let exact = amount * u128::from(ms) / u128::from(period);
            prop_assert_eq!(price(amount, period).cost(ms), Some(Amount::new(exact)));
        }
    }
}
