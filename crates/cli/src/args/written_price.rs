use std::str::FromStr;

use vipnode_types::{AmountError, Asset, QuotedPrice};

/// A price as the operator of a pool writes it, before the pool's asset is known. A number without a unit is refused only then,
/// with a unit of that asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WrittenPrice {
    /// It has a unit.
    Quoted(QuotedPrice),
    /// It is a number.
    Bare(String),
}

impl WrittenPrice {
    /// The price, with its unit.
    ///
    /// # Errors
    /// [`AmountError::BarePrice`]
    pub(crate) fn quoted(&self, asset: Asset) -> Result<&QuotedPrice, AmountError> {
        match self {
            Self::Quoted(quoted) => Ok(quoted),
            Self::Bare(text) => Err(AmountError::BarePrice { text: text.clone(), asset }),
        }
    }
}

impl FromStr for WrittenPrice {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        match text.parse() {
            Ok(quoted) => Ok(Self::Quoted(quoted)),
            Err(AmountError::NoUnit { text }) => Ok(Self::Bare(text)),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    #[test]
    fn the_hint_for_a_number_is_a_price_of_the_asset() {
        for (asset, hinted) in [("USDC:6", "0.50 USDC/month"), ("ETH:18", "0.50 gwei/minute")] {
            let asset: Asset = asset.parse().unwrap();
            let error = "0.50".parse::<WrittenPrice>().unwrap().quoted(asset).unwrap_err();
            assert!(error.hint().unwrap().contains(&format!("\"{hinted}\"")), "{error:?}");
            let again: WrittenPrice = hinted.parse().unwrap();
            assert!(again.quoted(asset).unwrap().in_asset(asset).is_ok(), "{hinted}");
        }
        assert!("0.50 USDC".parse::<WrittenPrice>().is_err() && "0".parse::<WrittenPrice>().is_ok());
    }
}
