use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
};

use vipnode_files::OpenDir;

use crate::StoreError;

/// The file with the number of the newest batch that was acknowledged.
const FILE: &str = "acknowledged";

/// The number of the newest batch that was acknowledged, outside the database.
///
/// The database takes a log that is cut, or missing, for one that ended there. A commit is durable before it is noted here, so
/// a database that holds less than this has lost commits. The note is not synced: it may be older after a power cut, which
/// is harmless.
#[derive(Debug)]
pub(super) struct Acknowledged {
    file: File,
}

impl Acknowledged {
    /// Whether the note does not exist. A database that has batches is then a backup, or an operator accepted that commits are
    /// missing.
    pub(super) fn is_missing(dir: &OpenDir) -> bool {
        dir.open_file(FILE).is_err()
    }

    /// Opens the note next to a database whose newest batch is `stored`.
    ///
    /// # Errors
    /// [`StoreError::LostCommits`], [`StoreError::Directory`].
    pub(super) fn open(dir: &OpenDir, stored: u64) -> Result<Self, StoreError> {
        let noted = dir.read_text(FILE, 64).ok().and_then(|text| text.trim_ascii().parse::<u64>().ok());
        if let Some(noted) = noted.filter(|noted| *noted > stored) {
            return Err(StoreError::LostCommits { file: dir.file(FILE), lost: noted.saturating_sub(stored) });
        }
        let unusable = |error: std::io::Error| StoreError::Directory {
            dir: dir.path().to_owned(),
            why: format!("{FILE}: {error}"),
        };
        let file = dir.open_lock(FILE).map_err(unusable)?;
        let mut acknowledged = Self { file };
        acknowledged.write(stored);
        Ok(acknowledged)
    }

    /// Notes that a batch is durable. Failing to do so loses nothing but the check.
    pub(super) fn write(&mut self, seq: u64) {
        // Of one length, so that it replaces what is there.
        let _unchecked =
            self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(format!("{seq:020}\n").as_bytes()));
    }
}
