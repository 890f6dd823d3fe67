//! Whether what a mind holds and what a store holds is the same.

use std::collections::BTreeMap;

use vipnode_pool_core::{Row, RowKey, Signer};
use vipnode_types::{ChainSpec, Ms};

/// Presences, nonces of protocol 2 and the clock may lag in a store, since they are flushed every few minutes;
/// nothing else may.
///
/// # Errors
/// What differs.
pub fn same(held: &[Row], stored: &[Row]) -> Result<(), String> {
    let clock = |rows: &[Row]| rows.iter().find_map(|row| if let Row::Clock(at) = row { Some(*at) } else { None });
    if clock(stored) > clock(held) {
        return Err(format!("the store's clock {:?} is ahead of {:?}", clock(stored), clock(held)));
    }
    let next = |rows: &[Row]| rows.iter().find_map(|row| if let Row::NextLease(n) = row { Some(*n) } else { None });
    if next(stored).unwrap_or(1) != next(held).unwrap_or(1) {
        return Err(format!("the store's next lease is {:?}, the mind's {:?}", next(stored), next(held)));
    }
    for (key, row) in index(stored) {
        if let (Row::Node(old), Some(Row::Node(new))) = (row, index(held).get(&key))
            && (old.seen > new.seen || old.credentials.nonce() > new.credentials.nonce())
        {
            return Err(format!("the store saw {:?} later than the mind", old.id));
        }
    }
    let (held, stored) = (without_times(held), without_times(stored));
    if index(&held) == index(&stored) {
        Ok(())
    } else {
        Err(format!("mind and store differ:\n{}", difference(&held, &stored)))
    }
}

/// Rows of nodes and leases that stand in one list and not so in the other, one a line.
#[must_use]
pub fn difference(held: &[Row], stored: &[Row]) -> String {
    let line = |sign: char, rows: &[Row], others: &[Row]| {
        let only = rows.iter().filter(|row| !others.contains(row)).map(|row| format!("{sign} {row:?}\n"));
        only.collect::<String>()
    };
    line('-', held, stored) + &line('+', stored, held)
}

fn index(rows: &[Row]) -> BTreeMap<RowKey, &Row> {
    let key = |row: &Row| match row {
        Row::Node(node) => Some(RowKey::Node(node.id)),
        Row::Lease(lease) => Some(RowKey::Lease(lease.id)),
        _ => None,
    };
    rows.iter().filter_map(|row| key(row).map(|key| (key, row))).collect()
}

fn without_times(rows: &[Row]) -> Vec<Row> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        if let Row::Node(node) = row {
            node.seen = Ms::ZERO;
            if let Some(past) = &mut node.credentials.protocol2 {
                // Their order says whom to forget first, and is not written each time.
                past.drop.sort_unstable();
            }
            if let Signer::NodeKey { nonce, .. } = &mut node.credentials.signer {
                *nonce = 0;
                // The mind may have learnt which chain is meant since it was written; a restored one learns it anew.
                node.chain = ChainSpec::untold(node.chain.chain_id);
            }
        }
    }
    rows.retain(|row| matches!(row, Row::Node(_) | Row::Lease(_)));
    rows
}
