use rusqlite::{Connection, Result, types::Type};
use vipnode_types::{Asset, PoolId};

use super::price_table;

/// The pool whose database it is, and what that pool charges in. Each is `None` if it was never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct DatabaseOwner {
    pub(super) pool: Option<PoolId>,
    pub(super) asset: Option<Asset>,
}

impl DatabaseOwner {
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        let pool: Option<String> = connection.query_row("SELECT pool_id FROM pool", [], |row| row.get(0))?;
        let pool = pool.map(|text| text.parse()).transpose();
        let pool = pool.map_err(|_| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, "a pool ID".into()))?;
        Ok(Self { pool, asset: price_table::read_asset(connection)? })
    }
}

/// Stores the ID of the pool, unless it is stored already.
pub(super) fn write_pool(connection: &Connection, pool: &PoolId) -> Result<()> {
    connection.execute("UPDATE pool SET pool_id = ?1 WHERE pool_id IS NOT ?1", [pool.to_string()]).map(drop)
}
