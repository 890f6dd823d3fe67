use std::fs;

use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use tempfile::tempdir;
use vipnode_pool_core::{AddressBlock, DelegationRow, PairTime, PairedTime, Proven, WideBlock};
use vipnode_types::TypedError as _;

use super::*;
use crate::conformance::{self, node};

fn kept(number: u8, proven: Proven) -> Row {
    Row::Node(Box::new(NodeRow { proven, ..node(number) }))
}

fn rows(store: &mut FileStore) -> Vec<Row> {
    let mut rows = Vec::new();
    store.load(&mut |row| rows.push(row)).unwrap();
    rows
}

fn partly() -> Proven {
    let time = |bits, ms| PairedTime { with: WideBlock::from_bits(bits), ms };
    Proven::Partly(Box::new([time(7, 300), time(u64::MAX, 5)]))
}

#[test]
fn keeps_the_contract() {
    let (dir, made) = (tempdir().unwrap(), std::cell::Cell::new(0));
    let fresh = || {
        made.set(made.get() + 1);
        FileStore::open(&dir.path().join(made.get().to_string())).unwrap()
    };
    conformance::run(fresh, |store| store);
}

#[test]
fn proven_nodes_outlive_a_restart_and_others_do_not() {
    let dir = tempdir().unwrap();
    let mut store = FileStore::open(dir.path()).unwrap();
    store.apply(&[kept(1, Proven::No), kept(2, Proven::Yes), kept(3, partly()), kept(4, Proven::Yes)]).unwrap();
    store.apply(&[Row::Delete(RowKey::Node(conformance::node_id(4)))]).unwrap();
    drop(store);
    let mut store = FileStore::open(dir.path()).unwrap();
    assert_eq!(rows(&mut store), [kept(2, Proven::Yes), kept(3, partly())]);
    store.apply(&[Row::Delete(RowKey::Node(conformance::node_id(2)))]).unwrap();
    store.flush().unwrap();
    drop(store);
    assert_eq!(rows(&mut FileStore::open(dir.path()).unwrap()), [kept(3, partly())]);
}

#[test]
fn replaced_delegations_outlive_a_restart() {
    let dir = tempdir().unwrap();
    let mut store = FileStore::open(dir.path()).unwrap();
    let of = |number| DelegationRow {
        id: conformance::node_id(number),
        issued: vipnode_types::Ms::new(7),
        block: AddressBlock::of("8.8.8.8".parse().unwrap()),
    };
    let replaced = Row::Node(Box::new(NodeRow { replaced: true, ..node(1) }));
    store.apply(&[replaced.clone(), Row::Delegation(of(2)), Row::Delegation(of(3))]).unwrap();
    store.apply(&[Row::Delete(RowKey::Delegation(conformance::node_id(3)))]).unwrap();
    drop(store);
    assert_eq!(rows(&mut FileStore::open(dir.path()).unwrap()), [replaced, Row::Delegation(of(2))]);
}

#[test]
fn times_outlive_a_restart_with_the_nodes_that_they_are_of() {
    let dir = tempdir().unwrap();
    let mut store = FileStore::open(dir.path()).unwrap();
    let mut times = conformance::any_times().new_tree(&mut TestRunner::deterministic()).unwrap().current();
    times.client = conformance::node_id(1);
    times.hosts.iter_mut().for_each(|host| host.host = conformance::node_id(2));
    let all = [kept(1, Proven::No), kept(2, Proven::No), Row::Times(Box::new(times))];
    store.apply(&all).unwrap();
    drop(store);
    assert!(!all.is_empty());
    let mut store = FileStore::open(dir.path()).unwrap();
    let read = rows(&mut store);
    assert_eq!(read.first(), all.first());
    assert_eq!(read.last(), all.last());
    store.apply(&[Row::Delete(RowKey::Times(conformance::node_id(1)))]).unwrap();
    drop(store);
    assert_eq!(rows(&mut FileStore::open(dir.path()).unwrap()), []);
}

#[test]
fn a_second_pool_does_not_get_the_directory() {
    let dir = tempdir().unwrap();
    let first = FileStore::open(dir.path()).unwrap();
    let error = FileStore::open(dir.path()).unwrap_err();
    assert_eq!(error, StoreError::InUse { dir: dir.path().to_owned() });
    drop(first);
    FileStore::open(dir.path()).unwrap();
}

#[test]
fn a_damaged_file_is_an_error_and_stays_as_it_is() {
    let dir = tempdir().unwrap();
    let mut store = FileStore::open(dir.path()).unwrap();
    store.apply(&[kept(1, Proven::Yes), kept(2, partly())]).unwrap();
    drop(store);
    let file = dir.path().join("nodes");
    let whole = fs::read(&file).unwrap();
    let mut damages: Vec<Vec<u8>> = (0..whole.len()).step_by(7).map(|len| whole[..len].to_vec()).collect();
    let flipped = (0..whole.len()).step_by(5).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    });
    damages.extend(flipped);
    damages.push(vec![0xff; 100]);
    for damage in damages {
        fs::write(&file, &damage).unwrap();
        let error = FileStore::open(dir.path()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.hint().unwrap().contains("move the file elsewhere"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), damage);
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(matches!(FileStore::open(dir.path()), Err(StoreError::Damaged { .. })));
}

#[test]
fn what_a_crash_left_half_written_is_replaced() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("nodes.part"), "half").unwrap();
    let mut store = FileStore::open(dir.path()).unwrap();
    store.apply(&[kept(1, Proven::Yes)]).unwrap();
    store.flush().unwrap();
    drop(store);
    assert!(!dir.path().join("nodes.part").exists());
    assert_eq!(rows(&mut FileStore::open(dir.path()).unwrap()), [kept(1, Proven::Yes)]);
}

#[test]
fn a_file_holds_a_bounded_number_of_records() {
    let document = RecordFile { name: "nodes", records: 3 };
    let text = document.text(0..10).unwrap();
    assert_eq!(document.parse::<u32>(&text), Ok(vec![0, 1, 2]));
}

#[test]
fn a_full_disk_fails_a_batch_before_it_is_taken_in() {
    let dir = tempdir().unwrap();
    let mut store = FileStore::open(dir.path()).unwrap();
    store.apply(&[kept(1, Proven::Yes)]).unwrap();
    // A directory cannot be replaced by a file, even by root.
    fs::create_dir(dir.path().join("nodes")).unwrap();
    assert!(matches!(store.apply(&[kept(2, Proven::Yes)]), Err(StoreError::Unavailable { .. })));
    assert_eq!(rows(&mut store), [kept(1, Proven::Yes)]);
    store.apply(&[kept(2, Proven::Yes)]).unwrap();
    fs::remove_dir(dir.path().join("nodes")).unwrap();
    store.flush().unwrap();
    drop(store);
    assert_eq!(rows(&mut FileStore::open(dir.path()).unwrap()), [kept(1, Proven::Yes), kept(2, Proven::Yes)]);
}

#[test]
#[cfg(unix)]
fn no_link_in_the_directory_is_followed_and_its_path_is_used_once() {
    use std::os::unix::fs::symlink;

    let (root, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let (path, moved) = (root.path().join("pool"), root.path().join("moved"));
    let mut store = FileStore::open(&path).unwrap();
    store.apply(&[kept(1, Proven::Yes)]).unwrap();
    fs::rename(&path, &moved).unwrap();
    symlink(elsewhere.path(), &path).unwrap();
    store.flush().unwrap();
    drop(store);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    fs::rename(moved.join("nodes"), elsewhere.path().join("nodes")).unwrap();
    symlink(elsewhere.path().join("nodes"), moved.join("nodes")).unwrap();
    let error = FileStore::open(&moved).unwrap_err();
    assert!(error.to_string().contains("links in a state directory are not followed"), "{error}");
}

/// The attack: ever new node IDs, each with a moment of time that only a host reported, push the times of others out of the file.
#[test]
fn times_of_clients_that_were_billed_come_before_newer_ones() {
    let times = |billed_ms: u32, day: u32| TimesRow {
        client: conformance::node_id(1),
        block: None,
        others: PairTime { day, unpaired_ms: 1, billed_ms: [billed_ms, 0, 0, 0, 0, 0, 0], ..PairTime::default() },
        hosts: Vec::new(),
    };
    let (paid, paid_later) = (importance(&times(3_600_000, 1)), importance(&times(7_200_000, 2)));
    let (newer, hardly) = (importance(&times(0, 3)), importance(&times(1_000, 3)));
    assert!(paid > newer && paid > hardly && hardly > newer && paid_later > paid);
}
