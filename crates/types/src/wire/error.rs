use serde::{Deserialize, Serialize};

use super::ErrorCode;
use crate::{TypedError, sanitize};

/// A JSON-RPC error: a code, a message, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[error("{message}")]
pub struct WireError {
    /// The error code; the book's errors page lists all codes.
    pub code: i32,
    /// A description of the error and its cause.
    pub message: String,
    /// Advice for a program or a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<ErrorData>,
}

/// Advice on how to handle an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorData {
    /// The flag, command, or change that fixes the error.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// The delay before a retry, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_ms: Option<u64>,
    /// What a contract returned when it reverted, from an execution client. Never sent by vipnode.
    #[serde(skip)]
    pub revert: Option<Box<[u8]>>,
}

impl WireError {
    /// The same error with a message and a hint that can be shown in one line each, of at most `max_chars` characters. For
    /// errors from a stranger.
    #[must_use]
    pub fn sanitized(self, max_chars: usize) -> Self {
        let data = self.data.map(|data| ErrorData { hint: sanitize(&data.hint, max_chars), ..data });
        Self { message: sanitize(&self.message, max_chars), data, ..self }
    }

    /// The code, message and hint of a typed error. One without a code is [`ErrorCode::Internal`].
    #[must_use]
    pub fn of(error: &impl TypedError) -> Self {
        let (hint, retry_ms) = (error.hint().unwrap_or_default(), error.retry_ms());
        let data = (!hint.is_empty() || retry_ms.is_some()).then_some(ErrorData { hint, retry_ms, revert: None });
        let code = error.code().unwrap_or(ErrorCode::Internal);
        Self { code: code as i32, message: error.to_string(), data }
    }

    /// An error with a message and how to fix it (may be empty).
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        let data = (!hint.is_empty()).then_some(ErrorData { hint, ..ErrorData::default() });
        Self { code: code as i32, message: message.into(), data }
    }

    /// An error that asks the caller to try again after `retry_ms` milliseconds.
    #[must_use]
    pub fn busy(message: impl Into<String>, retry_ms: u64) -> Self {
        let data = ErrorData {
            hint: format!("Try again in {}.", crate::RetryIn(retry_ms)),
            retry_ms: Some(retry_ms),
            revert: None,
        };
        Self { code: ErrorCode::Busy as i32, message: message.into(), data: Some(data) }
    }

    /// The hint from the other side, if there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.data.as_ref().map(|data| data.hint.as_str()).filter(|hint| !hint.is_empty())
    }

    /// Returns the same error with a protocol 2 code, because protocol 2 has none of our codes.
    #[must_use]
    pub const fn for_protocol2(mut self) -> Self {
        if self.code > -32_100 && self.code < ErrorCode::Server as i32 {
            self.code = ErrorCode::Server as i32;
        }
        self
    }

    /// Whether the code is this one.
    #[must_use]
    pub const fn is(&self, code: ErrorCode) -> bool {
        self.code == code as i32
    }
}

impl TypedError for WireError {
    fn code(&self) -> Option<ErrorCode> {
        ErrorCode::of(self.code)
    }

    fn hint(&self) -> Option<String> {
        self.hint().map(str::to_owned)
    }

    fn retry_ms(&self) -> Option<u64> {
        self.data.as_ref().and_then(|data| data.retry_ms)
    }

    fn kind(&self) -> String {
        self.code.to_string()
    }

    fn to_wire(&self) -> WireError {
        self.clone()
    }
}
