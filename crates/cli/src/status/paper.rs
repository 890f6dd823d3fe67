use comfy_table::{CellAlignment, Table, presets};

use crate::terminal;

/// What a report is written on: a terminal that can rewrite lines, or something that reads plain ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paper {
    pub(crate) terminal: bool,
}

impl Paper {
    /// Where this process writes.
    pub(crate) fn here() -> Self {
        Self { terminal: terminal::rewrites() }
    }

    /// A row a line, columns below each other; those of `right` are numbers.
    pub(crate) fn table<const N: usize>(
        self,
        header: [&str; N],
        right: &[usize],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> String {
        let mut table = Table::new();
        let preset = if self.terminal { presets::UTF8_HORIZONTAL_ONLY } else { presets::NOTHING };
        table.load_style(preset).set_header(header).add_rows(rows);
        for &number in right {
            if let Some(column) = table.column_mut(number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }
}
