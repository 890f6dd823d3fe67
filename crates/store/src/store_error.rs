use std::path::PathBuf;

use vipnode_types::{LeaseId, errors};

errors! {
    /// Why a call of a store failed. A failed call has changed nothing.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum StoreError {
        /// The pool core tried to overwrite a billing period with a different value. This is a bug in the pool core. Do not
        /// bill anything until the cause is known.
        Conflict {
            /// ID of the lease whose row is written again.
            lease: LeaseId,
            /// The number of the row.
            row: u32,
        }: local, "billing period {row} of lease {lease} is already stored with a different value",
            hint "Keep a copy of the store, and report this as a bug.";
        /// The storage device does not respond or is full. The same call may succeed later.
        Unavailable {
            /// The error of the system.
            why: String,
        }: local, "the store does not respond: {why}", hint "Check the disk, then start the pool again.";
        /// The store's directory cannot be created or used.
        Directory {
            /// Path of the data directory.
            dir: PathBuf,
            /// The error of the system.
            why: String,
        }: local, "cannot use the directory {dir}: {why}" (dir = dir.display()),
            hint "Pass a directory that this user can create and write to: --datadir DIR.";
        /// The stored data is not valid.
        Corrupt {
            /// What is not valid.
            why: String,
        }: local, "the store contains data that vipnode did not write: {why}", hint "Restore a backup of the store.";
        /// A file is damaged. The store does not change it.
        Damaged {
            /// Path of the damaged file.
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
            /// Path of the data directory.
            dir: PathBuf,
        }: local, "another pool uses {dir}" (dir = dir.display()),
            hint "Stop the other pool, or pass another directory: --datadir DIR.";
    }
}
