use std::path::PathBuf;

use vipnode_types::wire::WireError;

/// Why an agent of this machine does not tell what it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocalError {
    /// Nobody listens there.
    #[error("no agent answers at {path} ({why})", path = path.display())]
    Gone {
        /// The socket.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// It does not answer in time, or not in full.
    #[error("the agent at {path} gives no answer: {why}", path = path.display())]
    Silent {
        /// The socket.
        path: PathBuf,
        /// What happened.
        why: String,
    },
    /// It answers something else than is asked, as another version would.
    #[error("the answer of the agent at {path} cannot be read: {why}", path = path.display())]
    Unreadable {
        /// The socket.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It says no.
    #[error("{0}")]
    Refused(WireError),
}

impl LocalError {
    /// The flag or command that fixes it; empty where nothing does.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Gone { .. } => "an agent that was killed leaves its socket; its next start replaces it, and \
                 `vipnode release` undoes what it left on the node"
                .to_owned(),
            Self::Silent { .. } => "try again; if it stays silent, start that agent anew".to_owned(),
            Self::Unreadable { .. } => "use the release of vipnode that the agent runs".to_owned(),
            Self::Refused(error) => error.data.as_ref().map(|data| data.hint.clone()).unwrap_or_default(),
        }
    }
}
