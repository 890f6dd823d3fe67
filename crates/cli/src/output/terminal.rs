//! What the user's terminal can do.

use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice, adapter::strip_str};

use super::{Styled, columns::cut, format::counted, wrap::wrap};

/// Whether lines can be rewritten there: not in a pipe, not on a terminal that calls itself dumb, and not where the rows
/// of a line cannot be counted.
pub(crate) fn rewrites() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdout().is_terminal() && !dumb && width().is_some()
}

/// Whether the output goes to a terminal of any kind.
pub(crate) fn is_stdout() -> bool {
    io::stdout().is_terminal()
}

/// The number of its rows, if known.
pub(crate) fn rows() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(_, terminal_size::Height(rows))| usize::from(rows))
}

/// The number of its columns at this moment, if known; `None` in a pipe.
pub(crate) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(terminal_size::Width(width), _)| usize::from(width))
}

/// The columns that a page may take: those of the terminal, and any number in a pipe.
pub(crate) fn page_width() -> usize {
    width().unwrap_or(usize::MAX)
}

/// The columns of standard error, and any number if it is not a terminal.
pub(crate) fn error_width() -> usize {
    terminal_size::terminal_size_of(io::stderr()).map_or(usize::MAX, |(terminal_size::Width(width), _)| width.into())
}

/// A text as it is for this terminal: without colors where its user wants none. Unlike anstream it leaves alone what
/// moves the cursor.
pub(crate) fn colored(text: &Styled) -> String {
    let text = text.to_string();
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => strip_str(&text).to_string(),
        _ => text,
    }
}

/// A page that fills the screen, which has `rows` rows and `width` columns. The terminal itself breaks no line, so that
/// each stays one even if its user resizes it.
pub(crate) fn frame(text: &str, rows: Option<usize>, width: usize, first: bool) -> String {
    let text = wrap(text, width);
    let all = text.lines().count();
    // The last line is for the cursor.
    let room = rows.map_or(usize::MAX, |rows| rows.saturating_sub(1).max(1));
    let shown = if all > room { room.saturating_sub(1) } else { all };
    let mut frame = String::from(if first { "\x1b[H\x1b[2J\x1b[?7l" } else { "\x1b[H\x1b[?7l" });
    // A row is erased before it is written: after its last column, the cursor is still on that column.
    for line in text.lines().take(shown) {
        frame += "\x1b[K";
        frame += &cut(line, width);
        frame += "\n";
    }
    if all > shown {
        frame += "\x1b[K";
        frame += &cut(
            &format!("… {} not shown", counted(u64::try_from(all - shown).unwrap_or(u64::MAX), "more line")),
            width,
        );
        frame += "\n";
    }
    frame + "\x1b[J\x1b[?7h"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_longer_than_the_screen_is_cut_and_says_so() {
        let frame = frame("a\nb\nc\nd\n", Some(4), 80, false);
        assert_eq!(frame.matches('\n').count(), 3, "one line is the cursor's: {frame:?}");
        assert!(frame.contains("\u{1b}[Ka\n\u{1b}[Kb\n\u{1b}[K… 2 more lines"), "{frame:?}");
    }

    #[test]
    fn what_fits_is_all_there() {
        for rows in [Some(3), Some(24), None] {
            assert!(frame("a\nb", rows, 80, true).contains("\u{1b}[Ka\n\u{1b}[Kb\n\u{1b}[J"), "{rows:?}");
        }
        assert!(!frame("a\nb", Some(0), 0, true).is_empty());
    }
    #[test]
    fn a_line_wider_than_the_screen_is_broken_at_a_space_or_cut() {
        let frame = frame("1 of 10 slots sold\naverylongpath", None, 10, false);
        assert!(frame.contains("1 of 10\n\u{1b}[K  slots\n\u{1b}[K  sold\n\u{1b}[Kaverylong…\n"), "{frame:?}");
    }
}
