use std::time::Duration;

use vipnode_rpc::TlsFault;

use crate::NodeError;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallFault {
    /// The node answered with an error.
    Remote {
        /// Its JSON-RPC code.
        code: i64,
        /// Its words.
        message: String,
    },
    /// The node cannot be reached, or the connection broke.
    Lost(String),
    /// The file is there but not for us.
    NotPermitted {
        /// Who owns it, where the system tells.
        owner: Option<String>,
    },
    /// What answers is not who it should be, or speaks no TLS.
    Untrusted(TlsFault),
    /// HTTP 403.
    Forbidden,
    /// No answer in time.
    Expired,
    /// Not JSON-RPC, or past a limit.
    Answer(String),
}

impl CallFault {
    /// The fault as an error of the node, with the method it happened to.
    pub(crate) fn into_error(self, at: String, method: &str, deadline: Duration) -> NodeError {
        let method = method.to_owned();
        match self {
            Self::Remote { code, .. } if is_missing(code) && method.starts_with("admin_") => {
                NodeError::NoAdmin { at, method }
            }
            Self::Remote { code, .. } if is_missing(code) => NodeError::NoEth { at, method },
            Self::Remote { code, message } => {
                NodeError::Refused { at, method, code, message: crate::node_error::clean_error(&message) }
            }
            Self::Lost(why) => NodeError::Unreachable { at, why: crate::node_error::clean_error(&why) },
            Self::NotPermitted { owner } => NodeError::NotPermitted { at, owner },
            Self::Untrusted(fault) => NodeError::Untrusted { at, fault },
            Self::Forbidden => NodeError::Forbidden { at },
            Self::Expired => NodeError::Expired { at, method, ms: deadline.as_millis() },
            Self::Answer(why) => NodeError::Answer { at, method, why: crate::node_error::clean_error(&why) },
        }
    }
}

/// "Method not found" as it is said: geth, reth, Erigon and Besu -32601; a module that is off, Besu -32604 and
/// Nethermind -32600.
pub(crate) const fn is_missing(code: i64) -> bool {
    matches!(code, -32601 | -32604 | -32600)
}
