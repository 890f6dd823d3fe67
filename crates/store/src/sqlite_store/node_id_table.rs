//! The IDs of the nodes of billing periods. Rows refer to them by number, which is much shorter. A node that was never billed has no
//! number, so creating nodes leaves nothing behind. No number is used again.

use rusqlite::{Connection, OptionalExtension as _, Result};
use vipnode_types::NodeId;

const FIND: &str = "SELECT number FROM node_ids WHERE id = ?1";
const ADD: &str = "INSERT INTO node_ids (id) VALUES (?1) RETURNING number";

/// The number of a node, if it has one.
pub(super) fn find(connection: &Connection, id: &NodeId) -> Result<Option<i64>> {
    connection.prepare_cached(FIND)?.query_row([&id.as_bytes()[..]], |row| row.get(0)).optional()
}

/// The number of a node, which gets one if it has none.
pub(super) fn number(connection: &Connection, id: &NodeId) -> Result<i64> {
    match find(connection, id)? {
        Some(number) => Ok(number),
        None => connection.prepare_cached(ADD)?.query_row([&id.as_bytes()[..]], |row| row.get(0)),
    }
}
