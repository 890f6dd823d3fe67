//! A backup that is put in the place of a database.

use std::fs;

use vipnode_pool_core::{Credentials, LeaseRow, Protocol2State, Signer};
use vipnode_types::{TypedError as _, protocol2::Kind};

use super::*;
use crate::conformance::lease;

/// A pool's directory with one node, and a backup of it; afterward, the pool knows another node.
fn backed_up(root: &Path) -> (PathBuf, PathBuf) {
    let (dir, backup) = (root.join("pool"), root.join("backup.db"));
    let mut store = open(&dir);
    store.apply(&[Row::NextLease(7), node_row(1)]).unwrap();
    reader(&dir).unwrap().back_up(&backup).unwrap();
    store.apply(&[node_row(2)]).unwrap();
    (dir, backup)
}

#[test]
fn a_backup_replaces_a_database_that_is_kept_and_no_number_is_used_again() {
    let root = tempdir().unwrap();
    let (dir, backup) = backed_up(root.path());
    let before = fs::read(&backup).unwrap();
    let error = RestoredDatabase::restore(&dir, &backup, false).unwrap_err();
    assert_eq!(error, StoreError::HasDatabase { file: dir.join(DATABASE) });
    assert!(error.hint().unwrap().contains("--force"), "{error}");
    assert_eq!(rows(&mut open(&dir)).len(), 3, "as it was");
    let first = RestoredDatabase::restore(&dir, &backup, true).unwrap();
    assert_eq!(first.seq, 1);
    assert!(first.incarnation > 1_700_000_000_000, "{first:?}");
    assert_eq!(reader(&dir).unwrap().read(0).unwrap().pool_time().unwrap(), (first.incarnation, Ms::ZERO));
    let left = rows(&mut open(&dir));
    assert!(matches!(left[..], [Row::NextLease(1_700_000_000_000_000..), Row::Node(_)]), "{left:?}");
    assert_eq!(fs::read(&backup).unwrap(), before, "the backup stays as it is");
    // The former database is whole, once it is in its place again.
    let former = first.former.unwrap();
    let again = root.path().join("again");
    fs::create_dir(&again).unwrap();
    fs::copy(&former, again.join(DATABASE)).unwrap();
    assert_eq!(rows(&mut open(&again)).len(), 3);
    let copy = root.path().join("copy.db");
    reader(&dir).unwrap().back_up(&copy).unwrap();
    let second = RestoredDatabase::restore(&dir, &copy, true).unwrap();
    assert!(second.incarnation > first.incarnation, "a backup of a restored database");
}

/// What a pool committed last may be only in the log.
#[test]
fn a_database_that_is_kept_keeps_its_log() {
    let root = tempdir().unwrap();
    let (dir, backup) = backed_up(root.path());
    let killed = root.path().join("killed");
    fs::create_dir(&killed).unwrap();
    let mut store = open(&dir);
    store.apply(&[node_row(3)]).unwrap();
    for file in [DATABASE, "pool.db-wal", "pool.db-shm"] {
        fs::copy(dir.join(file), killed.join(file)).unwrap();
    }
    drop(store);
    let former = RestoredDatabase::restore(&killed, &backup, true).unwrap().former.unwrap();
    let error = SqliteReader::open_backup(&former).unwrap_err();
    assert_eq!(error, StoreError::HasLog { file: former.clone() }, "it is not checked without its log");
    let again = root.path().join("again");
    RestoredDatabase::restore(&again, &former, false).unwrap();
    assert_eq!(rows(&mut open(&again)).len(), 4, "three nodes");
}

#[test]
fn a_backup_runs_nothing_while_it_is_restored() {
    let root = tempdir().unwrap();
    let (dir, backup) = backed_up(root.path());
    let spoiled = rusqlite::Connection::open(&backup).unwrap();
    spoiled.execute_batch("CREATE TRIGGER spoil AFTER UPDATE ON pool BEGIN DELETE FROM nodes; END").unwrap();
    drop(spoiled);
    RestoredDatabase::restore(&dir, &backup, true).unwrap();
    let mut store = open(&dir);
    store.apply(&[node_row(2)]).unwrap();
    assert_eq!(rows(&mut store).len(), 3);
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_no_backup_and_is_not_waited_for() {
    let root = tempdir().unwrap();
    let pipe = root.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let error = RestoredDatabase::restore(&root.path().join("new"), &pipe, false).unwrap_err();
    assert!(matches!(error, StoreError::NoBackup { .. }), "{error}");
}

#[test]
fn a_new_directory_needs_no_force_and_a_running_pool_is_left_alone() {
    let root = tempdir().unwrap();
    let (dir, backup) = backed_up(root.path());
    let new = root.path().join("new");
    assert_eq!(RestoredDatabase::restore(&new, &backup, false).unwrap().former, None);
    assert_eq!(rows(&mut open(&new)).len(), 2);
    let running = open(&dir);
    let refused = RestoredDatabase::restore(&dir, &backup, true).unwrap_err();
    assert_eq!(refused, StoreError::InUse { dir: dir.clone() });
    drop(running);
    assert_eq!(rows(&mut open(&dir)).len(), 3);
}

/// Agents of protocol 2 do not report leases, so a restored pool learns of those that it lost only from the former database.
#[test]
fn a_node_of_protocol_2_drops_the_peers_of_leases_that_are_lost() {
    let root = tempdir().unwrap();
    let (dir, backup) = (root.path().join("pool"), root.path().join("backup.db"));
    let original = |number, drop: &[u8]| {
        let signer = Signer::NodeKey { nonce: 5, kind: Kind::Geth, full: true };
        let drop = drop.iter().map(|number| node_id(*number)).collect();
        let state = Protocol2State { nonce: 0, drop, announced: 0 };
        let credentials = Credentials { protocol2: Some(Box::new(state)), ..Credentials::new(signer) };
        Row::Node(Box::new(NodeRow { credentials, ..node(number) }))
    };
    let lease = |number, client, host| {
        let (client, host) = (node_id(client), node_id(host));
        Row::Lease(Box::new(LeaseRow { client, host, ..lease(number, 0) }))
    };
    let mut store = open(&dir);
    // The client of the kept lease is dropped by nobody, and node 2 speaks protocol 3.
    store.apply(&[original(1, &[]), node_row(2), node_row(3), node_row(4), lease(1, 3, 1)]).unwrap();
    reader(&dir).unwrap().back_up(&backup).unwrap();
    store.apply(&[lease(2, 2, 1), lease(3, 1, 2), lease(4, 4, 5), original(5, &[]), original(1, &[4])]).unwrap();
    drop(store);
    let restored = RestoredDatabase::restore(&dir, &backup, true).unwrap();
    assert_eq!(restored.lost_peers, Some(2));
    let to_drop = |dir: &Path| {
        let nodes = rows(&mut open(dir)).into_iter().filter_map(|row| match row {
            Row::Node(node) => Some((node.id, node.credentials.to_drop().to_vec())),
            _ => None,
        });
        nodes.filter(|(_, peers)| !peers.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(to_drop(&dir), [(node_id(1), vec![node_id(2), node_id(4)])]);
    fs::write(dir.join(DATABASE), b"damaged").unwrap();
    let restored = RestoredDatabase::restore(&dir, &backup, true).unwrap();
    assert_eq!((restored.lost_peers, to_drop(&dir)), (None, Vec::new()), "it cannot be read");
}

#[test]
fn what_is_not_a_backup_is_refused_and_nothing_is_changed() {
    let root = tempdir().unwrap();
    let (dir, backup) = backed_up(root.path());
    let mut damaged = fs::read(&backup).unwrap();
    damaged[4_096..].chunks_mut(4_096).for_each(|page| page[..64].fill(0xff));
    for (name, bytes) in [("damaged", &damaged[..]), ("empty", b""), ("letter", b"a letter to a friend")] {
        let file = root.path().join(name);
        fs::write(&file, bytes).unwrap();
        let error = RestoredDatabase::restore(&dir, &file, true).unwrap_err();
        assert!(matches!(&error, StoreError::NoBackup { file: named, .. } if *named == file), "{name}: {error}");
    }
    let missing = RestoredDatabase::restore(&dir, &root.path().join("missing"), true).unwrap_err();
    assert!(matches!(missing, StoreError::NoBackup { .. }), "{missing}");
    assert_eq!(rows(&mut open(&dir)).len(), 3);
    assert!(!dir.join("pool.db.part").exists());
}

#[test]
fn numbers_begin_beyond_those_of_a_clock_that_was_ahead() {
    let root = tempdir().unwrap();
    let (dir, backup) = (root.path().join("pool"), root.path().join("backup.db"));
    let ahead = 4_000_000_000_000;
    open(&dir).apply(&[Row::Clock(Ms::new(ahead)), Row::NextLease(7)]).unwrap();
    reader(&dir).unwrap().back_up(&backup).unwrap();
    RestoredDatabase::restore(&dir, &backup, true).unwrap();
    assert_eq!(rows(&mut open(&dir))[1], Row::NextLease(ahead * 1_000));
}
