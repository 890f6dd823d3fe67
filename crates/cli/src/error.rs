use std::path::Path;

use vipnode_types::TypedError;

/// Why a command ends with exit code 2: what happened and why, and what the user can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CliError {
    pub(crate) message: String,
    /// An imperative that ends with the flag or command; empty where there is nothing to do.
    pub(crate) hint: String,
}

impl CliError {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }

    /// A file that cannot be read.
    pub(crate) fn file(path: &Path, error: &std::io::Error, hint: &str) -> Self {
        Self::new(format!("cannot read {}: {error}", path.display()), hint)
    }
}

impl<E: TypedError> From<E> for CliError {
    fn from(error: E) -> Self {
        Self::new(error.to_string(), error.hint().unwrap_or_default())
    }
}
