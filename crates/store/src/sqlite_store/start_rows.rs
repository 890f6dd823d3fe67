use rusqlite::Connection;
use vipnode_pool_core::Row;
use vipnode_types::Ms;

use super::{
    delegation_table, entry_table, epoch_table, lease_table, ledger_tables, node_table, period_table, price_table,
    restore_table, stored_names::StoredNames, times_table,
};

/// Reads the rows with which a pool starts. `verify` reads them too, so that it accepts no database that does not start.
pub(super) fn read(connection: &Connection, each: &mut dyn FnMut(Row)) -> Result<(), rusqlite::Error> {
    let numbers = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?));
    let (clock, next_lease) = connection.query_row("SELECT clock, next_lease FROM pool", [], numbers)?;
    clock.into_iter().for_each(|clock| each(Row::Clock(Ms::new(clock.cast_unsigned()))));
    next_lease.into_iter().for_each(|next| each(Row::NextLease(next.cast_unsigned())));
    restore_table::read(connection)?.into_iter().for_each(|row| each(Row::Restore(row)));
    price_table::read_asset(connection)?.into_iter().for_each(|asset| each(Row::Asset(asset)));
    ledger_tables::read_payment(connection)?.into_iter().for_each(|mode| each(Row::Payment(mode)));
    price_table::read_pricing(connection)?.into_iter().for_each(|row| each(Row::Pricing(Box::new(row))));
    ledger_tables::read(connection, each)?;
    epoch_table::read(connection, each)?;
    entry_table::read_kept(connection, &mut |entry| each(Row::Entry(Box::new(entry))))?;
    node_table::read(connection, &mut |row| each(Row::Node(Box::new(row))))?;
    let names = StoredNames::read(connection)?;
    lease_table::read(connection, &names, &mut |row| each(Row::Lease(Box::new(row))))?;
    times_table::read(connection, &names, &mut |row| each(Row::Times(Box::new(row))))?;
    delegation_table::read(connection, &mut |row| each(Row::Delegation(row)))?;
    period_table::read_deferred(connection, &mut |row| each(Row::Deferred(Box::new(row))))
}
