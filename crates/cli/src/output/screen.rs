use std::{
    io::{self, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value, json};
use vipnode_types::{Ms, hide_credentials};

use super::{LiveLine, Styled, carried_flags::with_carried_flags, escape_json, terminal, wrap::wrap, written};
use crate::error::CliError;

/// Where the user reads: colored lines on a terminal, plain ones in a pipe, JSON with `--json`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    json: bool,
    live: &'static LiveLine,
    /// Whether each line begins with the time.
    timed: bool,
}

/// One message: a sentence for people, fields for programs.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Name of the event in JSON.
    pub(crate) event: &'static str,
    pub(crate) tone: Tone,
    pub(crate) text: String,
    /// What the reader can do about it; empty where there is nothing to do.
    hint: String,
    pub(crate) fields: Map<String, Value>,
}

/// The meaning of a line to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Plain,
    Warning,
    /// It does not work like this.
    Bad,
}

impl Tone {
    /// The mark at the beginning of a line, and its style.
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
        Self { event, tone, text: text.into(), hint: String::new(), fields: Map::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// With what the reader can do about it: for people a line below, for programs a field.
    pub(crate) fn hint(mut self, hint: &str) -> Self {
        hint.clone_into(&mut self.hint);
        self
    }
}

impl Screen {
    /// Returns a screen that writes above this line.
    pub(crate) const fn new(json: bool, live: &'static LiveLine) -> Self {
        Self { json, live, timed: false }
    }

    /// The same, with the time in each line, unless it is written to a terminal: for a role that runs for days.
    pub(crate) fn with_times(self) -> Self {
        Self { timed: self.json || !terminal::is_stdout(), ..self }
    }

    /// The line below all others; `None` in a pipe and with `--json`.
    pub(crate) fn live(self) -> Option<&'static LiveLine> {
        (!self.json && terminal::rewrites()).then_some(self.live)
    }

    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Writes a message, in lines that the terminal need not break.
    pub(crate) fn say(self, line: &Line) {
        self.write(&self.fitted(self.line(line), terminal::page_width()));
    }

    /// A text for people in lines that fit the width.
    fn fitted(self, text: String, width: usize) -> String {
        if self.json { text } else { wrap(&text, width) }
    }

    fn write(self, text: &str) {
        self.live.above(|| {
            let mut out = anstream::stdout().lock();
            written(writeln!(out, "{text}").and_then(|()| out.flush()));
        });
    }

    /// What is written of a line.
    pub(crate) fn line(self, line: &Line) -> String {
        if self.json {
            let mut fields = line.fields.clone();
            fields.insert("event".to_owned(), line.event.into());
            fields.insert("text".to_owned(), line.text.clone().into());
            if !line.hint.is_empty() {
                fields.insert("hint".to_owned(), with_carried_flags(&line.hint).into());
            }
            if self.timed {
                fields.insert("time".to_owned(), now().into());
            }
            return json_text(&Value::Object(fields));
        }
        let mut text = Styled::default();
        text.mark(line.tone);
        text.push(&hide_credentials(&line.text));
        text.hint(&hide_credentials(&line.hint), "  ");
        let text = text.to_string();
        if !self.timed {
            return text;
        }
        let now = now();
        text.lines().map(|line| format!("{now} {line}")).collect::<Vec<_>>().join("\n")
    }

    /// Prints a result: text for people, JSON for programs.
    pub(crate) fn print(self, text: &Styled, json: &Value) {
        written(self.try_print(text, json));
    }

    /// Like [`Screen::print`], for a caller that ends when the reader has gone.
    pub(crate) fn try_print(self, text: &Styled, json: &Value) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        if self.json { writeln!(out, "{}", json_text(json)) } else { writeln!(out, "{text}") }?;
        out.flush()
    }

    /// Shows a page instead of the one before, on the whole terminal.
    pub(crate) fn repaint(self, text: &Styled, first: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let frame = terminal::frame(&terminal::colored(text), terminal::rows(), terminal::page_width(), first);
        out.write_all(frame.as_bytes())?;
        out.flush()
    }

    /// Writes a text for another program, byte for byte.
    pub(crate) fn raw(self, text: &[u8]) {
        let mut out = std::io::stdout().lock();
        written(out.write_all(text).and_then(|()| out.flush()));
    }

    /// Warns on standard error, for people.
    pub(crate) fn warn(self, warning: &str) {
        let mut text = Styled::default();
        text.mark(Tone::Warning);
        text.push(&hide_credentials(warning));
        self.live.above(|| {
            let text = wrap(&text.to_string(), terminal::error_width());
            let _reader_gone = writeln!(anstream::stderr().lock(), "{text}");
        });
    }

    /// Shows people on standard error what a command assumes, so that the result on standard output can be saved alone.
    pub(crate) fn note(self, note: &str) {
        if self.json {
            return;
        }
        let mut text = Styled::default();
        text.mark(Tone::Plain);
        text.push(&hide_credentials(note));
        self.live.above(|| {
            let text = wrap(&text.to_string(), terminal::error_width());
            let _reader_gone = writeln!(anstream::stderr().lock(), "{text}");
        });
    }

    pub(crate) fn error(self, error: &CliError) {
        self.live.above(|| {
            let text = self.fitted(self.error_text(error), terminal::error_width());
            let _reader_gone = writeln!(anstream::stderr().lock(), "{text}");
        });
    }

    /// What is written of an error.
    pub(crate) fn error_text(self, error: &CliError) -> String {
        let CliError { message, hint } = error;
        if self.json {
            return json_text(&json!({"event": "error", "text": message, "hint": with_carried_flags(hint)}));
        }
        let mut text = Styled::default();
        text.push_styled(AnsiColor::Red.on_default().bold(), "error:");
        text.push(&format!(" {}", hide_credentials(message)));
        text.hint(&hide_credentials(hint), " ");
        text.to_string()
    }
}

/// This moment, RFC 3339.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ms::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)).rfc3339_seconds()
}

/// In one line, without a character that a terminal would obey.
pub(crate) fn json_text(value: &Value) -> String {
    escape_json(&value.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vipnode_types::is_unprintable;

    use super::*;

    static LIVE: LiveLine = LiveLine::new();
    const HOSTILE: &str = "a\u{1b}[2Jb\u{7}c\u{9b}31md\u{202e}e\r\nf\u{2028}g";

    /// What would be written, without the styles of this program.
    fn written(json: bool, text: &str) -> Vec<String> {
        let screen = Screen::new(json, &LIVE);
        let line = Line::new("x", Tone::Bad, text).with("name", text).with(text, vec![text]).hint(text);
        let error = CliError { message: text.to_owned(), hint: text.to_owned() };
        let styles = [Tone::Bad.look().1, AnsiColor::Red.on_default().bold()];
        let without = |text: String| {
            styles.iter().fold(text, |text, style| {
                text.replacen(&style.to_string(), "", 1).replacen(&format!("{style:#}"), "", 1)
            })
        };
        [screen.line(&line), screen.error_text(&error)].map(without).to_vec()
    }

    #[test]
    fn a_stranger_cannot_paint_the_terminal() {
        let clean = "a [2Jb c 31md e \nf g";
        assert_eq!(written(false, HOSTILE)[0], format!("✗ {clean}\n  -> {clean}"));
        let json = written(true, HOSTILE);
        assert!(json[0].contains(r"a\u001b[2Jb\u0007c\u009b31md\u202ee\r\nf\u2028g"), "{}", json[0]);
        let read: Value = serde_json::from_str(&json[0]).unwrap();
        assert_eq!(read["name"], HOSTILE, "a program reads what was said");
    }

    proptest! {
        #[test]
        fn no_control_character_but_the_line_end_leaves_the_screen(
            text in any::<String>(), hostile in "[\u{0}-\u{20}\u{7f}-\u{a0}\u{202a}-\u{202e}m2J\\[;]{0,40}",
        ) {
            for (json, text) in [(false, &text), (false, &hostile), (true, &text), (true, &hostile)] {
                for written in written(json, text) {
                    prop_assert!(!written.contains(|c| is_unprintable(c) && c != '\n'), "{:?}", written);
                    prop_assert!(!json || !written.contains('\n'), "{:?}", written);
                }
            }
        }
    }
}
