use std::path::PathBuf;

use vipnode_types::{LeaseId, errors};

errors! {
    /// Why a call of a store failed. A failed call has changed nothing.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum StoreError {
        /// A metered row would be written again with a different value. The pool core is at fault, and nothing more may be
        /// billed until the cause is known.
        Conflict {
            /// The lease.
            lease: LeaseId,
            /// The number of the row.
            row: u32,
        }: local, "meter row {row} of lease {lease} is already stored with a different value",
            hint "Keep a copy of the store, and report this as a bug.";
        /// The medium does not respond or is full; the same call may succeed later.
        Unavailable {
            /// The cause.
            why: String,
        }: local, "the store does not respond: {why}", hint "Check the disk, then start the pool again.";
        /// The directory of the files cannot be created or used.
        Directory {
            /// The directory.
            dir: PathBuf,
            /// The cause.
            why: String,
        }: local, "cannot use the directory {dir}: {why}" (dir = dir.display()),
            hint "Pass a directory that this user can create and write to: --datadir DIR.";
        /// The stored data is not valid.
        Corrupt {
            /// What is not valid.
            why: String,
        }: local, "the store contains data that vipnode did not write: {why}", hint "Restore a backup of the store.";
        /// A file is not as it was written. The store does not change it.
        Damaged {
            /// The file.
            file: PathBuf,
            /// The number of the line, counted from 1.
            line: usize,
            /// What is wrong there.
            what: String,
        }: local, "{file} is damaged at line {line}: {what}" (file = file.display()),
            hint "Restore a backup of {file}, or move the file elsewhere to start without its content."
                (file = file.display());
        /// Another pool has the directory open.
        InUse {
            /// The directory.
            dir: PathBuf,
        }: local, "another pool uses {dir}" (dir = dir.display()),
            hint "Stop the other pool, or pass another directory: --datadir DIR.";
    }
}
