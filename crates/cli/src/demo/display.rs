use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::Table;
use serde_json::{Value, json};
use tokio::time::Instant;
use vipnode_types::wire::PoolStats;

use super::{roles::Who, timeline::Sentence};
use crate::output::{Line, Screen, Styled, Tone, terminal};

/// Where the demo is shown: lines with the time, and on a terminal a table that moves.
#[derive(Debug)]
pub(super) struct Stage {
    screen: Screen,
    began: Instant,
    terminal: bool,
    /// Lines of the table that moves, at the bottom.
    moving: usize,
}

impl Stage {
    pub(super) fn new(screen: Screen) -> Self {
        let terminal = terminal::rewrites() && !screen.is_json();
        Self { screen, began: Instant::now(), terminal, moving: 0 }
    }

    /// Something that a process did.
    pub(super) fn tell(&mut self, who: Who, sentence: &Sentence) {
        if self.screen.is_json() {
            let line = Line::new("demo", sentence.tone, sentence.text.as_str());
            self.screen.say(&line.with("who", who.to_string()));
            return;
        }
        let (colour, text) = (
            colour(who),
            match sentence.tone {
                Tone::Good => Style::new(),
                Tone::Plain => Style::new().dimmed(),
                Tone::Warning | Tone::Bad => AnsiColor::Yellow.on_default(),
            },
        );
        let mut line = Styled::from(format!("{}  ", self.time()).as_str());
        line.push_styled(colour, &format!("{who:<8}"));
        line.push("  ");
        line.push_styled(text, &sentence.text);
        self.print(&line);
    }

    /// A word of the demo itself.
    pub(super) fn say(&mut self, text: &str) {
        if self.screen.is_json() {
            return self.screen.say(&Line::new("demo", Tone::Plain, text));
        }
        let mut line = Styled::from("\n");
        line.push_styled(Style::new().bold(), text);
        self.print(&line);
    }

    /// A table that stays, and for programs its rows and what the pool says.
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
        let _reader_gone = writeln!(out, "{}", terminal::coloured(text));
        let _reader_gone = out.flush();
    }

    fn time(&self) -> String {
        let ms = self.began.elapsed().as_millis();
        format!("{:>3}.{} s", ms / 1_000, ms % 1_000 / 100)
    }
}

fn colour(who: Who) -> Style {
    match who {
        Who::Pool => AnsiColor::Yellow.on_default(),
        Who::Host(_) => AnsiColor::Cyan.on_default(),
        Who::Client(_) => AnsiColor::Magenta.on_default(),
    }
}
