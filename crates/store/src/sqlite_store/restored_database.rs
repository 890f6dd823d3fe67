use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::{Connection, OpenFlags, backup::Backup};
use vipnode_files::OpenDir;
use vipnode_pool_core::RestoreRow;
use vipnode_types::{Ms, PoolId};

use super::{
    DATABASE, PrunePlan, connection,
    database_owner::DatabaseOwner,
    lock,
    lost_peers::LostPeers,
    replaced_database::ReplacedDatabase,
    restore_marker::{PART, RestoreMarker},
    restore_table, schema, skip_lost_numbers,
    sqlite_error::store_error,
};
use crate::{LostEntries, RestoreChoice, StoreError};

/// What became of a backup that was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredDatabase {
    /// The number of the newest batch in it.
    pub seq: u64,
    /// A number that no database of this pool had before: what was acknowledged since the backup is lost, and others may
    /// remember it.
    pub incarnation: u64,
    /// The ID of the pool that wrote it; `None` if that was not stored.
    pub pool: Option<PoolId>,
    /// The database that was in its place.
    pub former: Option<FormerDatabase>,
}

/// A database that a restore replaced, and what only it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerDatabase {
    /// Where it is now.
    pub file: PathBuf,
    /// Entries of the ledger, or why they cannot be read.
    pub entries: Result<LostEntries, StoreError>,
    /// Peers of nodes that use protocol 2, or why no lease can be read.
    pub peers: Result<DroppedPeers, StoreError>,
}

/// Peers that nodes which use protocol 2 have from leases that are lost, and will drop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DroppedPeers {
    /// How many there are.
    pub count: u64,
    /// Rows of the former database that cannot be read. Nodes keep the peers of these leases.
    pub unreadable: u64,
    /// Why the first of them cannot be read.
    pub problem: Option<StoreError>,
}

impl RestoredDatabase {
    /// Puts a backup into the directory of a pool that does not run. Lease numbers begin beyond any that were used. A database
    /// that is there is kept under another name.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::NoBackup`] for the backup, [`StoreError::OtherPool`] and [`StoreError::OtherAsset`]
    /// without `other_pool`, [`StoreError::HasDatabase`] without `force`, and [`StoreError::InUse`]. The database that is there
    /// then stays as it is.
    pub fn restore(dir: &Path, backup: &Path, choice: &RestoreChoice) -> Result<Self, StoreError> {
        let unusable = |error: io::Error| StoreError::Directory { dir: dir.to_owned(), why: error.to_string() };
        let opened = OpenDir::create(dir).map_err(unusable)?;
        let _lock = lock(&opened)?;
        Self::prepare(&opened, backup, choice)?.finish()
    }

    /// Copies the backup next to the database that it will replace. Undoes a restore that was killed.
    pub(super) fn prepare<'dir>(
        dir: &'dir OpenDir,
        backup: &Path,
        choice: &RestoreChoice,
    ) -> Result<PreparedRestore<'dir>, StoreError> {
        let unusable = |error: io::Error| StoreError::Directory { dir: dir.path().to_owned(), why: error.to_string() };
        RestoreMarker::undo(dir).map_err(unusable)?;
        let files = RestoreMarker::files(dir);
        let from = open_backup(backup)?;
        let owner = DatabaseOwner::read(&from)
            .map_err(|error| StoreError::NoBackup { file: backup.to_owned(), why: error.to_string() })?;
        let replaced = (!files.is_empty()).then(|| ReplacedDatabase::read(dir.path(), &from));
        if !choice.other_pool {
            refuse_other(owner, replaced.as_ref(), choice, backup)?;
        }
        if let Some(replaced) = replaced.as_ref().filter(|_| !choice.force) {
            return Err(StoreError::HasDatabase { file: dir.file(DATABASE), loss: replaced.loss() });
        }
        let former = RestoreMarker::files(dir);
        let path = dir.real_path().map_err(unusable)?.join(PART);
        let lost = replaced.as_ref().and_then(|replaced| replaced.peers.as_ref().ok());
        let copied = copy(dir, &from, backup, &path, lost);
        drop(from);
        if copied.is_err() {
            // Half a copy looks like a database.
            let _left = fs::remove_file(&path);
        }
        let (seq, incarnation, dropped) = copied?;
        let marker = RestoreMarker::write(dir, incarnation).map_err(unusable)?;
        let moves = marker.moves(&former);
        let has_former = former.contains(&DATABASE);
        let kept = marker.kept(DATABASE);
        let former = replaced.filter(|_| has_former).map(|replaced| replaced.kept_as(kept, dropped));
        Ok(PreparedRestore { marker, moves, restored: Self { seq, incarnation, pool: owner.pool, former } })
    }
}

/// A restore that has renamed nothing yet.
pub(super) struct PreparedRestore<'dir> {
    pub(super) marker: RestoreMarker<'dir>,
    /// What is renamed, in this order.
    pub(super) moves: Vec<(PathBuf, PathBuf)>,
    restored: RestoredDatabase,
}

impl PreparedRestore<'_> {
    /// Renames the files.
    fn finish(self) -> Result<RestoredDatabase, StoreError> {
        let Self { marker, moves, restored } = self;
        // A plan to remove entries is one for the former database.
        PrunePlan::forget(marker.dir())?;
        let dir = marker.dir().to_owned();
        let renamed = moves.into_iter().try_for_each(|moved| marker.rename(moved)).and_then(|()| marker.remove());
        renamed.map_err(|error| StoreError::Directory { dir, why: error.to_string() })?;
        Ok(restored)
    }
}

/// Compares the owner of a backup with the pool whose key is in the directory, or else whose database it replaces.
fn refuse_other(
    backup: DatabaseOwner,
    replaced: Option<&ReplacedDatabase>,
    choice: &RestoreChoice,
    file: &Path,
) -> Result<(), StoreError> {
    let current = replaced.map(|replaced| replaced.owner).unwrap_or_default();
    let current_pool = choice.pool.as_ref().map(|(id, _)| *id).or(current.pool);
    match (backup.pool, current_pool) {
        (Some(found), Some(expected)) if !choice.is_same(&found, &expected) => {
            return Err(StoreError::OtherPool { file: file.to_owned(), found, expected });
        }
        _ => {}
    }
    match (backup.asset, current.asset) {
        (Some(found), Some(expected)) if found != expected => {
            Err(StoreError::OtherAsset { file: file.to_owned(), found, expected })
        }
        _ => Ok(()),
    }
}

/// Opens a backup, which has a schema that this version knows.
fn open_backup(backup: &Path) -> Result<Connection, StoreError> {
    let no_backup = |why: String| StoreError::NoBackup { file: backup.to_owned(), why };
    let failed = |error: rusqlite::Error| no_backup(error.to_string());
    let read = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let absolute = fs::canonicalize(backup).map_err(|error| no_backup(error.to_string()))?;
    // To open a named pipe would wait for ever.
    if !fs::metadata(&absolute).is_ok_and(|file| file.is_file()) {
        return Err(no_backup("it is not a regular file".to_owned()));
    }
    let from = Connection::open_with_flags(absolute, read).map_err(failed)?;
    connection::prepare_reading(&from).map_err(failed)?;
    match schema::version(&from, backup) {
        Ok(0) => Err(no_backup("it is empty".to_owned())),
        Ok(_) => Ok(from),
        Err(StoreError::Foreign { .. }) => Err(no_backup("it is not the database of a pool".to_owned())),
        Err(newer @ StoreError::NewerSchema { .. }) => Err(newer),
        Err(other) => Err(no_backup(other.to_string())),
    }
}

/// Copies a backup to a new file, checks it, and gives it its incarnation and what is lost. Returns the number of its newest batch,
/// the incarnation, and how many peers its nodes have yet to drop.
fn copy(
    dir: &OpenDir,
    from: &Connection,
    backup: &Path,
    path: &Path,
    lost: Option<&LostPeers>,
) -> Result<(u64, u64, u64), StoreError> {
    let no_backup = |why: String| StoreError::NoBackup { file: backup.to_owned(), why };
    let _from_an_earlier_try = fs::remove_file(path);
    drop(
        dir.open_lock(PART)
            .map_err(|error| StoreError::Directory { dir: dir.path().to_owned(), why: error.to_string() })?,
    );
    let failed = |error: rusqlite::Error| store_error(&error, path);
    let write = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut copy = Connection::open_with_flags(path, write).map_err(failed)?;
    connection::prepare_reading(&copy).map_err(failed)?;
    let copied = Backup::new(from, &mut copy).and_then(|copying| copying.step(-1).map(drop));
    copied.map_err(|error| match store_error(&error, path) {
        StoreError::Corrupt { .. } => no_backup(error.to_string()),
        other => other,
    })?;
    let problem: String = copy
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| no_backup(error.to_string()))?;
    if problem != "ok" {
        return Err(no_backup(problem));
    }
    copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).map_err(failed)?;
    copy.pragma_update(None, "synchronous", "full").map_err(failed)?;
    let version = schema::version(&copy, path)?;
    schema::migrate(&mut copy, version).map_err(failed)?;
    skip_lost_numbers(&copy).map_err(failed)?;
    // At once: each change on its own would wait for the disk.
    let change = copy.transaction().map_err(failed)?;
    let dropped = lost.map_or(Ok(0), |lost| lost.drop_in(&change)).map_err(failed)?;
    change.commit().map_err(failed)?;
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    // The pool that starts with it ends what runs in the backup, and takes no link that may have ended since.
    let restore = RestoreRow { at: Ms::new(now.cast_unsigned()), is_settled: false };
    restore_table::write(&copy, restore).map_err(failed)?;
    copy.execute("UPDATE pool SET incarnation = max(incarnation + 1, ?1)", [now]).map_err(failed)?;
    let incarnation: i64 = copy.query_row("SELECT incarnation FROM pool", [], |row| row.get(0)).map_err(failed)?;
    Ok((schema::seq(&copy).map_err(failed)?, incarnation.cast_unsigned(), dropped))
}
