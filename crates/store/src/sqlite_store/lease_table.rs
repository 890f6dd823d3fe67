//! Running leases, and the columns of a lease wherever one is stored.

use rusqlite::{Connection, Params, Result, params};
use vipnode_pool_core::LeaseRow;
use vipnode_types::{LeaseId, Ms, Price};

use super::{
    bindings::{Bindings, sql_limit},
    columns::Columns,
    price_table::{self, Prices},
    stored_names::StoredNames,
    stored_party::LeaseParties,
};

/// The columns of a lease, in the order in which they are bound.
macro_rules! columns {
    () => {
        "id, row, client, host, payee, payer, fee_bps, trial, price, carry, offered, client_up, client_down, host_up, host_down"
    };
}
macro_rules! write {
    ($table:literal) => {
        concat!(
            "INSERT OR REPLACE INTO ",
            $table,
            " (",
            columns!(),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
        )
    };
}

/// Leases whose nodes and accounts all have numbers.
const WRITE_NUMBERED: &str = write!("numbered_leases");
const WRITE_NAMED: &str = write!("leases");
const DELETE_NUMBERED: &str = "DELETE FROM numbered_leases WHERE id = ?1";
const DELETE_NAMED: &str = "DELETE FROM leases WHERE id = ?1";

/// As in the tables, with [`StoredNames::All`].
const READ: &str =
    concat!("SELECT ", columns!(), " FROM leases UNION ALL SELECT ", columns!(), " FROM numbered_leases ORDER BY id");
/// With [`StoredNames::Joined`]. A name that is missing is an error when it is read: its number is not a name.
const READ_PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM leases WHERE id > ?1 UNION ALL \
     SELECT numbered_leases.id, row, coalesce(clients.id, client), coalesce(hosts.id, host), coalesce(payees.address, payee), \
     coalesce(payers.address, payer), fee_bps, trial, price, carry, offered, client_up, client_down, host_up, host_down \
     FROM numbered_leases LEFT JOIN node_ids AS clients ON clients.number = client \
     LEFT JOIN node_ids AS hosts ON hosts.number = host LEFT JOIN addresses AS payees ON payees.number = payee \
     LEFT JOIN addresses AS payers ON payers.number = payer WHERE numbered_leases.id > ?1 ORDER BY 1 LIMIT ?2"
);

pub(super) fn write(connection: &Connection, row: &LeaseRow) -> Result<()> {
    let price = price_table::number(connection, row.price)?;
    let (parties, write, delete) = match LeaseParties::known(connection, row)? {
        Some(parties) => (parties, WRITE_NUMBERED, DELETE_NAMED),
        None => (LeaseParties::named(row), WRITE_NAMED, DELETE_NUMBERED),
    };
    let mut statement = connection.prepare_cached(write)?;
    let mut bindings = Bindings::of(&mut statement);
    bind(&mut bindings, row, &parties, price)?;
    bindings.execute()?;
    connection.prepare_cached(delete)?.execute([row.id.get().cast_signed()])?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, id: LeaseId) -> Result<()> {
    for delete in [DELETE_NAMED, DELETE_NUMBERED] {
        connection.prepare_cached(delete)?.execute([id.get().cast_signed()])?;
    }
    Ok(())
}

/// Reads all running leases by ascending id, with all names.
pub(super) fn read(connection: &Connection, names: &StoredNames, each: &mut dyn FnMut(LeaseRow)) -> Result<()> {
    read_with(connection, (READ, names), [], each)
}

/// Reads running leases by ascending id.
pub(super) fn read_page(
    connection: &Connection,
    after: Option<LeaseId>,
    limit: usize,
    each: &mut dyn FnMut(LeaseRow),
) -> Result<()> {
    let after = after.map_or(-1, |id| id.get().cast_signed());
    read_with(connection, (READ_PAGE, &StoredNames::Joined), params![after, sql_limit(limit)], each)
}

fn read_with(
    connection: &Connection,
    (sql, names): (&str, &StoredNames),
    bound: impl Params,
    each: &mut dyn FnMut(LeaseRow),
) -> Result<()> {
    // Once for all leases: a start reads millions of them.
    let prices = Prices::read(connection)?;
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(bound)?;
    while let Some(row) = rows.next()? {
        each(lease_of(&mut Columns::of(row), names, |columns| prices.next_of(columns))?);
    }
    Ok(())
}

/// Binds the columns of a lease, whose price has a number, in the order in which they are read.
pub(super) fn bind(bindings: &mut Bindings<'_, '_>, row: &LeaseRow, parties: &LeaseParties, price: i64) -> Result<()> {
    let LeaseRow { id, row: number, fee_bps, trial, carry, offered, .. } = row;
    bindings.number(id.get())?;
    bindings.put(number)?;
    bindings.put(parties.client)?;
    bindings.put(parties.host)?;
    bindings.put(parties.payee)?;
    bindings.put(parties.payer)?;
    bindings.put(fee_bps)?;
    bindings.put(trial)?;
    bindings.put(price)?;
    bindings.put(carry)?;
    bindings.ms(*offered)?;
    for seen in [row.client_seen, row.host_seen] {
        bindings.optional_ms(seen.map(|(up, _)| up))?;
        bindings.optional_ms(seen.and_then(|(_, down)| down))?;
    }
    Ok(())
}

/// Reads the columns of a lease; those of its price with `price_of`.
pub(super) fn lease_of<'row, 'statement>(
    columns: &mut Columns<'row, 'statement>,
    names: &StoredNames,
    price_of: impl FnOnce(&mut Columns<'row, 'statement>) -> Result<Price>,
) -> Result<LeaseRow> {
    Ok(LeaseRow {
        id: LeaseId::new(columns.number()?),
        row: columns.get()?,
        client: names.id(columns)?,
        host: names.id(columns)?,
        payee: names.account(columns)?,
        payer: names.account(columns)?,
        fee_bps: columns.get()?,
        trial: columns.get()?,
        price: price_of(columns)?,
        carry: columns.get()?,
        offered: columns.ms()?,
        client_seen: side_of(columns)?,
        host_seen: side_of(columns)?,
    })
}

fn side_of(columns: &mut Columns<'_, '_>) -> Result<Option<(Ms, Option<Ms>)>> {
    let (up, down) = (columns.optional_ms()?, columns.optional_ms()?);
    Ok(up.map(|up| (up, down)))
}
