use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The line below all others on a terminal, rewritten in place. Everything else is written [`above`] it.
///
/// [`above`]: LiveLine::above
#[derive(Debug)]
pub(crate) struct LiveLine {
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Hidden,
    Shown(ProgressBar),
    /// Later updates are ignored.
    Ended,
}

impl LiveLine {
    /// Not shown yet.
    pub(crate) const fn new() -> Self {
        Self { state: Mutex::new(State::Hidden) }
    }

    /// Shows a text instead of the one before. A text that is too long is cut.
    pub(crate) fn set(&self, text: String) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Hidden = *state {
            *state = State::Shown(begin());
        }
        if let State::Shown(bar) = &*state {
            bar.set_message(text);
        }
    }

    /// Removes the line for good.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Shown(bar) = std::mem::replace(&mut *state, State::Ended) {
            bar.finish_and_clear();
        }
    }

    /// Writes something above the line. `write` must not log.
    pub(crate) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Shown(bar) => bar.suspend(write),
            State::Hidden | State::Ended => write(),
        }
    }
}

fn begin() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
    match ProgressStyle::with_template("{wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_never) => bar,
    }
}
