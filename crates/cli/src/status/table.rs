use anstyle::Style;
use comfy_table::{CellAlignment, Table, presets};

/// A row a line, columns below each other; those of `right` are numbers.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    right: &[usize],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header).add_rows(rows);
    for &number in right {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // Colour comes last: the table counts characters.
    let text = table.trim_fmt();
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let dim = Style::new().dimmed();
    format!("{dim}{first}{dim:#}\n{rest}")
}
