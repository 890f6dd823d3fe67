use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use super::{Redraw, terminal};

/// The line below all others on a terminal, rewritten in place. Everything else is written [`above`] it.
///
/// [`above`]: LiveLine::above
#[derive(Debug)]
pub(crate) struct LiveLine {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What is shown, cut to the width of the terminal. Empty: nothing.
    text: String,
    redraw: Redraw,
    /// Later updates are ignored.
    ended: bool,
}

impl LiveLine {
    /// Not shown yet.
    pub(crate) const fn new() -> Self {
        Self { state: Mutex::new(State { text: String::new(), redraw: Redraw::new(), ended: false }) }
    }

    /// Shows a text instead of the one before. A text that is too long is cut.
    pub(crate) fn set(&self, text: String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.ended {
            state.text = text;
            state.draw();
        }
    }

    /// Removes the line for good.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.erase();
        (state.text, state.ended) = (String::new(), true);
    }

    /// Writes something above the line. `write` must not log.
    pub(crate) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.erase();
        let written = write();
        state.draw();
        written
    }
}

impl State {
    fn draw(&mut self) {
        if let Some(width) = terminal::width().filter(|_| !self.text.is_empty()) {
            write(&self.redraw.draw(&self.text, width));
        }
    }

    fn erase(&mut self) {
        if let Some(width) = terminal::width() {
            write(&self.redraw.erase(width));
        }
    }
}

fn write(text: &str) {
    if !text.is_empty() {
        let mut out = io::stdout().lock();
        // A reader that has gone is no reason to stop serving.
        let _reader_gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
