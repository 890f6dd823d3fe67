/// Words of a stranger for the user's terminal, at most `most` characters: what moves the cursor, ends a line or turns
/// the direction of writing is a space.
pub(crate) fn plain(text: &str, most: usize) -> String {
    text.chars().map(|c| if paints(c) { ' ' } else { c }).take(most).collect()
}

/// Control characters, and what Unicode has to separate lines and to turn, hide or isolate text.
fn paints(c: char) -> bool {
    let hidden = matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    c.is_control() || hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_paints_or_turns_text_around() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{9b}d\u{202e}e\u{2066}f\u{feff}g", 100), "a [2Jb c d e f g");
        assert_eq!(plain("grüße, 世界", 100), "grüße, 世界");
    }

    #[test]
    fn so_many_characters_and_no_more() {
        assert_eq!(plain("ééé", 2), "éé");
    }
}
