use std::path::Path;

use rusqlite::{Connection, Result};

use crate::StoreError;

/// A database up to this size is checked whole at each start, which takes about a second per gigabyte. Of a larger one, the
/// journal is left to `vipnode pool verify`: it grows, and a start does not read it.
const WHOLE_BYTES: i64 = 256 << 20;
/// The tables that a start reads.
const STATE: [&str; 8] = ["pool", "prices", "nodes", "last_reports", "leases", "deferred", "times", "delegations"];

/// Checks the pages of a database before a pool writes to it. A damaged page that is never read would otherwise be noticed
/// when no good backup is left.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(super) fn check_pages(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let corrupt = |why: String| StoreError::Corrupt { why: format!("{}: {why}", file.display()) };
    let problem = first_problem(connection).map_err(|error| super::store_error(&error, file))?;
    problem.map_or(Ok(()), |why| Err(corrupt(why)))
}

/// The first thing that is wrong, in the words of the database.
fn first_problem(connection: &Connection) -> Result<Option<String>> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let bytes = number("page_count")?.saturating_mul(number("page_size")?);
    let scopes: &[&str] = if bytes <= WHOLE_BYTES { &["1"] } else { &STATE };
    for scope in scopes {
        let found: String = connection.query_row(&format!("PRAGMA quick_check({scope})"), [], |row| row.get(0))?;
        if found != "ok" {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_of_the_state_can_be_checked_alone() {
        let dir = tempfile::tempdir().unwrap();
        let store = crate::SqliteStore::open(dir.path()).unwrap();
        for table in STATE {
            let found: String =
                store.connection.query_row(&format!("PRAGMA quick_check({table})"), [], |row| row.get(0)).unwrap();
            assert_eq!(found, "ok", "{table}");
        }
        let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name != 'journal'";
        let all: i64 = store.connection.query_row(tables, [], |row| row.get(0)).unwrap();
        assert_eq!(usize::try_from(all), Ok(STATE.len()), "a new table is checked, too");
    }
}
