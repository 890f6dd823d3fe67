//! Compares what the pool core holds with what the store holds.

use std::collections::{BTreeMap, BTreeSet};

use vipnode_pool_core::{LedgerAccount, Row, RowKey, Signer};
use vipnode_types::{Account, Ms, NodeId};

use super::{Promise, Violation};

/// A period that waits for others of its hour is written at most once a second, with a tick of the pool.
const DEFERRED_LATE_MS: u64 = 3_000;

/// Checks that the store holds what the core holds. Only last reports, nonces of protocol 2 and the clock may lag in the
/// store, since they are flushed every few minutes, and periods that wait for others, for a moment.
///
/// # Errors
/// [`Promise::Durability`], with what differs.
pub fn same(held: &[Row], stored: &[Row]) -> Result<(), Violation> {
    let clock = |rows: &[Row]| rows.iter().find_map(|row| if let Row::Clock(at) = row { Some(*at) } else { None });
    if clock(stored) > clock(held) {
        let (stored, held) = (clock(stored), clock(held));
        return Promise::Durability.broken(format!("the store's clock {stored:?} is ahead of the core's {held:?}"));
    }
    let next = |rows: &[Row]| rows.iter().find_map(|row| if let Row::NextLease(n) = row { Some(*n) } else { None });
    // A core that is restored from a store without any lease numbers its own from the time on.
    let unused = next(stored).is_none() && !held.iter().any(|row| matches!(row, Row::Lease(_)));
    if !unused && next(stored).unwrap_or(1) != next(held).unwrap_or(1) {
        let (stored, held) = (next(stored), next(held));
        return Promise::Durability.broken(format!("the next lease of the store is {stored:?}, of the core {held:?}"));
    }
    for (key, row) in index(stored) {
        if let (Row::Node(old), Some(Row::Node(new))) = (row, index(held).get(&key))
            && (old.seen > new.seen || old.credentials.nonce() > new.credentials.nonce())
        {
            return Promise::Durability.broken(format!("the store saw {:?} later than the core did", old.id));
        }
    }
    let pays = held.iter().any(|row| matches!(row, Row::Payment(_)));
    let stored: Vec<Row> = stored.iter().filter(|row| pays || !is_of_ledger(row)).cloned().collect();
    let now = clock(held).unwrap_or(Ms::ZERO);
    let (mut held, stored) = (without_times(held), without_times(&stored));
    held.iter_mut().for_each(|row| as_written(row, &stored, now));
    if index(&held) == index(&stored) {
        Ok(())
    } else {
        Promise::Durability.broken(format!("core and store differ:\n{}", difference(&held, &stored)))
    }
}

/// The rows that are in one list only, one a line: `-` for those held, `+` for those stored.
#[must_use]
pub fn difference(held: &[Row], stored: &[Row]) -> String {
    let line = |sign: char, rows: &[Row], others: &[Row]| {
        let only = rows.iter().filter(|row| !others.contains(row)).map(|row| format!("{sign} {row:?}\n"));
        only.collect::<String>()
    };
    line('-', held, stored) + &line('+', stored, held)
}

/// What identifies a row among those of a store.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum StateKey {
    Row(RowKey),
    Entry(u64),
    Account(LedgerAccount),
    LinkCounter(Account),
    Channel(Account),
    Restore,
    Period,
    Pricing,
    Epoch,
}

fn index(rows: &[Row]) -> BTreeMap<StateKey, &Row> {
    let pays = rows.iter().any(|row| matches!(row, Row::Payment(mode) if !mode.is_none()));
    let row_key = |row: &Row| match row {
        Row::Node(node) => Some(RowKey::Node(node.id)),
        Row::Lease(lease) => Some(RowKey::Lease(lease.id)),
        Row::Times(times) => Some(RowKey::Times(times.client)),
        Row::Deferred(row) => Some(RowKey::Deferred(row.lease.client, row.lease.host)),
        Row::Delegation(row) => Some(RowKey::Delegation(row.id)),
        Row::Link(row) => Some(RowKey::Link(row.node)),
        Row::Unpaid(row) => Some(RowKey::Unpaid(row.entry)),
        Row::Payout(row) => Some(RowKey::Payout(row.number)),
        Row::EpochClaim(row) => Some(RowKey::EpochClaim(row.signer)),
        Row::ChainTransaction(row) => Some(RowKey::ChainTransaction(row.nonce)),
        _ => None,
    };
    let key = |row: &Row| match row {
        Row::Entry(entry) => Some(StateKey::Entry(entry.number)),
        Row::Account(row) => Some(StateKey::Account(row.account)),
        Row::LinkCounter(account, _) => Some(StateKey::LinkCounter(*account)),
        Row::Channel(row) => Some(StateKey::Channel(row.config.payer_authorizer)),
        Row::Restore(_) => Some(StateKey::Restore),
        Row::Period(_) => Some(StateKey::Period),
        Row::Epoch(_) => Some(StateKey::Epoch),
        // A pool that no longer charges follows its settings.
        Row::Pricing(_) => pays.then_some(StateKey::Pricing),
        row => row_key(row).map(StateKey::Row),
    };
    rows.iter().filter_map(|row| key(row).map(|key| (key, row))).collect()
}

/// Whether a row belongs to the ledger, which the store keeps while nobody pays.
const fn is_of_ledger(row: &Row) -> bool {
    matches!(
        row,
        Row::Entry(_)
            | Row::Account(_)
            | Row::Link(_)
            | Row::LinkCounter(..)
            | Row::Channel(_)
            | Row::Payout(_)
            | Row::Period(_)
            | Row::Unpaid(_)
            | Row::Epoch(_)
            | Row::EpochClaim(_)
            | Row::ChainTransaction(_)
    )
}

/// Replaces a period that waits, and that changed a moment ago, by what the store has of it.
fn as_written(row: &mut Row, stored: &[Row], now: Ms) {
    let Row::Deferred(new) = &*row else { return };
    let (sides, is_new) = ((new.lease.client, new.lease.host), new.ended.plus(DEFERRED_LATE_MS) > now);
    let is_before = |row: &&Row| matches!(row, Row::Deferred(old) if (old.lease.client, old.lease.host) == sides);
    if let Some(before) = stored.iter().find(is_before).filter(|_| is_new) {
        *row = before.clone();
    }
}

fn without_times(rows: &[Row]) -> Vec<Row> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        if let Row::Node(node) = row {
            node.seen = Ms::ZERO;
            if let Some(past) = &mut node.credentials.protocol2 {
                // Their order decides which is forgotten first; it is not written each time.
                past.drop.sort_unstable();
            }
            if let Signer::NodeKey { nonce, .. } = &mut node.credentials.signer {
                *nonce = 0;
            }
        }
    }
    let nodes: BTreeSet<NodeId> =
        rows.iter().filter_map(|row| if let Row::Node(node) = row { Some(node.id) } else { None }).collect();
    for row in &mut rows {
        if let Row::Times(times) = row {
            // A forgotten host is left out when the row is written next.
            times.hosts.retain(|host| nodes.contains(&host.host));
        }
    }
    rows.retain(|row| !matches!(row, Row::Clock(_) | Row::NextLease(_)));
    rows
}
