use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The line below all others on a terminal, rewritten in place. Whatever else is written there goes [`above`] it.
///
/// [`above`]: LiveLine::above
#[derive(Debug)]
pub(crate) struct LiveLine {
    bar: Mutex<Option<ProgressBar>>,
}

impl LiveLine {
    /// Not shown.
    pub(crate) const fn new() -> Self {
        Self { bar: Mutex::new(None) }
    }

    /// Shows a text, in the place of the one before. One that is too long is cut.
    pub(crate) fn set(&self, text: String) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        bar.get_or_insert_with(begin).set_message(text);
    }

    /// Takes it away.
    pub(crate) fn end(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }

    /// Writes something that stays. Must not log.
    pub(crate) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        match &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bar) => bar.suspend(write),
            None => write(),
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

/// stderr, above the line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ErrAbove(pub(crate) &'static LiveLine);

impl Write for ErrAbove {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.above(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
