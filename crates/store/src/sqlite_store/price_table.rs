//! What the pool charges in, and prices. A pool has few prices, so rows refer to them by number.

use std::{collections::BTreeMap, num::NonZeroU32};

use rusqlite::{Connection, OptionalExtension as _, Result, params};
use vipnode_pool_core::{NextPricing, Pricing, PricingRow};
use vipnode_types::{Amount, Asset, Price};

use super::{
    bindings::{Bindings, amount_bytes},
    columns::Columns,
};

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

/// Stores what slots cost, and what was announced.
pub(super) fn write_pricing(connection: &Connection, row: &PricingRow) -> Result<()> {
    const WRITE: &str = "
        UPDATE pool SET set_price = ?1, set_fee_bps = ?2, price = ?3, fee_bps = ?4, price_announced = ?5,
            price_since = ?6, next_price = ?7, next_fee_bps = ?8, next_from = ?9, next_announced = ?10";
    let PricingRow { settings, current, announced, since, next } = row;
    let next_price = next.map(|next| number(connection, next.pricing.price)).transpose()?;
    let (set_price, price) = (number(connection, settings.price)?, number(connection, current.price)?);
    let mut statement = connection.prepare_cached(WRITE)?;
    let mut bindings = Bindings::of(&mut statement);
    bindings.put(set_price)?;
    bindings.put(settings.fee_bps)?;
    bindings.put(price)?;
    bindings.put(current.fee_bps)?;
    bindings.ms(*announced)?;
    bindings.ms(*since)?;
    bindings.put(next_price)?;
    bindings.put(next.map(|next| next.pricing.fee_bps))?;
    bindings.optional_ms(next.map(|next| next.from))?;
    bindings.optional_ms(next.map(|next| next.announced))?;
    bindings.execute()?;
    Ok(())
}

/// Reads what slots cost, and what was announced; `None` if that was never stored.
pub(super) fn read_pricing(connection: &Connection) -> Result<Option<PricingRow>> {
    const READ: &str = "
        SELECT set_price, set_fee_bps, price, fee_bps, price_announced, price_since, next_price, next_fee_bps, next_from,
            next_announced
        FROM pool WHERE price IS NOT NULL";
    let read = |row: &rusqlite::Row<'_>| {
        let mut columns = Columns::of(row);
        let mut pricing = || -> Result<StoredPricing> { Ok((columns.get()?, columns.get()?)) };
        let (settings, current) = (pricing()?, pricing()?);
        let counts = (columns.ms()?, columns.ms()?);
        let next: StoredPricing = (columns.get()?, columns.get()?);
        let times = columns.optional_ms()?.zip(columns.optional_ms()?);
        Ok((settings, current, counts, next, times))
    };
    let Some((settings, current, (announced, since), next, times)) = connection.query_row(READ, [], read).optional()?
    else {
        return Ok(None);
    };
    let (Some(settings), Some(current)) = (pricing_of(connection, settings)?, pricing_of(connection, current)?) else {
        return Ok(None);
    };
    let next = pricing_of(connection, next)?.zip(times);
    let next = next.map(|(pricing, (from, announced))| NextPricing { pricing, from, announced });
    Ok(Some(PricingRow { settings, current, announced, since, next }))
}

/// All prices, by number.
pub(super) struct Prices(BTreeMap<i64, Price>);

impl Prices {
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        const READ: &str = "SELECT number, symbol, decimals, amount, period_ms FROM prices";
        let mut statement = connection.prepare_cached(READ)?;
        let prices = statement.query_map([], |row| {
            let mut columns = Columns::of(row);
            Ok((columns.get()?, price_of(&mut columns)?))
        })?;
        prices.collect::<Result<_>>().map(Self)
    }

    /// Reads the number of a price, and returns that price.
    pub(super) fn next_of(&self, columns: &mut Columns<'_, '_>) -> Result<Price> {
        let number = columns.get()?;
        self.0.get(&number).copied().ok_or_else(|| columns.invalid("a price"))
    }
}

/// The number of a price, and a fee.
type StoredPricing = (Option<i64>, Option<u16>);

fn pricing_of(connection: &Connection, stored: StoredPricing) -> Result<Option<Pricing>> {
    const READ: &str = "SELECT symbol, decimals, amount, period_ms FROM prices WHERE number = ?1";
    let (Some(number), Some(fee_bps)) = stored else { return Ok(None) };
    let price = connection.query_row(READ, [number], |row| price_of(&mut Columns::of(row)))?;
    Ok(Some(Pricing::new(price, fee_bps)))
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
