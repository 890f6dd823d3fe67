/// A whole in basis points. A fee is at most this.
pub const WHOLE_BPS: u16 = 10_000;

/// Basis points as a percentage: `2.5%` of 250.
///
/// ```
/// assert_eq!(vipnode_types::percent(250), "2.5%");
/// ```
#[must_use]
pub fn percent(bps: u16) -> String {
    let digits = format!("{}.{:02}", bps / 100, bps % 100);
    format!("{}%", digits.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_is_shown_in_percent() {
        for (bps, text) in [(0, "0%"), (5, "0.05%"), (250, "2.5%"), (1_000, "10%"), (WHOLE_BPS, "100%")] {
            assert_eq!(percent(bps), text);
        }
    }
}
