use anstream::adapter::strip_str;

use super::columns::{Piece, columns, pieces};

/// What begins the line of a hint.
pub(super) const HINT: &str = "-> ";
/// What begins and ends a command.
const QUOTE: &str = "`";
/// What ends a row of a command that goes on in the next row.
const CONTINUED: &str = " \\";
/// Between two of these, a shell keeps a backslash.
const SHELL_QUOTE: char = '\'';
/// A label ends before this column; what follows it is the text.
const LABEL: usize = 20;

/// Breaks the lines of a text at spaces, so that none is wider than `width` unless it is one word. A command between
/// backquotes counts as one word, because it is copied from the terminal.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    let wrapped = text.split('\n').map(|line| match columns(line) > width {
        true => break_commands(&wrap_line(line, width), width),
        false => line.to_owned(),
    });
    wrapped.collect::<Vec<_>>().join("\n")
}

/// Breaks commands that are wider than a row, which now are on rows of their own, at spaces and with a backslash at the end of each
/// row. So they can be copied into a shell, which the terminal's own break in the middle of a word would prevent in some terminals.
fn break_commands(text: &str, width: usize) -> String {
    let rows = text.split('\n').map(|row| {
        if columns(row) <= width || !begins_command(row) { row.to_owned() } else { broken_command(row, width) }
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// Whether a row begins with a command of this program, which may be typed with its path.
fn begins_command(row: &str) -> bool {
    let row = strip_str(row).to_string();
    let program = row.trim_start().strip_prefix(QUOTE).and_then(|command| command.split_once(' '));
    program.is_some_and(|(program, _)| program == "vipnode" || program.ends_with("/vipnode"))
}

fn broken_command(row: &str, width: usize) -> String {
    let indent = row.len().saturating_sub(row.trim_start().len());
    let end = row.rfind(QUOTE).unwrap_or(row.len());
    let (command, after) = row.split_at(end);
    let (mut broken, mut at) = (String::new(), 0);
    for word in shell_words(command) {
        let wide = columns(&word);
        // The backslash needs a column, and so does what follows the command.
        if at > indent && at + wide + CONTINUED.len() > width {
            broken.truncate(broken.trim_end().len());
            broken += CONTINUED;
            broken += "\n";
            broken += &" ".repeat(indent + 2);
            at = indent + 2;
        }
        broken += &word;
        at += wide;
    }
    broken + after
}

/// The words of a command, each with the space after it. What is between quotes is one word.
fn shell_words(command: &str) -> Vec<String> {
    let (mut words, mut in_quotes) = (Vec::<String>::new(), false);
    for part in command.split_inclusive(' ') {
        match words.last_mut().filter(|_| in_quotes) {
            Some(word) => *word += part,
            None => words.push(part.to_owned()),
        }
        in_quotes ^= part.matches(SHELL_QUOTE).count() % 2 == 1;
    }
    words
}

fn wrap_line(line: &str, width: usize) -> String {
    let indent = indent(line).min(width / 2);
    let part = |from: usize, to: usize| line.get(from..to).unwrap_or_default();
    let (mut wrapped, mut row, mut at) = (String::new(), 0, 0);
    // Bytes up to the last space of this row.
    let mut space = None;
    let mut in_command = false;
    for Piece { text, end, columns: wide } in pieces(line) {
        let begin = end - text.len();
        if text == QUOTE {
            in_command = !in_command && line.get(end..).is_some_and(|rest| rest.contains(QUOTE));
        }
        if text == " " && !in_command {
            space = if at > indent { Some(begin) } else { space };
        } else if at + wide > width
            && let Some(last) = space.take()
        {
            wrapped += part(row, last).trim_end();
            wrapped += "\n";
            wrapped += &" ".repeat(indent);
            row = last + 1;
            at = indent + columns(part(row, begin));
        }
        at += wide;
    }
    wrapped += part(row, line.len()).trim_end();
    wrapped
}

/// Returns the column of the rows below the first: below the text after a label or the mark of a hint, else two to the right
/// of the line.
fn indent(line: &str) -> usize {
    let text = strip_str(line).to_string();
    let shown: Vec<char> = text.chars().collect();
    let first = shown.iter().take_while(|c| **c == ' ').count();
    if text.trim_start().starts_with(HINT) {
        return first + HINT.len();
    }
    let columns = shown.windows(3).zip(2..).take_while(|(_, column)| *column < LABEL);
    let texts = columns.filter(|(near, column)| *column > first && matches!(near, [' ', ' ', c] if *c != ' '));
    texts.last().map_or(first + 2, |(_, column)| column)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_begin_below_the_text() {
        for (line, wrapped) in [
            ("one two three four", "one two\n  three four"),
            ("1  a host dies", "1  a host\n   dies"),
            ("  averyverylongword x", "  averyverylongword\n    x"),
        ] {
            assert_eq!(wrap(line, 12), wrapped);
        }
        assert_eq!(wrap("  pool    some words here", 20), "  pool    some words\n          here");
        assert_eq!(wrap("\u{1b}[1ma bold line\u{1b}[0m", 7), "\u{1b}[1ma bold\n  line\u{1b}[0m");
        assert_eq!(wrap("a b c\n  -> d e f g h", 10), "a b c\n  -> d e f\n     g h");
        assert_eq!(wrap("  -> Run `a b c` or `d`", 12), "  -> Run\n     `a b c`\n     or `d`");
        let credit = "  -> Pay the operator, who then runs `vipnode pool admin credit 0x5FFB66cd25a858Cdc9d AMOUNT --reason TEXT`. \
                      Then wait";
        assert_eq!(
            wrap(credit, 60),
            "  -> Pay the operator, who then runs\n     `vipnode pool admin credit 0x5FFB66cd25a858Cdc9d \\\n       \
             AMOUNT --reason TEXT`.\n     Then wait"
        );
        assert_eq!(
            wrap("Run:\n  `/opt/vipnode ping --rpc 'a b c d e f' --json`", 24),
            "Run:\n  `/opt/vipnode ping \\\n    --rpc \\\n    'a b c d e f' \\\n    --json`",
            "with its path, and whole between quotes"
        );
        assert_eq!(wrap("one ` two three", 8), "one `\n  two\n  three", "a lone mark begins no command");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_only_words_are_wider(text in "([a-z]{1,9} ){0,12}", width in 1_usize..40) {
            let wrapped = wrap(&text, width);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&wrapped), words(&text));
            for line in wrapped.lines() {
                prop_assert!(columns(line) <= width || words(line).len() < 3, "{:?}", wrapped);
            }
        }
    }
}
