//! The newest delegations of forgotten nodes.

use rusqlite::{Connection, Result};
use vipnode_pool_core::{AddressBlock, DelegationRow};
use vipnode_types::NodeId;

use super::{bindings::Bindings, columns::Columns};

pub(super) fn write(connection: &Connection, row: &DelegationRow) -> Result<()> {
    const WRITE: &str = "INSERT OR REPLACE INTO delegations (node, issued, block) VALUES (?1, ?2, ?3)";
    let DelegationRow { id, issued, block } = row;
    let mut statement = connection.prepare_cached(WRITE)?;
    let mut bindings = Bindings::of(&mut statement);
    bindings.id(id)?;
    bindings.ms(*issued)?;
    bindings.number(block.to_bits())?;
    bindings.execute()?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, id: &NodeId) -> Result<()> {
    connection.prepare_cached("DELETE FROM delegations WHERE node = ?1")?.execute([&id.as_bytes()[..]])?;
    Ok(())
}

/// Reads all delegations by ascending id of the node.
pub(super) fn read(connection: &Connection, each: &mut dyn FnMut(DelegationRow)) -> Result<()> {
    let mut statement = connection.prepare_cached("SELECT node, issued, block FROM delegations ORDER BY node")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let (id, issued) = (columns.id()?, columns.ms()?);
        each(DelegationRow { id, issued, block: AddressBlock::from_bits(columns.number()?) });
    }
    Ok(())
}
