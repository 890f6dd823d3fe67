use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use rusqlite::{Connection, OpenFlags};
use vipnode_files::OpenDir;

use super::{
    DATABASE,
    acknowledged::Acknowledged,
    connection,
    log_gate::{LogGate, LogLimits},
    online_backup::OnlineBackup,
    part_file::PartFile,
    read_slice::ReadSlice,
    restore_marker::RestoreMarker,
    schema,
    sqlite_error::store_error,
    sqlite_snapshot::SqliteSnapshot,
};
use crate::{
    DatabaseCheck, ReadLimits, StoreError, StoreReader, StoreSnapshot,
    read_permits::{DurableSeq, ReadPermits},
};

/// Steps of the database between two looks at the clock: some 10 us.
const STEPS: i32 = 1_000;

/// Read-only connections to the database of a pool, which may be running: a snapshot is as of one batch, and the pool
/// continues to write. The database of a stopped pool stays as it is, and so does its log.
#[derive(Debug)]
pub struct SqliteReader {
    /// The pool's directory; `None` for a backup.
    dir: Option<OpenDir>,
    pub(super) file: PathBuf,
    /// Where a backup is, without links on the way.
    path: PathBuf,
    /// What was acknowledged when the database was opened.
    noted: Option<u64>,
    permits: ReadPermits,
    durable: Arc<DurableSeq>,
    gate: Arc<LogGate>,
    /// Connections that no snapshot uses.
    idle: Mutex<Vec<Connection>>,
}

impl SqliteReader {
    /// Opens the database in the directory of a pool. Creates nothing.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(dir: &Path, limits: ReadLimits) -> Result<Self, StoreError> {
        let opened = OpenDir::open(dir).map_err(|error| unreadable(dir, &error))?;
        RestoreMarker::check(&opened)?;
        connection::refuse_lost_database(&opened)?;
        connection::refuse_other_files(&opened)?;
        let reader = Self::of(opened, limits, Arc::default(), open_gate());
        if !reader.file.exists() {
            return Err(StoreError::NoDatabase { file: reader.file });
        }
        let connection = reader.connect()?;
        match schema::version(&connection, &reader.file)? {
            0 => {
                reader.check_acknowledged(0)?;
                return Err(StoreError::NoDatabase { file: reader.file });
            }
            version => schema::check_newest(version, &reader.file)?,
        }
        reader.idle().push(connection);
        Ok(reader)
    }

    /// Returns the reader of a database whose writer reports its durable batches, and resets its log.
    pub(super) fn of(dir: OpenDir, limits: ReadLimits, durable: Arc<DurableSeq>, gate: Arc<LogGate>) -> Self {
        let file = dir.file(DATABASE);
        Self::new(Some(dir), file, limits, (durable, gate))
    }

    fn new(
        dir: Option<OpenDir>,
        file: PathBuf,
        limits: ReadLimits,
        (durable, gate): (Arc<DurableSeq>, Arc<LogGate>),
    ) -> Self {
        // Before the database is read: a pool that runs commits first.
        let noted = dir.as_ref().and_then(Acknowledged::noted);
        let permits = ReadPermits::new(limits);
        Self { dir, path: file.clone(), file, noted, permits, durable, gate, idle: Mutex::default() }
    }

    pub(super) fn connect(&self) -> Result<Connection, StoreError> {
        let failed = |error| store_error(&error, &self.file);
        let Some(dir) = &self.dir else {
            let connection = open_unchanging(&self.path).map_err(failed)?;
            connection::prepare_reading(&connection).map_err(failed)?;
            return Ok(connection);
        };
        let path = dir.real_path().map_err(|error| unreadable(dir.path(), &error))?.join(DATABASE);
        // Read-write for the system: a reader, too, has to lock the log. The database is opened for queries only.
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = match dir.is_on_read_only_disk() {
            Ok(true) if connection::has_bytes(dir, connection::LOG) => {
                return Err(StoreError::ReadOnlyDisk { file: self.file.clone() });
            }
            // Nobody can write there, so the database needs no lock, for which it would write.
            Ok(true) => open_unchanging(&path).map_err(failed)?,
            _ => Connection::open_with_flags(path, flags).map_err(failed)?,
        };
        connection::prepare(&connection, dir).map_err(failed)?;
        connection.pragma_update(None, "query_only", true).map_err(failed)?;
        Ok(connection)
    }

    /// Opens a backup, which is one file and does not change.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_backup(file: &Path) -> Result<Self, StoreError> {
        let unusable = |error: io::Error| StoreError::NoBackup { file: file.to_owned(), why: error.to_string() };
        let path = absolute(file).map_err(unusable)?;
        if !fs::symlink_metadata(&path).map_err(unusable)?.is_file() {
            return Err(StoreError::NotFile { file: file.to_owned() });
        }
        fs::File::open(&path).map_err(unusable)?;
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        // A running pool has one, and what it committed last may be only there.
        if Path::new(&log).exists() {
            return Err(StoreError::HasLog { file: file.to_owned() });
        }
        let reader = Self::new(None, path, ReadLimits::WHOLE_DATABASE, (Arc::default(), open_gate()));
        let reader = Self { file: file.to_owned(), ..reader };
        let connection = reader.connect()?;
        match schema::version(&connection, file)? {
            0 => return Err(StoreError::Foreign { file: file.to_owned() }),
            version => schema::check_newest(version, file)?,
        }
        reader.idle().push(connection);
        Ok(reader)
    }

    /// Checks that a database whose newest batch is `stored` has all that was acknowledged when it was opened.
    fn check_acknowledged(&self, stored: u64) -> Result<(), StoreError> {
        self.dir.as_ref().map_or(Ok(()), |dir| Acknowledged::check(dir, self.noted, stored))
    }

    /// No code panics while it holds the lock; if one did, the list would still be whole.
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a connection for the next snapshot.
    pub(super) fn give_back(&self, connection: Connection) {
        self.idle().push(connection);
    }

    pub(super) fn snapshot(&self, written: u64) -> Result<SqliteSnapshot<'_>, StoreError> {
        let permit = self.permits.take()?;
        self.durable.wait(written, &permit)?;
        let pass = LogGate::enter(&self.gate, permit.deadline());
        let idle = self.idle().pop();
        let mut connection = idle.map_or_else(|| self.connect(), Ok)?;
        let deadline = permit.deadline();
        let is_canceled = pass.watch();
        let mut slice = ReadSlice::begin(Instant::now());
        let ends = move || {
            let now = Instant::now();
            slice.yield_if_over(now);
            is_canceled() || now >= deadline
        };
        let failed = |error| store_error(&error, &self.file);
        connection.progress_handler(STEPS, Some(ends)).map_err(failed)?;
        SqliteSnapshot::begin(self, connection, permit, pass)
    }

    /// Copies the database into a new file, durable when this returns. Returns the number of the newest batch in the
    /// copy.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::Backup`] if the file exists or cannot be written. A failed copy is deleted.
    pub fn back_up(&self, to: &Path) -> Result<u64, StoreError> {
        let unusable = |error: io::Error| StoreError::Backup { file: to.to_owned(), why: error.to_string() };
        let path = absolute(to).map_err(unusable)?;
        if fs::symlink_metadata(&path).is_ok() {
            return Err(unusable(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file with this name")));
        }
        let connection = self.connect()?;
        let part = PartFile::create(&path).map_err(unusable)?;
        let seq = OnlineBackup::new(&connection, &part, to).make(thread::sleep)?;
        self.check_acknowledged(seq)?;
        part.finish().map_err(unusable)?;
        Ok(seq)
    }

    /// Checks the pages and the rows, and computes again what was metered.
    ///
    /// # Errors
    /// See [`StoreError`]; what is wrong with the content is in the result.
    pub fn check(&self) -> Result<DatabaseCheck, StoreError> {
        let mut check = DatabaseCheck::default();
        match self.check_into(&mut check) {
            // Found by reading, such as a damaged page or a row in another form.
            Err(StoreError::Corrupt { why }) => check.add(why),
            other => other?,
        }
        Ok(check)
    }

    fn check_into(&self, check: &mut DatabaseCheck) -> Result<(), StoreError> {
        let mut snapshot = self.snapshot(0)?;
        check.seq = snapshot.seq();
        if let Err(lost) = self.check_acknowledged(check.seq) {
            check.add(lost.to_string());
        }
        snapshot.page_problems()?.into_iter().for_each(|problem| check.add(problem));
        snapshot.read_start_rows()?;
        snapshot.ledger_problems()?.into_iter().for_each(|problem| check.add(problem));
        check.rows(&mut snapshot)
    }
}

impl StoreReader for SqliteReader {
    fn read(&self, written: u64) -> Result<Box<dyn StoreSnapshot + '_>, StoreError> {
        Ok(Box::new(self.snapshot(written)?))
    }
}

/// The gate of a reader whose database no thread of this process writes.
fn open_gate() -> Arc<LogGate> {
    Arc::new(LogGate::new(LogLimits::of_pages(connection::LOG_PAGES)))
}

fn unreadable(dir: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound => StoreError::NoDatabase { file: dir.join(DATABASE) },
        _ => StoreError::Unreadable { dir: dir.to_owned(), why: error.to_string() },
    }
}

/// Opens a file that nobody changes, without locks and without a log.
fn open_unchanging(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{}?immutable=1", escaped(file)), flags)
}

/// A path in a URI.
fn escaped(path: &Path) -> String {
    use std::fmt::Write as _;

    let mut uri = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        let _infallible = match byte {
            b'/' | b'.' | b'-' | b'_' => write!(uri, "{}", char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => write!(uri, "{}", char::from(*byte)),
            byte => write!(uri, "%{byte:02x}"),
        };
    }
    uri
}

/// Returns the path without links on the way. SQLite takes some relative names for something else, such as `:memory:` and
/// `file:other.db`.
fn absolute(file: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(file)?;
    match (path.parent(), path.file_name()) {
        (Some(dir), Some(name)) => Ok(fs::canonicalize(dir)?.join(name)),
        _ => Err(io::ErrorKind::IsADirectory.into()),
    }
}
