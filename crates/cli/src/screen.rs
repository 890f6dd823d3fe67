use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value, json};

use crate::{failure::Failure, live::LiveLine, terminal};

/// Where the user reads: coloured lines on a terminal, plain ones in a pipe, JSON with `--json`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    json: bool,
    live: &'static LiveLine,
}

/// One thing said: a sentence for people, fields for programs.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Name of the event in JSON.
    pub(crate) event: &'static str,
    pub(crate) tone: Tone,
    pub(crate) text: String,
    pub(crate) fields: Map<String, Value>,
}

/// What a line is to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Plain,
    Warning,
    /// It does not work like this.
    Bad,
}

impl Tone {
    /// How a line of it begins, and in which colour.
    pub(crate) const fn look(self) -> (&'static str, Style) {
        match self {
            Self::Good => ("✓", AnsiColor::Green.on_default()),
            Self::Plain => ("·", Style::new().dimmed()),
            Self::Bad => ("✗", AnsiColor::Red.on_default().bold()),
            Self::Warning => ("!", AnsiColor::Yellow.on_default().bold()),
        }
    }
}

impl Line {
    pub(crate) fn new(event: &'static str, tone: Tone, text: impl Into<String>) -> Self {
        Self { event, tone, text: text.into(), fields: Map::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}

impl Screen {
    /// Writes above this line.
    pub(crate) const fn new(json: bool, live: &'static LiveLine) -> Self {
        Self { json, live }
    }

    /// The line below, where there may be one.
    pub(crate) fn live(self) -> Option<&'static LiveLine> {
        (!self.json && terminal::rewrites()).then_some(self.live)
    }

    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    pub(crate) fn say(self, line: &Line) {
        self.live.above(|| self.write_line(line));
    }

    fn write_line(self, line: &Line) {
        let mut out = anstream::stdout().lock();
        // A reader that went away is no reason to stop serving.
        let _reader_gone = if self.json {
            let mut fields = line.fields.clone();
            fields.insert("event".to_owned(), line.event.into());
            fields.insert("text".to_owned(), line.text.clone().into());
            writeln!(out, "{}", Value::Object(fields))
        } else {
            let (mark, style) = line.tone.look();
            writeln!(out, "{style}{mark}{style:#} {}", line.text)
        };
        let _reader_gone = out.flush();
    }

    /// What was asked for, and nothing else: text for people, JSON for programs.
    pub(crate) fn print(self, text: &str, json: &Value) {
        let _reader_gone = self.try_print(text, json);
    }

    /// The same for somebody who ends once nobody reads.
    pub(crate) fn try_print(self, text: &str, json: &Value) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        if self.json { writeln!(out, "{json}") } else { writeln!(out, "{text}") }?;
        out.flush()
    }

    /// A page in the place of the one before, on the whole of a terminal that can rewrite its lines.
    pub(crate) fn repaint(self, text: &str, first: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(terminal::frame(&terminal::coloured(text), terminal::rows(), first).as_bytes())?;
        out.flush()
    }

    /// A text that is for another program, byte for byte.
    pub(crate) fn raw(self, text: &[u8]) {
        let mut out = std::io::stdout().lock();
        let _reader_gone = out.write_all(text).and_then(|()| out.flush());
    }

    pub(crate) fn failure(self, failure: &Failure) {
        self.live.above(|| self.write_failure(failure));
    }

    fn write_failure(self, failure: &Failure) {
        let mut err = anstream::stderr().lock();
        let red = AnsiColor::Red.on_default().bold();
        let _reader_gone = if self.json {
            writeln!(err, "{}", json!({"event": "error", "text": failure.what, "hint": failure.hint}))
        } else if failure.hint.is_empty() {
            writeln!(err, "{red}error:{red:#} {}", failure.what)
        } else {
            writeln!(err, "{red}error:{red:#} {}\n -> {}", failure.what, failure.hint)
        };
    }
}
