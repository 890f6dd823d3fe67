//! A backup that is put in the place of a database.

use std::fs;

use vipnode_pool_core::{
    Credentials, LeaseRow, LedgerEntry, OperatorOrder, Protocol2State, RestoreRow, Signer, Transaction,
};
use vipnode_types::{
    Account, Amount, Asset, LeaseId, PoolId, PoolKey, PoolKeyChange, PoolKeyChanges, TypedError as _, protocol2::Kind,
};

use super::*;
use crate::{LostEntries, RestoreChoice, conformance::lease};

fn restore(dir: &Path, backup: &Path, force: bool) -> Result<RestoredDatabase, StoreError> {
    RestoredDatabase::restore(dir, backup, &RestoreChoice { force, ..RestoreChoice::default() })
}

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
    let error = restore(&dir, &backup, false).unwrap_err();
    assert_eq!(error, StoreError::HasDatabase { file: dir.join(DATABASE), loss: String::new() });
    assert!(error.hint().unwrap().contains("--force"), "{error}");
    assert_eq!(rows(&mut open(&dir)).len(), 3, "as it was");
    let first = restore(&dir, &backup, true).unwrap();
    assert_eq!(first.seq, 1);
    assert!(first.incarnation > 1_700_000_000_000, "{first:?}");
    assert_eq!(reader(&dir).unwrap().read(0).unwrap().pool_time().unwrap(), (first.incarnation, Ms::ZERO));
    let left = rows(&mut open(&dir));
    let [Row::NextLease(1_700_000_000_000_000..), Row::Restore(noted), Row::Node(_)] = left[..] else {
        panic!("{left:?}")
    };
    assert_eq!(noted, RestoreRow { at: Ms::new(first.incarnation), is_settled: false });
    assert_eq!(fs::read(&backup).unwrap(), before, "the backup stays as it is");
    // The former database is whole, once it is in its place again.
    let former = first.former.unwrap().file;
    let again = root.path().join("again");
    fs::create_dir(&again).unwrap();
    fs::copy(&former, again.join(DATABASE)).unwrap();
    assert_eq!(rows(&mut open(&again)).len(), 3);
    let copy = root.path().join("copy.db");
    reader(&dir).unwrap().back_up(&copy).unwrap();
    let second = restore(&dir, &copy, true).unwrap();
    assert!(second.incarnation > first.incarnation, "a backup of a restored database");
}

/// Copies the database of a running pool to a directory, as a killed pool leaves it: what it committed last is only in the log.
fn killed(dir: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for file in [DATABASE, connection::LOG, connection::INDEX, acknowledged::FILE] {
        fs::copy(dir.join(file), to.join(file)).unwrap();
    }
}

fn num_nodes(dir: &Path) -> Result<usize, StoreError> {
    let nodes = |mut store| rows(&mut store).iter().filter(|row| matches!(row, Row::Node(_))).count();
    SqliteStore::open(dir).map(nodes)
}

/// A restore that is killed after it renamed so many files.
fn restore_until(dir: &Path, backup: &Path, renamed: usize) {
    let opened = vipnode_files::OpenDir::open(dir).unwrap();
    let choice = RestoreChoice { force: true, ..RestoreChoice::default() };
    let restored_database::PreparedRestore { marker, moves, .. } =
        RestoredDatabase::prepare(&opened, backup, &choice).unwrap();
    moves.into_iter().take(renamed).for_each(|moved| marker.rename(moved).unwrap());
}

/// A start takes the former database, or refuses what is left. The same restore again replaces the former database as if the first
/// one had never begun, even if it was killed several times.
#[test]
fn a_restore_that_was_killed_is_repeated() {
    let root = tempdir().unwrap();
    let (dir, backup) = backed_up(root.path());
    let mut store = open(&dir);
    store.apply(&[Row::Asset(Asset::ETHER), node_row(3), entry(1, Some(7))]).unwrap();
    for (first, second) in (0..=5).flat_map(|first| (0..=5).map(move |second| (first, second))) {
        let case = root.path().join(format!("killed-{first}-{second}"));
        killed(&dir, &case);
        for renamed in [first, second] {
            restore_until(&case, &backup, renamed);
        }
        if second > 0 {
            // A check or a backup fails with the same error.
            assert_eq!(reader(&case).unwrap_err(), StoreError::RestoreKilled { dir: case.clone() });
            let error = SqliteStore::open(&case).unwrap_err();
            assert_eq!(error, StoreError::RestoreKilled { dir: case.clone() }, "after {second} of the renames");
            assert!(error.hint().unwrap().contains("pool restore"), "{error}");
        }
        let restored = restore(&case, &backup, true).unwrap();
        let former = restored.former.unwrap();
        assert_eq!(former.entries.unwrap().count, 1);
        assert_eq!(num_nodes(&case), Ok(1), "the backup");
        let kept = fs::read_dir(&case).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let kept: Vec<String> = kept.filter(|name| name.contains("before")).collect();
        assert_eq!(kept.len(), 4, "{kept:?}");
        let again = root.path().join(format!("again-{first}-{second}"));
        restore(&again, &former.file, false).unwrap();
        assert_eq!(num_nodes(&again), Ok(3), "with what is only in the log");
    }
}

#[test]
fn a_restore_that_was_killed_before_it_renamed_a_file_changes_nothing() {
    let root = tempdir().unwrap();
    let (dir, backup) = backed_up(root.path());
    restore_until(&dir, &backup, 0);
    assert_eq!(num_nodes(&dir), Ok(2));
    open(&dir).apply(&[node_row(3)]).unwrap();
    let former = restore(&dir, &backup, true).unwrap().former.unwrap().file;
    let again = root.path().join("again");
    restore(&again, &former, false).unwrap();
    assert_eq!(num_nodes(&again), Ok(3));
}

/// The operator has the file of the prune, but no database has these entries.
#[test]
fn a_restore_counts_the_lost_entries_that_were_pruned() {
    let root = tempdir().unwrap();
    let (dir, backup) = (root.path().join("pool"), root.path().join("backup.db"));
    let mut store = open(&dir);
    store.apply(&[Row::Asset(Asset::ETHER), entry(1, Some(100))]).unwrap();
    reader(&dir).unwrap().back_up(&backup).unwrap();
    store.apply(&[entry(2, Some(20)), entry(3, Some(7)), entry(4, Some(1))]).unwrap();
    let order = crate::PruneOrder { before: Ms::NEVER, last_entry: 3, last_position: 0 };
    while !store.prune(order, 0, 100).unwrap().is_done {}
    drop(store);
    let lost = restore(&dir, &backup, true).unwrap().former.unwrap().entries.unwrap();
    assert_eq!((lost.count, lost.pruned), (1, 2), "{lost:?}");
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
    let former = restore(&killed, &backup, true).unwrap().former.unwrap().file;
    let error = SqliteReader::open_backup(&former).unwrap_err();
    assert_eq!(error, StoreError::HasLog { file: former.clone() }, "it is not checked without its log");
    let again = root.path().join("again");
    restore(&again, &former, false).unwrap();
    assert_eq!(rows(&mut open(&again)).len(), 5, "three nodes");
}

#[test]
fn a_backup_runs_nothing_while_it_is_restored() {
    let root = tempdir().unwrap();
    let (dir, backup) = backed_up(root.path());
    let spoiled = rusqlite::Connection::open(&backup).unwrap();
    spoiled.execute_batch("CREATE TRIGGER spoil AFTER UPDATE ON pool BEGIN DELETE FROM nodes; END").unwrap();
    drop(spoiled);
    restore(&dir, &backup, true).unwrap();
    let mut store = open(&dir);
    store.apply(&[node_row(2)]).unwrap();
    assert_eq!(rows(&mut store).len(), 4);
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_no_backup_and_is_not_waited_for() {
    let root = tempdir().unwrap();
    let pipe = root.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let error = restore(&root.path().join("new"), &pipe, false).unwrap_err();
    assert!(matches!(error, StoreError::NoBackup { .. }), "{error}");
}

#[test]
fn a_new_directory_needs_no_force_and_a_running_pool_is_left_alone() {
    let root = tempdir().unwrap();
    let (dir, backup) = backed_up(root.path());
    let new = root.path().join("new");
    assert_eq!(restore(&new, &backup, false).unwrap().former, None);
    assert_eq!(rows(&mut open(&new)).len(), 3);
    let running = open(&dir);
    let refused = restore(&dir, &backup, true).unwrap_err();
    assert_eq!(refused, StoreError::InUse { dir: dir.clone() });
    drop(running);
    assert_eq!(rows(&mut open(&dir)).len(), 3);
}

fn lost_peers(dir: &Path, backup: &Path) -> Result<DroppedPeers, StoreError> {
    restore(dir, backup, true).unwrap().former.unwrap().peers
}

/// A node of protocol 2 that has yet to drop peers.
fn original(number: u8, drop: &[u8]) -> Row {
    let signer = Signer::NodeKey { nonce: 5, kind: Kind::Geth, full: true };
    let drop = drop.iter().map(|number| node_id(*number)).collect();
    let state = Protocol2State { nonce: 0, drop, announced: 0 };
    let credentials = Credentials { protocol2: Some(Box::new(state)), ..Credentials::new(signer) };
    Row::Node(Box::new(NodeRow { credentials, ..node(number) }))
}

/// A lease between two nodes.
fn lease_of(number: u64, client: u8, host: u8) -> Row {
    let (client, host) = (node_id(client), node_id(host));
    Row::Lease(Box::new(LeaseRow { client, host, ..lease(number, 0) }))
}

/// Agents of protocol 2 do not report leases, so a restored pool learns of those that it lost only from the former database.
#[test]
fn a_node_of_protocol_2_drops_the_peers_of_leases_that_are_lost() {
    let root = tempdir().unwrap();
    let (dir, backup) = (root.path().join("pool"), root.path().join("backup.db"));
    let mut store = open(&dir);
    // The client of the kept lease is dropped by nobody, and node 2 speaks protocol 3.
    store.apply(&[original(1, &[]), node_row(2), node_row(3), node_row(4), lease_of(1, 3, 1)]).unwrap();
    reader(&dir).unwrap().back_up(&backup).unwrap();
    store
        .apply(&[lease_of(2, 2, 1), lease_of(3, 1, 2), lease_of(4, 4, 5), original(5, &[]), original(1, &[4])])
        .unwrap();
    drop(store);
    assert_eq!(lost_peers(&dir, &backup).unwrap().count, 2);
    let to_drop = |dir: &Path| {
        let nodes = rows(&mut open(dir)).into_iter().filter_map(|row| match row {
            Row::Node(node) => Some((node.id, node.credentials.to_drop().to_vec())),
            _ => None,
        });
        nodes.filter(|(_, peers)| !peers.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(to_drop(&dir), [(node_id(1), vec![node_id(2), node_id(4)])]);
    fs::write(dir.join(DATABASE), b"damaged").unwrap();
    let unreadable = lost_peers(&dir, &backup).unwrap_err();
    assert!(matches!(unreadable, StoreError::Foreign { .. }), "{unreadable}");
    assert_eq!(to_drop(&dir), [], "it cannot be read");
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
        let error = restore(&dir, &file, true).unwrap_err();
        assert!(matches!(&error, StoreError::NoBackup { file: named, .. } if *named == file), "{name}: {error}");
    }
    let missing = restore(&dir, &root.path().join("missing"), true).unwrap_err();
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
    restore(&dir, &backup, true).unwrap();
    assert_eq!(rows(&mut open(&dir))[1], Row::NextLease(ahead * 1_000));
}

#[test]
fn a_damaged_lease_row_costs_only_its_own_peer_and_the_reason_is_known() {
    let root = tempdir().unwrap();
    let (dir, backup) = (root.path().join("pool"), root.path().join("backup.db"));
    let mut store = open(&dir);
    store.apply(&[original(1, &[]), node_row(2), node_row(3)]).unwrap();
    reader(&dir).unwrap().back_up(&backup).unwrap();
    store.apply(&[lease_of(2, 2, 1), lease_of(3, 3, 1)]).unwrap();
    store.connection.execute("UPDATE leases SET client = x'00' WHERE id = 2", []).unwrap();
    drop(store);
    let DroppedPeers { count, unreadable, problem } = lost_peers(&dir, &backup).unwrap();
    assert_eq!((count, unreadable), (1, 1));
    assert!(matches!(problem, Some(StoreError::Corrupt { .. })), "{problem:?}");
}

/// Each list is read and written once: with one write a peer, the time would grow with the square of their number.
#[test]
fn the_list_of_a_node_is_written_once_however_many_peers_it_drops() {
    let root = tempdir().unwrap();
    let mut store = open(&root.path().join("former"));
    let clients: Vec<Row> = (2..200).map(|client| lease_of(client.into(), client, 1)).collect();
    store.apply(&[original(1, &[])]).unwrap();
    store.apply(&clients).unwrap();
    let lost = lost_peers::LostPeers::read(&store.connection, &store.file).unwrap();
    let mut restored = open(&root.path().join("restored"));
    restored.apply(&[original(1, &[3])]).unwrap();
    let changes = || restored.connection.query_row("SELECT total_changes()", [], |row| row.get::<_, i64>(0)).unwrap();
    let before = changes();
    assert_eq!(lost.drop_in(&restored.connection).unwrap(), 197, "one is on the list already");
    assert_eq!(changes() - before, 1);
}

fn pool_key(number: u8) -> PoolKey {
    PoolKey::from_random([number; 32]).unwrap()
}

/// The backup of a pool with this ID, which charges in this asset.
fn backup_of(root: &Path, pool: &PoolId, asset: Asset) -> PathBuf {
    let (dir, backup) = (root.join(pool.short()), root.join(format!("{}-{asset}.db", pool.short())));
    let mut store = open(&dir);
    store.note_pool(pool).unwrap();
    store.apply(&[Row::Asset(asset)]).unwrap();
    reader(&dir).unwrap().back_up(&backup).unwrap();
    backup
}

#[test]
fn a_backup_of_another_pool_or_in_another_asset_is_restored_only_if_the_operator_allows_it() {
    let root = tempdir().unwrap();
    let (own, other) = (pool_key(1).id(), pool_key(2).id());
    let usdc = Asset::new("USDC", 6).unwrap();
    let foreign = backup_of(root.path(), &other, Asset::ETHER);
    let backup = backup_of(root.path(), &own, Asset::ETHER);
    let dir = root.path().join(own.short());
    let error = restore(&dir, &foreign, true).unwrap_err();
    assert_eq!(error, StoreError::OtherPool { file: foreign.clone(), found: other, expected: own });
    assert!(error.hint().unwrap().contains("--allow-other-pool"), "{error}");
    // The key counts, and not what a restore put into its directory.
    let new = root.path().join("new");
    let choice = RestoreChoice { pool: Some((own, PoolKeyChanges::default())), ..RestoreChoice::default() };
    let error = RestoredDatabase::restore(&new, &foreign, &choice).unwrap_err();
    assert_eq!(error, StoreError::OtherPool { file: foreign.clone(), found: other, expected: own });
    // After a change of the key, a backup from before is still this pool's.
    let mut changes = PoolKeyChanges::default();
    changes.push(PoolKeyChange::sign(&pool_key(2), own, Ms::new(7)));
    let rotated = RestoreChoice { pool: Some((own, changes)), ..RestoreChoice::default() };
    assert_eq!(RestoredDatabase::restore(&new, &foreign, &rotated).unwrap().pool, Some(other));
    open(&dir).apply(&[Row::Asset(usdc)]).unwrap();
    let error = restore(&dir, &backup, true).unwrap_err();
    assert_eq!(error, StoreError::OtherAsset { file: backup, found: Asset::ETHER, expected: usdc });
    assert!(!dir.join("pool.db.part").exists());
    let allowed = RestoreChoice { force: true, other_pool: true, pool: None };
    let restored = RestoredDatabase::restore(&dir, &foreign, &allowed).unwrap();
    assert_eq!(restored.pool, Some(other));
}

/// An entry of the ledger: a credit, or the cost of a billing period.
fn entry(number: u64, credit: Option<u64>) -> Row {
    let (payer, payee) = (Account::new([1; 20]), Account::new([8; 20]));
    let transaction = match credit {
        Some(amount) => {
            let order = OperatorOrder { by: None, reason: "a transfer".to_owned(), key: None };
            Transaction::Credit { payer, amount: Amount::new(amount.into()), order }
        }
        None => Transaction::Lease {
            payer,
            payee,
            lease: LeaseId::new(number),
            row: 0,
            from: Amount::ZERO,
            cost: Amount::new(5),
            collected: Amount::ZERO,
            fee: Amount::ZERO,
        },
    };
    Row::Entry(Box::new(LedgerEntry { number, at: Ms::new(number), transaction }))
}

#[test]
fn a_restore_names_the_entries_that_are_lost_and_without_force_before_they_are() {
    let root = tempdir().unwrap();
    let (dir, backup) = (root.path().join("pool"), root.path().join("backup.db"));
    let mut store = open(&dir);
    store.apply(&[Row::Asset(Asset::ETHER), entry(1, Some(100)), entry(2, None), entry(3, Some(7))]).unwrap();
    reader(&dir).unwrap().back_up(&backup).unwrap();
    store.apply(&[entry(4, Some(20)), entry(5, None), entry(6, None), entry(7, Some(30))]).unwrap();
    drop(store);
    let refused = restore(&dir, &backup, false).unwrap_err();
    let text = "; the backup lacks 4 ledger entries (4 to 7): credits of 50 wei, costs of 10 wei";
    assert_eq!(refused, StoreError::HasDatabase { file: dir.join(DATABASE), loss: text.to_owned() });
    let lost = restore(&dir, &backup, true).unwrap().former.unwrap().entries.unwrap();
    let LostEntries { count, last, credits, costs, num_orders, ref orders, .. } = lost;
    assert_eq!((count, last, credits, costs, num_orders), (4, 7, Amount::new(50), Amount::new(10), 2));
    assert_eq!(orders.iter().map(|entry| entry.number).collect::<Vec<_>>(), [4, 7]);
    // The restored pool goes on, and posts other entries under the same numbers.
    let mut store = open(&dir);
    store.apply(&[entry(4, Some(1)), entry(5, Some(2))]).unwrap();
    drop(store);
    let lost = restore(&dir, &backup, true).unwrap().former.unwrap();
    assert_eq!(lost.entries.unwrap().describe(), "2 ledger entries (4 to 5): credits of 3 wei");
    let lost = restore(&dir, &lost.file, true).unwrap().former.unwrap();
    assert_eq!(lost.entries.unwrap().count, 0, "the backup has all");
}
