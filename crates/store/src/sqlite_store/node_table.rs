//! Nodes, in two tables: what seldom changes, and when each node last reported. The second one is narrow and in the order in which
//! nodes became known, so that writing a million last reports changes few pages.

use std::net::IpAddr;

use rusqlite::{Connection, OptionalExtension as _, Params, Result, params};
use vipnode_pool_core::{
    Credentials, HostPayout, LastReport, NodeRow, PairedTime, Protocol2State, Proven, Signer, WideBlock,
};
use vipnode_types::{AgentPublic, ChainSpec, Enode, EnodeHost, Hash256, Ms, NodeId, protocol2::Kind};

use super::{
    bindings::{Bindings, sql_limit},
    columns::Columns,
};

/// `proven` of a node.
const NEVER_PAIRED: u8 = 0;
const PARTLY: u8 = 1;
const PROVEN: u8 = 2;

const WRITE: &str = "
    INSERT INTO nodes (
        id, agent_key, protocol2, kind, full, issued, stored_nonce, to_drop, chain_id, genesis,
        enode_port, enode_disc_port, enode_host, enode_id, payout, payout_counter, payout_changed, next_payout,
        next_payout_from, host, client, proven, paired, replaced, block, trial_used
    ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24,
        ?25, ?26)
    ON CONFLICT (id) DO UPDATE SET
        agent_key = ?2, protocol2 = ?3, kind = ?4, full = ?5, issued = ?6, stored_nonce = ?7, to_drop = ?8,
        chain_id = ?9, genesis = ?10, enode_port = ?11, enode_disc_port = ?12, enode_host = ?13, enode_id = ?14,
        payout = ?15, payout_counter = ?16, payout_changed = ?17, next_payout = ?18, next_payout_from = ?19, host = ?20,
        client = ?21, proven = ?22, paired = ?23, replaced = ?24, block = ?25, trial_used = ?26";

const WRITE_REPORT: &str = "
    INSERT INTO last_reports (node, seen, nonce) VALUES ((SELECT number FROM nodes WHERE id = ?1), ?2, ?3)
    ON CONFLICT (node) DO UPDATE SET seen = ?2, nonce = ?3";

/// The nonce of a node that does not use protocol 2 is NULL, and so is the larger of it and any other.
const RAISE_REPORT: &str = "
    UPDATE last_reports SET seen = ?2, nonce = max(nonce, ?3) WHERE node = (SELECT number FROM nodes WHERE id = ?1)";

const READ: &str = "
    SELECT id, agent_key, protocol2, kind, full, issued, stored_nonce, to_drop, chain_id, genesis,
        enode_port, enode_disc_port, enode_host, enode_id, payout, payout_counter, payout_changed, next_payout,
        next_payout_from, host, client, proven, paired, replaced, block, trial_used, seen, nonce
    FROM nodes LEFT JOIN last_reports ON node = number";

pub(super) fn write(connection: &Connection, row: &NodeRow) -> Result<()> {
    let NodeRow { id, credentials, seen, chain, enode, payout, host, client, proven, replaced, block, trial_used_ms } =
        row;
    let mut statement = connection.prepare_cached(WRITE)?;
    let mut bindings = Bindings::of(&mut statement);
    bindings.id(id)?;
    let nonce = write_credentials(&mut bindings, credentials)?;
    bindings.number(chain.chain_id)?;
    bindings.put(chain.genesis.as_slice())?;
    write_enode(&mut bindings, id, enode.as_ref())?;
    write_payout(&mut bindings, *payout)?;
    bindings.put(host)?;
    bindings.put(client)?;
    let (proven, paired) = match proven {
        Proven::No => (NEVER_PAIRED, None),
        Proven::Partly(times) => (PARTLY, Some(paired_bytes(times))),
        Proven::Yes => (PROVEN, None),
    };
    bindings.put(proven)?;
    bindings.put(paired)?;
    bindings.put(replaced)?;
    bindings.block(*block)?;
    bindings.put(trial_used_ms)?;
    bindings.execute()?;
    let mut statement = connection.prepare_cached(WRITE_REPORT)?;
    statement.execute(params![&id.as_bytes()[..], seen.get().cast_signed(), nonce.map(u64::cast_signed)])?;
    Ok(())
}

/// The account that is paid for a node's slots.
pub(super) fn payout(connection: &Connection, id: &NodeId) -> Result<Option<HostPayout>> {
    const READ: &str = "
        SELECT payout, payout_counter, payout_changed, next_payout, next_payout_from FROM nodes WHERE id = ?1";
    let mut statement = connection.prepare_cached(READ)?;
    Ok(statement.query_row([&id.as_bytes()[..]], |row| payout_of(&mut Columns::of(row))).optional()?.flatten())
}

/// Binds all but the newest nonce, which is returned: it is stored with the last report.
fn write_credentials(bindings: &mut Bindings<'_, '_>, credentials: &Credentials) -> Result<Option<u64>> {
    let Credentials { signer, issued, protocol2 } = credentials;
    let newest = match signer {
        Signer::Agent { key, protocol2 } => {
            bindings.put(&key.as_bytes()[..])?;
            bindings.put(protocol2)?;
            bindings.put(None::<&str>)?;
            bindings.put(false)?;
            None
        }
        Signer::NodeKey { nonce, kind, full } => {
            bindings.put(None::<&[u8]>)?;
            bindings.put(true)?;
            bindings.put(kind.name())?;
            bindings.put(full)?;
            Some(*nonce)
        }
    };
    bindings.ms(*issued)?;
    bindings.optional_number(protocol2.as_ref().map(|state| state.nonce))?;
    let to_drop = protocol2.as_ref().map(|state| state.drop.iter().flat_map(|id| *id.as_bytes()).collect::<Vec<u8>>());
    bindings.put(to_drop)?;
    Ok(newest)
}

fn write_enode(bindings: &mut Bindings<'_, '_>, node: &NodeId, enode: Option<&Enode>) -> Result<()> {
    bindings.put(enode.map(|enode| enode.port))?;
    bindings.put(enode.and_then(|enode| enode.disc_port))?;
    match enode.map(|enode| &enode.host) {
        None | Some(EnodeHost::None) => bindings.put(None::<&str>)?,
        Some(EnodeHost::Ip(IpAddr::V4(ip))) => bindings.put(&ip.octets()[..])?,
        Some(EnodeHost::Ip(IpAddr::V6(ip))) => bindings.put(&ip.octets()[..])?,
        Some(EnodeHost::Dns(name)) => bindings.put(&**name)?,
    }
    let id = enode.map(|enode| &enode.id).filter(|id| *id != node);
    bindings.put(id.map(|id| &id.as_bytes()[..]))
}

fn write_payout(bindings: &mut Bindings<'_, '_>, payout: Option<HostPayout>) -> Result<()> {
    bindings.account(payout.map(|payout| payout.account))?;
    bindings.optional_ms(payout.map(|payout| payout.counter))?;
    bindings.optional_ms(payout.map(|payout| payout.changed))?;
    let next = payout.and_then(|payout| payout.next);
    bindings.account(next.map(|(account, _)| account))?;
    bindings.optional_ms(next.map(|(_, from)| from))
}

fn paired_bytes(times: &[PairedTime; 2]) -> Vec<u8> {
    times.iter().flat_map(|time| [time.with.to_bits(), time.ms]).flat_map(u64::to_be_bytes).collect()
}

/// Writes the last reports of the nodes that are stored.
pub(super) fn write_reports(connection: &Connection, reports: &[LastReport]) -> Result<()> {
    let mut statement = connection.prepare_cached(RAISE_REPORT)?;
    for LastReport { id, seen, nonce } in reports {
        statement.execute(params![&id.as_bytes()[..], seen.get().cast_signed(), nonce.cast_signed()])?;
    }
    Ok(())
}

pub(super) fn delete(connection: &Connection, id: &NodeId) -> Result<()> {
    const REPORT: &str = "DELETE FROM last_reports WHERE node = (SELECT number FROM nodes WHERE id = ?1)";
    for delete in [REPORT, "DELETE FROM nodes WHERE id = ?1"] {
        connection.prepare_cached(delete)?.execute([&id.as_bytes()[..]])?;
    }
    Ok(())
}

/// Reads all nodes, in the order in which they became known.
pub(super) fn read(connection: &Connection, each: &mut dyn FnMut(NodeRow)) -> Result<()> {
    read_with(connection, &format!("{READ} ORDER BY number"), [], each)
}

/// Reads nodes by ascending id.
pub(super) fn read_page(
    connection: &Connection,
    after: Option<&NodeId>,
    limit: usize,
    each: &mut dyn FnMut(NodeRow),
) -> Result<()> {
    let after = after.map_or(&[][..], |id| &id.as_bytes()[..]);
    let sql = format!("{READ} WHERE id > ?1 ORDER BY id LIMIT ?2");
    read_with(connection, &sql, params![after, sql_limit(limit)], each)
}

fn read_with(connection: &Connection, sql: &str, bound: impl Params, each: &mut dyn FnMut(NodeRow)) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(bound)?;
    while let Some(row) = rows.next()? {
        each(node_of(&mut Columns::of(row))?);
    }
    Ok(())
}

fn node_of(columns: &mut Columns<'_, '_>) -> Result<NodeRow> {
    let id = columns.id()?;
    let (mut signer, protocol2) = (signer_of(columns)?, None);
    let mut credentials = Credentials { signer, issued: columns.ms()?, protocol2 };
    credentials.protocol2 = protocol2_of(columns)?.map(Box::new);
    let chain = ChainSpec { chain_id: columns.number()?, genesis: Hash256(columns.get()?) };
    let enode = enode_of(columns, id)?;
    let payout = payout_of(columns)?;
    let (host, client) = (columns.get()?, columns.get()?);
    let proven = proven_of(columns)?;
    let (replaced, block, trial_used_ms) = (columns.get()?, columns.block()?, columns.get()?);
    let (seen, newest): (Ms, Option<u64>) = (columns.ms()?, columns.optional_number()?);
    if let Signer::NodeKey { nonce, .. } = &mut signer {
        *nonce = newest.ok_or_else(|| columns.invalid("a node of protocol 2 without a nonce"))?;
    }
    credentials.signer = signer;
    Ok(NodeRow { id, credentials, seen, chain, enode, payout, host, client, proven, replaced, block, trial_used_ms })
}

/// The signer; one of protocol 2 does not have its nonce yet.
fn signer_of(columns: &mut Columns<'_, '_>) -> Result<Signer> {
    let (key, protocol2): (Option<[u8; 33]>, bool) = (columns.get()?, columns.get()?);
    let (kind, full): (Option<String>, bool) = (columns.get()?, columns.get()?);
    Ok(match key.map(AgentPublic::new) {
        Some(key) => Signer::Agent { key, protocol2 },
        None => Signer::NodeKey { nonce: 0, kind: Kind::named(&kind.unwrap_or_default()), full },
    })
}

fn protocol2_of(columns: &mut Columns<'_, '_>) -> Result<Option<Protocol2State>> {
    let (nonce, to_drop): (_, Option<Vec<u8>>) = (columns.optional_number()?, columns.get()?);
    let (Some(nonce), Some(to_drop)) = (nonce, to_drop) else { return Ok(None) };
    let (ids, []) = to_drop.as_chunks::<64>() else { return Err(columns.invalid("a cut list of peers to drop")) };
    Ok(Some(Protocol2State { nonce, drop: ids.iter().copied().map(NodeId::new).collect(), announced: 0 }))
}

fn enode_of(columns: &mut Columns<'_, '_>, node: NodeId) -> Result<Option<Enode>> {
    let (port, disc_port): (Option<u16>, Option<u16>) = (columns.get()?, columns.get()?);
    let host: rusqlite::types::Value = columns.get()?;
    let invalid = || columns.invalid("a host that is neither an address nor a name");
    let host = match host {
        rusqlite::types::Value::Null => EnodeHost::None,
        rusqlite::types::Value::Text(name) => EnodeHost::Dns(name.into()),
        rusqlite::types::Value::Blob(bytes) => EnodeHost::Ip(address_of(&bytes).ok_or_else(invalid)?),
        rusqlite::types::Value::Integer(_) | rusqlite::types::Value::Real(_) => return Err(invalid()),
    };
    let id = columns.get::<Option<[u8; 64]>>()?.map_or(node, NodeId::new);
    Ok(port.map(|port| Enode { id, host, port, disc_port }))
}

fn payout_of(columns: &mut Columns<'_, '_>) -> Result<Option<HostPayout>> {
    let (account, counter, changed) = (columns.account()?, columns.optional_ms()?, columns.optional_ms()?);
    let next = columns.account()?.zip(columns.optional_ms()?);
    let (Some(account), Some(counter), Some(changed)) = (account, counter, changed) else { return Ok(None) };
    Ok(Some(HostPayout { account, counter, changed, next }))
}

fn address_of(bytes: &[u8]) -> Option<IpAddr> {
    let v6 = || <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| v6()).ok()
}

fn proven_of(columns: &mut Columns<'_, '_>) -> Result<Proven> {
    let (proven, paired): (u8, Option<Vec<u8>>) = (columns.get()?, columns.get()?);
    match (proven, paired.as_deref().map(<[u8]>::as_chunks::<8>)) {
        (NEVER_PAIRED, None) => Ok(Proven::No),
        (PROVEN, None) => Ok(Proven::Yes),
        (PARTLY, Some((&[first, first_ms, second, second_ms], []))) => {
            let time = |with, ms| PairedTime {
                with: WideBlock::from_bits(u64::from_be_bytes(with)),
                ms: u64::from_be_bytes(ms),
            };
            Ok(Proven::Partly(Box::new([time(first, first_ms), time(second, second_ms)])))
        }
        _ => Err(columns.invalid("no valid time with others")),
    }
}
