use std::{io::ErrorKind, time::Duration};

use vipnode_rpc::{CallError, CertificateProblem, OpenError, SessionEnd};

use crate::{AnswerError, FileOwner, NodeError, node_error::clean_error};

/// Why a call has no result. Which call it was and to whom is added by `TransportError::into_error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportError {
    /// The node answered with an error.
    Remote {
        /// Its JSON-RPC code.
        code: i64,
        /// The `message` of the JSON-RPC error.
        message: String,
    },
    /// The node cannot be reached, or the connection broke.
    Lost {
        /// How the system classifies it; [`ErrorKind::Other`] where it does not.
        kind: ErrorKind,
        /// What the system reports.
        why: String,
    },
    /// The IPC file exists, and its permissions keep this user out.
    NotPermitted {
        /// Who owns it, where the system reports that.
        owner: Option<FileOwner>,
    },
    /// The server's certificate is not trusted, or it does not use TLS.
    Untrusted(CertificateProblem),
    /// HTTP 401.
    Unauthorized,
    /// HTTP 403.
    Forbidden,
    /// Another HTTP status that is not a success.
    Status {
        /// The HTTP status code of the response.
        status: u16,
        /// The first line of the answer.
        body: String,
    },
    /// A redirect, which is not followed.
    Redirected {
        /// The HTTP status code of the response.
        status: u16,
        /// Where it leads, without a query.
        to: String,
    },
    /// A page for a browser.
    WebPage,
    /// No answer in time.
    Expired,
    /// The answer is not valid JSON-RPC, or exceeds a limit.
    Answer(AnswerError),
}

impl TransportError {
    /// The connection broke, for a reason that is not the system's.
    pub(crate) fn lost(why: &str) -> Self {
        Self::Lost { kind: ErrorKind::Other, why: why.to_owned() }
    }

    /// Returns the fault as an error of the node, with the method that failed.
    pub(crate) fn into_error(self, at: String, method: &str, deadline: Duration) -> NodeError {
        let method = method.to_owned();
        match self {
            Self::Remote { code, .. } if is_missing(code) => NodeError::NotOffered { at, method },
            Self::Remote { code, message } => NodeError::Refused { at, method, code, message: clean_error(&message) },
            Self::Lost { kind, why } => NodeError::Unreachable { at, kind, why: clean_error(&why) },
            Self::NotPermitted { owner: Some(FileOwner::User(user)) } => NodeError::OtherUser { at, user },
            Self::NotPermitted { owner } => NodeError::NotPermitted { at, owner },
            Self::Untrusted(fault) => NodeError::Untrusted { at, fault },
            Self::Unauthorized => NodeError::EnginePort { at },
            Self::Forbidden if at.starts_with("ws") => NodeError::OriginRefused { at },
            Self::Forbidden => NodeError::HostRefused { at },
            Self::Status { status, body } => NodeError::HttpStatus { at, status, body: clean_error(&body) },
            Self::Redirected { status, to } => NodeError::Redirected { at, status, to },
            Self::WebPage => NodeError::WebPage { at },
            Self::Expired => NodeError::Expired { at, method, ms: deadline.as_millis() },
            Self::Answer(AnswerError::NoBlock) => NodeError::NoBlock { at },
            Self::Answer(why) => NodeError::Answer { at, method, why },
        }
    }
}

impl From<OpenError> for TransportError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Refused { status: 401, .. } => Self::Unauthorized,
            OpenError::Refused { status: 403, .. } => Self::Forbidden,
            OpenError::Tls { fault, .. } => Self::Untrusted(fault),
            OpenError::Timeout { .. } => Self::Expired,
            OpenError::Unreachable { kind, why, .. } => Self::Lost { kind, why },
            OpenError::Refused { status, body, .. } => Self::Status { status, body },
            OpenError::Redirected { status, to, .. } => Self::Redirected { status, to },
            OpenError::WebPage { .. } => Self::WebPage,
            OpenError::Address { .. } | OpenError::Insecure { .. } | OpenError::Alert { .. } => {
                Self::lost(&error.to_string())
            }
        }
    }
}

impl From<CallError> for TransportError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Remote(error) => Self::Remote { code: i64::from(error.code), message: error.message },
            CallError::Open(error) => error.into(),
            CallError::Expired => Self::Expired,
            CallError::Json { why } => Self::Answer(AnswerError::Json { why: clean_error(&why) }),
            CallError::TooLarge { bytes } | CallError::Lost(SessionEnd::TooLong { bytes }) => {
                Self::Answer(AnswerError::TooLarge { bytes })
            }
            error @ CallError::Lost(_) => Self::lost(&error.to_string()),
            CallError::Full => Self::lost("too many calls to it are waiting for an answer"),
        }
    }
}

/// The codes for "method not found": geth, reth, Erigon and Besu -32601; for a module that is off, Besu -32604 and
/// Nethermind -32600.
pub(crate) const fn is_missing(code: i64) -> bool {
    matches!(code, -32601 | -32604 | -32600)
}

#[cfg(test)]
mod tests {
    use vipnode_types::TypedError as _;

    use super::*;

    #[test]
    fn a_status_names_what_answered_and_what_to_do() {
        for (status, hint, offline) in [
            (304, "the redirect leads to", false),
            (404, "path", false),
            (405, "JSON-RPC", false),
            (429, "too many requests", true),
            (502, "behind the proxy", true),
            (418, "--rpc", false),
        ] {
            let (url, body) = ("http://127.0.0.1:1".to_owned(), "nginx".to_owned());
            let fault = TransportError::from(OpenError::Refused { url: url.clone(), status, body });
            let error = fault.into_error(url, "eth_chainId", Duration::from_secs(1));
            let text = error.to_string();
            assert!(
                text.contains(&status.to_string()) && text.contains("nginx") && !text.contains("no node"),
                "{text}"
            );
            assert!(error.hint().unwrap().contains(hint), "{status}: {:?}", error.hint());
            assert_eq!(error.is_offline(), offline, "{status}");
        }
    }

    #[test]
    fn a_redirect_names_its_target_and_a_page_is_no_node() {
        let (url, to) = ("http://127.0.0.1:1".to_owned(), "https://node.example/rpc".to_owned());
        let error = |fault: OpenError| TransportError::from(fault).into_error(url.clone(), "m", Duration::from_secs(1));
        let redirect = error(OpenError::Redirected { url: url.clone(), status: 301, to: to.clone() });
        assert!(redirect.to_string().contains(&to) && redirect.hint().unwrap().contains(&format!("--rpc {to}")));
        let page = error(OpenError::WebPage { url: url.clone() });
        assert!(page.to_string().contains("web page") && page.hint().unwrap().contains("--rpc"), "{page}");
        assert!(!redirect.is_offline() && !page.is_offline());
    }

    /// The node is there, so nobody has to start it.
    #[test]
    fn a_response_beyond_the_limit_is_named_as_one() {
        for fault in [CallError::TooLarge { bytes: 9 }, CallError::Lost(SessionEnd::TooLong { bytes: 9 })] {
            let fault = TransportError::from(fault);
            let error = fault.into_error("http://127.0.0.1:1".to_owned(), "m", Duration::from_secs(1));
            assert!(error.to_string().ends_with("unexpected response to m: it has more than 9 bytes"), "{error}");
            assert!(error.hint().unwrap().contains("--limit node_bytes="), "{:?}", error.hint());
            assert!(!error.is_offline());
        }
    }

    #[test]
    fn a_401_is_of_the_engine_port() {
        let (url, body) = ("http://127.0.0.1:8551".to_owned(), "missing token".to_owned());
        let fault = TransportError::from(OpenError::Refused { url: url.clone(), status: 401, body });
        let error = fault.into_error(url, "eth_chainId", Duration::from_secs(1));
        assert!(error.to_string().contains("engine port") && error.hint().unwrap().contains(":8545"), "{error}");
    }
}
