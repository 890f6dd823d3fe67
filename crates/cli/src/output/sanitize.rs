//! The last defense against control characters: sanitizes text that is already formatted.

use vipnode_types::{hide_credentials, is_unprintable};

/// Returns a text without the user names and passwords of URLs, in which line ends and the escape sequences that set a style (`ESC [ 1;31 m`) stay; any other control
/// character becomes a space.
pub(crate) fn sanitize_all_but_styles(text: &str) -> String {
    let text = hide_credentials(text);
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let keep = c == '\n' || !is_unprintable(c) || (c == '\u{1b}' && is_style(rest.as_str()));
        clean.push(if keep { c } else { ' ' });
    }
    clean
}

/// Whether what follows an ESC sets a style.
fn is_style(rest: &str) -> bool {
    let parameters =
        rest.strip_prefix('[').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';'));
    parameters.is_some_and(|rest| rest.starts_with('m'))
}

/// Returns JSON text without the user names and passwords of URLs, one value a line, in which each control character that JSON allows in a string is escaped too.
pub(crate) fn escape_json(json: &str) -> String {
    let json = hide_credentials(json);
    let mut clean = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_unprintable(c) {
            let mut units = [0; 2];
            clean.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            clean.push(c);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_styles_and_line_ends_are_kept() {
        let styled = "\u{1b}[1;31ma\u{1b}[0m\n";
        assert_eq!(sanitize_all_but_styles(styled), styled);
        let hostile = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\r\u{1b}[";
        assert_eq!(sanitize_all_but_styles(hostile), " [2J ]0;x  31m   [");
    }

    #[test]
    fn json_keeps_its_value() {
        let json = escape_json("{\"a\":\"\u{9b}\u{202e}\u{e0001}\"}\n");
        assert_eq!(json, "{\"a\":\"\\u009b\\u202e\\udb40\\udc01\"}\n");
    }
}
