use vipnode_types::{TypedError, sanitize};

/// Why a command ends with exit code 2: the message and the hint of a typed error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CliError {
    pub(crate) message: String,
    /// An imperative that names the flag or command; empty if nothing can be done.
    pub(crate) hint: String,
}

impl CliError {
    /// Returns the error without control characters and with at most this many characters in each part, for a text that
    /// comes from a pool.
    pub(crate) fn sanitized(&self, most: usize) -> Self {
        Self { message: sanitize(&self.message, most), hint: sanitize(&self.hint, most) }
    }
}

impl<E: TypedError> From<E> for CliError {
    fn from(error: E) -> Self {
        Self { message: error.to_string(), hint: error.hint().unwrap_or_default() }
    }
}
