use serde::Serialize;

/// JSON as Go's `encoding/json` writes it: `<`, `>`, `&` and the two line separators are escaped, and fields have the order
/// of the structs. An original pool marshals the decoded value again before it verifies it, so the signed bytes must be exactly what Go
/// would write.
///
/// # Errors
/// Fails for a map whose keys are not strings.
pub fn go_json<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let plain = serde_json::to_string(value)?;
    let mut text = String::with_capacity(plain.len());
    for character in plain.chars() {
        // These stand inside strings only, so that they can be replaced wherever they are.
        match character {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            other => text.push(other),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_as_go_does() {
        assert_eq!(go_json(&"a<b>&\u{2028}ü\"").unwrap(), r#""a\u003cb\u003e\u0026\u2028ü\"""#);
    }

    proptest! {
        #[test]
        fn says_the_same(text in any::<String>()) {
            let written = go_json(&text).unwrap();
            let escaped = ['<', '>', '&', '\u{2028}', '\u{2029}'];
            prop_assert!(!written.contains(escaped));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
