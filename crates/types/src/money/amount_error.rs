use crate::{Asset, errors};

errors! {
    /// Why a text is not an amount or a price in an asset.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum AmountError {
        /// The text does not begin with a number.
        Number {
            /// The text, at most 64 characters.
            text: String,
        }: local,
            "{text:?} is not a valid amount",
            hint "Write a number and a unit, such as \"100 gwei\", \"0.5 ether\", or \"0.50 USDC\".";
        /// Amounts and prices cannot be less than 0.
        Negative {
            /// The text, at most 64 characters.
            text: String,
        }: local, "{text:?} is negative", hint "Write an amount of 0 or more, such as \"100 gwei\".";
        /// The unit is mistyped, or belongs to another asset.
        Unit {
            /// The unit, at most 64 characters.
            unit: String,
            /// What the pool charges in.
            asset: Asset,
        }: local, "{unit:?} is not a unit of {asset}",
            hint "Use {units}." (units = asset.unit_names());
        /// A price is a number without a unit.
        NoUnit {
            /// The number, at most 64 characters.
            text: String,
        }: local, "{text} has no unit",
            hint "Write the price with a unit of the pool's asset and a period, such as \"{text} gwei/minute\" or \"{text} USDC/month\".";
        /// A price in a known asset is a number without a unit.
        BarePrice {
            /// The number, at most 64 characters.
            text: String,
            /// What the pool charges in.
            asset: Asset,
        }: local, "{text} has no unit",
            hint "Write the price with its unit and period, such as \"{text} {example}\"." (example = asset.price_example());
        /// A price in an asset other than ether has no period.
        NoPeriod {
            /// The amount, at most 64 characters.
            text: String,
        }: local, "the price {text:?} has no period",
            hint "Write the period, such as \"{text}/month\", \"{text}/day\", or \"{text}/minute\".";
        /// An amount is a number without a unit.
        BareNumber {
            /// The number, at most 64 characters.
            text: String,
            /// What the pool charges in.
            asset: Asset,
        }: local, "{text} has no unit",
            hint "Write the amount with its unit: {units}." (units = asset.unit_names());
        /// The text after the slash is not a supported unit of time.
        Period {
            /// The period, at most 64 characters.
            period: String,
        }: local, "{period:?} is not a valid period",
            hint "Use second, minute, hour, day, week, or month (30 days), or s, min, h, d, w, or mo, or a multiple \
                such as 6h (at most 49 days).";
        /// The abbreviation "m" is ambiguous.
        AmbiguousPeriod {
            /// The period, at most 64 characters.
            period: String,
        }: local, "{period:?} could mean minutes or months", hint "Write min or month.";
        /// The amount of a price is 2^96 smallest units or more.
        PriceTooLarge {
            /// The text, at most 64 characters.
            text: String,
        }: local, "the price {text:?} is too high", hint "Write an amount below 2^96 smallest units for the period.";
        /// The amount has a fraction of the smallest unit.
        TooFine {
            /// The text, at most 64 characters.
            text: String,
            /// What the pool charges in.
            asset: Asset,
        }: local, "{text:?} is finer than the smallest unit of {asset}",
            hint "Write at most {decimals} decimals of the largest unit." (decimals = asset.decimals());
        /// The amount is 2^128 smallest units or more.
        TooLarge {
            /// The text, at most 64 characters.
            text: String,
        }: local, "{text:?} is too large", hint "Write an amount below 2^128 smallest units.";
        /// An asset consists of a symbol, a colon, and a number of decimals.
        AssetForm {
            /// The text, at most 64 characters.
            text: String,
        }: local, "{text:?} is not a valid asset",
            hint "Write a symbol of at most 12 letters and digits and its number of decimals (0 to 30), such as USDC:6.";
    }
}
