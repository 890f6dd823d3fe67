//! Text measured in the columns and rows of a terminal.

use unicode_width::UnicodeWidthChar;
use vipnode_types::sanitize;

/// Returns the columns that a line takes.
pub(crate) fn columns(line: &str) -> usize {
    pieces(line).map(|piece| piece.columns).sum()
}

/// Returns the rows that a line takes on a terminal of this width, which breaks it anywhere.
pub(crate) fn rows(line: &str, width: usize) -> usize {
    let (mut rows, mut at) = (1, 0);
    for Piece { columns, .. } in pieces(line) {
        if at > 0 && at + columns > width {
            (rows, at) = (rows + 1, 0);
        }
        at += columns;
    }
    rows
}

/// Returns a line in at most `width` columns. A line that is cut ends in `…` and closes the brackets that it opened. A
/// hash is not cut, since a part of it looks like another hash: it is shown as it is or not at all.
pub(crate) fn cut(line: &str, width: usize) -> String {
    if columns(line) <= width {
        return line.to_owned();
    }
    let (mut at, mut open) = (0, 0_usize);
    // Where it may be cut, and the brackets that are open there.
    let mut cuts = vec![(0, 0)];
    for Piece { text, end, columns } in pieces(line) {
        at += columns;
        match text {
            "(" => open += 1,
            ")" => open = open.saturating_sub(1),
            _ => {}
        }
        if at + 1 + open <= width {
            cuts.push((end, open));
        }
    }
    let longest = cuts.last().map_or(0, |(end, _)| *end);
    let word = word_at(line, longest);
    let (end, open) = cuts.into_iter().rfind(|(end, _)| *end <= word).unwrap_or_default();
    let (kept, lost) = line.split_at_checked(end).unwrap_or_default();
    let styles: String = pieces(lost).map(|piece| piece.text).filter(|text| text.starts_with(ESCAPE)).collect();
    let mark = if width == 0 { "" } else { "…" };
    format!("{}{mark}{}{styles}", kept.trim_end(), ")".repeat(open))
}

/// Returns a stranger's text in one line of at most `width` columns, without a character that a terminal would obey.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    cut(&sanitize(text, width.saturating_add(1)), width)
}

/// Returns `end`, or the beginning of the hash that a cut there would break.
fn word_at(line: &str, end: usize) -> usize {
    let (before, after) = line.split_at_checked(end).unwrap_or_default();
    let begin = before.rfind(' ').map_or(0, |space| space + 1);
    let rest = after.find(' ').unwrap_or(after.len());
    let word = line.get(begin..end + rest).unwrap_or_default();
    if rest > 0 && (word.contains('…') || word.contains("0x")) { begin } else { end }
}

/// What begins a style, which ends with the next `m`.
const ESCAPE: char = '\u{1b}';

/// A character, or the escape sequence of a style, which takes no column.
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// Bytes of the line up to here, this included.
    pub(super) end: usize,
    pub(super) columns: usize,
}

pub(super) fn pieces(line: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut end = 0;
    std::iter::from_fn(move || {
        let rest = line.get(end..)?;
        let first = rest.chars().next()?;
        let (bytes, columns) = match first {
            ESCAPE => (rest.find('m').map_or(rest.len(), |last| last + 1), 0),
            _ => (first.len_utf8(), first.width().unwrap_or_default()),
        };
        end += bytes;
        Some(Piece { text: rest.get(..bytes)?, end, columns })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cut_line_says_so_and_closes_its_brackets() {
        for (line, width, shown) in [
            ("short", 5, "short"),
            ("too long", 5, "too…"),
            ("306 gwei (metered, not collected)", 30, "306 gwei (metered, not colle…)"),
            ("chain 7 (genesis 0x0598…47aa)", 29, "chain 7 (genesis 0x0598…47aa)"),
            ("chain 7 (genesis 0x0598…47aa)", 28, "chain 7 (genesis…)"),
            ("chain 7 (genesis 0x0598…47aa) of a pool", 30, "chain 7 (genesis 0x0598…47aa)…"),
            ("chain 7 (genesis 0x0598…47aa) of a pool", 15, "chain 7 (gene…)"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
            ("\u{1b}[2mtoo long\u{1b}[0m", 4, "\u{1b}[2mtoo…\u{1b}[0m"),
        ] {
            assert_eq!(cut(line, width), shown, "{line} in {width}");
        }
    }

    #[test]
    fn rows_are_those_of_a_terminal() {
        for (line, width, expected) in
            [("", 4, 1), ("abcd", 4, 1), ("abcde", 4, 2), ("a日本語", 4, 2), ("ab日日日", 5, 2)]
        {
            assert_eq!(rows(line, width), expected, "{line} in {width}");
        }
    }

    proptest! {
        #[test]
        fn no_cut_line_is_too_wide(line in "[ -~日é…()]{0,60}", width in 0_usize..70) {
            let cut = cut(&line, width);
            prop_assert!(columns(&cut) <= width, "{:?}", cut);
            prop_assert!(cut == line || width == 0 || cut.contains('…'), "{:?}", cut);
        }
    }
}
