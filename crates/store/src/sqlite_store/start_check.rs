use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use rusqlite::{Connection, Result};

use crate::StoreError;

/// A database up to this size is checked whole at each start, which takes about a second per gigabyte. Of a larger one, the
/// journals are left to `vipnode pool verify`: they grow, and a start does not read them.
const WHOLE_BYTES: i64 = 256 << 20;
/// The tables that a start reads.
const STATE: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('journal', 'entries', 'entry_links')";

/// Checks the pages of a database before a pool writes to it. A damaged page that is never read would otherwise be noticed
/// when no good backup is left. A large one is checked by two threads; `open` opens a connection for the second.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(super) fn check_pages(
    connection: &Connection,
    file: &Path,
    open: impl FnOnce() -> Result<Connection> + Send,
) -> Result<(), StoreError> {
    let corrupt = |why: String| StoreError::Corrupt { why: format!("{}: {why}", file.display()) };
    let problem = first_problem(connection, WHOLE_BYTES, open).map_err(|error| super::store_error(&error, file))?;
    problem.map_or(Ok(()), |why| Err(corrupt(why)))
}

/// The first thing that is wrong, in the words of the database. Journals of more than `most` bytes are left out.
fn first_problem(
    connection: &Connection,
    most: i64,
    open: impl FnOnce() -> Result<Connection> + Send,
) -> Result<Option<String>> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let bytes = number("page_count")?.saturating_mul(number("page_size")?);
    if bytes <= most {
        return problem_in(connection, "1");
    }
    let mut tables = connection.prepare(STATE)?;
    let tables = tables.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>>>()?;
    let next = AtomicUsize::new(0);
    let check = |connection: &Connection| -> Result<Option<String>> {
        // The schema of a pool's database, whose names need no quotes.
        while let Some(table) = tables.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(problem) = problem_in(connection, table)? {
                return Ok(Some(problem));
            }
        }
        Ok(None)
    };
    thread::scope(|threads| {
        // Without a second thread, this one checks all tables.
        let second = thread::Builder::new().spawn_scoped(threads, || check(&open()?)).ok();
        let found = check(connection)?;
        let panicked = || Ok(Some("a check of its pages panicked".to_owned()));
        let second = second.map_or(Ok(None), |second| second.join().unwrap_or_else(|_| panicked()))?;
        Ok(found.or(second))
    })
}

fn problem_in(connection: &Connection, scope: &str) -> Result<Option<String>> {
    let found: String = connection.query_row(&format!("PRAGMA quick_check({scope})"), [], |row| row.get(0))?;
    Ok((found != "ok").then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_large_database_only_the_state_is_checked() {
        let dir = tempfile::tempdir().unwrap();
        let store = crate::SqliteStore::open(dir.path()).unwrap();
        let open = || Connection::open(dir.path().join("pool.db"));
        for most in [0, i64::MAX] {
            assert_eq!(first_problem(&store.connection, most, open), Ok(None), "{most}");
        }
        let all: i64 =
            store.connection.query_row(&format!("SELECT count(*) FROM ({STATE})"), [], |row| row.get(0)).unwrap();
        assert!(all >= 8, "{all} tables");
    }

    #[test]
    fn each_table_is_checked_by_one_of_two_connections() {
        let dir = tempfile::tempdir().unwrap();
        let store = crate::SqliteStore::open(dir.path()).unwrap();
        let file = dir.path().join("pool.db");
        let tables: Vec<(String, usize)> = {
            const TABLES: &str = "SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'";
            let mut tables = store.connection.prepare(TABLES).unwrap();
            let tables = tables.query_map([], |row| Ok((row.get(0)?, row.get::<_, u32>(1)? as usize))).unwrap();
            tables.map(Result::unwrap).collect()
        };
        drop(store);
        let whole = std::fs::read(&file).unwrap();
        for (table, page) in tables {
            let mut bytes = whole.clone();
            bytes[(page - 1) * 4_096..][..64].fill(0xff);
            std::fs::write(&file, bytes).unwrap();
            let connection = Connection::open(&file).unwrap();
            let found = first_problem(&connection, 0, || Connection::open(&file));
            let is_state = !["journal", "entries", "entry_links"].contains(&table.as_str());
            assert_eq!(found.is_err() || found.is_ok_and(|found| found.is_some()), is_state, "{table}");
        }
    }
}
