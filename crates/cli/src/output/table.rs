use anstyle::Style;
use comfy_table::{CellAlignment, Table, presets};

use crate::output::{Styled, Tone};

/// A row a line, columns below each other; those of `right` are numbers.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    right: &[usize],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Styled {
    table_with_marks(header, right, rows.into_iter().map(|row| (None, row)))
}

/// The same, a row's first cell the mark of its tone.
pub(crate) fn table_with_marks<const N: usize>(
    header: [&str; N],
    right: &[usize],
    rows: impl IntoIterator<Item = (Option<Tone>, [String; N])>,
) -> Styled {
    let (tones, rows): (Vec<Option<Tone>>, Vec<[String; N]>) = rows.into_iter().unzip();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header).add_rows(rows);
    for &number in right {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // Color comes last: the table counts characters.
    let text = table.trim_fmt();
    let mut lines = text.lines();
    let mut styled = Styled::default();
    styled.push_styled(Style::new().dimmed(), lines.next().unwrap_or_default());
    for (line, tone) in lines.zip(tones) {
        styled.push("\n");
        match tone.map(Tone::look).and_then(|(mark, style)| Some((mark, style, line.split_once(mark)?))) {
            Some((mark, style, (before, after))) => {
                styled.push(before);
                styled.push_styled(style, mark);
                styled.push(after);
            }
            None => styled.push(line),
        }
    }
    styled
}
