//! Each failure of a database, with real files: its error, and that nothing was changed or lost.

use std::{fs, process::Command, time::Duration};

use rusqlite::Connection;
use vipnode_types::TypedError as _;

use super::*;

fn database(dir: &Path) -> PathBuf {
    dir.join(DATABASE)
}

fn hint_of(error: &StoreError) -> String {
    error.hint().unwrap_or_default()
}

#[test]
fn a_full_disk_fails_a_batch_and_the_next_one_succeeds_once_there_is_space() {
    let dir = tempdir().unwrap();
    let mut store = open(dir.path());
    store.apply(&[node_row(1)]).unwrap();
    let set = |store: &SqliteStore, pages: i64| {
        store.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    };
    set(&store, 1);
    let many: Vec<Row> = (0..=u8::MAX).map(node_row).collect();
    let error = store.apply(&many).unwrap_err();
    assert_eq!(error, StoreError::Full { file: database(dir.path()) });
    assert!(hint_of(&error).starts_with("Free space"), "{error}");
    assert_eq!(rows(&mut store), [node_row(1)]);
    set(&store, i64::from(i32::MAX));
    store.apply(&many).unwrap();
    drop(store);
    assert_eq!(rows(&mut open(dir.path())), many);
}

/// A small file system of its own; `None` in a container that may not mount anything. In CI, tests run in a namespace of their
/// own.
fn small_disk(kib: u32) -> Option<tempfile::TempDir> {
    let dir = tempdir().unwrap();
    let size = format!("size={kib}k");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).status();
    mounted.is_ok_and(|status| status.success()).then_some(dir)
}

#[test]
fn a_full_disk_is_full_until_there_is_space_for_more_than_a_small_commit() {
    let Some(dir) = small_disk(4_096) else { return };
    let mut store = open(&dir.path().join("pool"));
    store.apply(&[node_row(1)]).unwrap();
    let full = StoreError::Full { file: database(&dir.path().join("pool")) };
    let others = dir.path().join("others");
    // All but some pages.
    let mut len = 4 << 20;
    while fs::write(&others, vec![1; len]).is_err() {
        len -= 4_096;
    }
    let many: Vec<Row> = (0..=u8::MAX).map(node_row).collect();
    assert_eq!(store.apply(&many).unwrap_err(), full);
    fs::write(&others, vec![1; len - 64 * 1_024]).unwrap();
    assert_eq!(store.probe().unwrap_err(), full, "a small commit would fit");
    assert_eq!(rows(&mut store), [node_row(1)]);
    fs::remove_file(&others).unwrap();
    store.probe().unwrap();
    assert!(!dir.path().join("pool").join("spare").exists());
    store.apply(&many).unwrap();
    drop(store);
    assert_eq!(rows(&mut open(&dir.path().join("pool"))), many);
    assert!(Command::new("umount").arg(dir.path()).status().unwrap().success());
}

#[test]
fn a_lease_without_its_price_is_an_error_and_not_a_missing_lease() {
    let dir = tempdir().unwrap();
    let mut store = open(dir.path());
    store.apply(&[Row::Lease(Box::new(conformance::lease(1, 0)))]).unwrap();
    store.connection.execute("DELETE FROM prices", []).unwrap();
    let error = store.load(&mut |_| {}).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn a_read_only_file_is_named() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = tempdir().unwrap();
    open(dir.path()).apply(&[node_row(1)]).unwrap();
    let file = database(dir.path());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    // Root can write it all the same; a read-only mount stops root too.
    let mount = |args: &[&str]| Command::new("mount").args(args).arg(&file).status().unwrap().success();
    let is_root = fs::OpenOptions::new().write(true).open(&file).is_ok();
    if is_root && !mount(&["--bind", file.to_str().unwrap()]) {
        // In a container that may not mount anything. In CI, tests run in a namespace of their own.
        return;
    }
    assert!(!is_root || mount(&["-o", "remount,bind,ro"]));
    let error = SqliteStore::open(dir.path()).unwrap_err();
    if is_root {
        assert!(Command::new("umount").arg(&file).status().unwrap().success());
    }
    assert_eq!(error, StoreError::ReadOnly { file: file.clone() });
    assert!(hint_of(&error).contains("writable"), "{error}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(rows(&mut open(dir.path())), [node_row(1)]);
}

#[test]
fn a_second_pool_does_not_get_the_directory() {
    let dir = tempdir().unwrap();
    let first = open(dir.path());
    assert_eq!(SqliteStore::open(dir.path()).unwrap_err(), StoreError::InUse { dir: dir.path().to_owned() });
    drop(first);
    open(dir.path());
}

#[test]
fn another_program_that_locks_the_database_delays_a_commit() {
    let dir = tempdir().unwrap();
    let mut store = open(dir.path());
    store.connection.busy_timeout(Duration::ZERO).unwrap();
    let other = Connection::open(database(dir.path())).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.apply(&[node_row(1)]).unwrap_err();
    assert_eq!(error, StoreError::Locked { file: database(dir.path()) });
    other.execute_batch("ROLLBACK").unwrap();
    store.apply(&[node_row(1)]).unwrap();
}

#[test]
fn a_damaged_page_is_an_error_and_nothing_is_changed() {
    let dir = tempdir().unwrap();
    let many: Vec<Row> = (0..=u8::MAX).map(node_row).collect();
    open(dir.path()).apply(&many).unwrap();
    let file = database(dir.path());
    let mut bytes = fs::read(&file).unwrap();
    bytes[4_096..].chunks_mut(4_096).for_each(|page| page[..64].fill(0xff));
    fs::write(&file, &bytes).unwrap();
    let error = SqliteStore::open(dir.path()).and_then(|mut store| store.load(&mut |_| ())).unwrap_err();
    let StoreError::Corrupt { why } = &error else { panic!("{error}") };
    assert!(why.contains("pool.db") && hint_of(&error).contains("backup"), "{error}: {}", hint_of(&error));
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_row_in_another_form_is_an_error() {
    let dir = tempdir().unwrap();
    let mut store = open(dir.path());
    for (damage, repair) in [
        ("genesis = x'00'", "genesis = zeroblob(32)"),
        ("proven = 7", "proven = 0"),
        ("to_drop = x'00', stored_nonce = 1", "to_drop = NULL, stored_nonce = NULL"),
        ("enode_host = 3", "enode_host = NULL"),
        ("agent_key = NULL, kind = 'geth'", "agent_key = zeroblob(33)"),
        ("protocol2 = 'x'", ""),
    ] {
        store.apply(&[node_row(1)]).unwrap();
        let update = |set: &str| store.connection.execute(&format!("UPDATE nodes SET {set}"), []);
        match update(damage) {
            Ok(_) => {
                let error = store.load(&mut |_| ()).unwrap_err();
                assert!(matches!(error, StoreError::Corrupt { .. }), "{damage}: {error}");
            }
            // The database itself checks the types of the columns.
            Err(error) => assert!(repair.is_empty(), "{damage}: {error}"),
        }
    }
}

#[test]
fn a_file_of_something_else_stays_as_it_is() {
    let dir = tempdir().unwrap();
    let file = database(dir.path());
    let refused = || {
        let before = fs::read(&file).unwrap();
        let error = SqliteStore::open(dir.path()).unwrap_err();
        assert_eq!(error, StoreError::Foreign { file: file.clone() });
        assert_eq!(fs::read(&file).unwrap(), before);
    };
    fs::write(&file, "a letter to a friend, which is longer than the head of a database\n".repeat(99)).unwrap();
    refused();
    fs::remove_file(&file).unwrap();
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE letters (text TEXT)").unwrap();
    refused();
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(matches!(SqliteStore::open(dir.path()), Err(StoreError::NotFile { .. })));
}

#[test]
fn a_link_is_not_followed() {
    let (dir, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let target = elsewhere.path().join("target");
    fs::write(&target, "").unwrap();
    std::os::unix::fs::symlink(&target, database(dir.path())).unwrap();
    let error = SqliteStore::open(dir.path()).unwrap_err();
    assert!(error.to_string().contains("links in a state directory are not followed"), "{error}");
    assert_eq!(fs::read(&target).unwrap(), b"");
}

#[test]
fn a_newer_schema_is_refused() {
    let dir = tempdir().unwrap();
    let store = open(dir.path());
    store.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    let error = SqliteStore::open(dir.path()).unwrap_err();
    assert_eq!(error, StoreError::NewerSchema { file: database(dir.path()), found: 99, newest: schema::NEWEST });
}

#[test]
fn the_files_of_a_version_without_a_database_stop_the_start() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("times"), "").unwrap();
    let error = SqliteStore::open(dir.path()).unwrap_err();
    assert_eq!(error, StoreError::FormerFiles { file: dir.path().join("times") });
    // As the hint describes.
    fs::remove_file(dir.path().join("times")).unwrap();
    open(dir.path());
    // Later, another program's file of that name is not in the way.
    fs::write(dir.path().join("times"), "").unwrap();
    open(dir.path());
}

#[test]
fn a_database_that_others_can_read_is_closed_to_them_and_one_of_another_user_is_refused() {
    use std::os::unix::fs::{PermissionsExt as _, chown};

    let (root, dir) = (tempdir().unwrap(), tempdir().unwrap());
    let copied = dir.path().join("copied");
    let mut store = open(root.path());
    store.apply(&[node_row(1)]).unwrap();
    crashes::copy(root.path(), &copied);
    let names = [DATABASE, "pool.db-wal"];
    for name in names {
        fs::set_permissions(copied.join(name), fs::Permissions::from_mode(0o664)).unwrap();
    }
    let reopened = open(&copied);
    for name in names {
        assert_eq!(fs::metadata(copied.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    drop(reopened);
    // Only root can give a file away.
    if chown(database(&copied), Some(1_000), None).is_ok() {
        assert_eq!(SqliteStore::open(&copied).unwrap_err(), StoreError::OfAnother { file: database(&copied) });
    }
}

/// What a start does not read: the journal.
#[test]
fn a_damaged_page_of_the_journal_is_found_at_the_start() {
    let dir = tempdir().unwrap();
    let mut store = open(dir.path());
    let periods: Vec<Row> =
        (1..200).map(|lease| Row::Metered(Box::new(conformance::metered(lease, 0, 60_000)))).collect();
    store.apply(&periods).unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'journal'";
    let root: i64 = store.connection.query_row(root, [], |row| row.get(0)).unwrap();
    drop(store);
    let file = database(dir.path());
    let mut bytes = fs::read(&file).unwrap();
    let at = (usize::try_from(root).unwrap() - 1) * 4_096;
    bytes[at..at + 64].fill(0xff);
    fs::write(&file, bytes).unwrap();
    let error = SqliteStore::open(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { .. }) && hint_of(&error).contains("backup"), "{error}");
}
