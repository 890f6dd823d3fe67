/// Parses a whole number in a range.
pub(super) fn whole_number<const LEAST: u32, const MOST: u32>(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
    number.ok_or_else(|| match (LEAST, MOST) {
        (0, u32::MAX) => "pass a whole number such as 10".to_owned(),
        _ => format!("pass a whole number from {LEAST} to {MOST}"),
    })
}

/// Parses a number that something has, such as a payout.
pub(super) fn given_number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "pass a whole number such as 10".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_text_that_is_not_a_number_has_the_range() {
        assert_eq!(whole_number::<1, 64>("64"), Ok(64));
        for bad in ["0", "65", "abc", "-1"] {
            assert_eq!(whole_number::<1, 64>(bad), Err("pass a whole number from 1 to 64".to_owned()), "{bad}");
        }
        assert_eq!(whole_number::<0, { u32::MAX }>("abc"), Err("pass a whole number such as 10".to_owned()));
        assert_eq!(given_number("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(given_number("one"), Err("pass a whole number such as 10".to_owned()));
    }
}
