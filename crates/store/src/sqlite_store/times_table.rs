//! The time that clients spent with their hosts, in two tables: of a client, and of each of its hosts. The second one is narrow, since a
//! row of it changes with each billing period.

use std::iter::Peekable;

use rusqlite::{Connection, OptionalExtension as _, Result, Rows, params};
use vipnode_pool_core::{AddressBlock, HostTimeRow, PairWeek, TimesRow};
use vipnode_types::NodeId;

use super::{bindings::sql_limit, columns::Columns, stored_names::StoredNames, stored_party::StoredNode};

/// A time: eleven numbers of four bytes.
pub(super) const TIME: usize = 44;

/// What the table has of a client, without its hosts.
type StoredClient = (Option<i64>, [u8; TIME]);
/// What the table has of a host.
type StoredHost = (StoredNode, Option<i64>, [u8; TIME]);

/// Writes what has changed: when a billing period ends, the time with one host.
pub(super) fn write(connection: &Connection, row: &TimesRow) -> Result<()> {
    const WRITE_HOST: &str = "
        INSERT OR REPLACE INTO host_times (client, place, host, block, time) VALUES (?1, ?2, ?3, ?4, ?5)";
    let number = write_client(connection, row)?;
    let before = stored_hosts(connection, number)?;
    for (place, host) in row.hosts.iter().enumerate() {
        let HostTimeRow { host, block, time } = host;
        let new = (StoredNode::known(connection, host)?, bits(*block), bytes_of(time));
        if before.get(place) != Some(&new) {
            let (host, block, time) = new;
            connection.prepare_cached(WRITE_HOST)?.execute(params![number, sql_limit(place), host, block, time])?;
        }
    }
    if row.hosts.len() < before.len() {
        let mut rest = connection.prepare_cached("DELETE FROM host_times WHERE client = ?1 AND place >= ?2")?;
        rest.execute([number, sql_limit(row.hosts.len())])?;
    }
    Ok(())
}

/// Returns the number of the client.
fn write_client(connection: &Connection, row: &TimesRow) -> Result<i64> {
    const FIND: &str = "SELECT number, block, others FROM times WHERE client = ?1";
    const ADD: &str = "INSERT INTO times (client, block, others) VALUES (?1, ?2, ?3) RETURNING number";
    const CHANGE: &str = "UPDATE times SET block = ?2, others = ?3 WHERE number = ?1";
    let client = &row.client.as_bytes()[..];
    let new: StoredClient = (bits(row.block), bytes_of(&row.others));
    let stored = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, (row.get(1)?, row.get(2)?)));
    let before: Option<(i64, StoredClient)> =
        connection.prepare_cached(FIND)?.query_row([client], stored).optional()?;
    let (block, others) = new;
    match before {
        Some((number, before)) if before == new => Ok(number),
        Some((number, _)) => {
            connection.prepare_cached(CHANGE)?.execute(params![number, block, others])?;
            Ok(number)
        }
        None => connection.prepare_cached(ADD)?.query_row(params![client, block, others], |row| row.get(0)),
    }
}

fn stored_hosts(connection: &Connection, client: i64) -> Result<Vec<StoredHost>> {
    const READ: &str = "SELECT host, block, time FROM host_times WHERE client = ?1 ORDER BY place";
    let mut statement = connection.prepare_cached(READ)?;
    statement.query_map([client], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

pub(super) fn delete(connection: &Connection, client: &NodeId) -> Result<()> {
    const HOSTS: &str = "DELETE FROM host_times WHERE client = (SELECT number FROM times WHERE client = ?1)";
    for delete in [HOSTS, "DELETE FROM times WHERE client = ?1"] {
        connection.prepare_cached(delete)?.execute([&client.as_bytes()[..]])?;
    }
    Ok(())
}

/// Reads the times of all clients, in the order in which they were first stored, with all names.
pub(super) fn read(connection: &Connection, names: &StoredNames, each: &mut dyn FnMut(TimesRow)) -> Result<()> {
    let mut clients = connection.prepare_cached("SELECT number, client, block, others FROM times ORDER BY number")?;
    let mut hosts =
        connection.prepare_cached("SELECT client, host, block, time FROM host_times ORDER BY client, place")?;
    // Both in the order of the clients' numbers, so neither is searched.
    let mut hosts = HostTimes { rows: hosts.query([])?, names }.peekable();
    let mut clients = clients.query([])?;
    while let Some(row) = clients.next()? {
        let (number, times) = times_of(&mut Columns::of(row))?;
        each(TimesRow { hosts: take_hosts(number, &mut hosts)?, ..times });
    }
    Ok(())
}

/// Reads the times of clients by ascending id.
pub(super) fn read_page(
    connection: &Connection,
    after: Option<&NodeId>,
    limit: usize,
    each: &mut dyn FnMut(TimesRow),
) -> Result<()> {
    const PAGE: &str = "SELECT number, client, block, others FROM times WHERE client > ?1 ORDER BY client LIMIT ?2";
    const HOSTS: &str = "
        SELECT client, coalesce(id, host), block, time FROM host_times LEFT JOIN node_ids ON number = host
        WHERE client = ?1 ORDER BY place";
    let after = after.map_or(&[][..], |id| &id.as_bytes()[..]);
    let (mut statement, mut hosts) = (connection.prepare_cached(PAGE)?, connection.prepare_cached(HOSTS)?);
    let mut rows = statement.query(params![after, sql_limit(limit)])?;
    while let Some(row) = rows.next()? {
        let (number, times) = times_of(&mut Columns::of(row))?;
        let mut hosts = HostTimes { rows: hosts.query([number])?, names: &StoredNames::Joined }.peekable();
        each(TimesRow { hosts: take_hosts(number, &mut hosts)?, ..times });
    }
    Ok(())
}

/// The hosts of clients, each with the number of the client.
struct HostTimes<'statement, 'names> {
    rows: Rows<'statement>,
    names: &'names StoredNames,
}

impl Iterator for HostTimes<'_, '_> {
    type Item = Result<(i64, HostTimeRow)>;

    fn next(&mut self) -> Option<Self::Item> {
        let host_of = |columns: &mut Columns<'_, '_>| {
            let (client, host, block) = (columns.get()?, self.names.id(columns)?, columns.block()?);
            Ok((client, HostTimeRow { host, block, time: columns_time(columns)? }))
        };
        match self.rows.next() {
            Ok(row) => row.map(|row| host_of(&mut Columns::of(row))),
            Err(error) => Some(Err(error)),
        }
    }
}

/// Takes the hosts of the client with a number. A host of no client is left out.
fn take_hosts(number: i64, hosts: &mut Peekable<HostTimes<'_, '_>>) -> Result<Vec<HostTimeRow>> {
    let mut own = Vec::new();
    while let Some(next) = hosts.next_if(|next| next.as_ref().map_or(true, |(client, _)| *client <= number)) {
        let (client, host) = next?;
        own.extend((client == number).then_some(host));
    }
    Ok(own)
}

/// The number of a client and its times, without its hosts.
fn times_of(columns: &mut Columns<'_, '_>) -> Result<(i64, TimesRow)> {
    let (number, client, block) = (columns.get()?, columns.id()?, columns.block()?);
    Ok((number, TimesRow { client, block, others: columns_time(columns)?, hosts: Vec::new() }))
}

fn columns_time(columns: &mut Columns<'_, '_>) -> Result<PairWeek> {
    let bytes = columns.get::<[u8; TIME]>()?;
    time_of(&bytes).ok_or_else(|| columns.invalid("a time"))
}

fn bits(block: Option<AddressBlock>) -> Option<i64> {
    block.map(|block| block.to_bits().cast_signed())
}

fn bytes_of(time: &PairWeek) -> [u8; TIME] {
    let PairWeek { day, unpaired_ms, counted_ms, block_ms, billed_ms } = time;
    let numbers = [day, unpaired_ms, counted_ms, block_ms].into_iter().chain(billed_ms);
    let mut bytes = [0; TIME];
    bytes.iter_mut().zip(numbers.flat_map(|number| number.to_be_bytes())).for_each(|(to, byte)| *to = byte);
    bytes
}

pub(super) fn time_of(bytes: &[u8]) -> Option<PairWeek> {
    let (numbers, []) = bytes.as_chunks::<4>() else { return None };
    let numbers = <[[u8; 4]; 11]>::try_from(numbers).ok()?.map(u32::from_be_bytes);
    let [day, unpaired_ms, counted_ms, block_ms, billed_ms @ ..] = numbers;
    Some(PairWeek { day, unpaired_ms, counted_ms, block_ms, billed_ms })
}
