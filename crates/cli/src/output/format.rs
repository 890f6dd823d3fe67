//! Times, amounts and numbers as people read them.

use std::{borrow::Cow, time::Duration};

use vipnode_types::{Amount, Asset, Price};
pub(crate) use vipnode_types::{counted, percent};

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;
const MONTH_S: u64 = 30 * DAY_S;

/// A span of time in milliseconds, rounded down to its two largest units: `12s`, `3m 4s`, `2h 5m`, `3days 4h`.
pub(crate) fn span(ms: u64) -> String {
    let s = ms / 1_000;
    let exact = match s {
        0..HOUR_S => 1,
        HOUR_S..DAY_S => MINUTE_S,
        DAY_S..MONTH_S => HOUR_S,
        _ => DAY_S,
    };
    let text = humantime::format_duration(Duration::from_secs(s / exact * exact)).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// The word as a shell reads it; one with a zero byte, which no argument can have, stays as it is.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

/// A short time, rounded down: `<0.1 ms`, `0.3 ms`, `24.1 ms`. A measured time is never shown as nothing.
pub(crate) fn milliseconds(time: Duration) -> String {
    if time < Duration::from_micros(100) {
        return "<0.1 ms".to_owned();
    }
    format!("{}.{} ms", time.as_millis(), time.subsec_micros() % 1_000 / 100)
}

/// Block times before this age say when a chain began or that a node invents them, not how far behind it is.
const OLDEST_HEAD_MS: u64 = 10 * 365 * DAY_S * 1_000;

/// The newest block of a node and its age: `block 7, 12s old`. Block 0 is `genesis`; an age beyond reason is left out.
pub(crate) fn head(number: u64, age_ms: Option<u64>) -> String {
    match (number, age_ms) {
        (0, _) => "genesis".to_owned(),
        (number, Some(age @ ..OLDEST_HEAD_MS)) => format!("block {number}, {} old", span(age)),
        (number, _) => format!("block {number}"),
    }
}

/// The age of a newest block in a column.
pub(crate) fn head_age(number: Option<u64>, age_ms: Option<u64>) -> String {
    match (number, age_ms) {
        (Some(0), _) => "genesis".to_owned(),
        (_, Some(age @ ..OLDEST_HEAD_MS)) => span(age),
        _ => "-".to_owned(),
    }
}

/// The decimals of gwei in wei, and how many are shown: more would only flicker.
const GWEI: (u8, u8) = (9, 3);

/// The most decimals that are shown of other assets.
const DECIMALS: u8 = 6;

/// An amount where it grows as one looks, rounded down: ether in gwei with three decimals, other assets with at most six.
pub(crate) fn rounded(asset: Asset, amount: Amount) -> String {
    let ether = asset == Asset::ETHER;
    let (decimals, shown) = if ether { GWEI } else { (asset.decimals(), asset.decimals().min(DECIMALS)) };
    let units = amount.get() / 10_u128.pow(u32::from(decimals - shown));
    let digits = format!("{units:0>width$}", width = usize::from(shown) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(shown));
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{whole}{point}{fraction} {}", if ether { "gwei" } else { asset.symbol() })
}

/// What a slot costs. Not "a slot is free", which would mean that nobody has it.
pub(crate) fn slot_costs(price: Price) -> String {
    if price.is_free() { "slots cost nothing".to_owned() } else { format!("a slot costs {price}") }
}

/// A text as the beginning of a sentence.
pub(crate) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// A number where there is little room, rounded down: `999`, `1.2k`, `3.4M`.
pub(crate) fn brief(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{}.{}k", number / 1_000, number % 1_000 / 100),
        _ => format!("{}.{}M", number / 1_000_000, number % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_time_is_never_nothing() {
        let shown = |us| milliseconds(Duration::from_micros(us));
        assert_eq!([0, 49, 99].map(shown), ["<0.1 ms"; 3]);
        assert_eq!([100, 24_123].map(shown), ["0.1 ms", "24.1 ms"]);
    }

    #[test]
    fn a_head_at_genesis_has_no_age() {
        let since_1970 = Some(1_795_514_976_000);
        assert_eq!(head(0, since_1970), "genesis");
        assert_eq!(head(7, since_1970), "block 7");
        assert_eq!(head(7, Some(12_000)), "block 7, 12s old");
        assert_eq!(head(7, None), "block 7");
        assert_eq!(head_age(Some(0), since_1970), "genesis");
        assert_eq!(head_age(Some(7), Some(12_000)), "12s");
        assert_eq!((head_age(Some(7), since_1970), head_age(None, None)), ("-".to_owned(), "-".to_owned()));
    }

    #[test]
    fn amounts_are_rounded_down() {
        assert_eq!(rounded(Asset::ETHER, Amount::new(1_001_900_000)), "1.001 gwei");
        assert_eq!(rounded(Asset::ETHER, Amount::new(999_999)), "0.000 gwei");
        assert_eq!(rounded(Asset::new("USDC", 6).unwrap(), Amount::new(1_500_000)), "1.500000 USDC");
        assert_eq!(rounded(Asset::new("DAI", 18).unwrap(), Amount::new(1_999_999_999_999_999)), "0.001999 DAI");
        assert_eq!(rounded(Asset::new("credit", 0).unwrap(), Amount::new(7)), "7 credit");
    }

    #[test]
    fn brief_numbers_are_rounded_down() {
        for (number, text) in [(999, "999"), (1_299, "1.2k"), (999_999, "999.9k"), (3_450_000, "3.4M")] {
            assert_eq!(brief(number), text);
        }
    }

    #[test]
    fn spans_show_what_matters() {
        for (ms, text) in [
            (999, "0s"),
            (59_999, "59s"),
            (184_000, "3m 4s"),
            (3_599_999, "59m 59s"),
            (7_559_000, "2h 5m"),
            (273_600_000 + 59_000, "3days 4h"),
            (1_795_514_976_000, "56years 10months"),
        ] {
            assert_eq!(span(ms), text, "{ms}");
        }
        assert!(!span(u64::MAX).is_empty());
    }
}
