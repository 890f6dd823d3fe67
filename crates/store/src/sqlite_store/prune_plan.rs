use std::{
    fs,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, Params, params, types::ValueRef};
use serde_json::{Map, Value};
use vipnode_files::OpenDir;
use vipnode_types::Ms;

use super::{
    DATABASE, PruneOrder, ledger_check, part_file::PartFile, prune_marker::PruneMarker, prune_step::UNPAID_FOR,
    sqlite_reader::SqliteReader,
};
use crate::{ReadLimits, StoreError};

/// What is old enough to be removed from the journals of a pool, which is in a file before anything is removed. The journals only
/// grow, so a pool can run meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunePlan {
    /// What is removed.
    pub order: PruneOrder,
    /// The file that has it, one row a line; `None` if there is nothing.
    pub file: Option<PathBuf>,
}

const ENTRIES: &str = "
    SELECT entries.number, at, kind, payers.address AS payer, payees.address AS payee, amount, subject, lease_row, meter, collected,
        fee, by_user, reason, key, folded
    FROM entries LEFT JOIN addresses AS payers ON payers.number = payer LEFT JOIN addresses AS payees ON payees.number = payee
    WHERE entries.number <= ?1 ORDER BY entries.number";
/// The billing periods that these entries bill, and of the positions up to ?2, those that ended before ?3 and nobody pays for.
const PERIODS: &str = "
    SELECT position, lease, row, clients.id AS client, hosts.id AS host, payees.address AS payee, payers.address AS payer, fee_bps,
        trial, carry, offered, client_up, client_down, host_up, host_down, client_from, client_to, host_from, host_to, billed_ms,
        cost, ended, earlier_rows, earlier_billed_ms, earlier_cost, folded, symbol, decimals, prices.amount, period_ms
    FROM journal LEFT JOIN prices ON prices.number = journal.price
    LEFT JOIN node_ids AS clients ON clients.number = client LEFT JOIN node_ids AS hosts ON hosts.number = host
    LEFT JOIN addresses AS payees ON payees.number = payee LEFT JOIN addresses AS payers ON payers.number = payer
    WHERE position IN (
        SELECT position FROM journal JOIN entries ON kind = 'lease' AND subject = journal.lease AND lease_row = journal.row
            WHERE number <= ?1
        UNION SELECT position FROM journal WHERE position <= ?2 AND ";

/// Columns with an amount.
const AMOUNTS: [&str; 6] = ["amount", "meter", "collected", "fee", "cost", "earlier_cost"];

impl PrunePlan {
    /// Checks the database of a pool, which may be running, and writes what ended before a time to a new file. The newest entry
    /// stays. Until [`Self::forget`], the directory has a note of the plan; a plan before it is no longer known.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::Unverified`] if the check finds a problem, and [`StoreError::PruneFile`] if the file
    /// exists or cannot be written.
    pub fn write(dir: &Path, before: Ms, to: &Path) -> Result<Self, StoreError> {
        Self::check(dir)?.snapshot(0)?.query(|connection| Ok(Self::write_from(connection, dir, before, to)))?
    }

    /// Removes the note of a plan, once nothing of it is left in the journals, or its file is lost.
    ///
    /// # Errors
    /// [`StoreError::Directory`].
    pub fn forget(dir: &Path) -> Result<(), StoreError> {
        let opened = OpenDir::open(dir).map_err(unusable_dir(dir))?;
        PruneMarker::remove(&opened).map_err(unusable_dir(dir))
    }

    /// Checks a database before a part of it is removed.
    pub(super) fn check(dir: &Path) -> Result<SqliteReader, StoreError> {
        let reader = SqliteReader::open(dir, ReadLimits::WHOLE_DATABASE)?;
        match reader.check()?.problems.into_iter().next() {
            Some(problem) => Err(StoreError::Unverified { file: dir.join(DATABASE), problem }),
            None => Ok(reader),
        }
    }

    pub(super) fn write_from(connection: &Connection, dir: &Path, before: Ms, to: &Path) -> Result<Self, StoreError> {
        let failed = |error: io::Error| StoreError::PruneFile { file: to.to_owned(), why: error.to_string() };
        let order = order(connection, before).map_err(|error| failed(io::Error::other(error)))?;
        if fs::symlink_metadata(to).is_ok() {
            return Err(failed(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file with this name")));
        }
        let opened = OpenDir::open(dir).map_err(unusable_dir(dir))?;
        let mut marker = PruneMarker::new(&std::path::absolute(to).map_err(failed)?, order);
        marker.write(&opened).map_err(unusable_dir(dir))?;
        let file = match write_file(connection, order, to) {
            Ok(true) => Some(to.to_owned()),
            nothing => {
                PruneMarker::remove(&opened).map_err(unusable_dir(dir))?;
                nothing.map_err(failed)?;
                None
            }
        };
        if file.is_some() {
            marker.removes = true;
            marker.write(&opened).map_err(unusable_dir(dir))?;
        }
        Ok(Self { order, file })
    }
}

/// What is old enough.
fn order(connection: &Connection, before: Ms) -> rusqlite::Result<PruneOrder> {
    let (earlier, _) = ledger_check::pruned(connection)?;
    let last_entry = last_to_drop(connection, earlier, before)?;
    let newest = connection.query_row("SELECT max(position) FROM journal", [], |row| row.get::<_, Option<i64>>(0))?;
    Ok(PruneOrder { before, last_entry, last_position: newest.unwrap_or(0).cast_unsigned() })
}

/// The number of the last entry that is older and not the newest, or of the last one that was removed earlier.
fn last_to_drop(connection: &Connection, earlier: u64, before: Ms) -> rusqlite::Result<u64> {
    const LAST: &str = "
        SELECT max(number) FROM entries WHERE at < ?1 AND number < (SELECT max(number) FROM entries)";
    let before = i64::try_from(before.get()).unwrap_or(i64::MAX);
    let last: Option<i64> = connection.query_row(LAST, [before], |row| row.get(0))?;
    Ok(last.map_or(earlier, i64::cast_unsigned))
}

/// The error if a file in a data directory cannot be read or written.
pub(super) fn unusable_dir(dir: &Path) -> impl Fn(io::Error) -> StoreError + use<> {
    let dir = dir.to_owned();
    move |error| StoreError::Directory { dir: dir.clone(), why: error.to_string() }
}

/// Writes what is removed, one JSON object a line, durable when this returns. Half a file has another name. Returns whether there
/// is anything.
fn write_file(connection: &Connection, order: PruneOrder, to: &Path) -> io::Result<bool> {
    let part = PartFile::create(to)?;
    let has_rows = write_rows(connection, order, part.file())?;
    if has_rows {
        part.finish()?;
    }
    Ok(has_rows)
}

/// Returns whether there are any.
pub(super) fn write_rows(connection: &Connection, order: PruneOrder, new: impl io::Write) -> io::Result<bool> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let (last, position, before) = (number(order.last_entry), number(order.last_position), number(order.before.get()));
    let mut file = BufWriter::new(new);
    let entries = write_lines(connection, ("entries", ENTRIES), params![last], &mut file)?;
    let sql = format!("{PERIODS}{UNPAID_FOR}) ORDER BY position");
    let periods = write_lines(connection, ("journal", &sql), params![last, position, before], &mut file)?;
    file.flush()?;
    Ok(entries || periods)
}

fn write_lines(
    connection: &Connection,
    (table, sql): (&str, &str),
    bound: impl Params,
    file: &mut impl io::Write,
) -> io::Result<bool> {
    let mut statement = connection.prepare(sql).map_err(io::Error::other)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query(bound).map_err(io::Error::other)?;
    let mut has_rows = false;
    while let Some(row) = rows.next().map_err(io::Error::other)? {
        let mut line = Map::new();
        line.insert("table".to_owned(), table.into());
        for (column, name) in names.iter().enumerate() {
            let value = row.get_ref(column).map_err(io::Error::other)?;
            line.insert(name.clone(), json_of(name, value));
        }
        serde_json::to_writer(&mut *file, &Value::Object(line))?;
        file.write_all(b"\n")?;
        has_rows = true;
    }
    Ok(has_rows)
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
