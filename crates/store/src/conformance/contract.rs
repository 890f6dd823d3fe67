//! The contract of a store, one rule after the other, each with its smallest case.

use vipnode_pool_core::{LastReport, Row, RowKey};
use vipnode_types::{Asset, LeaseId, Ms};

use super::{
    ledger_sample::entry,
    model::{entries_of, journal_of, state_of},
    sample::{agent, lease, metered, node, node_id},
};
use crate::{Store, StoreError};

pub(super) fn run<S: Store>(fresh: &impl Fn() -> S, reopen: &impl Fn(S) -> S) {
    empty(&mut fresh());
    newest_value_wins(&mut fresh());
    deletes(&mut fresh());
    last_reports(&mut fresh());
    a_failed_batch_changes_nothing(&mut fresh());
    a_row_metered_twice_is_one_row(&mut fresh());
    the_journal_keeps_its_order(&mut fresh());
    an_entry_has_one_value(&mut fresh());
    replay_changes_nothing(&mut fresh());
    lives_through_reopening(fresh(), reopen);
}

fn empty(store: &mut impl Store) {
    assert_eq!(state_of(store), []);
    assert_eq!(journal_of(store), []);
    let first = store.apply(&[]).expect("an empty batch");
    let second = store.apply(&[Row::LastReport(vec![])]).expect("an empty row");
    assert!(second > first, "sequence {second} after {first}");
    assert_eq!(state_of(store), []);
}

fn newest_value_wins(store: &mut impl Store) {
    let mut newer = node(1);
    newer.credentials = agent(Ms::new(9), true);
    let mut running = lease(1, 0);
    running.client_seen = Some((Ms::new(5), None));
    store.apply(&[node_row(1), Row::Lease(Box::new(lease(1, 0))), Row::Clock(Ms::new(5))]).expect("applies");
    store.apply(&[Row::Clock(Ms::new(6)), Row::NextLease(2), Row::NextLease(3)]).expect("applies");
    store.apply(&[Row::Asset(Asset::ETHER)]).expect("applies");
    let rows = [Row::Node(Box::new(newer)), Row::Lease(Box::new(running))];
    store.apply(&rows).expect("applies");
    let [node, lease] = rows;
    assert_eq!(state_of(store), [Row::Clock(Ms::new(6)), Row::NextLease(3), Row::Asset(Asset::ETHER), node, lease]);
}

fn deletes(store: &mut impl Store) {
    let gone = [Row::Delete(RowKey::Node(node_id(1))), Row::Delete(RowKey::Lease(LeaseId::new(1)))];
    store.apply(&gone).expect("deletes nothing");
    let rows = [node_row(1), node_row(2), Row::Lease(Box::new(lease(1, 0))), Row::Metered(Box::new(metered(1, 0, 5)))];
    store.apply(&rows).expect("applies");
    store.apply(&gone).expect("deletes");
    assert_eq!(state_of(store), [node_row(2)]);
    assert_eq!(journal_of(store), [metered(1, 0, 5)], "the journal only grows");
    let [delete, _] = gone;
    store.apply(&[delete.clone(), node_row(1)]).expect("deletes, then writes");
    assert_eq!(state_of(store), [node_row(1), node_row(2)]);
    store.apply(&[node_row(1), delete]).expect("writes, then deletes");
    assert_eq!(state_of(store), [node_row(2)]);
}

fn last_reports(store: &mut impl Store) {
    let last_report = |number, ms| LastReport { id: node_id(number), seen: Ms::new(ms), nonce: 0 };
    let seen = |ms| Row::LastReport(vec![last_report(1, ms), last_report(9, ms)]);
    store.apply(&[seen(50), node_row(1), node_row(2)]).expect("applies");
    assert_eq!(state_of(store), [node_row(1), node_row(2)], "a node that is not there is passed over");
    store.apply(&[seen(100)]).expect("applies");
    let mut folded = node(1);
    folded.seen = Ms::new(100);
    assert_eq!(state_of(store), [Row::Node(Box::new(folded)), node_row(2)]);
    store.apply(&[node_row(1)]).expect("applies");
    assert_eq!(state_of(store), [node_row(1), node_row(2)], "a later row brings its own");
}

fn a_failed_batch_changes_nothing(store: &mut impl Store) {
    store.apply(&[node_row(1), Row::Metered(Box::new(metered(1, 0, 5)))]).expect("applies");
    let before = (state_of(store), journal_of(store));
    let batch = [
        Row::Clock(Ms::new(7)),
        node_row(2),
        Row::Metered(Box::new(metered(2, 0, 5))),
        Row::Delete(RowKey::Node(node_id(1))),
        Row::Metered(Box::new(metered(1, 0, 6))),
    ];
    let conflict = |lease, row| Err(StoreError::Conflict { lease: LeaseId::new(lease), row });
    assert_eq!(store.apply(&batch), conflict(1, 0));
    assert_eq!((state_of(store), journal_of(store)), before);
    let batch = [Row::Metered(Box::new(metered(3, 1, 6))), Row::Metered(Box::new(metered(3, 1, 7)))];
    assert_eq!(store.apply(&batch), conflict(3, 1), "also within one batch");
    assert_eq!((state_of(store), journal_of(store)), before);
    store.apply(&[node_row(2)]).expect("a store goes on after a conflict");
}

fn a_row_metered_twice_is_one_row(store: &mut impl Store) {
    let row = Row::Metered(Box::new(metered(1, 0, 5)));
    store.apply(&[row.clone(), row.clone()]).expect("twice in a batch");
    store.apply(&[row]).expect("and again");
    store.apply(&[Row::Metered(Box::new(metered(1, 1, 5)))]).expect("another row of the lease");
    assert_eq!(journal_of(store), [metered(1, 0, 5), metered(1, 1, 5)]);
}

fn the_journal_keeps_its_order(store: &mut impl Store) {
    let rows: Vec<_> = [5, 3, 9, 1, 7, 2, 8].into_iter().map(|lease| metered(lease, 0, lease)).collect();
    for pair in rows.chunks(2) {
        let batch: Vec<_> = pair.iter().map(|row| Row::Metered(Box::new(row.clone()))).collect();
        store.apply(&batch).expect("applies");
    }
    assert_eq!(journal_of(store), rows);
    store.metered(0, 0, &mut |position, _| unreachable!("no limit of 0: {position}")).expect("reads");
    store.metered(u64::MAX >> 1, 9, &mut |position, _| unreachable!("beyond the end: {position}")).expect("reads");
}

fn replay_changes_nothing(store: &mut impl Store) {
    let batches = [
        vec![node_row(1), Row::Lease(Box::new(lease(1, 0))), Row::NextLease(2)],
        vec![
            Row::LastReport(vec![LastReport { id: node_id(1), seen: Ms::new(50), nonce: 7 }]),
            Row::Clock(Ms::new(50)),
        ],
        vec![Row::Metered(Box::new(metered(1, 0, 5))), Row::Delete(RowKey::Lease(LeaseId::new(1)))],
    ];
    for batch in &batches {
        store.apply(batch).expect("applies");
    }
    let once = (state_of(store), journal_of(store));
    for from in 0..batches.len() {
        for batch in batches.iter().skip(from) {
            store.apply(batch).expect("applies again");
        }
        assert_eq!((state_of(store), journal_of(store)), once, "replayed from batch {from}");
    }
}

fn lives_through_reopening<S: Store>(mut store: S, reopen: &impl Fn(S) -> S) {
    let rows = [Row::Clock(Ms::new(4)), Row::NextLease(2), node_row(1), Row::Lease(Box::new(lease(1, 0)))];
    store.apply(&rows).expect("applies");
    store.apply(&[Row::Metered(Box::new(metered(1, 0, 5)))]).expect("applies");
    let mut store = reopen(store);
    assert_eq!(state_of(&mut store), rows);
    assert_eq!(journal_of(&mut store), [metered(1, 0, 5)]);
    let changed = store.apply(&[Row::Metered(Box::new(metered(1, 0, 6)))]);
    assert_eq!(changed, Err(StoreError::Conflict { lease: LeaseId::new(1), row: 0 }));
}

fn node_row(number: u8) -> Row {
    Row::Node(Box::new(node(number)))
}

fn an_entry_has_one_value(store: &mut impl Store) {
    let row = |number: u64| Row::Entry(Box::new(entry(number)));
    store.apply(&[row(1), row(2)]).expect("applies");
    store.apply(&[row(1)]).expect("applies the same again");
    let mut other = entry(2);
    other.at = Ms::new(99);
    let changed = store.apply(&[row(3), Row::Entry(Box::new(other))]);
    assert_eq!(changed, Err(StoreError::EntryConflict { number: 2 }));
    assert_eq!(entries_of(store), [entry(1), entry(2)], "a failed batch changes nothing");
    store.apply(&[row(3)]).expect("applies");
    assert_eq!(state_of(store), [row(2), row(3)], "those with a key, and the newest");
}
