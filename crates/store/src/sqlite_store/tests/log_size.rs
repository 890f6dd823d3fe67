//! The log stays small while others read.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use super::*;
use crate::{StoreSnapshot, sqlite_store::log_gate::LogPages};

/// The log is copied into the database when it has so many pages.
const PAGES: u64 = 16;
/// Pages at which reads are canceled.
const MOST: u64 = 4 * PAGES;
/// More than any commit of these tests writes.
const COMMIT: u64 = 16;

fn small(dir: &Path) -> SqliteStore {
    SqliteStore::open_with_log(dir, 16).unwrap()
}

fn log_pages(store: &SqliteStore) -> u64 {
    LogPages::of(&store.connection).unwrap().written
}

/// Commits as a pool does.
fn apply(store: &mut SqliteStore, number: u8) {
    store.apply(&[node_row(number)]).unwrap();
    store.tidy();
}

fn grow_to(store: &mut SqliteStore, pages: u64) {
    for number in (0..=u8::MAX).cycle().take(10_000) {
        if log_pages(store) > pages {
            return;
        }
        apply(store, number);
    }
    panic!("the log does not grow");
}

/// The number of nodes on a page of one.
fn nodes(snapshot: &mut dyn StoreSnapshot) -> Result<usize, StoreError> {
    snapshot.nodes(None, 1).map(|nodes| nodes.len())
}

#[test]
fn reads_that_have_ended_leave_no_large_log() {
    let dir = tempdir().unwrap();
    let mut store = small(dir.path());
    let reader = store.reader(ReadLimits::default()).unwrap();
    let snapshot = reader.read(0).unwrap();
    grow_to(&mut store, PAGES);
    let log = dir.path().join("pool.db-wal");
    let bytes = fs::metadata(&log).unwrap().len();
    drop(snapshot);
    // The first one is followed by a copy.
    apply(&mut store, 1);
    apply(&mut store, 1);
    assert!(log_pages(&store) <= COMMIT, "{}", log_pages(&store));
    assert!(fs::metadata(&log).unwrap().len() >= bytes, "its file is overwritten, not cut");
}

#[test]
fn without_readers_the_log_stays_as_large_as_it_may_be() {
    let dir = tempdir().unwrap();
    let mut store = small(dir.path());
    let mut largest = 0;
    // The first log has the schema, too.
    apply(&mut store, 0);
    apply(&mut store, 0);
    for number in 0..=u8::MAX {
        apply(&mut store, number);
        largest = largest.max(log_pages(&store));
    }
    assert!((PAGES..=PAGES + COMMIT).contains(&largest), "{largest}");
}

#[test]
fn a_read_that_keeps_the_log_is_canceled_and_the_next_is_not() {
    let dir = tempdir().unwrap();
    let mut store = small(dir.path());
    let reader = store.reader(ReadLimits::default()).unwrap();
    let mut snapshot = reader.read(0).unwrap();
    grow_to(&mut store, PAGES);
    assert_eq!(nodes(&mut *snapshot), Ok(0), "as of its batch");
    grow_to(&mut store, MOST);
    assert_eq!(nodes(&mut *snapshot), Err(StoreError::ReadCanceled));
    assert_eq!(nodes(&mut *reader.read(store.seq).unwrap()), Ok(1));
    drop(snapshot);
    for number in 0..=u8::MAX {
        apply(&mut store, number);
    }
    assert!(log_pages(&store) <= PAGES + COMMIT, "{}", log_pages(&store));
}

#[test]
fn a_commit_tidies_what_the_one_before_left() {
    let dir = tempdir().unwrap();
    let mut store = small(dir.path());
    for number in 0..=u8::MAX {
        store.apply(&[node_row(number)]).unwrap();
    }
    assert!(log_pages(&store) <= PAGES + 2 * COMMIT, "{}", log_pages(&store));
}

#[test]
fn a_reader_waits_briefly_if_no_commit_follows() {
    let dir = tempdir().unwrap();
    let mut store = small(dir.path());
    let reader = store.reader(ReadLimits::default()).unwrap();
    let snapshot = reader.read(0).unwrap();
    grow_to(&mut store, PAGES);
    assert_eq!(reader.read(0).unwrap().seq(), store.seq);
    drop(snapshot);
}

/// A backup or a check, which may take minutes.
#[test]
fn a_reader_of_another_process_delays_neither_commits_nor_reads() {
    let dir = tempdir().unwrap();
    let mut store = small(dir.path());
    let other = reader(dir.path()).unwrap();
    let mut snapshot = crate::StoreReader::read(&other, 0).unwrap();
    grow_to(&mut store, MOST + PAGES);
    assert_eq!(nodes(&mut *snapshot), Ok(0));
    let reader = store.reader(ReadLimits::default()).unwrap();
    assert_eq!(reader.read(0).unwrap().seq(), store.seq);
    drop(snapshot);
    for number in 0..=u8::MAX {
        apply(&mut store, number);
    }
    assert!(log_pages(&store) <= PAGES + COMMIT, "{}", log_pages(&store));
}

#[test]
fn the_log_stays_below_its_bound_while_readers_never_pause() {
    let dir = tempdir().unwrap();
    let mut store = small(dir.path());
    let reader = store.reader(ReadLimits::default()).unwrap();
    let (ended, mut largest) = (AtomicBool::new(false), 0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let read = reader.read(0).and_then(|mut snapshot| snapshot.nodes(None, 256));
                    assert!(matches!(read, Ok(_) | Err(StoreError::ReadCanceled)), "{read:?}");
                }
            });
        }
        for number in (0..=u8::MAX).cycle().take(2_000) {
            apply(&mut store, number);
            largest = largest.max(log_pages(&store));
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert!(largest <= MOST + COMMIT, "{largest}");
}
