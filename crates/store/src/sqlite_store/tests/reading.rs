//! Reading, checking, and copying a database that a pool writes to.

use std::fs;

use vipnode_pool_core::{AccountFigures, AccountRow, LedgerAccount, MeteredPeriod, PairWeek, TimesRow};
use vipnode_types::{Account, Amount, LeaseId, Ms, meter::Seen};

use super::*;
use crate::conformance::{lease, metered};

/// A store with two nodes, a lease between them, and two billing periods.
fn store(dir: &Path) -> SqliteStore {
    let mut store = open(dir);
    let leases = [Row::NextLease(10), node_row(1), node_row(2), Row::Lease(Box::new(lease(1, 1)))];
    store.apply(&leases).unwrap();
    let periods = [metered(1, 0, 60_000), metered(2, 0, 30_000)];
    store.apply(&periods.map(|period| Row::Metered(Box::new(period)))).unwrap();
    store
}

fn check(dir: &Path) -> DatabaseCheck {
    reader(dir).unwrap().check().unwrap()
}

#[test]
fn a_check_adds_up_what_was_metered() {
    let dir = tempdir().unwrap();
    let mut store = store(dir.path());
    let expected = DatabaseCheck {
        seq: store.seq,
        nodes: 2,
        leases: 1,
        periods: 2,
        billed_ms: 90_000,
        cost: vipnode_types::Amount::new(90_000),
        asset: vipnode_types::Asset::ETHER,
        problems: Vec::new(),
    };
    assert_eq!(check(dir.path()), expected, "while the store is open");
    store.apply(&[node_row(3)]).unwrap();
    drop(store);
    assert_eq!(check(dir.path()).nodes, 3);
}

#[test]
fn a_check_finds_what_does_not_fit() {
    let dir = tempdir().unwrap();
    let problem_of = |rows: &[Row]| {
        let each = tempfile::tempdir_in(dir.path()).unwrap();
        store(each.path()).apply(rows).unwrap();
        check(each.path()).problems.join("\n")
    };
    assert_eq!(problem_of(&[]), "");
    let wrong = MeteredPeriod { billed_ms: 1, ..metered(3, 0, 60_000) };
    assert!(problem_of(&[Row::Metered(Box::new(wrong))]).contains("period 0 of lease 3 bills 1 ms"));
    let seen = Some(Seen { up: Ms::new(5), end: Ms::new(9) });
    let deferred = MeteredPeriod { client: seen, host: seen, ..metered(3, 0, 60_000) };
    assert!(problem_of(&[Row::Deferred(Box::new(deferred))]).contains("but both sides were connected for 4 ms"));
    assert!(problem_of(&[Row::Metered(Box::new(metered(10, 0, 1)))]).contains("lease 10 has a number"));
    let account = |received| AccountRow {
        account: LedgerAccount::Payer(Account::new([1; 20])),
        figures: AccountFigures { received: Amount::new(received), ..AccountFigures::default() },
    };
    assert!(problem_of(&[Row::Account(account(1))]).contains("no entry of the journal"));
    let entry = |number| Row::Entry(Box::new(crate::conformance::entry(number)));
    assert!(problem_of(&[entry(1), Row::Account(account(7))]).contains("not those of the journal"));
    assert!(problem_of(&[entry(2)]).contains("entry 1 of the ledger is missing"));
    assert!(problem_of(&[Row::Delete(RowKey::Node(node_id(2)))]).contains("lease 1 is stored, but its node"));
    let each = tempfile::tempdir_in(dir.path()).unwrap();
    drop(store(each.path()));
    let file = each.path().join(DATABASE);
    damage(&file);
    assert!(!check(each.path()).problems.is_empty());
}

/// Each row is read as at a start, so a check accepts no database with which no pool starts.
#[test]
fn a_check_finds_a_row_that_a_start_cannot_read() {
    let times = TimesRow { client: node_id(1), block: None, others: PairWeek::default(), hosts: Vec::new() };
    for change in ["UPDATE times SET client = x''", "UPDATE times SET others = x'01'"] {
        let dir = tempdir().unwrap();
        let mut store = store(dir.path());
        store.apply(&[Row::Times(Box::new(times.clone()))]).unwrap();
        drop(store);
        assert_eq!(check(dir.path()).problems, Vec::<String>::new());
        let changed = Connection::open(dir.path().join(DATABASE)).unwrap().execute(change, []).unwrap();
        assert_eq!(changed, 1, "{change}");
        assert!(open(dir.path()).load(&mut |_row| {}).is_err(), "{change}");
        assert!(!check(dir.path()).problems.is_empty(), "{change}");
    }
}

#[test]
fn a_copy_has_everything_and_no_file_is_replaced() {
    let (dir, copies) = (tempdir().unwrap(), tempdir().unwrap());
    let mut store = store(dir.path());
    let file = copies.path().join(DATABASE);
    assert_eq!(reader(dir.path()).unwrap().back_up(&file), Ok(store.seq));
    let before = rows(&mut store);
    store.apply(&[Row::Delete(RowKey::Lease(LeaseId::new(1)))]).unwrap();
    let again = reader(dir.path()).unwrap().back_up(&file).unwrap_err();
    assert!(matches!(again, StoreError::Backup { .. }), "{again}");
    assert_eq!(fs::read_dir(copies.path()).unwrap().count(), 1, "one file");
    let mut copied = rows(&mut open(copies.path()));
    let [Row::NextLease(next), ..] = &mut copied[..] else { panic!("{copied:?}") };
    assert!(*next > 1_700_000_000_000_000, "agents may hold leases that are newer than the copy: {next}");
    *next = 10;
    assert_eq!(copied, before);
}

#[test]
fn a_reader_creates_nothing() {
    let dir = tempdir().unwrap();
    assert_eq!(reader(dir.path()).unwrap_err(), StoreError::NoDatabase { file: dir.path().join(DATABASE) });
    let none = dir.path().join("none");
    assert_eq!(reader(&none).unwrap_err(), StoreError::NoDatabase { file: none.join(DATABASE) });
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
#[cfg(unix)]
fn the_file_of_a_backup_is_a_path_and_never_a_name_of_sqlite() {
    let (dir, copies) = (tempdir().unwrap(), tempdir().unwrap());
    let store = store(dir.path());
    let reader = reader(dir.path()).unwrap();
    let other = copies.path().join("other.db");
    fs::write(&other, "kept").unwrap();
    // A relative path is of the directory of the process: each test has a process of its own.
    std::env::set_current_dir(copies.path()).unwrap();
    for name in [":memory:", "file:m.db?mode=memory", "file:other.db", "a?b#c%20.db"] {
        assert_eq!(reader.back_up(Path::new(name)), Ok(store.seq), "{name}");
        let bytes = fs::read(copies.path().join(name)).unwrap();
        assert!(bytes.starts_with(b"SQLite format 3"), "{name}");
    }
    assert_eq!(fs::read_to_string(&other).unwrap(), "kept");
    assert_eq!(fs::read_dir(copies.path()).unwrap().count(), 5);
    for name in ["", "/", "..", "none/backup.db"] {
        let error = reader.back_up(Path::new(name)).unwrap_err();
        assert!(matches!(error, StoreError::Backup { .. }), "{name}: {error}");
    }
}

/// Damages the first page of each table; the pages of the schema stay, without which a database cannot be opened.
fn damage(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let mut roots = connection.prepare("SELECT rootpage FROM sqlite_schema").unwrap();
    let roots: Vec<u32> = roots.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut bytes = fs::read(file).unwrap();
    for root in roots {
        bytes[(root as usize - 1) * 4_096..][..64].fill(0xff);
    }
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_start_reads_the_whole_database_ahead() {
    let dir = tempdir().unwrap();
    let store = open(dir.path());
    drop(store);
    let opened = vipnode_files::OpenDir::open(dir.path()).unwrap();
    let length = std::fs::metadata(dir.path().join(DATABASE)).unwrap().len();
    assert!(length > 0);
    assert_eq!(connection::read_ahead(&opened) as u64, length);
}

#[test]
fn a_backup_is_checked_as_one_file() {
    let (dir, copies) = (tempdir().unwrap(), tempdir().unwrap());
    let store = store(dir.path());
    let file = copies.path().join("a backup?#%.db");
    reader(dir.path()).unwrap().back_up(&file).unwrap();
    let expected = check(dir.path());
    let check = |file: &Path| SqliteReader::open_backup(file).map(|reader| reader.check().unwrap());
    assert_eq!(check(&file).unwrap(), expected);
    assert_eq!(fs::read_dir(copies.path()).unwrap().count(), 1, "nothing was created");
    let database = dir.path().join(DATABASE);
    assert_eq!(check(&database).unwrap_err(), StoreError::HasLog { file: database.clone() });
    drop(store);
    let none = copies.path().join("none.db");
    assert!(matches!(check(&none), Err(StoreError::NoBackup { .. })));
    fs::write(&none, "").unwrap();
    assert_eq!(check(&none).unwrap_err(), StoreError::Foreign { file: none.clone() });
    assert!(matches!(check(copies.path()), Err(StoreError::NotFile { .. })));
}

/// Also of a stopped pool: there is nothing to lock.
#[test]
#[cfg(target_os = "linux")]
fn a_database_on_a_read_only_disk_is_read_unless_its_log_is_needed() {
    let dir = tempdir().unwrap();
    drop(store(dir.path()));
    let path = dir.path().to_str().unwrap();
    let run = |args: &[&str]| std::process::Command::new(args[0]).args(&args[1..]).status().unwrap().success();
    if !run(&["mount", "--bind", path, path]) {
        // In a container that may not mount anything. In CI, tests run in a namespace of their own.
        return;
    }
    let (readable, log) = (dir.path().join(DATABASE), dir.path().join("pool.db-wal"));
    let has_log = fs::metadata(&log).is_ok_and(|log| log.len() > 0);
    assert!(run(&["mount", "-o", "remount,bind,ro", path]) && !has_log);
    let read = reader(dir.path()).map(|reader| reader.check().unwrap().nodes);
    assert!(run(&["mount", "-o", "remount,bind,rw", path]));
    fs::write(&log, "frames").unwrap();
    assert!(run(&["mount", "-o", "remount,bind,ro", path]));
    let refused = reader(dir.path()).map(drop);
    assert!(run(&["umount", path]));
    assert_eq!((read, refused), (Ok(2), Err(StoreError::ReadOnlyDisk { file: readable })));
}

/// A named pipe would block the pool for ever.
#[test]
#[cfg(unix)]
fn what_is_not_a_file_is_refused_under_each_name_of_the_database() {
    for name in [DATABASE, "pool.db-wal", "pool.db-shm", "pool.db-journal"] {
        let dir = tempdir().unwrap();
        let file = dir.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        let expected = StoreError::NotFile { file };
        assert_eq!(SqliteStore::open(dir.path()).unwrap_err(), expected, "{name}");
        assert_eq!(reader(dir.path()).unwrap_err(), expected, "{name}");
    }
}

#[test]
fn a_failed_backup_leaves_no_file() {
    let (dir, copies) = (tempdir().unwrap(), tempdir().unwrap());
    drop(store(dir.path()));
    let file = dir.path().join(DATABASE);
    damage(&file);
    let error = reader(dir.path()).unwrap().back_up(&copies.path().join(DATABASE)).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(fs::read_dir(copies.path()).unwrap().count(), 0);
}
