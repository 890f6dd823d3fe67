use std::{cell::Cell, ops::RangeInclusive, time::Instant};

use rusqlite::Connection;
use vipnode_pool_core::{
    AccountFigures, HostPayout, LeaseRow, LedgerAccount, LedgerEntry, MeteredPeriod, NodeRow, PayoutRow, TimesRow,
};
use vipnode_types::{Asset, LeaseId, Ms, NodeId};

use super::{
    columns::Columns,
    entry_table, lease_table, ledger_check,
    ledger_tables::{self, LedgerTables},
    log_gate::GatePass,
    node_table, period_table, price_table,
    read_slice::ReadSlice,
    schema,
    sqlite_error::store_error,
    sqlite_reader::SqliteReader,
    start_rows, times_table,
};
use crate::{StatementParties, StoreError, StoreSnapshot, TrimmedJournal, read_permits::ReadPermit};

/// The database as of one batch: a transaction that reads.
pub(super) struct SqliteSnapshot<'a> {
    reader: &'a SqliteReader,
    /// Taken when the snapshot is dropped.
    connection: Option<Connection>,
    permit: ReadPermit<'a>,
    pass: GatePass,
    /// Between queries. Within one, the progress handler has its own.
    slice: Cell<ReadSlice>,
    seq: u64,
}

impl<'a> SqliteSnapshot<'a> {
    /// Begins the transaction.
    pub(super) fn begin(
        reader: &'a SqliteReader,
        connection: Connection,
        permit: ReadPermit<'a>,
        pass: GatePass,
    ) -> Result<Self, StoreError> {
        let slice = Cell::new(ReadSlice::begin(Instant::now()));
        let mut snapshot = Self { reader, connection: Some(connection), permit, pass, slice, seq: 0 };
        // The first query fixes the batch.
        snapshot.seq = snapshot.query(|connection| {
            connection.execute_batch("BEGIN")?;
            schema::seq(connection)
        })?;
        Ok(snapshot)
    }

    /// Runs a query. One that the progress handler interrupted took too long, or was canceled.
    pub(super) fn query<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.check()?;
        let mut slice = self.slice.get();
        slice.yield_if_over(Instant::now());
        self.slice.set(slice);
        let gone = || StoreError::Unavailable { why: "its connection was closed".to_owned() };
        query(self.connection.as_ref().ok_or_else(gone)?).map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::OperationInterrupted) => {
                self.check().err().unwrap_or_else(|| self.permit.overdue())
            }
            _ => store_error(&error, &self.reader.file),
        })
    }

    /// Whether the read may continue.
    fn check(&self) -> Result<(), StoreError> {
        if self.pass.is_canceled() { Err(StoreError::ReadCanceled) } else { self.permit.check() }
    }

    fn page<T>(
        &self,
        read: impl FnOnce(&Connection, &mut dyn FnMut(T)) -> rusqlite::Result<()>,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        self.query(|connection| read(connection, &mut |row| rows.push(row)))?;
        Ok(rows)
    }

    /// What the database finds wrong with its own pages.
    pub(super) fn page_problems(&self) -> Result<Vec<String>, StoreError> {
        self.query(|connection| {
            let mut pages = connection.prepare("PRAGMA integrity_check(10)")?;
            let lines = pages.query_map([], |row| row.get::<_, String>(0))?;
            lines.filter(|line| line.as_ref().is_ok_and(|line| line != "ok") || line.is_err()).collect()
        })
    }

    /// Reads each row with which a pool starts.
    pub(super) fn read_start_rows(&self) -> Result<(), StoreError> {
        self.query(|connection| start_rows::read(connection, &mut |_row| {}))
    }

    /// What does not add up in the ledger.
    pub(super) fn ledger_problems(&self) -> Result<Vec<String>, StoreError> {
        self.page(|connection, each| ledger_check::check(connection, each).map(drop))
    }
}

impl StoreSnapshot for SqliteSnapshot<'_> {
    fn seq(&self) -> u64 {
        self.seq
    }

    fn head(&mut self) -> Result<(Option<u64>, Option<Asset>), StoreError> {
        self.query(|connection| {
            let next = connection.query_row("SELECT next_lease FROM pool", [], |row| row.get::<_, Option<i64>>(0))?;
            Ok((next.map(i64::cast_unsigned), price_table::read_asset(connection)?))
        })
    }

    fn pool_time(&mut self) -> Result<(u64, Ms), StoreError> {
        self.query(|connection| {
            let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
            let numbers = connection.query_row("SELECT incarnation, coalesce(clock, 0) FROM pool", [], read)?;
            Ok((numbers.0.cast_unsigned(), Ms::new(numbers.1.cast_unsigned())))
        })
    }

    fn trimmed(&mut self) -> Result<TrimmedJournal, StoreError> {
        self.query(|connection| {
            let read = |row: &rusqlite::Row<'_>| {
                let mut columns = Columns::of(row);
                let (pruned_entry, folds) = (columns.number()?, columns.number()?);
                Ok(TrimmedJournal { pruned_entry, folds, folded_entry: columns.number()? })
            };
            connection.query_row("SELECT pruned_entry, folds, folded_entry FROM pool", [], read)
        })
    }

    fn nodes(&mut self, after: Option<&NodeId>, limit: usize) -> Result<Vec<NodeRow>, StoreError> {
        self.page(|connection, each| node_table::read_page(connection, after, limit, each))
    }

    fn leases(&mut self, after: Option<LeaseId>, limit: usize) -> Result<Vec<LeaseRow>, StoreError> {
        self.page(|connection, each| lease_table::read_page(connection, after, limit, each))
    }

    fn times(&mut self, after: Option<&NodeId>, limit: usize) -> Result<Vec<TimesRow>, StoreError> {
        self.page(|connection, each| times_table::read_page(connection, after, limit, each))
    }

    fn deferred(&mut self, after: Option<&(NodeId, NodeId)>, limit: usize) -> Result<Vec<MeteredPeriod>, StoreError> {
        self.page(|connection, each| period_table::read_deferred_page(connection, after, limit, each))
    }

    fn periods(&mut self, after: Option<u64>, limit: usize) -> Result<Vec<(u64, MeteredPeriod)>, StoreError> {
        let from = after.map_or(0, |after| after.saturating_add(1));
        self.page(|connection, each| {
            period_table::read_journal(connection, from, limit, &mut |position, period| each((position, period)))
        })
    }

    fn entries(&mut self, after: Option<u64>, limit: usize) -> Result<Vec<LedgerEntry>, StoreError> {
        let from = after.map_or(0, |after| after.saturating_add(1));
        self.page(|connection, each| entry_table::read(connection, from, limit, each))
    }

    fn entries_of(
        &mut self,
        parties: StatementParties,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        self.query(|connection| entry_table::read_of(connection, parties, after, limit))
    }

    fn mark_of(&mut self, payout: PayoutRow) -> Result<Option<LedgerEntry>, StoreError> {
        self.query(|connection| entry_table::find_mark(connection, payout))
    }

    fn period(&mut self, lease: LeaseId, row: u32) -> Result<Option<MeteredPeriod>, StoreError> {
        self.query(|connection| period_table::find(connection, lease.get(), row))
    }

    fn figures(&mut self, account: LedgerAccount) -> Result<AccountFigures, StoreError> {
        self.query(|connection| ledger_tables::figures(connection, LedgerTables::Current, account))
    }

    fn opening(&mut self, account: LedgerAccount) -> Result<AccountFigures, StoreError> {
        self.query(|connection| ledger_tables::figures(connection, LedgerTables::Opening, account))
    }

    fn accounts_of(&mut self, node: &NodeId) -> Result<StatementParties, StoreError> {
        self.query(|connection| {
            let payer = ledger_tables::linked_account(connection, node)?;
            let payee = node_table::payout(connection, node)?.map(|payout| payout.account);
            Ok(StatementParties { payer, payee })
        })
    }

    fn marks(&mut self, period: u64, payouts: RangeInclusive<u64>) -> Result<Vec<LedgerEntry>, StoreError> {
        self.query(|connection| entry_table::marks(connection, period, payouts))
    }

    fn payout(&mut self, node: &NodeId) -> Result<Option<HostPayout>, StoreError> {
        self.query(|connection| node_table::payout(connection, node))
    }
}

/// Ends the transaction, so that the log can be reused, and keeps the connection for the next snapshot.
impl Drop for SqliteSnapshot<'_> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let endless = connection.progress_handler(0, None::<fn() -> bool>);
        // One that still has its transaction is closed instead.
        if endless.and_then(|()| connection.execute_batch("ROLLBACK")).is_ok() {
            self.reader.give_back(connection);
        }
    }
}
