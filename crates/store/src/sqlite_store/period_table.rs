//! Finished billing periods: the journal, and those that are not in it yet.

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params, Result, params};
use vipnode_pool_core::{MergedPeriods, MeteredPeriod};
use vipnode_types::{Ms, NodeId, meter::Seen};

use super::{
    bindings::{Bindings, sql_limit},
    columns::Columns,
    lease_table::{self, lease_of},
    price_table::{self, price_of},
    stored_names::StoredNames,
    stored_party::LeaseParties,
};

/// The columns of a period, in the order in which they are bound. The first fifteen are those of its lease.
macro_rules! columns {
    () => {
        "lease, row, client, host, payee, payer, fee_bps, trial, price, carry, offered, client_up, client_down, host_up, host_down, \
         client_from, client_to, host_from, host_to, billed_ms, cost, ended, earlier_rows, earlier_billed_ms, earlier_cost"
    };
}
macro_rules! values {
    () => {
        "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)"
    };
}

/// The columns of a period after its parties, with those of its price, in the order in which they are read.
macro_rules! terms {
    () => {
        ", fee_bps, trial, symbol, decimals, prices.amount, period_ms, carry, offered, client_up, client_down, \
         host_up, host_down, client_from, client_to, host_from, host_to, billed_ms, cost, ended, earlier_rows, \
         earlier_billed_ms, earlier_cost"
    };
}
/// A missing price is an error when it is read, not a missing period.
macro_rules! with_prices {
    () => {
        " LEFT JOIN prices ON prices.number = price "
    };
}
/// Reads the journal. A name that is missing is an error, too: its number is not a name.
macro_rules! select_journal {
    () => {
        concat!(
            "SELECT lease, row, coalesce(clients.id, client), coalesce(hosts.id, host), coalesce(payees.address, payee), \
             coalesce(payers.address, payer)",
            terms!(),
            ", folded, position FROM journal",
            with_prices!(),
            "LEFT JOIN node_ids AS clients ON clients.number = client LEFT JOIN node_ids AS hosts ON hosts.number = host \
             LEFT JOIN addresses AS payees ON payees.number = payee LEFT JOIN addresses AS payers ON payers.number = payer "
        )
    };
}
/// Reads the periods that are not in the journal.
macro_rules! select_deferred {
    () => {
        concat!("SELECT lease, row, client, host, payee, payer", terms!(), " FROM deferred", with_prices!())
    };
}

const APPEND: &str =
    concat!("INSERT INTO journal (", columns!(), ") VALUES ", values!(), " ON CONFLICT (row, lease) DO NOTHING");
const READ_ONE: &str = concat!(select_journal!(), "WHERE lease = ?1 AND row = ?2");
const READ_JOURNAL: &str = concat!(select_journal!(), "WHERE position >= ?1 ORDER BY position LIMIT ?2");
const DEFER: &str = concat!("INSERT OR REPLACE INTO deferred (", columns!(), ") VALUES ", values!());
const READ_DEFERRED: &str = concat!(select_deferred!(), "ORDER BY client, host");
const READ_DEFERRED_PAGE: &str =
    concat!(select_deferred!(), "WHERE (client, host) > (?1, ?2) ORDER BY client, host LIMIT ?3");

/// Appends a period to the journal. Returns false, and changes nothing, if it is there with another value.
pub(super) fn append(connection: &Connection, period: &MeteredPeriod) -> Result<bool> {
    let price = price_table::number(connection, period.lease.price)?;
    let parties = LeaseParties::numbered(connection, &period.lease)?;
    let mut statement = connection.prepare_cached(APPEND)?;
    if execute(&mut statement, period, &parties, price)? > 0 {
        return Ok(true);
    }
    let mut statement = connection.prepare_cached(READ_ONE)?;
    let key = params![period.lease.id.get().cast_signed(), period.lease.row];
    statement.query_row(key, |row| Ok(journal_period_of(&mut Columns::of(row))? == *period))
}

/// The period of the journal with a number, of a lease.
pub(super) fn find(connection: &Connection, lease: u64, row: u32) -> Result<Option<MeteredPeriod>> {
    let mut statement = connection.prepare_cached(READ_ONE)?;
    statement.query_row(params![lease.cast_signed(), row], |row| journal_period_of(&mut Columns::of(row))).optional()
}

/// Reads periods of the journal, from a position on.
pub(super) fn read_journal(
    connection: &Connection,
    from: u64,
    limit: usize,
    each: &mut dyn FnMut(u64, MeteredPeriod),
) -> Result<()> {
    let mut statement = connection.prepare_cached(READ_JOURNAL)?;
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let mut rows = statement.query([from, sql_limit(limit)])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let period = journal_period_of(&mut columns)?;
        each(columns.number()?, period);
    }
    Ok(())
}

pub(super) fn write_deferred(connection: &Connection, period: &MeteredPeriod) -> Result<()> {
    let price = price_table::number(connection, period.lease.price)?;
    let parties = LeaseParties::named(&period.lease);
    execute(&mut connection.prepare_cached(DEFER)?, period, &parties, price)?;
    Ok(())
}

pub(super) fn delete_deferred(connection: &Connection, client: &NodeId, host: &NodeId) -> Result<()> {
    let mut statement = connection.prepare_cached("DELETE FROM deferred WHERE client = ?1 AND host = ?2")?;
    statement.execute([&client.as_bytes()[..], &host.as_bytes()[..]])?;
    Ok(())
}

/// Reads the periods that are not in the journal yet, by client and host.
pub(super) fn read_deferred(connection: &Connection, each: &mut dyn FnMut(MeteredPeriod)) -> Result<()> {
    read_with(connection, READ_DEFERRED, [], each)
}

/// Reads the periods that are not in the journal yet, by ascending client and host.
pub(super) fn read_deferred_page(
    connection: &Connection,
    after: Option<&(NodeId, NodeId)>,
    limit: usize,
    each: &mut dyn FnMut(MeteredPeriod),
) -> Result<()> {
    let bytes = |id: &NodeId| id.as_bytes().to_vec();
    let (client, host) = after.map_or_else(Default::default, |(client, host)| (bytes(client), bytes(host)));
    read_with(connection, READ_DEFERRED_PAGE, params![client, host, sql_limit(limit)], each)
}

fn read_with(
    connection: &Connection,
    sql: &str,
    bound: impl Params,
    each: &mut dyn FnMut(MeteredPeriod),
) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(bound)?;
    while let Some(row) = rows.next()? {
        each(period_of(&mut Columns::of(row))?);
    }
    Ok(())
}

fn execute(
    statement: &mut CachedStatement<'_>,
    period: &MeteredPeriod,
    parties: &LeaseParties,
    price: i64,
) -> Result<usize> {
    // Only a step of folding changes how many are folded.
    let MeteredPeriod { lease, client, host, billed_ms, cost, ended, earlier, folded: _ } = period;
    let mut bindings = Bindings::of(statement);
    lease_table::bind(&mut bindings, lease, parties, price)?;
    for seen in [client, host] {
        bindings.optional_ms(seen.map(|seen| seen.up))?;
        bindings.optional_ms(seen.map(|seen| seen.end))?;
    }
    bindings.number(*billed_ms)?;
    bindings.amount(*cost)?;
    bindings.ms(*ended)?;
    bindings.put(earlier.rows)?;
    bindings.number(earlier.billed_ms)?;
    bindings.amount(earlier.cost)?;
    bindings.execute()
}

/// Reads the columns of a period and, of the journal, how many are folded into it.
fn journal_period_of(columns: &mut Columns<'_, '_>) -> Result<MeteredPeriod> {
    let period = period_of(columns)?;
    Ok(MeteredPeriod { folded: columns.get()?, ..period })
}

fn period_of(columns: &mut Columns<'_, '_>) -> Result<MeteredPeriod> {
    Ok(MeteredPeriod {
        lease: lease_of(columns, &StoredNames::Joined, price_of)?,
        client: seen_of(columns)?,
        host: seen_of(columns)?,
        billed_ms: columns.number()?,
        cost: columns.amount()?,
        ended: columns.ms()?,
        earlier: MergedPeriods { rows: columns.get()?, billed_ms: columns.number()?, cost: columns.amount()? },
        folded: 0,
    })
}

fn seen_of(columns: &mut Columns<'_, '_>) -> Result<Option<Seen>> {
    let (up, end): (Option<Ms>, Option<Ms>) = (columns.optional_ms()?, columns.optional_ms()?);
    Ok(up.zip(end).map(|(up, end)| Seen { up, end }))
}
