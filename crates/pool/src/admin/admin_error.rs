use std::path::PathBuf;

use vipnode_types::{errors, wire::WireError};

errors! {
    /// Why a running pool does not do what its operator asks for.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum AdminError {
        /// Nothing is listening on the pool's socket.
        Gone {
            /// Path of the pool's admin socket.
            path: PathBuf,
            /// What the system reports.
            why: String,
        }: local, "no pool responds at {path} ({why})" (path = path.display()),
            hint "Start the pool, run this as the pool's user, or pass the data directory of the pool: --datadir DIR.";
        /// The command's arguments, such as the reason, are longer than the pool accepts.
        TooLarge {
            /// Bytes of the arguments.
            bytes: usize,
            /// How many the pool accepts.
            most: usize,
        }: local, "the arguments are {bytes} bytes long; the pool accepts at most {most}", hint "Pass shorter arguments.";
        /// The pool did not respond in time, or its response was incomplete.
        Silent {
            /// Path of the pool's admin socket.
            path: PathBuf,
            /// The error of the system.
            why: String,
        }: local, "the pool at {path} did not respond: {why}" (path = path.display()),
            hint "Try again. If it still does not respond, restart the pool.";
        /// The response does not have the expected format, perhaps because the pool runs a different version.
        Unreadable {
            /// Path of the pool's admin socket.
            path: PathBuf,
            /// What is wrong.
            why: String,
        }: local, "the response from the pool at {path} cannot be read: {why}" (path = path.display()),
            hint "Use the version of vipnode that the pool runs.";
    }
    also {
        /// The pool refuses.
        Refused(WireError);
    }
}
