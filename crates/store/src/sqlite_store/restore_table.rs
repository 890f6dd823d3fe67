//! The newest restore of a backup, in the columns of the pool.

use rusqlite::{Connection, OptionalExtension as _, Result, params};
use vipnode_pool_core::RestoreRow;

use super::columns::Columns;

pub(super) fn write(connection: &Connection, row: RestoreRow) -> Result<()> {
    const WRITE: &str = "UPDATE pool SET restored_at = ?1, restore_settled = ?2";
    connection.prepare_cached(WRITE)?.execute(params![row.at.get().cast_signed(), row.is_settled])?;
    Ok(())
}

/// Reads when a backup was restored; `None` if none was.
pub(super) fn read(connection: &Connection) -> Result<Option<RestoreRow>> {
    const READ: &str = "SELECT restored_at, restore_settled FROM pool WHERE restored_at IS NOT NULL";
    let read = |row: &rusqlite::Row<'_>| {
        let mut columns = Columns::of(row);
        Ok(RestoreRow { at: columns.ms()?, is_settled: columns.get()? })
    };
    connection.query_row(READ, [], read).optional()
}
