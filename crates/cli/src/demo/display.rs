use std::{
    io::{self, Write},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use tokio::time::Instant;
use vipnode_types::wire::PoolStats;

use super::{roles::DemoRole, tables, timeline::TimelineEntry};
use crate::output::{Line, Redraw, Screen, Styled, Table, Tone, terminal};

/// Where the demo is shown: lines with the time, and on a terminal a table that moves.
#[derive(Debug)]
pub(super) struct DemoDisplay {
    screen: Screen,
    began: Instant,
    terminal: bool,
    /// The table that moves, at the bottom.
    moving: Redraw,
}

/// Columns where the terminal's are not known, as in a pipe.
const COLUMNS: usize = 80;

impl DemoDisplay {
    pub(super) fn new(screen: Screen) -> Self {
        let terminal = terminal::rewrites() && !screen.is_json();
        Self { screen, began: Instant::now(), terminal, moving: Redraw::new() }
    }

    /// Shows what a process did.
    pub(super) fn show_event(&mut self, who: DemoRole, entry: &TimelineEntry) {
        if self.screen.is_json() {
            let line = Line::new("demo", entry.tone, entry.text.as_str());
            self.screen.say(&line.with("role", who.to_string()));
            return;
        }
        self.print(event(self.began.elapsed(), who, entry));
    }

    /// Shows a line of the demo itself.
    pub(super) fn say(&mut self, text: &str) {
        if self.screen.is_json() {
            return self.screen.say(&Line::new("demo", Tone::Plain, text));
        }
        self.print(heading(text));
    }

    /// Shows a table that stays; for programs its rows and the statistics of the pool.
    pub(super) fn show(&mut self, name: &'static str, table: &Table<6>, rows: Value, pool: Option<&PoolStats>) {
        if self.screen.is_json() {
            let line = Line::new(name, Tone::Plain, name).with("rows", rows);
            return self.screen.say(&line.with("pool", json!(pool)));
        }
        self.print(table.fit(width()));
        if let Some(pool) = pool {
            self.print(tables::pool_sums(pool).as_str().into());
        }
    }

    /// A table that replaces the last one shown so. Only a terminal can move.
    pub(super) fn show_moving(&mut self, table: &Table<6>) {
        let width = width();
        let text = terminal::colored(&table.fit(width));
        // What has scrolled away cannot be replaced.
        let fits = terminal::rows().is_none_or(|rows| text.lines().count() < rows);
        if self.terminal && fits {
            write(&self.moving.draw(&text, width));
        }
    }

    fn print(&mut self, text: Styled) {
        let width = width();
        let text = terminal::colored(&text.wrapped(width));
        write(&format!("{}{text}\n", self.moving.erase(width)));
    }
}

fn width() -> usize {
    terminal::width().unwrap_or(COLUMNS)
}

fn write(text: &str) {
    let mut out = io::stdout().lock();
    let _reader_gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// What a process did, after this time.
pub(super) fn event(after: Duration, who: DemoRole, entry: &TimelineEntry) -> Styled {
    let style = match entry.tone {
        Tone::Good => Style::new(),
        Tone::Plain => Style::new().dimmed(),
        Tone::Warning | Tone::Bad => AnsiColor::Yellow.on_default(),
    };
    let ms = after.as_millis();
    let mut line = Styled::from(format!("{:>3}.{} s  ", ms / 1_000, ms % 1_000 / 100).as_str());
    line.push_styled(color(who), &format!("{who:<8}"));
    line.push("  ");
    line.push_styled(style, &entry.text);
    line
}

/// A line of the demo itself, below an empty one.
pub(super) fn heading(text: &str) -> Styled {
    let mut line = Styled::from("\n");
    line.push_styled(Style::new().bold(), text);
    line
}

fn color(who: DemoRole) -> Style {
    match who {
        DemoRole::Pool | DemoRole::Chain | DemoRole::Operator => AnsiColor::Yellow.on_default(),
        DemoRole::Host(_) => AnsiColor::Cyan.on_default(),
        DemoRole::Client(_) => AnsiColor::Magenta.on_default(),
    }
}
