/// Returns a stranger's text as one line that is safe to print: at most `max_chars` characters, each character for which
/// [`is_unprintable`] holds replaced by a space.
///
/// Call it where the text enters the program: a close reason, an HTTP body, a refusal, a node's version.
#[must_use]
pub fn sanitize(text: &str, max_chars: usize) -> String {
    text.chars().map(printable).take(max_chars).collect()
}

/// Returns a text in which each URL has `…` in place of a user name and a password, also one without a scheme
/// (`name:password@host`). An enode keeps its ID, which is public.
#[must_use]
pub fn hide_credentials(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    let mut shown = String::with_capacity(text.len());
    for word in text.split_inclusive(ends) {
        match credentials_end(word) {
            Some((begin, end)) => shown.extend([word.get(..begin).unwrap_or_default(), "…", word.get(end..).unwrap_or_default()]),
            None => shown.push_str(word),
        }
    }
    shown
}

/// Where the user name of a word begins, and the `@` behind it and its password.
fn credentials_end(word: &str) -> Option<(usize, usize)> {
    let begin = match word.find("://") {
        Some(at) if word.get(..at)?.ends_with("enode") => return None,
        Some(at) => at.saturating_add(3),
        // Without a scheme, only a password tells it from an address such as ops@example.org.
        None if word.split_once('@')?.0.find(':')? > 0 => 0,
        None => return None,
    };
    let rest = word.get(begin..)?;
    let authority = rest.find(['/', '?', '#']).and_then(|end| rest.get(..end)).unwrap_or(rest);
    let at = authority.rfind('@').or_else(|| {
        // A slash in a password ends the authority early, which shows by a port that is no number.
        let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
        let is_port = port.ends_with(']') || port.bytes().all(|byte| byte.is_ascii_digit());
        if is_port { None } else { rest.rfind('@') }
    });
    Some((begin, begin.saturating_add(at?)))
}

/// The same without a limit, and line feeds stay: for a text of this program that strangers' texts were put into.
#[must_use]
pub fn sanitize_lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { printable(c) }).collect()
}

/// Whether a character can do something else on a terminal than show itself: control characters (ESC, BEL, C1, line
/// ends), and what Unicode has to separate lines, to turn the direction of text around, and to hide or annotate it.
#[must_use]
pub const fn is_unprintable(c: char) -> bool {
    let invisible = matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    );
    // C0, DEL and C1; `char::is_control` is not const.
    invisible || matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}')
}

const fn printable(c: char) -> char {
    if is_unprintable(c) { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_paints_or_turns_text_around() {
        assert_eq!(sanitize("a\u{1b}[2Jb\nc\u{9b}d\u{202e}e\u{2066}f\u{feff}g", 100), "a [2Jb c d e f g");
        assert_eq!(sanitize("bell\u{7}, \r\n, \u{9b}31m, \u{2028}", 100), "bell ,   ,  31m,  ");
        assert_eq!(sanitize("grüße, 世界", 100), "grüße, 世界");
        assert_eq!(sanitize_lines("a\r\nb\u{1b}"), "a \nb ");
    }

    #[test]
    fn no_url_shows_a_password() {
        for (text, shown) in [
            ("http://me:secret@h:1/x@y", "http://…@h:1/x@y"),
            ("two: ws://a:b@h and wss://c:d@[::1]:2", "two: ws://…@h and wss://…@[::1]:2"),
            ("\"https://p@ss:w@h\"", "\"https://…@h\""),
            ("enode://0a0a@1.2.3.4:5", "enode://0a0a@1.2.3.4:5"),
            ("http://h/a b@c", "http://h/a b@c"),
            ("://", "://"),
            ("https://me:se/cr?e#t@h:1/x", "https://…@h:1/x"),
            ("http://[::1]:80/x@y", "http://[::1]:80/x@y"),
            ("is me:secret@h:8545, or", "is …@h:8545, or"),
            ("write to ops@example.org: soon", "write to ops@example.org: soon"),
            ("{\"a\":\"x:y@z\"}", "{\"a\":\"…@z\"}"),
        ] {
            assert_eq!(hide_credentials(text), shown);
        }
    }

    #[test]
    fn so_many_characters_and_no_more() {
        assert_eq!(sanitize("ééé", 2), "éé");
    }

    proptest! {
        #[test]
        fn no_control_character_is_left(text in any::<String>(), max_chars in 0_usize..100) {
            let clean = sanitize(&text, max_chars);
            prop_assert!(clean.chars().count() <= max_chars && !clean.contains(char::is_control));
            prop_assert_eq!(sanitize(&clean, max_chars), clean);
            prop_assert!(!sanitize_lines(&text).contains(|c: char| c.is_control() && c != '\n'));
        }
    }
}
