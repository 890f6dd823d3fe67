//! What the user's terminal can do.

use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice, adapter::strip_str};

use crate::output::Styled;

/// Whether lines can be rewritten there: not in a pipe, and not on a terminal that calls itself dumb.
pub(crate) fn rewrites() -> bool {
    io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The number of its lines, if known.
pub(crate) fn rows() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(_, terminal_size::Height(rows))| usize::from(rows))
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

/// A page that fills the screen, which has `rows` lines. Lines are cut by the terminal
/// where they are too long, so that each stays one.
pub(crate) fn frame(text: &str, rows: Option<usize>, first: bool) -> String {
    let all = text.lines().count();
    // The last line is for the cursor.
    let room = rows.map_or(usize::MAX, |rows| rows.saturating_sub(1).max(1));
    let shown = if all > room { room.saturating_sub(1) } else { all };
    let mut frame = String::from(if first { "\x1b[H\x1b[2J\x1b[?7l" } else { "\x1b[H\x1b[?7l" });
    for line in text.lines().take(shown) {
        frame += line;
        frame += "\x1b[K\n";
    }
    if all > shown {
        frame += &format!("… {} lines more than the terminal has\x1b[K\n", all - shown);
    }
    frame + "\x1b[J\x1b[?7h"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_longer_than_the_screen_is_cut_and_says_so() {
        let frame = frame("a\nb\nc\nd\n", Some(4), false);
        assert_eq!(frame.matches('\n').count(), 3, "one line is the cursor's: {frame:?}");
        assert!(frame.contains("a\u{1b}[K\nb\u{1b}[K\n… 2 lines more"), "{frame:?}");
    }

    #[test]
    fn what_fits_is_all_there() {
        for rows in [Some(3), Some(24), None] {
            assert!(frame("a\nb", rows, true).contains("a\u{1b}[K\nb\u{1b}[K\n\u{1b}[J"), "{rows:?}");
        }
        assert!(!frame("a\nb", Some(0), true).is_empty());
    }
}
