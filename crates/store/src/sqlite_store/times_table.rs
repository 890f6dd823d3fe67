//! The time that clients spent with their hosts, in two tables: of a client, and of each of its hosts. A row of the second one changes
//! with each billing period, so it is narrow, and the rows of pairs that met together are together.

use rusqlite::{Connection, OptionalExtension as _, Result, params};
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
    const CHANGE: &str = "UPDATE host_times SET host = ?2, block = ?3, time = ?4 WHERE number = ?1";
    const ADD: &str = "INSERT INTO host_times (client, place, host, block, time) VALUES (?1, ?2, ?3, ?4, ?5)";
    let number = write_client(connection, row)?;
    let before = stored_hosts(connection, number)?;
    for (place, HostTimeRow { host, block, time }) in row.hosts.iter().enumerate() {
        let new = (StoredNode::known(connection, host)?, bits(*block), bytes_of(time));
        let (host, block, time) = new;
        match before.get(place) {
            Some((_, before)) if *before == new => 0,
            Some((number, _)) => connection.prepare_cached(CHANGE)?.execute(params![number, host, block, time])?,
            None => connection.prepare_cached(ADD)?.execute(params![number, sql_limit(place), host, block, time])?,
        };
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

/// The hosts of a client, each with the number of its row.
fn stored_hosts(connection: &Connection, client: i64) -> Result<Vec<(i64, StoredHost)>> {
    const READ: &str = "SELECT number, host, block, time FROM host_times WHERE client = ?1 ORDER BY place";
    let mut statement = connection.prepare_cached(READ)?;
    statement.query_map([client], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?))))?.collect()
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
    let mut hosts = LoadedHosts::read(connection)?.into_iter().peekable();
    let mut statement = connection.prepare_cached("SELECT number, client, block, others FROM times ORDER BY number")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let (number, mut times) = times_of(&mut columns)?;
        // A host of no client is left out.
        while let Some(next) = hosts.next_if(|next| next.client <= number) {
            if next.client == number {
                let host = names.node(next.host).ok_or_else(|| columns.invalid("the number of a host"))?;
                let time = time_of(&next.time).ok_or_else(|| columns.invalid("a time"))?;
                times.hosts.push(HostTimeRow { host, block: next.block.map(block_of), time });
            }
        }
        each(times);
    }
    Ok(())
}

/// The time of a client with a host, while all of them are read.
struct LoadedHosts {
    client: i64,
    place: i64,
    host: StoredNode,
    block: Option<i64>,
    time: [u8; TIME],
}

impl LoadedHosts {
    /// Reads the times with all hosts, by client and place. They are sorted here: in the order of an index, a page of the table would be
    /// read for each row.
    fn read(connection: &Connection) -> Result<Vec<Self>> {
        let mut statement = connection.prepare_cached("SELECT client, place, host, block, time FROM host_times")?;
        let rows = statement.query_map([], |row| {
            let (client, place, host) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Self { client, place, host, block: row.get(3)?, time: row.get(4)? })
        })?;
        let mut hosts = rows.collect::<Result<Vec<_>>>()?;
        hosts.sort_unstable_by_key(|host| (host.client, host.place));
        Ok(hosts)
    }
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
        SELECT coalesce(id, host), block, time FROM host_times LEFT JOIN node_ids ON node_ids.number = host
        WHERE client = ?1 ORDER BY place";
    let after = after.map_or(&[][..], |id| &id.as_bytes()[..]);
    let (mut statement, mut hosts) = (connection.prepare_cached(PAGE)?, connection.prepare_cached(HOSTS)?);
    let mut rows = statement.query(params![after, sql_limit(limit)])?;
    while let Some(row) = rows.next()? {
        let (number, times) = times_of(&mut Columns::of(row))?;
        let host_of = |row: &rusqlite::Row<'_>| {
            let mut columns = Columns::of(row);
            let (host, block) = (columns.id()?, columns.block()?);
            Ok(HostTimeRow { host, block, time: columns_time(&mut columns)? })
        };
        let hosts = hosts.query_map([number], host_of)?.collect::<Result<_>>()?;
        each(TimesRow { hosts, ..times });
    }
    Ok(())
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

fn block_of(bits: i64) -> AddressBlock {
    AddressBlock::from_bits(bits.cast_unsigned())
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
