use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::Table;
use serde_json::{Value, json};
use tokio::time::Instant;
use vipnode_types::wire::PoolStats;

use super::{roles::DemoRole, timeline::TimelineEntry};
use crate::output::{Line, Screen, Styled, Tone, terminal};

/// Where the demo is shown: lines with the time, and on a terminal a table that moves.
#[derive(Debug)]
pub(super) struct DemoDisplay {
    screen: Screen,
    began: Instant,
    terminal: bool,
    /// Lines of the table that moves, at the bottom.
    moving: usize,
}

impl DemoDisplay {
    pub(super) fn new(screen: Screen) -> Self {
        let terminal = terminal::rewrites() && !screen.is_json();
        Self { screen, began: Instant::now(), terminal, moving: 0 }
    }

    /// Shows what a process did.
    pub(super) fn show_event(&mut self, who: DemoRole, entry: &TimelineEntry) {
        if self.screen.is_json() {
            let line = Line::new("demo", entry.tone, entry.text.as_str());
            self.screen.say(&line.with("role", who.to_string()));
            return;
        }
        let (color, text) = (
            color(who),
            match entry.tone {
                Tone::Good => Style::new(),
                Tone::Plain => Style::new().dimmed(),
                Tone::Warning | Tone::Bad => AnsiColor::Yellow.on_default(),
            },
        );
        let mut line = Styled::from(format!("{}  ", self.time()).as_str());
        line.push_styled(color, &format!("{who:<8}"));
        line.push("  ");
        line.push_styled(text, &entry.text);
        self.print(&line);
    }

    /// Shows a line of the demo itself.
    pub(super) fn say(&mut self, text: &str) {
        if self.screen.is_json() {
            return self.screen.say(&Line::new("demo", Tone::Plain, text));
        }
        let mut line = Styled::from("\n");
        line.push_styled(Style::new().bold(), text);
        self.print(&line);
    }

    /// Shows a table that stays; for programs its rows and the statistics of the pool.
    pub(super) fn show(&mut self, name: &'static str, table: &Table, rows: Value, pool: Option<&PoolStats>) {
        if self.screen.is_json() {
            let line = Line::new(name, Tone::Plain, name).with("rows", rows);
            return self.screen.say(&line.with("pool", json!(pool)));
        }
        self.print(&table.to_string().as_str().into());
    }

    /// A table that replaces the last one shown so. Only a terminal can move.
    pub(super) fn show_moving(&mut self, table: &Table) {
        if self.terminal {
            let text = table.to_string();
            self.print(&text.as_str().into());
            self.moving = text.lines().count();
        }
    }

    fn print(&mut self, text: &Styled) {
        let mut out = io::stdout().lock();
        if self.moving > 0 {
            // Up over the moving table, and nothing of it is left.
            let _reader_gone = write!(out, "\x1b[{}A\x1b[J", self.moving);
            self.moving = 0;
        }
        let _reader_gone = writeln!(out, "{}", terminal::colored(text));
        let _reader_gone = out.flush();
    }

    fn time(&self) -> String {
        let ms = self.began.elapsed().as_millis();
        format!("{:>3}.{} s", ms / 1_000, ms % 1_000 / 100)
    }
}

fn color(who: DemoRole) -> Style {
    match who {
        DemoRole::Pool => AnsiColor::Yellow.on_default(),
        DemoRole::Host(_) => AnsiColor::Cyan.on_default(),
        DemoRole::Client(_) => AnsiColor::Magenta.on_default(),
    }
}
