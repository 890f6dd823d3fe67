use std::fmt;

use anstyle::Style;
use vipnode_types::sanitize_lines;

use super::{Tone, carried_flags::with_carried_flags, wrap};

/// Text with the styles of this program and no other: every part is sanitized before a style is put around it, so a
/// stranger's escape sequences cannot get in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Styled {
    rendered: String,
}

impl Styled {
    /// Adds text without a style.
    pub(crate) fn push(&mut self, text: &str) {
        self.rendered += &sanitize_lines(text);
    }

    /// Adds text in a style.
    pub(crate) fn push_styled(&mut self, style: Style, text: &str) {
        self.rendered += &format!("{style}{}{style:#}", sanitize_lines(text));
    }

    /// Adds the mark with which a line of this tone begins, and a space.
    pub(crate) fn mark(&mut self, tone: Tone) {
        let (mark, style) = tone.look();
        self.push_styled(style, mark);
        self.push(" ");
    }

    /// Adds a hint on a line of its own, without the period at its end, which would be copied with a path or a flag. Nothing
    /// where it is empty. Commands in it get the flags of this process.
    pub(crate) fn hint(&mut self, hint: &str, indent: &str) {
        if !hint.is_empty() {
            let hint = with_carried_flags(hint.strip_suffix('.').unwrap_or(hint));
            self.push(&format!("\n{indent}{}{hint}", wrap::HINT));
        }
    }

    /// Adds another text as it is.
    pub(crate) fn append(&mut self, other: &Self) {
        self.rendered += &other.rendered;
    }

    /// Adds another text, each line of it indented by two spaces and ended.
    pub(crate) fn append_indented(&mut self, other: &Self) {
        for line in other.rendered.lines() {
            self.rendered += &format!("  {line}\n");
        }
    }

    /// With its lines broken at spaces, so that they fit the width.
    pub(crate) fn wrapped(mut self, width: usize) -> Self {
        self.rendered = wrap::wrap(&self.rendered, width);
        self
    }

    /// Without the line ends and spaces at its end.
    pub(crate) fn trimmed(mut self) -> Self {
        self.rendered.truncate(self.rendered.trim_end().len());
        self
    }
}

impl From<&str> for Styled {
    fn from(text: &str) -> Self {
        let mut styled = Self::default();
        styled.push(text);
        styled
    }
}

/// `write!` adds text without a style; it cannot fail.
impl fmt::Write for Styled {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

/// With the escape sequences of its styles.
impl fmt::Display for Styled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered)
    }
}

#[cfg(test)]
mod tests {
    use anstyle::AnsiColor;

    use super::*;

    #[test]
    fn own_styles_stay_and_strangers_escapes_do_not() {
        let mut text = Styled::from("a\u{1b}[31m\n");
        text.push_styled(AnsiColor::Green.on_default(), "b\u{1b}[0m\u{9b}2J");
        assert_eq!(text.to_string(), "a [31m\n\u{1b}[32mb [0m 2J\u{1b}[0m");
        let mut page = Styled::default();
        page.append_indented(&text);
        assert_eq!(page.trimmed().to_string(), "  a [31m\n  \u{1b}[32mb [0m 2J\u{1b}[0m");
    }
}
