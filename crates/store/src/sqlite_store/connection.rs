//! Opens the database. Everything is checked before anything in the file is changed.

use std::{io, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use vipnode_files::OpenDir;

use super::{DATABASE, schema, sqlite_error::store_error};
use crate::StoreError;

/// How long a commit waits for another program, such as a backup, that has the database locked.
const WAIT: Duration = Duration::from_secs(2);
/// Kibibytes of pages that a connection keeps.
const CACHE_KIB: i64 = 16 * 1024;
/// The log is copied into the database when it has this many pages (16 MB): pages that change often are copied once.
const LOG_PAGES: i64 = 4_096;
/// The log is cut to this many bytes after it was copied.
const LOG_BYTES: i64 = 64 << 20;

/// Opens the connection that writes. The database is created if it does not exist.
pub(super) fn open(dir: &OpenDir, file: &Path) -> Result<Connection, StoreError> {
    create_file(dir, file)?;
    let unusable = |error: io::Error| StoreError::Directory { dir: dir.path().to_owned(), why: error.to_string() };
    let path = dir.real_path().map_err(unusable)?.join(DATABASE);
    // No link on the way: the path is that of the directory that was checked.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let failed = |error| store_error(&error, file);
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    prepare(&connection).map_err(failed)?;
    let version = schema::version(&connection, file)?;
    use_log(&connection, file)?;
    schema::migrate(&mut connection, version).map_err(failed)?;
    Ok(connection)
}

/// Creates the file with the owner and the mode of the pool's other files. The database gives its own files the same.
/// The file must not be opened again, except by the database: closing it would release the database's locks.
fn create_file(dir: &OpenDir, file: &Path) -> Result<(), StoreError> {
    dir.open_lock(DATABASE).map(drop).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { file: file.to_owned() }
        }
        io::ErrorKind::StorageFull => StoreError::Full { file: file.to_owned() },
        _ => StoreError::Directory { dir: dir.path().to_owned(), why: format!("{DATABASE}: {error}") },
    })
}

pub(super) fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(WAIT)?;
    // Neither a damaged nor a forged schema can run anything.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
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
    set("wal_autocheckpoint", LOG_PAGES)?;
    set("journal_size_limit", LOG_BYTES)
}
