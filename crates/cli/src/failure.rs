use std::path::Path;

use vipnode_agent::AgentError;
use vipnode_node::{NodeError, finder::NotFound};

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

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        Self::new(error.to_string(), error.hint())
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        Self::new(error.to_string(), error.hint())
    }
}

impl From<NotFound> for Failure {
    fn from(error: NotFound) -> Self {
        Self::new(
            error.to_string(),
            "--rpc <path of the node's geth.ipc, or its http:// or ws:// address with the admin API>",
        )
    }
}
