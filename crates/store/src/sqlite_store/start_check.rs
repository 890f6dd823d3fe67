use std::path::Path;

use rusqlite::{Connection, Result};

use crate::StoreError;

/// A database up to this size is checked whole at each start, which takes about a second per gigabyte. Of a larger one, the
/// journals are left to `vipnode pool verify`: they grow, and a start does not read them.
const WHOLE_BYTES: i64 = 256 << 20;
/// The tables that a start reads.
const STATE: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('journal', 'entries')";

/// Checks the pages of a database before a pool writes to it. A damaged page that is never read would otherwise be noticed
/// when no good backup is left.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(super) fn check_pages(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let corrupt = |why: String| StoreError::Corrupt { why: format!("{}: {why}", file.display()) };
    let problem = first_problem(connection, WHOLE_BYTES).map_err(|error| super::store_error(&error, file))?;
    problem.map_or(Ok(()), |why| Err(corrupt(why)))
}

/// The first thing that is wrong, in the words of the database. Journals of more than `most` bytes are left out.
fn first_problem(connection: &Connection, most: i64) -> Result<Option<String>> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let bytes = number("page_count")?.saturating_mul(number("page_size")?);
    if bytes <= most {
        return problem_in(connection, "1");
    }
    let mut tables = connection.prepare(STATE)?;
    for table in tables.query_map([], |row| row.get::<_, String>(0))? {
        // The schema of a pool's database, whose names need no quotes.
        if let Some(problem) = problem_in(connection, &table?)? {
            return Ok(Some(problem));
        }
    }
    Ok(None)
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
        for most in [0, i64::MAX] {
            assert_eq!(first_problem(&store.connection, most), Ok(None), "{most}");
        }
        let all: i64 =
            store.connection.query_row(&format!("SELECT count(*) FROM ({STATE})"), [], |row| row.get(0)).unwrap();
        assert!(all >= 8, "{all} tables");
    }
}
