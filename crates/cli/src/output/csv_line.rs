use std::fmt::Write;

use vipnode_types::sanitize;

/// A line of comma-separated values (RFC 4180), whose cells may be a stranger's text: each is one line that is safe to print, and
/// one that a spreadsheet would take for a formula begins with an apostrophe.
pub(crate) fn csv_line(cells: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for (number, cell) in cells.enumerate() {
        let cell = sanitize(&cell, usize::MAX);
        let begins = cell.trim_start();
        let is_number = cell.bytes().skip(1).all(|byte| byte.is_ascii_digit() || byte == b'.');
        let formula = begins.starts_with(['=', '+', '@']) || (begins.starts_with('-') && !is_number);
        let cell = if formula { format!("'{cell}") } else { cell };
        text.push_str(if number == 0 { "" } else { "," });
        if cell.contains(['"', ',']) {
            // Writing into a string cannot fail.
            let _infallible = write!(text, "\"{}\"", cell.replace('"', "\"\""));
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_has_to_be_and_neither_a_formula_nor_commands_of_a_terminal() {
        let cells = ["-1.5", "-x", "=1+1", "a,b", "say \"hi\"", "", "@A1", "two\nlines", "\t=1", "\u{1b}[2Jx"];
        let line = csv_line(cells.into_iter().map(str::to_owned));
        assert_eq!(line, "-1.5,'-x,'=1+1,\"a,b\",\"say \"\"hi\"\"\",,'@A1,two lines,' =1, [2Jx\r\n");
    }
}
