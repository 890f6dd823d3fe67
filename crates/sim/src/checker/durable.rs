//! Whether what a mind holds and what a store holds is the same.

use std::collections::BTreeMap;

use vipnode_core::{Row, RowKey};
use vipnode_types::Ms;

/// Presences and the clock may lag in a store, since they are flushed every few minutes; nothing else may.
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
            && old.seen > new.seen
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
        }
    }
    rows.retain(|row| matches!(row, Row::Node(_) | Row::Lease(_)));
    rows
}
