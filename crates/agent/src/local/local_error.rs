use std::path::PathBuf;

use vipnode_types::{errors, wire::WireError};

errors! {
    /// Why an agent of this machine does not report its status.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum LocalError {
        /// Nothing listens on the agent's socket.
        Gone {
            /// The socket.
            path: PathBuf,
            /// What the system reports.
            why: String,
        }: local, "no agent answers at {path} ({why})" (path = path.display()),
            hint "Start that agent again, which replaces the socket that a killed agent leaves; to undo what it left on \
                  the node, run `vipnode release`.";
        /// The agent does not answer in time, or not in full.
        Silent {
            /// The socket.
            path: PathBuf,
            /// What happened.
            why: String,
        }: local, "the agent at {path} gives no answer: {why}" (path = path.display()),
            hint "Try again; if it stays silent, restart that agent.";
        /// The answer has another form, as that of another version would.
        Unreadable {
            /// The socket.
            path: PathBuf,
            /// What is wrong.
            why: String,
        }: local, "the answer of the agent at {path} cannot be read: {why}" (path = path.display()),
            hint "Use the vipnode release that the agent runs.";
    }
    also {
        /// The agent refuses.
        Refused(WireError);
    }
}
