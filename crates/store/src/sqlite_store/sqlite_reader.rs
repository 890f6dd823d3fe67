use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, backup::Backup};
use vipnode_files::OpenDir;
use vipnode_pool_core::MeteredPeriod;
use vipnode_types::{Amount, Asset, NodeId, meter};

use super::{
    DATABASE, acknowledged::Acknowledged, connection, lease_table, ledger_check, node_table, period_table, price_table,
    schema, sqlite_error::store_error, times_table,
};
use crate::StoreError;

/// A check stops to list problems after this many.
const PROBLEMS: usize = 100;

/// A read-only connection to the database of a pool, which may be running: a reader sees the database as of one batch, and
/// the pool continues to write. The database of a stopped pool stays as it is, and so does its log.
#[derive(Debug)]
pub struct SqliteReader {
    /// The pool's directory; `None` for a backup.
    dir: Option<OpenDir>,
    file: PathBuf,
    connection: Connection,
    /// What was acknowledged when the database was opened.
    noted: Option<u64>,
}

/// What a check of a database found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatabaseCheck {
    /// The number of the newest batch that was checked.
    pub seq: u64,
    /// The number of nodes.
    pub nodes: u64,
    /// The number of running leases.
    pub leases: u64,
    /// The number of finished billing periods.
    pub periods: u64,
    /// What they billed, in milliseconds.
    pub billed_ms: u128,
    /// What they cost; at most 2^128 - 1.
    pub cost: Amount,
    /// What the pool charges in.
    pub asset: Asset,
    /// What is wrong, at most 100 lines.
    pub problems: Vec<String>,
}

impl SqliteReader {
    /// Opens the database in the directory of a pool. Creates nothing.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let unusable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::NoDatabase { file: dir.join(DATABASE) },
            _ => StoreError::Unreadable { dir: dir.to_owned(), why: error.to_string() },
        };
        let opened = OpenDir::open(dir).map_err(unusable)?;
        let (file, path) = (opened.file(DATABASE), opened.real_path().map_err(unusable)?.join(DATABASE));
        connection::refuse_lost_database(&opened)?;
        connection::refuse_other_files(&opened)?;
        if !file.exists() {
            return Err(StoreError::NoDatabase { file });
        }
        // Read-write for the system: a reader, too, has to lock the log. The database is opened for queries only.
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let failed = |error| store_error(&error, &file);
        // Before the database is read: a pool that runs commits first.
        let noted = Acknowledged::noted(&opened);
        let connection = match opened.is_on_read_only_disk() {
            Ok(true) if connection::has_bytes(&opened, connection::LOG) => {
                return Err(StoreError::ReadOnlyDisk { file });
            }
            // Nobody can write there, so the database needs no lock, for which it would write.
            Ok(true) => open_unchanging(&path).map_err(failed)?,
            _ => Connection::open_with_flags(path, flags).map_err(failed)?,
        };
        connection::prepare(&connection, &opened).map_err(failed)?;
        connection.pragma_update(None, "query_only", true).map_err(failed)?;
        if schema::version(&connection, &file)? == 0 {
            Acknowledged::check(&opened, noted, 0)?;
            return Err(StoreError::NoDatabase { file });
        }
        Ok(Self { dir: Some(opened), file, connection, noted })
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
        let failed = |error| store_error(&error, file);
        let connection = open_unchanging(&path).map_err(failed)?;
        connection::prepare_reading(&connection).map_err(failed)?;
        if schema::version(&connection, file)? == 0 {
            return Err(StoreError::Foreign { file: file.to_owned() });
        }
        Ok(Self { dir: None, file: file.to_owned(), connection, noted: None })
    }

    /// Checks that a database whose newest batch is `stored` has all that was acknowledged when it was opened.
    fn check_acknowledged(&self, stored: u64) -> Result<(), StoreError> {
        self.dir.as_ref().map_or(Ok(()), |dir| Acknowledged::check(dir, self.noted, stored))
    }

    /// Copies the database into a new file, durable when this returns. Returns the number of the newest batch in the copy.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::Backup`] if the file exists or cannot be written. A failed copy is deleted.
    pub fn back_up(&self, to: &Path) -> Result<u64, StoreError> {
        let unusable = |error: io::Error| StoreError::Backup { file: to.to_owned(), why: error.to_string() };
        let path = absolute(to).map_err(unusable)?;
        if fs::symlink_metadata(&path).is_ok() {
            return Err(unusable(io::ErrorKind::AlreadyExists.into()));
        }
        // Half a copy looks like a backup, so it has another name, of this process alone.
        let mut part = path.clone().into_os_string();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        let mut new = OpenOptions::new();
        new.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
        drop(new.open(&part).map_err(unusable)?);
        let copied = self.copy_into(&part).map_err(|error| store_error(&error, to)).and_then(|seq| {
            self.check_acknowledged(seq)?;
            fs::File::open(&part).and_then(|file| file.sync_all()).map_err(unusable)?;
            fs::rename(&part, &path).map_err(unusable)?;
            path.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all()).map_err(unusable)?;
            Ok(seq)
        });
        if copied.is_err() {
            let _left = fs::remove_file(&part);
        }
        copied
    }

    fn copy_into(&self, new: &Path) -> rusqlite::Result<u64> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let mut copy = Connection::open_with_flags(new, flags)?;
        // All pages at once, as of one batch; the pool writes on meanwhile.
        Backup::new(&self.connection, &mut copy).and_then(|backup| backup.step(-1).map(drop))?;
        let seq = schema::seq(&copy)?;
        // The copy is one file, without a log.
        copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
        Ok(seq)
    }

    /// Checks the pages and the rows, and computes again what was metered.
    ///
    /// # Errors
    /// See [`StoreError`]; what is wrong with the content is in the result.
    pub fn check(&self) -> Result<DatabaseCheck, StoreError> {
        let mut check = DatabaseCheck::default();
        match self.read_all(&mut check).map_err(|error| store_error(&error, &self.file)) {
            // Found by reading, such as a damaged page or a row in another form.
            Err(StoreError::Corrupt { why }) => check.add(why),
            other => other?,
        }
        Ok(check)
    }

    fn read_all(&self, check: &mut DatabaseCheck) -> rusqlite::Result<()> {
        // One transaction, so that all tables are read as of the same batch.
        let connection = self.connection.unchecked_transaction()?;
        check.seq = schema::seq(&connection)?;
        if let Err(lost) = self.check_acknowledged(check.seq) {
            check.add(lost.to_string());
        }
        let mut pages = connection.prepare("PRAGMA integrity_check(10)")?;
        for line in pages.query_map([], |row| row.get::<_, String>(0))? {
            let line = line?;
            if line != "ok" {
                check.add(line);
            }
        }
        let next_lease = connection.query_row("SELECT next_lease FROM pool", [], |row| row.get::<_, Option<i64>>(0))?;
        let next_lease = next_lease.map(i64::cast_unsigned);
        check.asset = price_table::read_asset(&connection)?.unwrap_or_default();
        let mut nodes = BTreeSet::new();
        node_table::read(&connection, &mut |row| {
            nodes.insert(row.id);
        })?;
        check.nodes = count(nodes.len());
        lease_table::read(&connection, &mut |lease| {
            check.leases = check.leases.saturating_add(1);
            check.lease(lease.id.get(), [lease.client, lease.host], &nodes, next_lease);
        })?;
        times_table::read(&connection, &mut |row| {
            if !nodes.contains(&row.client) {
                check.add(format!("the time of client {} is stored, but the client is not", row.client.short()));
            }
        })?;
        ledger_check::check(&connection, &mut |problem| check.add(problem))?;
        period_table::read_deferred(&connection, &mut |period| check.period(&period, next_lease))?;
        period_table::read_journal(&connection, 0, usize::MAX, &mut |_, period| {
            check.periods = check.periods.saturating_add(1);
            check.billed_ms = check.billed_ms.saturating_add(period.total_billed_ms().into());
            check.cost = check.cost.checked_add(period.total_cost()).unwrap_or(Amount::MAX);
            check.period(&period, next_lease);
        })
    }
}

impl DatabaseCheck {
    fn add(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn lease(&mut self, id: u64, sides: [NodeId; 2], nodes: &BTreeSet<NodeId>, next_lease: Option<u64>) {
        for side in sides.iter().filter(|side| !nodes.contains(side)) {
            self.add(format!("lease {id} is stored, but its node {} is not", side.short()));
        }
        self.number(id, next_lease);
    }

    /// A number that is not below that of the next lease could be assigned again.
    fn number(&mut self, id: u64, next_lease: Option<u64>) {
        if next_lease.is_some_and(|next| id >= next) {
            self.add(format!("lease {id} has a number that was not assigned yet"));
        }
    }

    fn period(&mut self, period: &MeteredPeriod, next_lease: Option<u64>) {
        let MeteredPeriod { lease, client, host, billed_ms, cost, .. } = period;
        let billed_again = meter::billed_ms(*client, *host);
        let cost_again = lease.price.cost_from(billed_again, lease.carry).map_or(Amount::ZERO, |(cost, _)| cost);
        if (billed_again, cost_again) != (*billed_ms, *cost) {
            let (id, row, asset) = (lease.id, lease.row, lease.price.asset());
            let (cost, cost_again) = (asset.show(*cost), asset.show(cost_again));
            self.add(format!(
                "period {row} of lease {id} bills {billed_ms} ms and {cost}, but both sides saw {billed_again} ms, which cost \
                 {cost_again}"
            ));
        }
        self.number(lease.id.get(), next_lease);
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

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
