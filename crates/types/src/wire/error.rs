use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An error as it goes over the wire: a code, a sentence, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct WireError {
    /// See [`ErrorCode`].
    pub code: i32,
    /// What happened and why.
    pub message: String,
    /// The machine's part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<ErrorData>,
}

/// What a program or a user does about an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ErrorData {
    /// The flag, command or change that fixes it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// Try again after so many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_ms: Option<u64>,
}

/// Codes of JSON-RPC 2.0 (A64) and our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ErrorCode {
    /// Not JSON.
    Parse = -32700,
    /// Not a request.
    InvalidRequest = -32600,
    /// No such method.
    MethodNotFound = -32601,
    /// Params of another form.
    InvalidParams = -32602,
    /// A fault of ours.
    Internal = -32603,
    /// Anything else, as the original says it.
    Server = -32000,
    /// Signature, delegation, nonce or audience does not hold.
    Unauthorized = -32001,
    /// Not a member of this closed pool.
    NotMember = -32002,
    /// A limit was reached; `data.retry_ms` tells when to try again.
    Busy = -32003,
    /// The other side cannot use what this one is: chain, version, role.
    Unsuitable = -32004,
    /// A host does not admit: no free place, draining, not in sync.
    Refused = -32005,
    /// Too much unpaired time today.
    Unpaired = -32006,
}

impl ErrorCode {
    /// Every code there is.
    pub const ALL: [Self; 12] = [
        Self::Parse,
        Self::InvalidRequest,
        Self::MethodNotFound,
        Self::InvalidParams,
        Self::Internal,
        Self::Server,
        Self::Unauthorized,
        Self::NotMember,
        Self::Busy,
        Self::Unsuitable,
        Self::Refused,
        Self::Unpaired,
    ];

    /// What it is called in [`crate::openrpc`] and in the book.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parse => "Parse",
            Self::InvalidRequest => "InvalidRequest",
            Self::MethodNotFound => "MethodNotFound",
            Self::InvalidParams => "InvalidParams",
            Self::Internal => "Internal",
            Self::Server => "Server",
            Self::Unauthorized => "Unauthorized",
            Self::NotMember => "NotMember",
            Self::Busy => "Busy",
            Self::Unsuitable => "Unsuitable",
            Self::Refused => "Refused",
            Self::Unpaired => "Unpaired",
        }
    }

    /// When it is given, in general; an error itself says more.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Parse => "The frame is no JSON",
            Self::InvalidRequest => "The frame is no request of JSON-RPC 2.0",
            Self::MethodNotFound => "There is no method of this name",
            Self::InvalidParams => {
                "The params have another form than the method takes, or a value that it does not take"
            }
            Self::Internal => "A fault of the one that answers",
            Self::Server => "Any refusal over protocol 2, which has no codes of ours",
            Self::Unauthorized => {
                "A signature, a delegation, a nonce or an audience does not hold, or nobody has signed"
            }
            Self::NotMember => "The pool is closed, and the node is none of its members",
            Self::Busy => "A limit is reached; data.retry_ms says when to try again",
            Self::Unsuitable => "The other side cannot use what this one is: its chain, version or role",
            Self::Refused => "A host lets nobody in: no free place, draining, not in sync",
            Self::Unpaired => "Hosts saw the node for too long today while its agent did not report it",
        }
    }
}

impl WireError {
    /// An error with a sentence and how to fix it (may be empty).
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        let data = (!hint.is_empty()).then_some(ErrorData { hint, retry_ms: None });
        Self { code: code as i32, message: message.into(), data }
    }

    /// "Try again in so many milliseconds."
    #[must_use]
    pub fn busy(message: impl Into<String>, retry_ms: u64) -> Self {
        let data = ErrorData { hint: format!("try again in {} ms", retry_ms), retry_ms: Some(retry_ms) };
        Self { code: ErrorCode::Busy as i32, message: message.into(), data: Some(data) }
    }

    /// The same in the codes of protocol 2, which has none of our own (A64).
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
