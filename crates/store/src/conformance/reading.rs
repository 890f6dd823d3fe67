//! What a reader of a store sees while the store is written.

use std::{sync::Arc, time::Duration};

use vipnode_pool_core::{LedgerEntry, MeteredPeriod, Row, RowKey};
use vipnode_types::{Account, Asset, LeaseId};

use super::{
    model::{entries_of, journal_of, state_of},
    sample::{lease, metered, node, node_id},
};
use crate::{ReadLimits, StatementParties, Store, StoreError, StoreReader, StoreSnapshot};

pub(super) fn run<S: Store>(fresh: &impl Fn() -> S) {
    a_snapshot_stays_as_it_is(&mut fresh());
    waits_for_what_the_caller_wrote(&mut fresh());
    refuses_too_many(&fresh());
    ends_after_its_time(&mut fresh());
    reads_from_other_threads(&mut fresh());
}

/// Asserts that a reader sees what the store itself loads, whatever the size of its pages.
pub(super) fn compare(store: &mut impl Store) {
    let expected = state_of(store);
    let (journal, ledger) = (journal_of(store), entries_of(store));
    let reader = reader(store, ReadLimits::default());
    let mut snapshot = reader.read(0).expect("reads");
    let (next_lease, asset) = snapshot.head().expect("reads");
    let mut rows: Vec<Row> = next_lease.map(Row::NextLease).into_iter().chain(asset.map(Row::Asset)).collect();
    let mut last = None;
    while let page @ [.., end] = &snapshot.nodes(last.as_ref(), 2).expect("reads")[..] {
        rows.extend(page.iter().map(|node| Row::Node(Box::new(node.clone()))));
        last = Some(end.id);
    }
    let mut last = None;
    while let page @ [.., end] = &snapshot.leases(last, 1).expect("reads")[..] {
        rows.extend(page.iter().map(|lease| Row::Lease(Box::new(lease.clone()))));
        last = Some(end.id);
    }
    let mut last = None;
    while let page @ [.., end] = &snapshot.times(last.as_ref(), 3).expect("reads")[..] {
        rows.extend(page.iter().map(|times| Row::Times(Box::new(times.clone()))));
        last = Some(end.client);
    }
    let mut last = None;
    while let page @ [.., end] = &snapshot.deferred(last.as_ref(), 2).expect("reads")[..] {
        rows.extend(page.iter().map(|period| Row::Deferred(Box::new(period.clone()))));
        last = Some((end.lease.client, end.lease.host));
    }
    let of_reader = |row: &Row| {
        matches!(
            row,
            Row::NextLease(_) | Row::Asset(_) | Row::Node(_) | Row::Lease(_) | Row::Times(_) | Row::Deferred(_)
        )
    };
    let (expected, expected_ledger): (Vec<Row>, Vec<Row>) = expected.into_iter().partition(of_reader);
    assert_eq!(rows, expected);
    let (mut periods, mut last) = (Vec::new(), None);
    while let page @ [.., (end, _)] = &snapshot.periods(last, 2).expect("reads")[..] {
        periods.extend(page.iter().map(|(_, period)| period.clone()));
        last = Some(*end);
    }
    assert_eq!(periods, journal);
    let (mut entries, mut last) = (Vec::new(), None);
    while let page @ [.., end] = &snapshot.entries(last, 2).expect("reads")[..] {
        entries.extend_from_slice(page);
        last = Some(end.number);
    }
    assert_eq!(entries, ledger);
    compare_statements(&mut *snapshot, &rows, &expected_ledger, (&periods, &entries));
}

/// Asserts that what a statement reads is what a search of everything finds.
fn compare_statements(
    snapshot: &mut dyn StoreSnapshot,
    rows: &[Row],
    ledger: &[Row],
    (periods, entries): (&[MeteredPeriod], &[LedgerEntry]),
) {
    for period in periods {
        let found = snapshot.period(period.lease.id, period.lease.row).expect("reads");
        assert_eq!(found.as_ref(), Some(period));
    }
    assert_eq!(snapshot.period(LeaseId::new(u64::MAX), 7).expect("reads"), None);
    for (one, other) in (0..3).flat_map(|one| (0..3).map(move |other| (one, other))) {
        let account = |byte| Some(Account::new([byte; 20]));
        let parties = StatementParties { payer: account(one), payee: account(other).filter(|_| other > 0) };
        let (mut found, mut last) = (Vec::new(), None);
        while let page @ [.., end] = &snapshot.entries_of(parties, last, 2).expect("reads")[..] {
            found.extend_from_slice(page);
            last = Some(end.number);
        }
        let expected = entries.iter().filter(|entry| parties.are_of(&entry.transaction));
        assert_eq!(found, expected.cloned().collect::<Vec<_>>());
    }
    for row in ledger {
        if let Row::Account(row) = row {
            assert_eq!(snapshot.figures(row.account).expect("reads"), row.figures);
        }
    }
    for number in 0..4 {
        let node = node_id(number);
        let linked = ledger.iter().find_map(|row| match row {
            Row::Link(row) if row.node == node => Some(row.account),
            _ => None,
        });
        let payout = rows.iter().find_map(|row| match row {
            Row::Node(row) if row.id == node => row.payout,
            _ => None,
        });
        let expected = StatementParties { payer: linked, payee: payout.map(|payout| payout.account) };
        assert_eq!(snapshot.accounts_of(&node).expect("reads"), expected);
        assert_eq!(snapshot.payout(&node).expect("reads"), payout);
    }
    let clock = ledger.iter().find_map(|row| if let Row::Clock(clock) = row { Some(*clock) } else { None });
    assert_eq!(snapshot.pool_time().expect("reads"), (0, clock.unwrap_or_default()));
}

fn reader(store: &impl Store, limits: ReadLimits) -> Arc<dyn StoreReader> {
    store.reader(limits).expect("a reader")
}

fn rows_of(snapshot: &mut dyn StoreSnapshot) -> (usize, usize, usize) {
    let (nodes, leases) = (snapshot.nodes(None, 9).expect("reads"), snapshot.leases(None, 9).expect("reads"));
    (nodes.len(), leases.len(), snapshot.periods(None, 9).expect("reads").len())
}

fn a_snapshot_stays_as_it_is(store: &mut impl Store) {
    let first =
        store.apply(&[node_row(1), Row::Lease(Box::new(lease(1, 0))), Row::Asset(Asset::ETHER)]).expect("applies");
    let reader = reader(store, ReadLimits::default());
    let mut before = reader.read(first).expect("reads");
    let metered = Row::Metered(Box::new(metered(1, 0, 5)));
    let second = store.apply(&[node_row(2), metered, Row::Delete(RowKey::Lease(LeaseId::new(1)))]).expect("applies");
    assert_eq!((before.seq(), rows_of(&mut *before)), (first, (1, 1, 0)));
    let mut after = reader.read(0).expect("reads");
    assert_eq!((after.seq(), rows_of(&mut *after)), (second, (2, 0, 1)));
    assert_eq!(after.nodes(Some(&node_id(1)), 9).expect("reads"), [node(2)]);
    assert_eq!(after.nodes(None, 0).expect("reads"), []);
}

fn waits_for_what_the_caller_wrote(store: &mut impl Store) {
    let limits = ReadLimits { time: Duration::from_millis(20), ..ReadLimits::default() };
    let written = store.apply(&[node_row(1)]).expect("applies");
    let late = reader(store, limits);
    let missing = late.read(written.saturating_add(1)).err();
    assert_eq!(missing, Some(StoreError::NotDurable { written: written.saturating_add(1) }));
    let reader = reader(store, ReadLimits::default());
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut snapshot = reader.read(written.saturating_add(1)).expect("reads");
            (snapshot.seq(), snapshot.nodes(None, 9).expect("reads").len())
        });
        let second = store.apply(&[node_row(2)]).expect("applies");
        assert_eq!(reading.join().expect("reads"), (second, 2));
    });
}

fn refuses_too_many(store: &impl Store) {
    let limits = ReadLimits { snapshots: 2, time: Duration::from_millis(20) };
    let reader = reader(store, limits);
    let two = [reader.read(0).expect("reads"), reader.read(0).expect("reads")];
    assert_eq!(reader.read(0).err(), Some(StoreError::TooManyReads { most: 2 }));
    drop(two);
    drop(reader.read(0).expect("reads again"));
}

fn ends_after_its_time(store: &mut impl Store) {
    store.apply(&[node_row(1)]).expect("applies");
    let over = reader(store, ReadLimits { time: Duration::ZERO, ..ReadLimits::default() });
    let read = over.read(0).and_then(|mut snapshot| snapshot.nodes(None, 9));
    assert_eq!(read, Err(StoreError::ReadTime { limit_ms: 0 }));
    store.apply(&[node_row(2)]).expect("a canceled read delays no writer");
}

fn reads_from_other_threads(store: &mut impl Store) {
    let reader = reader(store, ReadLimits::default());
    std::thread::scope(|scope| {
        let read = || {
            (0..20).all(|_| {
                let mut snapshot = reader.read(0).expect("reads");
                // Each batch has one node.
                let batches = snapshot.seq();
                snapshot.nodes(None, 99).is_ok_and(|nodes| u64::try_from(nodes.len()) == Ok(batches))
            })
        };
        let threads = [scope.spawn(read), scope.spawn(read)];
        for number in 0..40 {
            store.apply(&[node_row(number)]).expect("applies");
        }
        for thread in threads {
            assert!(thread.join().expect("reads"), "the rows of another batch");
        }
    });
}

fn node_row(number: u8) -> Row {
    Row::Node(Box::new(node(number)))
}
