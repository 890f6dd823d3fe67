/// Returns a stranger's text as one line that is safe to print: at most `max_chars` characters, each character for which
/// [`is_unprintable`] holds replaced by a space.
///
/// Call it where the text enters the program: a close reason, an HTTP body, a refusal, a node's version.
#[must_use]
pub fn sanitize(text: &str, max_chars: usize) -> String {
    text.chars().map(printable).take(max_chars).collect()
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
