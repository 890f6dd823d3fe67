//! The log stays small while others read.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use super::*;
use crate::StoreSnapshot;

/// The log is copied into the database when it has so many pages.
const PAGES: u32 = 16;
/// Bytes at which it is reset.
const RESET: u64 = 2 * 16 * 4_096;
/// Bytes at which reads are canceled.
const MOST: u64 = 2 * RESET;
/// More than any commit of these tests writes.
const COMMIT: u64 = 16 * 4_096;

fn small(dir: &Path) -> SqliteStore {
    SqliteStore::open_with_log(dir, PAGES).unwrap()
}

fn log_bytes(dir: &Path) -> u64 {
    fs::metadata(dir.join("pool.db-wal")).unwrap().len()
}

fn grow_to(store: &mut SqliteStore, bytes: u64) {
    for number in (0..=u8::MAX).cycle().take(10_000) {
        if log_bytes(store.dir.path()) > bytes {
            return;
        }
        store.apply(&[node_row(number)]).unwrap();
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
    grow_to(&mut store, RESET);
    drop(snapshot);
    store.apply(&[node_row(1)]).unwrap();
    assert_eq!(log_bytes(dir.path()), 0);
}

#[test]
fn a_read_that_keeps_the_log_is_canceled_and_the_next_is_not() {
    let dir = tempdir().unwrap();
    let mut store = small(dir.path());
    let reader = store.reader(ReadLimits::default()).unwrap();
    let mut snapshot = reader.read(0).unwrap();
    grow_to(&mut store, RESET);
    assert_eq!(nodes(&mut *snapshot), Ok(0), "as of its batch");
    grow_to(&mut store, MOST);
    assert_eq!(nodes(&mut *snapshot), Err(StoreError::ReadCanceled));
    assert_eq!(nodes(&mut *reader.read(store.seq).unwrap()), Ok(1));
    drop(snapshot);
    for number in 0..=u8::MAX {
        store.apply(&[node_row(number)]).unwrap();
    }
    assert!(log_bytes(dir.path()) <= RESET + COMMIT);
}

#[test]
fn a_reader_waits_briefly_if_no_commit_follows() {
    let dir = tempdir().unwrap();
    let mut store = small(dir.path());
    let reader = store.reader(ReadLimits::default()).unwrap();
    let snapshot = reader.read(0).unwrap();
    grow_to(&mut store, RESET);
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
    grow_to(&mut store, MOST + RESET);
    assert_eq!(nodes(&mut *snapshot), Ok(0));
    let reader = store.reader(ReadLimits::default()).unwrap();
    assert_eq!(reader.read(0).unwrap().seq(), store.seq);
    drop(snapshot);
    for number in 0..=u8::MAX {
        store.apply(&[node_row(number)]).unwrap();
    }
    assert!(log_bytes(dir.path()) <= RESET + COMMIT);
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
            store.apply(&[node_row(number)]).unwrap();
            largest = largest.max(log_bytes(dir.path()));
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert!(largest <= MOST + COMMIT, "{largest}");
}
