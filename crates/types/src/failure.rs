use std::fmt;

use crate::{
    TypedError,
    wire::{ErrorCode, WireError},
};

/// A [`TypedError`] without its type: what the cores and the user need from it. Code, message, and hint stay together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    code: Option<ErrorCode>,
    message: String,
    hint: Option<String>,
    retry_ms: Option<u64>,
    kind: String,
}

impl Failure {
    /// Returns an error without its type.
    #[must_use]
    pub fn of(error: &dyn TypedError) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            hint: error.hint(),
            retry_ms: error.retry_ms(),
            kind: error.kind(),
        }
    }

    /// The same without a hint, for what is repaired without anybody's help.
    #[must_use]
    pub fn without_hint(self) -> Self {
        Self { hint: None, ..self }
    }

    /// The message, without the hint.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// A message alone, without code, hint, or kind.
impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self { code: None, message: message.to_owned(), hint: None, retry_ms: None, kind: String::new() }
    }
}

impl TypedError for Failure {
    fn code(&self) -> Option<ErrorCode> {
        self.code
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    fn kind(&self) -> String {
        self.kind.clone()
    }

    fn to_wire(&self) -> WireError {
        WireError::of(self)
    }
}
