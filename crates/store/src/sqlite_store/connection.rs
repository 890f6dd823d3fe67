//! Opens the database. Everything is checked before anything in the file is changed.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use vipnode_files::OpenDir;

use super::{DATABASE, acknowledged::Acknowledged, schema, sqlite_error::store_error, start_check::check_pages};
use crate::StoreError;

/// The log: what was committed and is not yet copied into the database.
pub(super) const LOG: &str = "pool.db-wal";
/// The index of the log, in memory that processes share.
pub(super) const INDEX: &str = "pool.db-shm";
/// How long a commit waits for another program, such as a backup, that has the database locked.
pub(super) const WAIT: Duration = Duration::from_secs(2);
/// Kibibytes of pages that a connection keeps.
const CACHE_KIB: i64 = 16 * 1024;
/// The log is copied into the database when it has this many pages (16 MB): pages that change often are copied once.
pub(super) const LOG_PAGES: u32 = 4_096;
/// A log that is longer than this many bytes is cut when it is used again from the start.
const LOG_BYTES: i64 = 64 << 20;
/// A start reads this much of the database from the disk in one sequence first: a pool reads nearly all of it, in an order in
/// which a disk is many times slower.
const READ_AHEAD: u64 = 1 << 30;
/// Bytes that are read ahead at a time.
const READ_AHEAD_PART: usize = 1 << 20;

/// Opens the connection that writes. The database is created if it does not exist. One that has less than what was
/// acknowledged stays as it is, and so does its log, for the operator to repair.
pub(super) fn open(dir: &OpenDir, file: &Path) -> Result<Connection, StoreError> {
    refuse_lost_database(dir)?;
    refuse_other_files(dir)?;
    create_file(dir, file)?;
    read_ahead(dir);
    let unusable = |error: io::Error| StoreError::Directory { dir: dir.path().to_owned(), why: error.to_string() };
    let path = dir.real_path().map_err(unusable)?.join(DATABASE);
    // No link on the way: the path is that of the directory that was checked.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let failed = |error| store_error(&error, file);
    let prepared = || {
        let connection = Connection::open_with_flags(&path, flags)?;
        prepare(&connection, dir).map(|()| connection)
    };
    let mut connection = prepared().map_err(failed)?;
    let version = schema::version(&connection, file)?;
    let stored = if version == 0 { 0 } else { schema::seq(&connection).map_err(failed)? };
    Acknowledged::check(dir, Acknowledged::noted(dir), stored)?;
    if version > 0 {
        check_pages(&connection, file, prepared)?;
    }
    use_log(&connection, file)?;
    schema::migrate(&mut connection, version).map_err(failed)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(failed)?;
    Ok(connection)
}

/// A new database would make all nodes strangers, and the log of the old one would be deleted: SQLite does so if the
/// database is empty. Opens no file of the database.
///
/// # Errors
/// [`StoreError::LostDatabase`].
pub(super) fn refuse_lost_database(dir: &OpenDir) -> Result<(), StoreError> {
    if !has_bytes(dir, DATABASE) && (has_bytes(dir, LOG) || Acknowledged::is_there(dir)) {
        return Err(StoreError::LostDatabase { file: dir.file(DATABASE) });
    }
    Ok(())
}

/// SQLite would wait for ever for what is written to a named pipe.
///
/// # Errors
/// [`StoreError::NotFile`].
pub(super) fn refuse_other_files(dir: &OpenDir) -> Result<(), StoreError> {
    // A link in place of the database has an error of its own.
    let is_other = |name: &&str| {
        fs::symlink_metadata(dir.file(name))
            .is_ok_and(|there| !(there.is_file() || *name == DATABASE && there.is_symlink()))
    };
    let other = [DATABASE, LOG, "pool.db-shm", "pool.db-journal"].into_iter().find(is_other);
    other.map_or(Ok(()), |name| Err(StoreError::NotFile { file: dir.file(name) }))
}

pub(super) fn has_bytes(dir: &OpenDir, name: &str) -> bool {
    fs::symlink_metadata(dir.file(name)).is_ok_and(|file| file.len() > 0)
}

/// Creates the file with the owner and the mode of the pool's other files. The database gives its own files the same.
/// The file must not be opened again, except by the database: closing it would release the database's locks.
fn create_file(dir: &OpenDir, file: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { file: file.to_owned() }
        }
        io::ErrorKind::StorageFull => StoreError::Full { file: file.to_owned() },
        _ => StoreError::Directory { dir: dir.path().to_owned(), why: format!("{DATABASE}: {error}") },
    };
    let opened = dir.open_lock(DATABASE).map_err(failed)?;
    if dir.is_of_another(&opened).map_err(failed)? {
        return Err(StoreError::OfAnother { file: file.to_owned() });
    }
    // A file that was copied here may be readable by others.
    let log = [LOG, INDEX].into_iter().filter_map(|name| dir.open_file(name).ok());
    std::iter::once(opened).chain(log).try_for_each(|file| close_to_others(&file)).map_err(failed)
}

/// Has the system keep the pages of a database in memory, before it is opened: closing a file would release its locks. Returns
/// how many bytes it read; what cannot be read shows when the database reads it.
pub(super) fn read_ahead(dir: &OpenDir) -> usize {
    let Ok(file) = dir.open_file(DATABASE) else { return 0 };
    let (mut file, mut bytes) = (BufReader::with_capacity(READ_AHEAD_PART, file.take(READ_AHEAD)), 0_usize);
    while let Ok(read @ [_, ..]) = file.fill_buf() {
        let length = read.len();
        file.consume(length);
        bytes = bytes.saturating_add(length);
    }
    bytes
}

/// Prepares a connection to the database in a directory.
pub(super) fn prepare(connection: &Connection, dir: &OpenDir) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(WAIT)?;
    // The last connection that closes would copy the log into the database and delete it, also one that is damaged.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_bytes(dir, LOG))?;
    prepare_reading(connection)
}

/// Prepares a connection to a database of which nothing is known.
pub(super) fn prepare_reading(connection: &Connection) -> Result<(), rusqlite::Error> {
    // Neither a damaged nor a forged schema can run anything.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    // The plan of a statement depends on no value that is bound to it, or it would be parsed again for each.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB.saturating_neg())
}

/// Makes each commit one durable write to the log.
fn use_log(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let failed = |error| store_error(&error, file);
    let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0));
    let mode = mode.map_err(failed)?;
    if mode != "wal" {
        let why = format!("the file system of {} does not support a log of the database (WAL)", file.display());
        return Err(StoreError::Unavailable { why });
    }
    connection.pragma_update(None, "synchronous", "full").map_err(failed)?;
    let set = |name, value| connection.pragma_update_and_check(None, name, value, |_| Ok(())).map_err(failed);
    // The gate of the log decides when it is copied, not each commit.
    set("wal_autocheckpoint", 0)?;
    set("journal_size_limit", LOG_BYTES)
}

/// Leaves a file to its owner alone.
#[cfg(unix)]
fn close_to_others(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { file.set_permissions(fs::Permissions::from_mode(mode & 0o700)) }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
const fn close_to_others(_file: &fs::File) -> io::Result<()> {
    Ok(())
}
