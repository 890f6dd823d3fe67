//! The database of a pool, in one file. Contains the schema, the forms of the rows, and the connections. May call the
//! database and `vipnode-files`. This folder does not interpret the rows, and no SQL stands outside it.

mod acknowledged;
mod address_table;
mod bindings;
mod chain_check;
mod channel_table;
mod columns;
mod connection;
mod database_owner;
mod delegation_table;
mod entry_chain;
mod entry_table;
mod epoch_table;
mod fold_step;
mod folded_database;
mod folded_numbers;
mod interrupted_prune;
mod lease_table;
mod ledger_check;
mod ledger_tables;
mod log_gate;
mod lost_peers;
mod missing_entries;
mod narrow_tables;
mod node_id_table;
mod node_table;
mod online_backup;
mod part_file;
mod period_table;
mod price_table;
mod prune_marker;
mod prune_plan;
mod prune_step;
mod pruned_database;
mod read_slice;
mod recomputed_unpaid;
mod replaced_database;
mod restore_marker;
mod restore_table;
mod restored_database;
mod schema;
mod sqlite_error;
mod sqlite_reader;
mod sqlite_snapshot;
mod start_check;
mod start_rows;
mod stored_names;
mod stored_party;
#[cfg(test)]
mod tests;
mod times_table;

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use rusqlite::{Connection, TransactionBehavior, params};
use vipnode_files::OpenDir;
use vipnode_pool_core::{LedgerEntry, MeteredPeriod, Row, RowKey};
use vipnode_types::{Ms, PoolId};

use self::{
    acknowledged::Acknowledged,
    ledger_tables::LedgerTables,
    log_gate::{LogGate, LogLimits},
    restore_marker::RestoreMarker,
    sqlite_error::store_error,
};
pub use self::{
    fold_step::FoldStep,
    folded_database::FoldedDatabase,
    interrupted_prune::InterruptedPrune,
    prune_plan::PrunePlan,
    prune_step::{PruneOrder, PruneStep},
    pruned_database::PrunedDatabase,
    restored_database::{DroppedPeers, FormerDatabase, RestoredDatabase},
    sqlite_reader::SqliteReader,
};
use crate::{DatabaseFile, ReadLimits, Store, StoreError, StoreReader, read_permits::DurableSeq};

/// The file that keeps a second pool out of the directory. The database's own locks would let it in between two commits.
const LOCK: &str = "lock";
/// The file of the database.
const DATABASE: &str = "pool.db";
/// The file that is written, and deleted, to see whether there is space.
const SPARE: &str = "spare";
/// Its size: more than most commits.
const SPARE_BYTES: usize = 1 << 20;
/// Files of a version that had no database.
const FORMER_FILES: [&str; 3] = ["nodes", "times", "delegations"];

/// A store in a SQLite database in a directory. What it acknowledged survives a crash of the process and of the machine.
///
/// The database is in WAL mode with `synchronous=FULL`: one write and one sync for each [`apply`](Store::apply),
/// however many
/// rows it has.
#[derive(Debug)]
pub struct SqliteStore {
    dir: OpenDir,
    file: PathBuf,
    connection: Connection,
    /// The number of the newest durable batch.
    seq: u64,
    /// The same, for the readers.
    durable: Arc<DurableSeq>,
    acknowledged: Acknowledged,
    /// Where readers wait while the log is too large.
    gate: Arc<LogGate>,
    /// Whether the size of the log was checked since the last commit.
    is_tidy: bool,
    /// Held until the end.
    _lock: File,
}

impl SqliteStore {
    /// Opens the database in a directory. Both are created if they do not exist.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_with_log(dir, connection::LOG_PAGES)
    }

    /// Opens the database in a directory, and copies its log into it whenever the log has so many pages.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_with_log(dir: &Path, log_pages: u32) -> Result<Self, StoreError> {
        let unusable = |error: io::Error| StoreError::Directory { dir: dir.to_owned(), why: error.to_string() };
        let opened = OpenDir::create(dir).map_err(unusable)?;
        let lock = lock(&opened)?;
        RestoreMarker::refuse(&opened)?;
        let file = opened.file(DATABASE);
        refuse_former_files(&opened)?;
        let connection = connection::open(&opened, &file)?;
        let failed = |error| store_error(&error, &file);
        let seq = schema::seq(&connection).map_err(failed)?;
        if seq > 0 && Acknowledged::noted(&opened).is_none() {
            skip_lost_numbers(&connection).map_err(failed)?;
        }
        let acknowledged = Acknowledged::open(&opened, seq)?;
        let durable = Arc::new(DurableSeq::default());
        durable.report(seq);
        let gate = Arc::new(LogGate::new(LogLimits::of_pages(log_pages)));
        Ok(Self { dir: opened, file, connection, seq, durable, acknowledged, gate, is_tidy: true, _lock: lock })
    }

    /// Returns the directory, as it was when it was opened: other files of the pool in it are opened relative to it, too.
    #[must_use]
    pub const fn dir(&self) -> &OpenDir {
        &self.dir
    }

    /// Whether a pool is known to have written to the database in a directory. Opens no file of the database.
    #[must_use]
    pub fn has_written(dir: &OpenDir) -> bool {
        Acknowledged::noted(dir).is_some_and(|seq| seq > 0)
    }

    /// Whether a pool has the database of a directory open. Creates nothing.
    #[must_use]
    pub fn is_in_use(dir: &Path) -> bool {
        let lock = OpenDir::open(dir).and_then(|dir| dir.open_file(LOCK));
        lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Notes whose database it is, so that a backup of it is not restored for another pool. This is not a batch.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn note_pool(&self, pool: &PoolId) -> Result<(), StoreError> {
        database_owner::write_pool(&self.connection, pool).map_err(|error| store_error(&error, &self.file))
    }

    /// Whether nothing was ever written.
    #[must_use]
    pub const fn is_unused(&self) -> bool {
        self.seq == 0
    }

    /// Checks that the disk has some space left.
    fn spare_space(&self) -> io::Result<()> {
        let mut file = self.dir.open_lock(SPARE)?;
        let written = file.write_all(&vec![0; SPARE_BYTES]).and_then(|()| file.sync_all());
        fs::remove_file(self.dir.file(SPARE)).and(written)
    }

    /// Writes rows in one transaction, unless one of them conflicts with the journal.
    fn commit(&mut self, rows: &[Row], seq: u64) -> Result<Result<(), StoreError>, rusqlite::Error> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for row in rows {
            if !write(&transaction, row)? {
                return Ok(Err(conflict(row)));
            }
        }
        transaction.prepare_cached("UPDATE pool SET seq = ?1")?.execute([seq.cast_signed()])?;
        transaction.commit().map(Ok)
    }

    fn read_all(&self, each: &mut dyn FnMut(Row)) -> Result<(), rusqlite::Error> {
        // One transaction, so that all tables are read as of the same batch.
        let transaction = self.connection.unchecked_transaction()?;
        start_rows::read(&transaction, each)
    }
}

impl Store for SqliteStore {
    fn file(&self) -> Option<DatabaseFile> {
        Some(DatabaseFile::at(&self.file))
    }

    fn apply(&mut self, rows: &[Row]) -> Result<u64, StoreError> {
        self.tidy();
        let seq = self.seq.saturating_add(1);
        self.commit(rows, seq).map_err(|error| store_error(&error, &self.file))??;
        self.seq = seq;
        self.acknowledged.write(seq);
        self.durable.report(seq);
        self.is_tidy = false;
        Ok(seq)
    }

    fn tidy(&mut self) {
        if !std::mem::replace(&mut self.is_tidy, true) {
            self.gate.after_commit(&self.connection);
        }
    }

    /// A small commit may still fit where a larger one does not: a pool that continued after it would fail again.
    fn probe(&mut self) -> Result<(), StoreError> {
        self.spare_space().map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { file: self.file.clone() },
            _ => StoreError::Unavailable { why: format!("{}: {error}", self.dir.file(SPARE).display()) },
        })?;
        self.apply(&[]).map(drop)
    }

    fn load(&mut self, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        self.read_all(each).map_err(|error| store_error(&error, &self.file))
    }

    fn metered(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(u64, MeteredPeriod)) -> Result<(), StoreError> {
        period_table::read_journal(&self.connection, from, limit, each).map_err(|error| store_error(&error, &self.file))
    }

    fn entries(&mut self, from: u64, limit: usize, each: &mut dyn FnMut(LedgerEntry)) -> Result<(), StoreError> {
        entry_table::read(&self.connection, from, limit, each).map_err(|error| store_error(&error, &self.file))
    }

    fn prune(&mut self, order: PruneOrder, position: u64, most: usize) -> Result<PruneStep, StoreError> {
        self.prune_step(order, position, most)
    }

    fn fold(&mut self, before: Ms, after: u64, most: usize) -> Result<FoldStep, StoreError> {
        self.tidy();
        let step = FoldStep::make(&mut self.connection, before, after, most);
        let step = step.map_err(|error| store_error(&error, &self.file))?;
        self.is_tidy = false;
        Ok(step)
    }

    fn reader(&self, limits: ReadLimits) -> Result<Arc<dyn StoreReader>, StoreError> {
        Ok(Arc::new(SqliteReader::of(self.dir.clone(), limits, Arc::clone(&self.durable), Arc::clone(&self.gate))))
    }
}

/// Keeps other pools out of a directory, until the file is closed.
fn lock(dir: &OpenDir) -> Result<File, StoreError> {
    let unusable = |error: io::Error| StoreError::Directory { dir: dir.path().to_owned(), why: error.to_string() };
    let lock = dir.open_lock(LOCK).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { dir: dir.path().to_owned() }),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Writes a row. Returns false if it is in the journal with another value.
fn write(connection: &Connection, row: &Row) -> Result<bool, rusqlite::Error> {
    match row {
        Row::Node(node) => node_table::write(connection, node),
        Row::Lease(lease) => lease_table::write(connection, lease),
        Row::Metered(period) => return period_table::append(connection, period),
        Row::LastReport(reports) => node_table::write_reports(connection, reports),
        Row::Times(times) => times_table::write(connection, times),
        Row::Deferred(period) => period_table::write_deferred(connection, period),
        Row::Delegation(row) => delegation_table::write(connection, row),
        Row::Clock(floor) => set(connection, "UPDATE pool SET clock = ?1", floor.get()),
        Row::NextLease(next) => set(connection, "UPDATE pool SET next_lease = ?1", *next),
        Row::Restore(row) => restore_table::write(connection, *row),
        Row::Asset(asset) => price_table::write_asset(connection, *asset),
        Row::Payment(mode) => ledger_tables::write_payment(connection, *mode),
        Row::Pricing(row) => price_table::write_pricing(connection, row),
        Row::Entry(entry) => return entry_table::append(connection, entry),
        Row::Account(row) => ledger_tables::write_account(connection, LedgerTables::Current, *row),
        Row::Link(row) => ledger_tables::write_link(connection, row),
        Row::LinkCounter(account, counter) => ledger_tables::write_link_counter(connection, *account, *counter),
        Row::Channel(row) => channel_table::write(connection, row),
        Row::Unpaid(row) => ledger_tables::write_unpaid(connection, LedgerTables::Current, *row),
        Row::Period(row) => ledger_tables::write_period(connection, *row),
        Row::Payout(row) => ledger_tables::write_payout(connection, LedgerTables::Current, *row),
        Row::Epoch(row) => epoch_table::write_epoch(connection, row),
        Row::EpochClaim(row) => epoch_table::write_claim(connection, row),
        Row::ChainTransaction(row) => epoch_table::write_transaction(connection, row),
        Row::Delete(RowKey::Node(id)) => node_table::delete(connection, id),
        Row::Delete(RowKey::Lease(id)) => lease_table::delete(connection, *id),
        Row::Delete(RowKey::Times(id)) => times_table::delete(connection, id),
        Row::Delete(RowKey::Deferred(client, host)) => period_table::delete_deferred(connection, client, host),
        Row::Delete(RowKey::Delegation(id)) => delegation_table::delete(connection, id),
        Row::Delete(RowKey::Link(node)) => ledger_tables::delete_link(connection, node),
        Row::Delete(RowKey::Unpaid(entry)) => ledger_tables::delete_unpaid(connection, LedgerTables::Current, *entry),
        Row::Delete(RowKey::Payout(number)) => ledger_tables::delete_payout(connection, *number),
        Row::Delete(RowKey::EpochClaim(signer)) => epoch_table::delete_claim(connection, *signer),
        Row::Delete(RowKey::ChainTransaction(nonce)) => epoch_table::delete_transaction(connection, *nonce),
    }?;
    Ok(true)
}

fn set(connection: &Connection, sql: &str, value: u64) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(sql)?.execute(params![value.cast_signed()])?;
    Ok(())
}

/// Agents may hold leases that a restored database does not know, whose numbers must not be used again. No pool uses a
/// million numbers per second.
fn skip_lost_numbers(connection: &Connection) -> Result<(), rusqlite::Error> {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
    let unused = i64::try_from(now).unwrap_or(i64::MAX);
    // The clock may be behind the one with which the numbers were made.
    const SKIP: &str = "UPDATE pool SET next_lease = max(coalesce(next_lease, 0), coalesce(clock, 0) * 1000, ?1)";
    connection.execute(SKIP, [unused]).map(drop)
}

fn conflict(row: &Row) -> StoreError {
    match row {
        Row::Metered(period) => StoreError::Conflict { lease: period.lease.id, row: period.lease.row },
        Row::Entry(entry) => StoreError::EntryConflict { number: entry.number },
        _ => StoreError::Corrupt { why: "a row that is not in the journal conflicts with it".to_owned() },
    }
}

/// An empty database next to the files of a pool without one would make all its nodes strangers.
fn refuse_former_files(dir: &OpenDir) -> Result<(), StoreError> {
    let is_there = |name: &str| dir.open_file(name).is_ok();
    match FORMER_FILES.into_iter().find(|name| is_there(name)) {
        Some(name) if !is_there(DATABASE) => Err(StoreError::FormerFiles { file: dir.file(name) }),
        _ => Ok(()),
    }
}
