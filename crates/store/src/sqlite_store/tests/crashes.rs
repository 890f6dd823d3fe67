//! What a crash leaves on the disk, opened again.

use std::fs;

use proptest::{prelude::*, test_runner::TestRunner};

use super::*;

/// Copies the files of a store that is open, as a kill of its process leaves them. (The copy releases the database's own
/// locks, which only other processes would respect; there are none.)
pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for name in ["pool.db", "pool.db-wal", "acknowledged"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[test]
fn every_acknowledged_batch_is_there_after_a_kill() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    // The log is copied into the database now and then, so both have a part.
    let mut store = SqliteStore::open_with_log(&dir, 7).unwrap();
    let mut expected = Vec::new();
    for number in 0..60 {
        store.apply(&[node_row(number)]).unwrap();
        expected.push(node_row(number));
        let copied = root.path().join(number.to_string());
        copy(&dir, &copied);
        let mut killed = open(&copied);
        assert_eq!((rows(&mut killed), killed.seq), (expected.clone(), store.seq), "after batch {number}");
    }
}

#[test]
fn a_batch_that_was_cut_short_is_not_there_and_those_before_are() {
    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    let mut store = open(&dir);
    store.apply(&[node_row(1)]).unwrap();
    let before = root.path().join("before");
    copy(&dir, &before);
    store.apply(&[node_row(2), node_row(3)]).unwrap();
    let whole = fs::read(dir.join("pool.db-wal")).unwrap();
    let durable = fs::read(before.join("pool.db-wal")).unwrap().len();
    assert!(whole.len() > durable);
    let made = Cell::new(0);
    let cut = |len: usize, flip: usize| {
        made.set(made.get() + 1);
        let torn = root.path().join(format!("torn-{}", made.get()));
        fs::create_dir(&torn).unwrap();
        // What was acknowledged is as it was before the batch.
        fs::copy(before.join("acknowledged"), torn.join("acknowledged")).unwrap();
        fs::copy(before.join("pool.db"), torn.join("pool.db")).unwrap();
        let mut bytes = whole[..len].to_vec();
        if let Some(byte) = bytes.get_mut(flip) {
            *byte ^= 1;
        }
        fs::write(torn.join("pool.db-wal"), bytes).unwrap();
        rows(&mut open(&torn))
    };
    assert_eq!(cut(whole.len(), usize::MAX), [node_row(1), node_row(2), node_row(3)]);
    let mut runner = TestRunner::new(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() });
    let torn = (durable..whole.len(), durable..whole.len());
    let outcome = runner.run(&torn, |(len, flip)| {
        assert_eq!(cut(len, usize::MAX), [node_row(1)], "cut at {len}");
        assert_eq!(cut(whole.len(), flip), [node_row(1)], "flipped at {flip}");
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn a_log_that_lost_acknowledged_commits_stops_the_start() {
    use vipnode_types::TypedError as _;

    let root = tempdir().unwrap();
    let dir = root.path().join("pool");
    let mut store = open(&dir);
    store.apply(&[node_row(1)]).unwrap();
    store.apply(&[node_row(2)]).unwrap();
    let (cut, missing) = (root.path().join("cut"), root.path().join("missing"));
    copy(&dir, &cut);
    let log = fs::read(cut.join("pool.db-wal")).unwrap();
    fs::write(cut.join("pool.db-wal"), &log[..log.len() - 1]).unwrap();
    let error = SqliteStore::open(&cut).unwrap_err();
    assert_eq!(error, StoreError::LostCommits { file: cut.join("acknowledged"), lost: 1 });
    assert!(error.hint().unwrap().contains("pool.db-wal back"), "{error}");
    // As the hint describes.
    fs::remove_file(cut.join("acknowledged")).unwrap();
    let left = rows(&mut open(&cut));
    assert!(
        matches!(left[..], [Row::NextLease(1_700_000_000_000_000..), Row::Node(_)]),
        "no number of a lost lease is used: {left:?}"
    );
    drop(store);
    store = open(&dir);
    store.apply(&[node_row(3)]).unwrap();
    copy(&dir, &missing);
    fs::remove_file(missing.join("pool.db-wal")).unwrap();
    assert!(matches!(SqliteStore::open(&missing), Err(StoreError::LostCommits { lost: 1, .. })));
}
