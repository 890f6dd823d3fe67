//! The time that clients spent with their hosts. A client's hosts are one value, because they are always read and written
//! together.

use rusqlite::{Connection, Params, Result, params};
use vipnode_pool_core::{AddressBlock, HostTimeRow, PairWeek, TimesRow};
use vipnode_types::NodeId;

use super::{
    bindings::{Bindings, sql_limit},
    columns::Columns,
};

/// A time: eleven numbers of four bytes.
const TIME: usize = 44;
/// A host: its id, whether it has a block, the block, its time.
const HOST: usize = 64 + 1 + 8 + TIME;

pub(super) fn write(connection: &Connection, row: &TimesRow) -> Result<()> {
    const WRITE: &str = "INSERT OR REPLACE INTO times (client, block, others, hosts) VALUES (?1, ?2, ?3, ?4)";
    let TimesRow { client, block, others, hosts } = row;
    let mut statement = connection.prepare_cached(WRITE)?;
    let mut bindings = Bindings::of(&mut statement);
    bindings.id(client)?;
    bindings.block(*block)?;
    let (mut time, mut list) = (Vec::new(), Vec::new());
    put_time(&mut time, others);
    bindings.put(time)?;
    for HostTimeRow { host, block, time } in hosts {
        list.extend(host.as_bytes());
        list.push(u8::from(block.is_some()));
        list.extend(block.map_or(0, AddressBlock::to_bits).to_be_bytes());
        put_time(&mut list, time);
    }
    bindings.put(list)?;
    bindings.execute()?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, client: &NodeId) -> Result<()> {
    connection.prepare_cached("DELETE FROM times WHERE client = ?1")?.execute([&client.as_bytes()[..]])?;
    Ok(())
}

/// Reads the times of all clients, by ascending id of the client.
pub(super) fn read(connection: &Connection, each: &mut dyn FnMut(TimesRow)) -> Result<()> {
    read_with(connection, "SELECT client, block, others, hosts FROM times ORDER BY client", [], each)
}

/// Reads the times of clients by ascending id.
pub(super) fn read_page(
    connection: &Connection,
    after: Option<&NodeId>,
    limit: usize,
    each: &mut dyn FnMut(TimesRow),
) -> Result<()> {
    const PAGE: &str = "SELECT client, block, others, hosts FROM times WHERE client > ?1 ORDER BY client LIMIT ?2";
    let after = after.map_or(&[][..], |id| &id.as_bytes()[..]);
    read_with(connection, PAGE, params![after, sql_limit(limit)], each)
}

fn read_with(connection: &Connection, sql: &str, bound: impl Params, each: &mut dyn FnMut(TimesRow)) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(bound)?;
    while let Some(row) = rows.next()? {
        each(times_of(&mut Columns::of(row))?);
    }
    Ok(())
}

fn times_of(columns: &mut Columns<'_, '_>) -> Result<TimesRow> {
    let (client, block) = (columns.id()?, columns.block()?);
    let others = columns.get::<[u8; TIME]>()?;
    let others = time_of(&others).ok_or_else(|| columns.invalid("no valid time"))?;
    let list: Vec<u8> = columns.get()?;
    let (hosts, []) = list.as_chunks::<HOST>() else { return Err(columns.invalid("a cut list of hosts")) };
    let hosts: Option<Vec<HostTimeRow>> = hosts.iter().map(host_of).collect();
    let hosts = hosts.ok_or_else(|| columns.invalid("no valid time with a host"))?;
    Ok(TimesRow { client, block, others, hosts })
}

fn put_time(bytes: &mut Vec<u8>, time: &PairWeek) {
    let PairWeek { day, unpaired_ms, counted_ms, block_ms, billed_ms } = time;
    let numbers = [day, unpaired_ms, counted_ms, block_ms].into_iter().chain(billed_ms);
    bytes.extend(numbers.flat_map(|number| number.to_be_bytes()));
}

fn time_of(bytes: &[u8]) -> Option<PairWeek> {
    let (numbers, []) = bytes.as_chunks::<4>() else { return None };
    let numbers = <[[u8; 4]; 11]>::try_from(numbers).ok()?.map(u32::from_be_bytes);
    let [day, unpaired_ms, counted_ms, block_ms, billed_ms @ ..] = numbers;
    Some(PairWeek { day, unpaired_ms, counted_ms, block_ms, billed_ms })
}

fn host_of(bytes: &[u8; HOST]) -> Option<HostTimeRow> {
    let (host, rest) = bytes.split_first_chunk::<64>()?;
    let ([has_block, block @ ..], time) = rest.split_first_chunk::<9>()?;
    let block = (*has_block == 1).then(|| AddressBlock::from_bits(u64::from_be_bytes(*block)));
    Some(HostTimeRow { host: NodeId::new(*host), block, time: time_of(time)? })
}
