mod crashes;
#[cfg(unix)]
mod failures;
mod folding;
mod ledger;
mod log_size;
mod lost_commits;
mod migrations;
mod pruning;
mod reading;
mod restoring;

use std::{cell::Cell, path::Path};

use tempfile::tempdir;
use vipnode_pool_core::{NodeRow, Row, RowKey};
use vipnode_types::{Enode, EnodeHost};

use super::*;
use crate::{
    DatabaseCheck,
    conformance::{self, node, node_id},
};

/// A row of an ordinary node.
fn node_row(number: u8) -> Row {
    Row::Node(Box::new(node(number)))
}

/// The state of a store, its nodes by ascending id.
fn rows(store: &mut SqliteStore) -> Vec<Row> {
    conformance::state_of(store)
}

fn reader(dir: &Path) -> Result<SqliteReader, StoreError> {
    SqliteReader::open(dir, ReadLimits::WHOLE_DATABASE)
}

fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir).unwrap()
}

#[test]
fn keeps_the_contract() {
    let (root, made) = (tempdir().unwrap(), Cell::new(0));
    let fresh = || {
        made.set(made.get() + 1);
        open(&root.path().join(made.get().to_string()))
    };
    let reopen = |store: SqliteStore| {
        let dir = store.dir().path().to_owned();
        drop(store);
        open(&dir)
    };
    conformance::run(fresh, reopen);
}

#[test]
fn sequence_numbers_go_on_after_reopening() {
    let dir = tempdir().unwrap();
    let numbers: Vec<u64> = (0..3).map(|_| open(dir.path()).apply(&[]).unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn keeps_what_no_agent_sends_today() {
    let enodes = [
        Enode { host: EnodeHost::Dns("node.example.org".into()), port: 30_303, ..Enode::id_only(node_id(1)) },
        Enode::id_only(node_id(1)),
        Enode::at(node_id(2), "2001:db8::1".parse().unwrap(), 1),
    ];
    let dir = tempdir().unwrap();
    for enode in enodes {
        let row = Row::Node(Box::new(NodeRow { enode: Some(enode), ..node(1) }));
        open(dir.path()).apply(std::slice::from_ref(&row)).unwrap();
        assert_eq!(rows(&mut open(dir.path())), [row]);
    }
}

#[test]
fn a_node_that_returns_gets_no_last_report_of_before() {
    let dir = tempdir().unwrap();
    let mut store = open(dir.path());
    store.apply(&[node_row(1), node_row(2), Row::Delete(RowKey::Node(node_id(1)))]).unwrap();
    let reports = || store.connection.query_row("SELECT count(*) FROM last_reports", [], |row| row.get::<_, u32>(0));
    assert_eq!(reports(), Ok(1));
    store.apply(&[node_row(1)]).unwrap();
    assert_eq!(rows(&mut store), [node_row(1), node_row(2)]);
}

#[test]
#[cfg(unix)]
fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempdir().unwrap();
    let mut store = open(dir.path());
    store.apply(&[node_row(1)]).unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["acknowledged", "lock", "pool.db", "pool.db-shm", "pool.db-wal"]);
    drop(store);
    assert!(!dir.path().join("pool.db-wal").exists(), "an orderly end leaves one file");
}
