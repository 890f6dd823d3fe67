use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
};

use vipnode_files::OpenDir;

use crate::StoreError;

/// The file with the number of the newest batch that was acknowledged.
pub(super) const FILE: &str = "acknowledged";
/// Digits of the number, so that each replaces the one before.
const DIGITS: usize = 20;

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
    /// Whether the note is there, whatever it holds.
    pub(super) fn is_there(dir: &OpenDir) -> bool {
        dir.open_file(FILE).is_ok()
    }

    /// Reads the note. `None` if there is none: the database is then a backup, or an operator accepted that commits are missing.
    /// A note that is not as it was written, such as an empty one after a power cut, is none either.
    pub(super) fn noted(dir: &OpenDir) -> Option<u64> {
        let text = dir.read_text(FILE, 64).ok()?;
        let digits = text.strip_suffix('\n')?;
        // The first digits of a number are a number, too.
        let is_whole = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_whole.then_some(digits)?.parse().ok()
    }

    /// Checks that a database whose newest batch is `stored` has all that was noted.
    ///
    /// # Errors
    /// [`StoreError::LostCommits`].
    pub(super) fn check(dir: &OpenDir, noted: Option<u64>, stored: u64) -> Result<(), StoreError> {
        match noted.unwrap_or(0).saturating_sub(stored) {
            0 => Ok(()),
            lost => Err(StoreError::LostCommits { file: dir.file(FILE), lost }),
        }
    }

    /// Opens the note next to a database that was checked and whose newest batch is `stored`.
    ///
    /// # Errors
    /// [`StoreError::Directory`].
    pub(super) fn open(dir: &OpenDir, stored: u64) -> Result<Self, StoreError> {
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
        let text = format!("{seq:0DIGITS$}\n");
        let _unchecked = self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(text.as_bytes()));
    }
}
