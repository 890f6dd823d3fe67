use std::{
    io,
    sync::{Mutex, OnceLock, PoisonError},
};

use super::terminal;

/// The first error of standard output. There is one standard output.
static UNWRITTEN: Mutex<Option<io::Error>> = Mutex::new(None);

/// Whether standard output was a terminal at the start.
static TERMINAL: OnceLock<bool> = OnceLock::new();

/// Notes whether standard output is a terminal: one that is closed later is not recognized.
pub(crate) fn note_terminal() {
    TERMINAL.get_or_init(terminal::is_stdout);
}

/// Records the result of a write to standard output. A role goes on, because its peers do not depend on its output; the
/// error is reported when it ends. A reader that has gone, or a terminal that was closed, is not an error.
pub(crate) fn written(result: io::Result<()>) {
    let closed = || TERMINAL.get() == Some(&true) && !terminal::is_stdout();
    if let Err(error) = result
        && error.kind() != io::ErrorKind::BrokenPipe
        && !closed()
    {
        UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Takes the first error of standard output.
pub(crate) fn unwritten() -> Option<io::Error> {
    UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).take()
}
