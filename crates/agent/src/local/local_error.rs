use std::path::PathBuf;

use vipnode_types::{errors, wire::WireError};

errors! {
    /// Why an agent of this machine does not report its status.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum LocalError {
        /// Nothing listens on the agent's socket.
        Gone {
            /// Path of the agent's status socket.
            path: PathBuf,
            /// What the system reports.
            why: String,
        }: local, "no agent responds at {path} ({why})" (path = path.display()),
            hint "Start the agent again, which replaces the stale socket. To undo what it left on the node, run \
                  `vipnode release`.";
        /// The agent did not respond in time, or its response was incomplete.
        Silent {
            /// Path of the agent's status socket.
            path: PathBuf,
            /// The error of the system.
            why: String,
        }: local, "the agent at {path} did not respond: {why}" (path = path.display()),
            hint "Try again. If it still does not respond, restart the agent.";
        /// The response does not have the expected format, perhaps because the agent runs a different version.
        Unreadable {
            /// Path of the agent's status socket.
            path: PathBuf,
            /// What is wrong.
            why: String,
        }: local, "the response from the agent at {path} cannot be read: {why}" (path = path.display()),
            hint "Use the version of vipnode that the agent runs.";
    }
    also {
        /// The agent refuses.
        Refused(WireError);
    }
}
