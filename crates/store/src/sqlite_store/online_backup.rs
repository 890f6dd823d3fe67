use std::{
    fs::File,
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use super::{part_file::PartFile, schema, sqlite_error::store_error};
use crate::StoreError;

/// Pages that are copied at a time (128 KiB), in some 0.2 ms.
const PAGES: i32 = 32;
/// How many times that many pages are written between two syncs (512 KiB): a commit of the pool that syncs at the same
/// time waits
/// for what others have written to the disk.
const STEPS: usize = 4;

/// A copy of a database as of one batch, made while a pool writes to the database: it uses a CPU core and a disk for at
/// most half of
/// the time, and for only a short time at once.
#[derive(Debug)]
pub(super) struct OnlineBackup<'a> {
    from: &'a Connection,
    part: &'a PartFile,
    /// Where the copy will be, for errors.
    to: &'a Path,
}

impl<'a> OnlineBackup<'a> {
    pub(super) const fn new(from: &'a Connection, part: &'a PartFile, to: &'a Path) -> Self {
        Self { from, part, to }
    }

    /// Copies all pages. Returns the number of the newest batch in the copy.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(super) fn make(self, rest: impl FnMut(Duration)) -> Result<u64, StoreError> {
        let failed = |error| store_error(&error, self.to);
        // One transaction, which its first query begins: the copy would begin again after each commit of the pool
        // otherwise.
        self.from.execute_batch("BEGIN").map_err(failed)?;
        let made = schema::seq(self.from).map_err(failed).and_then(|_| self.copy(rest));
        // An error of this one is that of a connection on which the copy has failed.
        let _ended = self.from.execute_batch("ROLLBACK");
        made
    }

    fn copy(&self, mut rest: impl FnMut(Duration)) -> Result<u64, StoreError> {
        let failed = |error| store_error(&error, self.to);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let mut copy = Connection::open_with_flags(self.part.path(), flags).map_err(failed)?;
        use_no_journal(&copy).map_err(failed)?;
        let backup = Backup::new(self.from, &mut copy).map_err(failed)?;
        loop {
            let began = Instant::now();
            let is_done = copy_steps(&backup).map_err(failed)?;
            sync(self.part.file(), self.to)?;
            if is_done.ok_or_else(|| StoreError::Locked { file: self.to.to_owned() })? {
                break;
            }
            rest(began.elapsed());
        }
        drop(backup);
        let seq = schema::seq(&copy).map_err(failed)?;
        // The copy is one file, without a log.
        copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).map_err(failed)?;
        Ok(seq)
    }
}

/// Copies some pages. Returns whether those were the last; `None` if a database is locked.
fn copy_steps(backup: &Backup<'_, '_>) -> rusqlite::Result<Option<bool>> {
    for _ in 0..STEPS {
        match backup.step(PAGES)? {
            StepResult::More => thread::yield_now(),
            StepResult::Done => return Ok(Some(true)),
            _ => return Ok(None),
        }
    }
    Ok(Some(false))
}

/// Half a copy is deleted, so it needs neither a journal nor syncs of the database.
fn use_no_journal(copy: &Connection) -> rusqlite::Result<()> {
    copy.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
    copy.pragma_update(None, "synchronous", "off")
}

fn sync(file: &File, to: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::Backup { file: to.to_owned(), why: error.to_string() };
    file.sync_data().map_err(failed)
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;
    use vipnode_pool_core::Row;

    use super::*;
    use crate::{
        ReadLimits, SqliteReader, SqliteStore, Store as _,
        conformance::{node, state_of},
    };

    #[test]
    fn a_copy_rests_in_between_and_is_as_of_the_batch_at_its_begin() {
        let (dir, copies) = (tempdir().unwrap(), tempdir().unwrap());
        let mut store = SqliteStore::open(dir.path()).unwrap();
        let nodes: Vec<Row> = (0..=u8::MAX).map(|number| Row::Node(Box::new(node(number)))).collect();
        store.apply(&nodes).unwrap();
        // More than the pages between two syncs.
        let filler = "CREATE TABLE filler (bytes BLOB); INSERT INTO filler VALUES (zeroblob(4194304))";
        store.connection.execute_batch(filler).unwrap();
        let (before, seq) = (state_of(&mut store), store.seq);

        let reader = SqliteReader::open(dir.path(), ReadLimits::WHOLE_DATABASE).unwrap();
        let (from, to) = (reader.connect().unwrap(), copies.path().join("pool.db"));
        let part = PartFile::create(&to).unwrap();
        let mut rests = 0_u64;
        let copied = OnlineBackup::new(&from, &part, &to).make(|_| {
            rests += 1;
            store.apply(&[Row::NextLease(rests)]).unwrap();
        });
        assert_eq!(copied, Ok(seq));
        assert!(rests >= 4, "{rests}");
        part.finish().unwrap();
        assert_eq!(std::fs::read_dir(copies.path()).unwrap().count(), 1, "one file");
        let check = SqliteReader::open_backup(&to).unwrap().check().unwrap();
        assert_eq!((check.seq, check.problems), (seq, Vec::new()));
        let mut opened = SqliteStore::open(copies.path()).unwrap();
        let state = state_of(&mut opened);
        let nodes = |rows: &[Row]| rows.iter().filter(|row| matches!(row, Row::Node(_))).cloned().collect::<Vec<_>>();
        assert_eq!(nodes(&state), nodes(&before));
    }
}
