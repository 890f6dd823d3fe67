use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Amount, AmountError, SignedAmount};

/// The asset that a pool charges in: a symbol, and the number of decimals of its largest unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "AssetForm", into = "AssetForm")]
pub struct Asset {
    /// ASCII, filled up with zeros.
    symbol: [u8; Self::SYMBOL_BYTES],
    decimals: u8,
}

/// An asset on the wire.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct AssetForm {
    /// The asset's symbol: 1 to 12 ASCII letters and digits, a letter first.
    symbol: String,
    /// The number of decimals of the asset's largest unit: 0 to 30.
    decimals: u8,
}

/// The units of ether, with the original's second names and their decimal exponents.
const ETHER_UNITS: [(&str, u8); 13] = [
    ("wei", 0),
    ("kwei", 3),
    ("babbage", 3),
    ("mwei", 6),
    ("lovelace", 6),
    ("gwei", 9),
    ("shannon", 9),
    ("microether", 12),
    ("szabo", 12),
    ("milliether", 15),
    ("finney", 15),
    ("ether", 18),
    ("eth", 18),
];

impl Asset {
    /// Ether, with its units from wei to ether.
    pub const ETHER: Self = Self { symbol: *b"ETH\0\0\0\0\0\0\0\0\0", decimals: 18 };

    /// The longest symbol.
    const SYMBOL_BYTES: usize = 12;

    /// The most decimals, so that 10^decimals fits into 128 bits.
    const MOST_DECIMALS: u8 = 30;

    /// An asset with this symbol and number of decimals.
    ///
    /// # Errors
    /// [`AmountError::AssetForm`] if the symbol is not 1 to 12 ASCII letters and digits with a letter first, or the number
    /// of decimals is above 30.
    pub fn new(symbol: &str, decimals: u8) -> Result<Self, AmountError> {
        let form = || AmountError::AssetForm { text: short(&format!("{symbol}:{decimals}")) };
        let mut bytes = [0; Self::SYMBOL_BYTES];
        let named = symbol.starts_with(|c: char| c.is_ascii_alphabetic())
            && symbol.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && decimals <= Self::MOST_DECIMALS;
        let room = bytes.get_mut(..symbol.len()).filter(|_| named).ok_or_else(form)?;
        room.copy_from_slice(symbol.as_bytes());
        Ok(Self { symbol: bytes, decimals })
    }

    /// The symbol, such as USDC.
    #[must_use]
    pub fn symbol(&self) -> &str {
        let end = self.symbol.iter().position(|&byte| byte == 0).unwrap_or(Self::SYMBOL_BYTES);
        self.symbol.get(..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// How many decimals its largest unit has.
    #[must_use]
    pub const fn decimals(&self) -> u8 {
        self.decimals
    }

    /// The units that people may write, for a hint.
    #[must_use]
    pub fn unit_names(&self) -> String {
        if *self == Self::ETHER {
            "wei, kwei, mwei, gwei, microether, milliether, or ether".to_owned()
        } else {
            self.symbol().to_owned()
        }
    }

    /// A unit and a period of a price, for a hint.
    pub(super) fn price_example(&self) -> String {
        if *self == Self::ETHER { "gwei/minute".to_owned() } else { format!("{}/month", self.symbol()) }
    }

    /// The decimal exponent of a unit, in any letter case; a plural s is accepted.
    pub(super) fn exponent(&self, unit: &str) -> Option<u8> {
        let is = |name: &str| {
            let plural = unit.strip_suffix(['s', 'S']).is_some_and(|one| one.eq_ignore_ascii_case(name));
            plural || unit.eq_ignore_ascii_case(name)
        };
        let of_ether =
            ETHER_UNITS.iter().find(|(name, _)| *self == Self::ETHER && is(name)).map(|(_, exponent)| *exponent);
        of_ether.or_else(|| is(self.symbol()).then_some(self.decimals))
    }

    /// An amount as people write it, exact: of ether the largest of ether, gwei and wei with at most nine decimals, of
    /// other assets with their symbol.
    ///
    /// ```
    /// use vipnode_types::{Amount, Asset};
    ///
    /// let usdc: Asset = "USDC:6".parse()?;
    /// assert_eq!(usdc.show(Amount::new(500_000)).to_string(), "0.5 USDC");
    /// assert_eq!(Asset::ETHER.show(Amount::new(1_500_000_000)).to_string(), "1.5 gwei");
    /// # Ok::<(), vipnode_types::AmountError>(())
    /// ```
    #[must_use]
    pub const fn show(self, amount: Amount) -> ShownAmount {
        ShownAmount { asset: self, amount }
    }

    /// A balance, as [`Self::show`] shows an amount, with a minus sign below zero.
    #[must_use]
    pub fn show_signed(self, balance: SignedAmount) -> String {
        format!("{}{}", if balance.is_negative() { "-" } else { "" }, self.show(balance.magnitude()))
    }

    /// An amount in the asset's largest unit, exact and without the symbol, for a spreadsheet.
    ///
    /// ```
    /// use vipnode_types::{Amount, Asset};
    ///
    /// let usdc: Asset = "USDC:6".parse()?;
    /// assert_eq!(usdc.decimal(Amount::new(1_500_000)), "1.5");
    /// assert_eq!(Asset::ETHER.decimal(Amount::new(1)), "0.000000000000000001");
    /// # Ok::<(), vipnode_types::AmountError>(())
    /// ```
    #[must_use]
    pub fn decimal(self, amount: Amount) -> String {
        decimal(amount, usize::from(self.decimals))
    }

    /// An amount in the asset's largest unit, for a graph: it is not exact.
    ///
    /// ```
    /// use vipnode_types::{Amount, Asset};
    ///
    /// let usdc: Asset = "USDC:6".parse()?;
    /// assert!((usdc.approximate(Amount::new(1_500_000)) - 1.5).abs() < 1e-9);
    /// # Ok::<(), vipnode_types::AmountError>(())
    /// ```
    #[must_use]
    pub fn approximate(self, amount: Amount) -> f64 {
        self.decimal(amount).parse().unwrap_or(f64::MAX)
    }
}

/// An amount with a point before its last digits, without zeros at its end.
fn decimal(amount: Amount, decimals: usize) -> String {
    let digits = format!("{:0>width$}", amount.get(), width = decimals.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

/// At most 64 characters of a text.
pub(super) fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

/// An amount of an asset, to be displayed.
#[derive(Debug, Clone, Copy)]
pub struct ShownAmount {
    asset: Asset,
    amount: Amount,
}

impl fmt::Display for ShownAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, decimals) = match self.amount.get() {
            _ if self.asset != Asset::ETHER => (self.asset.symbol(), usize::from(self.asset.decimals)),
            0 => ("wei", 0),
            wei if wei % 1_000_000_000 == 0 && wei >= 1_000_000_000_000_000 => ("ether", 18),
            wei if wei >= 1_000_000 => ("gwei", 9),
            _ => ("wei", 0),
        };
        write!(f, "{} {unit}", decimal(self.amount, decimals))
    }
}

impl Default for Asset {
    fn default() -> Self {
        Self::ETHER
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asset({}:{})", self.symbol(), self.decimals)
    }
}

impl FromStr for Asset {
    type Err = AmountError;

    /// Reads a symbol and its number of decimals: "USDC:6".
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let form = || AmountError::AssetForm { text: short(text) };
        let (symbol, decimals) = text.trim().split_once(':').ok_or_else(form)?;
        Self::new(symbol, decimals.parse().map_err(|_| form())?)
    }
}

impl TryFrom<AssetForm> for Asset {
    type Error = AmountError;

    fn try_from(form: AssetForm) -> Result<Self, AmountError> {
        Self::new(&form.symbol, form.decimals)
    }
}

impl From<Asset> for AssetForm {
    fn from(asset: Asset) -> Self {
        Self { symbol: asset.symbol().to_owned(), decimals: asset.decimals }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn d28_ten_ether_is_ten_ether() {
        let shown = |wei: u128| Asset::ETHER.show(Amount::new(wei)).to_string();
        assert_eq!(shown(10_000_000_000_000_000_000), "10 ether");
        assert_eq!(shown(1_500_000_000), "1.5 gwei");
        assert_eq!(shown(7), "7 wei");
        assert_eq!(shown(0), "0 wei");
    }

    #[test]
    fn an_asset_is_read_and_a_wrong_one_is_refused() {
        assert_eq!("ETH:18".parse(), Ok(Asset::ETHER));
        let usdc: Asset = "USDC:6".parse().unwrap();
        assert_eq!((usdc.symbol(), usdc.decimals()), ("USDC", 6));
        assert_eq!(serde_json::to_string(&usdc).unwrap(), r#"{"symbol":"USDC","decimals":6}"#);
        for bad in
            ["", "USDC", ":6", "USDC:", "USDC:31", "USDC:-1", "6USD:6", "U\u{202e}:6", "ABCDEFGHIJKLM:0", "A B:0"]
        {
            assert!(bad.parse::<Asset>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Asset>(r#"{"symbol":"<b>","decimals":6}"#).is_err());
        assert!(serde_json::from_str::<Asset>(r#"{"symbol":"USDC","decimals":99}"#).is_err());
    }

    #[test]
    fn units_belong_to_their_asset() {
        let credits = Asset::new("credit", 0).unwrap();
        assert_eq!((credits.exponent("Credits"), credits.exponent("gwei")), (Some(0), None));
        assert_eq!((Asset::ETHER.exponent("GWEI"), Asset::ETHER.exponent("eth")), (Some(9), Some(18)));
        assert_eq!(Asset::new("ETH", 6).unwrap().exponent("gwei"), None, "another asset of that name");
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,80}") {
            let _ = text.parse::<Asset>();
        }
    }
}
