use std::{
    io,
    sync::{Mutex, PoisonError},
};

/// The first error of standard output. There is one standard output.
static UNWRITTEN: Mutex<Option<io::Error>> = Mutex::new(None);

/// Records the result of a write to standard output. A role goes on, because its peers do not depend on its output; the
/// error is reported when it ends. A reader that has gone is not an error.
pub(crate) fn written(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Takes the first error of standard output.
pub(crate) fn unwritten() -> Option<io::Error> {
    UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).take()
}
