use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params, types::ValueRef};
use serde_json::{Map, Value};
use vipnode_pool_core::{AccountFigures, AccountRow, BalanceSheet, Transaction};
use vipnode_types::Ms;

use super::{
    DATABASE, SqliteStore, entry_table, ledger_check,
    ledger_tables::{self, SumsTable},
    part_file::PartFile,
    sqlite_error::store_error,
    sqlite_reader::SqliteReader,
};
use crate::{ReadLimits, StoreError};

/// What was removed from the journals of a database, and where it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunedDatabase {
    /// Entries of the ledger.
    pub entries: u64,
    /// Billing periods.
    pub periods: u64,
    /// The file that has them, one a line; `None` if nothing was removed.
    pub file: Option<PathBuf>,
    /// The number of the last entry that was removed, now or before.
    pub last_entry: u64,
}

/// Entries that a later one refers to, of those up to a number: the first one has to stay, and all after it.
const REFERRED_TO: [&str; 3] = [
    // A cost that was secured or written off later, or that is overbilled, is checked with its billing period.
    "SELECT min(subject) FROM entries WHERE kind IN ('collected', 'write_off', 'overbilled') AND number > ?1 AND subject <= ?1",
    "SELECT min(entry) FROM unpaid WHERE entry <= ?1",
    // What came back is checked with what was paid.
    "SELECT min(paid.number) FROM entries AS bounced JOIN entries AS paid ON paid.kind = 'paid' AND paid.subject = bounced.subject
     WHERE bounced.kind = 'bounced' AND length(bounced.amount) > 0 AND bounced.number > ?1 AND paid.number <= ?1",
];
/// Entries that are removed, and the billing periods that they bill or for which nobody pays. Trials have entries, without a cost.
const ENTRIES: &str = "SELECT * FROM entries WHERE number <= ?1 ORDER BY number";
const PERIODS: &str = "
    SELECT journal.*, symbol, decimals, amount, period_ms FROM journal LEFT JOIN prices ON prices.number = journal.price
    WHERE position IN (SELECT position FROM temp.pruned) ORDER BY position";
const CHOOSE_PERIODS: &str = "
    INSERT INTO temp.pruned (position)
    SELECT position FROM journal JOIN entries ON kind = 'lease' AND subject = journal.lease AND lease_row = journal.row
        WHERE number <= ?1
    UNION SELECT position FROM journal WHERE ended < ?2
        AND (payer IS NULL OR payee IS NULL OR (length(cost) = 0 AND length(earlier_cost) = 0 AND trial = 0))";

/// Columns with an amount.
const AMOUNTS: [&str; 6] = ["amount", "meter", "collected", "fee", "cost", "earlier_cost"];

impl PrunedDatabase {
    /// Removes what ended before a time from the journals of a pool that does not run, once it is in a new file. The sums of each
    /// account before its first remaining entry stay as its opening. The newest entry stays, and so does what remaining ones refer to.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::Unverified`] if the check of the database finds a problem, and
    /// [`StoreError::PruneFile`] if the file exists or cannot be written. The database is then as it was.
    pub fn prune(dir: &Path, before: Ms, to: &Path) -> Result<Self, StoreError> {
        let check = SqliteReader::open(dir, ReadLimits::WHOLE_DATABASE)?.check()?;
        if let Some(problem) = check.problems.into_iter().next() {
            return Err(StoreError::Unverified { file: dir.join(DATABASE), problem });
        }
        Self::prune_open(&mut SqliteStore::open(dir)?, before, to)
    }

    pub(super) fn prune_open(store: &mut SqliteStore, before: Ms, to: &Path) -> Result<Self, StoreError> {
        let failed = |error: rusqlite::Error| store_error(&error, &store.file);
        let connection = &mut store.connection;
        let (earlier, _) = ledger_check::pruned(connection).map_err(failed)?;
        let last = last_to_drop(connection, earlier, before).map_err(failed)?;
        let (entries, periods) = choose(connection, last, before).map_err(failed)?;
        if entries == 0 && periods == 0 {
            return Ok(Self { entries, periods, file: None, last_entry: earlier });
        }
        write_file(connection, last, to)?;
        drop_rows(connection, last).map_err(failed)?;
        Ok(Self { entries, periods, file: Some(to.to_owned()), last_entry: last })
    }
}

/// The number of the last entry that can be removed.
fn last_to_drop(connection: &Connection, earlier: u64, before: Ms) -> rusqlite::Result<u64> {
    let number = |sql: &str, bound: i64| -> rusqlite::Result<Option<i64>> {
        connection.query_row(sql, [bound], |row| row.get::<_, Option<i64>>(0)).optional().map(Option::flatten)
    };
    let old = number("SELECT max(number) FROM entries WHERE at < ?1", i64::try_from(before.get()).unwrap_or(i64::MAX))?;
    let newest = number("SELECT max(number) - 1 FROM entries WHERE number > ?1", -1)?;
    let mut last = old.unwrap_or(0).min(newest.unwrap_or(0));
    loop {
        let mut first: Option<i64> = None;
        for sql in REFERRED_TO {
            first = first.into_iter().chain(number(sql, last)?).min();
        }
        match first {
            Some(first) => last = first.saturating_sub(1),
            None => return Ok(last.max(earlier.cast_signed()).cast_unsigned()),
        }
    }
}

/// Notes the billing periods that are removed. Returns how many entries and periods are.
fn choose(connection: &Connection, last: u64, before: Ms) -> rusqlite::Result<(u64, u64)> {
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS pruned (position INTEGER PRIMARY KEY); DELETE FROM temp.pruned",
    )?;
    let before = i64::try_from(before.get()).unwrap_or(i64::MAX);
    let periods = connection.execute(CHOOSE_PERIODS, params![last.cast_signed(), before])?;
    let count = "SELECT count(*) FROM entries WHERE number <= ?1";
    let entries: i64 = connection.query_row(count, [last.cast_signed()], |row| row.get(0))?;
    Ok((entries.cast_unsigned(), u64::try_from(periods).unwrap_or(u64::MAX)))
}

/// Writes what is removed, one JSON object a line, durable when this returns. Half a file has another name.
fn write_file(connection: &Connection, last: u64, to: &Path) -> Result<(), StoreError> {
    let unusable = |error: io::Error| StoreError::PruneFile { file: to.to_owned(), why: error.to_string() };
    if fs::symlink_metadata(to).is_ok() {
        return Err(unusable(io::ErrorKind::AlreadyExists.into()));
    }
    let written = PartFile::create(to).and_then(|part| {
        write_lines(connection, last, part.file())?;
        part.finish()
    });
    written.map_err(unusable)
}

fn write_lines(connection: &Connection, last: u64, new: &File) -> io::Result<()> {
    let mut file = BufWriter::new(new);
    for (table, sql) in [("entries", ENTRIES), ("journal", PERIODS)] {
        let mut statement = connection.prepare(sql).map_err(io::Error::other)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = if table == "entries" { statement.query([last.cast_signed()]) } else { statement.query([]) }
            .map_err(io::Error::other)?;
        while let Some(row) = rows.next().map_err(io::Error::other)? {
            let mut line = Map::new();
            line.insert("table".to_owned(), table.into());
            for (column, name) in names.iter().enumerate() {
                let value = row.get_ref(column).map_err(io::Error::other)?;
                line.insert(name.clone(), json_of(name, value));
            }
            serde_json::to_writer(&mut file, &Value::Object(line))?;
            file.write_all(b"\n")?;
        }
    }
    file.flush()
}

/// Amounts as decimal digits in a string, other bytes in hex.
fn json_of(name: &str, value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) if AMOUNTS.contains(&name) && bytes.len() <= 16 => {
            let mut wide = [0; 16];
            wide.iter_mut().rev().zip(bytes.iter().rev()).for_each(|(to, byte)| *to = *byte);
            u128::from_be_bytes(wide).to_string().into()
        }
        ValueRef::Blob(bytes) => const_hex::encode(bytes).into(),
    }
}

/// Removes the rows, and keeps what they result in: one transaction.
fn drop_rows(connection: &mut Connection, last: u64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut sheet = BalanceSheet::default();
    ledger_tables::read_accounts(&transaction, SumsTable::Openings, &mut |row| sheet.open(row.account, row.figures))?;
    let (_, mut period) = ledger_check::pruned(&transaction)?;
    let mut possible = true;
    entry_table::read(&transaction, 0, usize::MAX, &mut |entry| {
        if entry.number <= last {
            possible &= sheet.apply(&entry.transaction, |_| AccountFigures::default()).is_some();
            if let Transaction::Period { period: closed, .. } = entry.transaction {
                period = closed;
            }
        }
    })?;
    if !possible {
        return Err(rusqlite::Error::IntegralValueOutOfRange(0, i64::MAX));
    }
    for (account, figures) in sheet.accounts() {
        ledger_tables::write_account(&transaction, SumsTable::Openings, AccountRow { account, figures })?;
    }
    transaction.execute("DELETE FROM entries WHERE number <= ?1", [last.cast_signed()])?;
    transaction.execute("DELETE FROM journal WHERE position IN (SELECT position FROM temp.pruned)", [])?;
    let numbers = params![last.cast_signed(), period.cast_signed()];
    transaction.execute("UPDATE pool SET pruned_entry = ?1, pruned_period = ?2", numbers)?;
    transaction.commit()
}
