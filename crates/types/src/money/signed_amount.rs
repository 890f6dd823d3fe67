use std::fmt;

use crate::{Amount, text_form::serde_as_text};

/// A balance, or a change to a balance: the exact difference of two amounts, in the asset's smallest unit.
///
/// In JSON it is a string of decimal digits, and a negative amount has a minus sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SignedAmount {
    /// False for zero.
    negative: bool,
    amount: Amount,
}

impl SignedAmount {
    /// Nothing.
    pub const ZERO: Self = Self { negative: false, amount: Amount::ZERO };

    /// What `more` exceeds `less` by; negative if `less` is larger.
    ///
    /// ```
    /// use vipnode_types::{Amount, SignedAmount};
    ///
    /// let change = SignedAmount::difference(Amount::new(3), Amount::new(5));
    /// assert_eq!(change.to_string(), "-2");
    /// assert_eq!(change.checked_add(SignedAmount::difference(Amount::new(2), Amount::ZERO)), Some(SignedAmount::ZERO));
    /// ```
    #[must_use]
    pub fn difference(more: Amount, less: Amount) -> Self {
        match more.checked_sub(less) {
            Some(amount) => Self { negative: false, amount },
            None => Self { negative: true, amount: less.checked_sub(more).unwrap_or_default() },
        }
    }

    /// The sum, or `None` beyond 2^128 − 1 on either side of zero.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.negative == other.negative {
            let amount = self.amount.checked_add(other.amount)?;
            return Some(Self { negative: self.negative, amount });
        }
        let (more, less) = if self.negative { (other.amount, self.amount) } else { (self.amount, other.amount) };
        Some(Self::difference(more, less))
    }

    /// The same amount on the other side of zero.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { negative: !self.negative && self.amount > Amount::ZERO, ..self }
    }

    /// Whether it is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.negative
    }

    /// How far it is from zero.
    #[must_use]
    pub const fn magnitude(self) -> Amount {
        self.amount
    }
}

impl fmt::Display for SignedAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.negative { "-" } else { "" }, self.amount.get())
    }
}

serde_as_text!(SignedAmount, |amount| amount, |text| {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let units = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    units
        .map(|units| Self { negative: negative && units > 0, amount: Amount::new(units) })
        .ok_or("a balance is a string of decimal digits, in the asset's smallest unit, with a minus sign below zero")
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signed(value: i64) -> SignedAmount {
        let zero = SignedAmount::ZERO;
        let of = SignedAmount { amount: Amount::new(value.unsigned_abs().into()), ..zero };
        if value < 0 { of.negated() } else { of }
    }

    #[test]
    fn zero_has_no_sign_and_the_range_ends() {
        assert_eq!(serde_json::to_string(&SignedAmount::ZERO.negated()).unwrap(), "\"0\"");
        assert_eq!(serde_json::from_str::<SignedAmount>("\"-0\"").unwrap(), SignedAmount::ZERO);
        let most = SignedAmount::difference(Amount::MAX, Amount::ZERO);
        assert_eq!((most.checked_add(signed(1)), most.negated().checked_add(signed(-1))), (None, None));
        assert_eq!(most.checked_add(most.negated()), Some(SignedAmount::ZERO));
        for bad in ["\"\"", "\"-\"", "\"+1\"", "\"--1\"", "\"1.5\"", "5"] {
            assert!(serde_json::from_str::<SignedAmount>(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn adds_as_integers_do(one: i64, other: i64) {
            let sum = signed(one).checked_add(signed(other)).unwrap();
            prop_assert_eq!(sum.to_string(), (i128::from(one) + i128::from(other)).to_string());
            prop_assert_eq!(signed(one).negated().to_string(), (-i128::from(one)).to_string());
            let json = serde_json::to_string(&sum).unwrap();
            prop_assert_eq!(serde_json::from_str::<SignedAmount>(&json).unwrap(), sum);
        }
    }
}
