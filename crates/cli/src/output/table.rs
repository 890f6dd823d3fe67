use std::cmp::Reverse;

use anstyle::Style;
use vipnode_types::sanitize;

use super::{
    Styled, Tone,
    columns::{columns, cut},
};

/// A table for people: one row a line, in the columns that fit the terminal.
pub(crate) struct Table<const N: usize> {
    columns: [Column; N],
    rows: Vec<(Option<Tone>, [String; N])>,
}

/// A column: its heading, and what becomes of it where there is little room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    heading: &'static str,
    is_number: bool,
    /// The columns of the highest rank are left out first; rank 0 stays.
    rank: usize,
    /// It is shortened to this before a column is left out; `usize::MAX`: it is not shortened.
    least: usize,
}

/// Columns of a terminal before the table and between its columns.
const MARGIN: usize = 1;
const GAP: usize = 2;

impl Column {
    pub(crate) const fn text(heading: &'static str) -> Self {
        Self { heading, is_number: false, rank: 0, least: usize::MAX }
    }

    /// Aligned to the right.
    pub(crate) const fn number(heading: &'static str) -> Self {
        Self { is_number: true, ..Self::text(heading) }
    }

    /// Left out before those of a lower rank.
    pub(crate) const fn rank(self, rank: usize) -> Self {
        Self { rank, ..self }
    }

    /// Shortened to as little as this.
    pub(crate) const fn least(self, least: usize) -> Self {
        Self { least, ..self }
    }
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(columns: [Column; N]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(crate) fn with_rows(mut self, rows: impl IntoIterator<Item = [String; N]>) -> Self {
        for row in rows {
            self.add(None, row);
        }
        self
    }

    /// Adds a row, which begins with the mark of its tone.
    pub(crate) fn add(&mut self, tone: Option<Tone>, cells: [String; N]) {
        let mut cells = cells.map(|cell| sanitize(&cell, usize::MAX));
        if let (Some(tone), Some(first)) = (tone, cells.first_mut()) {
            *first = format!("{} {first}", tone.look().0);
        }
        self.rows.push((tone, cells));
    }

    /// The table in at most `width` columns, without a line end after its last row.
    pub(crate) fn fit(&self, width: usize) -> Styled {
        let mut headings = self.columns.map(|column| column.heading.to_owned());
        // Above the names, not above their marks.
        if self.rows.iter().any(|(tone, _)| tone.is_some())
            && let Some(first) = headings.first_mut()
        {
            first.insert_str(0, "  ");
        }
        let layout = self.layout(&headings, width);
        let mut styled = Styled::default();
        let mut between = "";
        // Without headings, their line is left out.
        if self.columns.iter().any(|column| !column.heading.is_empty()) {
            styled.push_styled(Style::new().dimmed(), &cut(&self.line(&layout, &headings), width));
            between = "\n";
        }
        for (tone, cells) in &self.rows {
            let line = cut(&self.line(&layout, cells), width);
            styled.push(std::mem::replace(&mut between, "\n"));
            match tone.map(Tone::look).and_then(|(mark, style)| Some((mark, style, line.split_once(mark)?))) {
                Some((mark, style, (before, after))) => {
                    styled.push(before);
                    styled.push_styled(style, mark);
                    styled.push(after);
                }
                None => styled.push(&line),
            }
        }
        styled
    }

    fn line(&self, layout: &[(usize, usize)], cells: &[String]) -> String {
        let mut line = " ".repeat(MARGIN);
        for (number, &(column, width)) in layout.iter().enumerate() {
            let cell = cut(cells.get(column).map_or("", String::as_str), width);
            let room = " ".repeat(width.saturating_sub(columns(&cell)));
            let is_number = self.columns.get(column).is_some_and(|column| column.is_number);
            line += &" ".repeat(if number == 0 { 0 } else { GAP });
            line += &if is_number { room + &cell } else { cell + &room };
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// The columns that are shown, each with its width.
    fn layout(&self, headings: &[String; N], width: usize) -> Vec<(usize, usize)> {
        let mut shown: Vec<(usize, Column)> = self.columns.iter().copied().enumerate().collect();
        loop {
            let mut layout: Vec<(usize, usize)> =
                shown.iter().map(|(number, _)| (*number, self.natural(headings, *number))).collect();
            let gaps = layout.len().saturating_sub(1) * GAP;
            let all: usize = layout.iter().map(|(_, width)| width).sum();
            let mut excess = (MARGIN + gaps + all).saturating_sub(width);
            let mut shortened: Vec<usize> = (0..shown.len()).collect();
            shortened.sort_by_key(|index| Reverse(shown.get(*index).map(|(_, column)| column.rank)));
            for index in shortened {
                let (Some((_, column)), Some((number, wide))) = (shown.get(index), layout.get_mut(index)) else {
                    continue;
                };
                let heading = headings.get(*number).map_or(0, |heading| columns(heading));
                let less = wide.saturating_sub(column.least.max(heading)).min(excess);
                (*wide, excess) = (*wide - less, excess - less);
            }
            let least = shown.iter().enumerate().max_by_key(|(_, (_, column))| column.rank);
            match least {
                Some((index, (_, column))) if excess > 0 && column.rank > 0 => {
                    shown.remove(index);
                }
                _ => return layout,
            }
        }
    }

    /// The width of a column with room for each of its cells.
    fn natural(&self, headings: &[String; N], number: usize) -> usize {
        let rows = self.rows.iter().map(|(_, cells)| cells).chain([headings]);
        rows.filter_map(|cells| cells.get(number)).map(|cell| columns(cell)).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: usize) -> String {
        let columns = [Column::text("name"), Column::text("reason").least(8).rank(1), Column::number("n").rank(2)];
        let mut table = Table::new(columns);
        table.add(Some(Tone::Bad), ["a".into(), "a long reason\nwith a line end".into(), "7".into()]);
        table.add(Some(Tone::Good), ["語".into(), "-".into(), "12".into()]);
        anstream::adapter::strip_str(&table.fit(width).to_string()).to_string()
    }

    #[test]
    fn a_table_without_headings_begins_with_its_first_row() {
        let rows = [["a", "1"], ["b", "22"]].map(|row| row.map(str::to_owned));
        let table = Table::new([Column::text(""), Column::number("")]).with_rows(rows);
        assert_eq!(table.fit(80).to_string(), " a   1\n b  22");
    }

    #[test]
    fn columns_are_shortened_and_then_left_out() {
        let all = |width: usize, reason: &str| {
            format!("   name  {:width$}   n\n ✗ a     {reason:width$}   7\n ✓ 語    {:width$}  12", "reason", "-")
        };
        assert_eq!(shown(usize::MAX), all(29, "a long reason with a line end"));
        assert_eq!(shown(24), all(11, "a long rea…"));
        assert_eq!(shown(18), "   name  reason\n ✗ a     a long r…\n ✓ 語    -");
        assert_eq!(shown(12), "   name\n ✗ a\n ✓ 語");
        assert_eq!(shown(3), "…\n ✗…\n ✓…");
    }
}
