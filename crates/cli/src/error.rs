use std::path::Path;

use vipnode_types::TypedError;

/// Why a command ends with exit code 2: what happened and why, and how to fix it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) what: String,
    /// The flag or command; empty where nothing does.
    pub(crate) hint: String,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }

    pub(crate) fn file(path: &Path, error: &std::io::Error, hint: &str) -> Self {
        Self::new(format!("{} cannot be read: {error}", path.display()), hint)
    }
}

impl<E: TypedError> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.to_string(), error.hint().unwrap_or_default())
    }
}
