//! A database that has less than was acknowledged: it stays as it is, for the operator to repair.

use std::fs;

use super::{crashes::copy, *};

/// The files of a store with three batches, as a kill of its process leaves them.
fn killed(root: &Path) -> PathBuf {
    let (dir, killed) = (root.join("pool"), root.join("killed"));
    let mut store = open(&dir);
    for number in 1..=3 {
        store.apply(&[node_row(number)]).unwrap();
    }
    copy(&dir, &killed);
    killed
}

/// The bytes of the database and its log.
fn bytes(dir: &Path) -> [Option<Vec<u8>>; 2] {
    ["pool.db", "pool.db-wal"].map(|name| fs::read(dir.join(name)).ok())
}

/// Changes a bit near the end of the log, in the last batch.
fn flip(dir: &Path) {
    let file = dir.join("pool.db-wal");
    let mut log = fs::read(&file).unwrap();
    let at = log.len() - 9;
    log[at] ^= 1;
    fs::write(file, log).unwrap();
}

#[test]
fn a_refused_start_a_check_and_a_backup_leave_a_damaged_log_as_it_is() {
    let root = tempdir().unwrap();
    let dir = killed(root.path());
    flip(&dir);
    let before = bytes(&dir);
    let lost = StoreError::LostCommits { file: dir.join("acknowledged"), lost: 1 };
    assert_eq!(SqliteStore::open(&dir).unwrap_err(), lost);
    assert!(bytes(&dir) == before, "after a start");
    assert_eq!(reader(&dir).unwrap().check().unwrap().problems, [lost.to_string()]);
    assert!(bytes(&dir) == before, "after a check");
    let to = root.path().join("backup.db");
    assert_eq!(reader(&dir).unwrap().back_up(&to).unwrap_err(), lost);
    assert!(bytes(&dir) == before, "after a backup");
    assert!(!to.exists(), "half a copy looks like a backup");
    // The operator repairs the log.
    flip(&dir);
    let whole = reader(&dir).unwrap();
    assert_eq!((whole.check().unwrap().problems, whole.back_up(&to)), (Vec::new(), Ok(3)));
    drop(whole);
    assert!(bytes(&dir)[1].as_ref().is_some_and(|log| !log.is_empty()), "a reader does not copy the log");
    assert_eq!(rows(&mut open(&dir)), [node_row(1), node_row(2), node_row(3)]);
    assert_eq!(bytes(&dir)[1], None, "an orderly end leaves no log");
    reader(&dir).unwrap().check().unwrap();
    assert_eq!(bytes(&dir)[1], None, "nor does a reader");
}

#[test]
fn a_log_of_which_nothing_is_left_is_lost_commits_to_a_reader_too() {
    let root = tempdir().unwrap();
    let dir = killed(root.path());
    fs::remove_file(dir.join("pool.db-wal")).unwrap();
    let before = bytes(&dir);
    let lost = StoreError::LostCommits { file: dir.join("acknowledged"), lost: 3 };
    assert_eq!(reader(&dir).unwrap_err(), lost);
    assert_eq!(SqliteStore::open(&dir).unwrap_err(), lost);
    assert_eq!(bytes(&dir)[0], before[0]);
}

#[test]
fn no_database_is_created_where_one_was_lost() {
    let root = tempdir().unwrap();
    let dir = killed(root.path());
    let file = dir.join(DATABASE);
    let away = root.path().join("away");
    fs::rename(&file, &away).unwrap();
    let lost = StoreError::LostDatabase { file: file.clone() };
    let refused = || {
        let before = bytes(&dir);
        assert_eq!(SqliteStore::open(&dir).unwrap_err(), lost);
        assert_eq!(reader(&dir).unwrap_err(), lost);
        assert!(bytes(&dir) == before);
    };
    refused();
    // SQLite deletes the log of an empty database.
    fs::write(&file, "").unwrap();
    refused();
    let note = fs::read(dir.join("acknowledged")).unwrap();
    fs::remove_file(dir.join("acknowledged")).unwrap();
    refused();
    fs::write(dir.join("acknowledged"), note).unwrap();
    fs::rename(&away, &file).unwrap();
    assert_eq!(rows(&mut open(&dir)), [node_row(1), node_row(2), node_row(3)]);
    // Without a log, the note alone stops the start, and as the hint describes, a new database is made without it.
    fs::remove_file(&file).unwrap();
    refused();
    fs::remove_file(dir.join("acknowledged")).unwrap();
    assert_eq!(rows(&mut open(&dir)), []);
}

#[test]
fn a_note_that_is_not_whole_stops_no_start_and_no_number_is_used_again() {
    for note in ["", "xx", "0000000000000000000", "00000000000000000001", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\n"]
    {
        let dir = tempdir().unwrap();
        open(dir.path()).apply(&[Row::NextLease(7)]).unwrap();
        assert_eq!(rows(&mut open(dir.path())), [Row::NextLease(7)]);
        fs::write(dir.path().join("acknowledged"), note).unwrap();
        let left = rows(&mut open(dir.path()));
        assert!(matches!(left[..], [Row::NextLease(1_700_000_000_000_000..)]), "{note:?}: {left:?}");
    }
}
