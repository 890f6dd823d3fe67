use std::path::PathBuf;

use vipnode_types::LeaseId;

/// Why a store did not do it. A call that fails has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A metered row was to be written again with another value: the pool core is at fault, and
    /// nothing more may be billed until that is understood.
    #[error(
        "row {row} of lease {lease} is in the journal with another value; keep a copy of the store and report this"
    )]
    Conflict {
        /// The lease.
        lease: LeaseId,
        /// Which row of its meter.
        row: u32,
    },
    /// The medium does not answer or is full; the same call may succeed later.
    #[error("the store does not answer: {0}; look at the disk, then try again")]
    Unavailable(String),
    /// What was read makes no sense.
    #[error("the store holds what no vipnode wrote: {0}; restore a backup")]
    Corrupt(String),
    /// A file is not as it was written. It is left as it is.
    #[error(
        "{} is damaged at line {line}: {what}; restore a backup, or move it away to start without what it holds",
        file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// Another pool has the directory open.
    #[error("another pool uses {}; stop it, or pass another --datadir DIR", dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
}
