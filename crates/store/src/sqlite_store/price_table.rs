//! What the pool charges in, and prices. A pool has few prices, so rows refer to them by number.

use std::num::NonZeroU32;

use rusqlite::{Connection, OptionalExtension as _, Result, params};
use vipnode_types::{Amount, Asset, Price};

use super::{bindings::amount_bytes, columns::Columns};

const FIND: &str = "SELECT number FROM prices WHERE symbol = ?1 AND decimals = ?2 AND amount = ?3 AND period_ms = ?4";
const ADD: &str = "INSERT INTO prices (symbol, decimals, amount, period_ms) VALUES (?1, ?2, ?3, ?4) RETURNING number";

/// Returns the number of a price, which gets one if it has none.
pub(super) fn number(connection: &Connection, price: Price) -> Result<i64> {
    let (asset, amount) = (price.asset(), amount_bytes(price.amount()));
    let values = params![asset.symbol(), asset.decimals(), amount.as_slice(), price.period_ms().get()];
    let known = connection.prepare_cached(FIND)?.query_row(values, |row| row.get(0)).optional()?;
    match known {
        Some(number) => Ok(number),
        None => connection.prepare_cached(ADD)?.query_row(values, |row| row.get(0)),
    }
}

/// Stores what the pool charges in.
pub(super) fn write_asset(connection: &Connection, asset: Asset) -> Result<()> {
    let mut statement = connection.prepare_cached("UPDATE pool SET asset_symbol = ?1, asset_decimals = ?2")?;
    statement.execute(params![asset.symbol(), asset.decimals()])?;
    Ok(())
}

/// Reads what the pool charges in; `None` if that was never stored.
pub(super) fn read_asset(connection: &Connection) -> Result<Option<Asset>> {
    const READ: &str = "SELECT asset_symbol, asset_decimals FROM pool WHERE asset_symbol IS NOT NULL";
    connection.query_row(READ, [], |row| asset_of(&mut Columns::of(row))).optional()
}

/// Reads the columns of a price: symbol, decimals, amount, and period.
pub(super) fn price_of(columns: &mut Columns<'_, '_>) -> Result<Price> {
    let asset = asset_of(columns)?;
    let (amount, period_ms): (Amount, u32) = (columns.amount()?, columns.get()?);
    let price = NonZeroU32::new(period_ms).and_then(|period_ms| Price::new(asset, amount, period_ms));
    price.ok_or_else(|| columns.invalid("a price"))
}

/// Reads the columns of an asset: symbol and decimals.
pub(super) fn asset_of(columns: &mut Columns<'_, '_>) -> Result<Asset> {
    let (symbol, decimals): (String, u8) = (columns.get()?, columns.get()?);
    Asset::new(&symbol, decimals).map_err(|_| columns.invalid("an asset"))
}
