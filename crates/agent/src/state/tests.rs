use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use vipnode_agent_core::{ChangeKind, JournalEntry, NodeChange};
use vipnode_types::{Account, Enode, LeaseId, Ms, NodeId, NodeKey, TypedError};

use super::*;
use crate::limits::{DELEGATION_MS, JOURNAL_SPARE_LINES};

fn node_key(byte: u8) -> NodeKey {
    NodeKey::read(&[byte; 32]).unwrap()
}

fn change(lease: u64, kind: ChangeKind) -> NodeChange {
    let peer = Enode::at(NodeId::new([7; 64]), [127, 0, 0, 1].into(), 30303);
    NodeChange { lease: LeaseId::new(lease), peer, kind }
}

fn done(lease: u64) -> JournalEntry {
    JournalEntry::Done(change(lease, ChangeKind::Admitted))
}

fn undone(lease: u64) -> JournalEntry {
    JournalEntry::Undone { lease: LeaseId::new(lease), kind: ChangeKind::Admitted }
}

fn alive(journal: &Journal) -> Vec<u64> {
    journal.alive().map(|change| change.lease.get()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_the_owner_reads_what_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let key = node_key(1);
    let state = StateDir::open(&root.path().join("vipnode"), &key.id()).unwrap();
    let agent = state.agent_key().unwrap();
    state.delegate(&key, &agent, Ms::new(1)).unwrap();
    let mut journal = state.journal().unwrap();
    journal.append(&done(1)).unwrap();
    assert_eq!(mode(state.path()), 0o700);
    for file in ["agent.key", "delegation.json", "journal"] {
        assert_eq!(mode(&state.path().join(file)), 0o600, "{file}");
    }
    assert_eq!(state.path().file_name().unwrap().to_str().unwrap(), key.id().short());
}

#[test]
fn the_agents_key_is_made_once() {
    let root = tempfile::tempdir().unwrap();
    let state = StateDir::open(root.path(), &node_key(1).id()).unwrap();
    let first = state.agent_key().unwrap().public();
    assert_eq!(state.agent_key().unwrap().public(), first);
    let other = StateDir::open(root.path(), &node_key(2).id()).unwrap();
    assert_ne!(other.agent_key().unwrap().public(), first);
}

#[test]
fn a_delegation_is_kept_while_it_holds_and_fits() {
    let root = tempfile::tempdir().unwrap();
    let node = node_key(1);
    let state = StateDir::open(root.path(), &node.id()).unwrap();
    let agent = state.agent_key().unwrap();
    let now = Ms::new(1_000);
    assert_eq!(state.delegation(node.id(), &agent, now).unwrap(), None);
    let signed = state.delegate(&node, &agent, now).unwrap();
    assert_eq!(state.delegation(node.id(), &agent, now).unwrap(), Some(signed));
    assert_eq!(state.delegation(node.id(), &agent, now.plus(DELEGATION_MS)).unwrap(), None, "expired");
    assert_eq!(state.delegation(node_key(2).id(), &agent, now).unwrap(), None, "of another node");
    fs::write(state.path().join("delegation.json"), "{").unwrap();
    assert_eq!(state.delegation(node.id(), &agent, now).unwrap(), None, "torn");
}

#[test]
fn a_payout_order_is_kept_for_its_account_so_that_the_node_key_signs_it_once() {
    let root = tempfile::tempdir().unwrap();
    let (node, now) = (node_key(1), Ms::new(1_000));
    let [account, other] = [1, 2].map(|byte| Account::new([byte; 20]));
    let state = StateDir::open(root.path(), &node.id()).unwrap();
    let kept = |node: &NodeKey, account, now| state.payout(node.id(), account, now).unwrap();
    assert_eq!(kept(&node, account, now), None);
    let order = state.order_payout(&node, account, now).unwrap();
    assert_eq!(kept(&node, account, now), Some(order));
    assert_eq!(kept(&node, other, now), None, "for another account");
    assert_eq!(kept(&node, account, now.minus(1)), None, "signed by a clock that was ahead");
    assert_eq!(kept(&node_key(2), account, now), None, "of another node");
    assert_eq!(mode(&state.path().join("payout.json")), 0o600);
    fs::write(state.path().join("payout.json"), "{").unwrap();
    assert_eq!(kept(&node, account, now), None, "torn");
}

#[test]
fn the_key_of_another_node_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("nodekey");
    fs::write(&path, "02".repeat(32)).unwrap();
    assert!(read_node_key(&path, node_key(2).id(), "here").is_ok());
    let error = read_node_key(&path, node_key(1).id(), "here").unwrap_err();
    assert!(matches!(error, AgentError::OtherKey { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--nodekey"));
    fs::write(&path, "no key").unwrap();
    let error = read_node_key(&path, node_key(1).id(), "here").unwrap_err();
    assert!(matches!(error, AgentError::NodeKey { .. }) && !error.to_string().contains("no key"), "{error}");
}

#[test]
fn two_agents_do_not_share_a_node() {
    let root = tempfile::tempdir().unwrap();
    let id = node_key(1).id();
    let first = StateDir::open(root.path(), &id).unwrap();
    let error = StateDir::open(root.path(), &id).unwrap_err();
    assert!(matches!(error, AgentError::Locked { .. }), "{error}");
    drop(first);
    StateDir::open(root.path(), &id).unwrap();
}

#[test]
fn a_journal_is_replayed() {
    let root = tempfile::tempdir().unwrap();
    let state = StateDir::open(root.path(), &node_key(1).id()).unwrap();
    let mut journal = state.journal().unwrap();
    for entry in [done(1), done(2), undone(1), done(3)] {
        journal.append(&entry).unwrap();
    }
    journal.append(&JournalEntry::Done(change(3, ChangeKind::Dialed))).unwrap();
    assert_eq!(alive(&journal), [2, 3, 3]);
    drop(journal);
    assert_eq!(alive(&state.journal().unwrap()), [2, 3, 3]);
}

#[test]
fn a_torn_last_line_is_left_out_and_what_follows_is_whole() {
    let root = tempfile::tempdir().unwrap();
    let state = StateDir::open(root.path(), &node_key(1).id()).unwrap();
    let path = state.path().join("journal");
    state.journal().unwrap().append(&done(1)).unwrap();
    let whole = fs::read(&path).unwrap();
    for cut in 1..whole.len() {
        let mut torn = whole.clone();
        torn.extend_from_slice(&whole[..cut]);
        fs::write(&path, torn).unwrap();
        let mut journal = state.journal().unwrap();
        assert_eq!(alive(&journal), [1]);
        journal.append(&done(2)).unwrap();
        assert_eq!(alive(&state.journal().unwrap()), [1, 2]);
    }
}

#[test]
fn a_foreign_line_is_an_error_and_nothing_is_lost() {
    let root = tempfile::tempdir().unwrap();
    let state = StateDir::open(root.path(), &node_key(1).id()).unwrap();
    let path = state.path().join("journal");
    state.journal().unwrap().append(&done(1)).unwrap();
    let text = format!("hello\n{}", fs::read_to_string(&path).unwrap());
    fs::write(&path, &text).unwrap();
    let error = state.journal().unwrap_err();
    assert!(matches!(error, AgentError::Damaged { .. }) && error.to_string().contains("line 1"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn what_is_undone_does_not_pile_up() {
    let root = tempfile::tempdir().unwrap();
    let state = StateDir::open(root.path(), &node_key(1).id()).unwrap();
    let mut journal = state.journal().unwrap();
    journal.append(&done(1)).unwrap();
    for lease in 2..1_000 {
        journal.append(&done(lease)).unwrap();
        journal.append(&undone(lease)).unwrap();
        let lines = fs::read_to_string(state.path().join("journal")).unwrap().lines().count();
        assert!(lines <= JOURNAL_SPARE_LINES + 8, "{lines} lines");
    }
    assert_eq!(alive(&journal), [1]);
    assert_eq!(alive(&state.journal().unwrap()), [1]);
}

#[test]
fn the_pool_is_remembered() {
    let root = tempfile::tempdir().unwrap();
    let state = StateDir::open(root.path(), &node_key(1).id()).unwrap();
    assert_eq!(state.pool().unwrap(), None);
    state.set_pool("ws://127.0.0.1:8080/").unwrap();
    assert_eq!(state.pool().unwrap().as_deref(), Some("ws://127.0.0.1:8080/"));
}

#[test]
#[cfg(target_os = "linux")]
fn half_a_line_of_a_full_disk_ends_at_the_next_entry() {
    use std::io::Write as _;

    let root = tempfile::tempdir().unwrap();
    let state = StateDir::open(root.path(), &node_key(1).id()).unwrap();
    let mut journal = state.journal().unwrap();
    journal.append(&done(1)).unwrap();
    let path = state.path().join("journal");
    let full = fs::OpenOptions::new().append(true).open("/dev/full").unwrap();
    let whole = journal.on(full);
    assert!(journal.append(&done(2)).is_err());
    let mut torn = fs::OpenOptions::new().append(true).open(&path).unwrap();
    torn.write_all(b"{\"done\":{\"lea").unwrap();
    journal.on(whole);
    journal.append(&done(3)).unwrap();
    assert_eq!(alive(&journal), [1, 3]);
    drop(journal);
    assert_eq!(alive(&state.journal().unwrap()), [1, 3]);
}

fn open_error(root: &Path) -> String {
    StateDir::open(root, &node_key(1).id()).unwrap_err().to_string()
}

#[test]
fn a_folder_to_which_everybody_writes_is_refused() {
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), PermissionsExt::from_mode(0o1777)).unwrap();
    assert!(open_error(root.path()).contains("chmod o-w"), "{}", open_error(root.path()));
    fs::set_permissions(root.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let path = StateDir::open(root.path(), &node_key(1).id()).unwrap().path().to_owned();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o777)).unwrap();
    assert!(open_error(root.path()).contains("chmod o-w"));
}

#[test]
fn links_in_a_state_directory_are_not_followed() {
    use std::os::unix::fs::symlink;

    let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let id = node_key(1).id();
    symlink(elsewhere.path(), root.path().join(id.short())).unwrap();
    assert!(open_error(root.path()).contains("links"), "{}", open_error(root.path()));
    fs::remove_file(root.path().join(id.short())).unwrap();
    let state = StateDir::open(root.path(), &id).unwrap();
    let secret = elsewhere.path().join("secret");
    fs::write(&secret, "ws://pool").unwrap();
    for file in ["agent.key", "delegation.json", "journal", "pool", "nonce", "pools.json"] {
        symlink(&secret, state.path().join(file)).unwrap();
    }
    state.pool().unwrap_err();
    state.agent_key().unwrap_err();
    state.journal().unwrap_err();
    state.nonces().unwrap_err();
    state.pool_pins().unwrap_err();
    let path = state.path().to_owned();
    drop(state);
    fs::remove_file(path.join("lock")).unwrap();
    symlink(&secret, path.join("lock")).unwrap();
    StateDir::open(root.path(), &id).unwrap_err();
    assert_eq!(fs::read_to_string(&secret).unwrap(), "ws://pool");
}

#[test]
fn a_directory_that_is_replaced_after_its_check_gains_nothing() {
    use std::os::unix::fs::symlink;

    let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (key, node) = (node_key(1), root.path().join(node_key(1).id().short()));
    let state = StateDir::open(root.path(), &key.id()).unwrap();
    let mut journal = state.journal().unwrap();
    let moved = root.path().join("moved");
    fs::rename(&node, &moved).unwrap();
    symlink(elsewhere.path(), &node).unwrap();
    fs::write(elsewhere.path().join("pool"), "ws://evil/").unwrap();
    assert_eq!(state.pool().unwrap(), None, "a link is not read");
    let agent = state.agent_key().unwrap();
    state.delegate(&key, &agent, Ms::new(1)).unwrap();
    state.set_pool("ws://pool/").unwrap();
    state.nonces().unwrap().next(Ms::new(1)).unwrap();
    for lease in 0..=u64::try_from(JOURNAL_SPARE_LINES).unwrap() {
        journal.append(&done(lease)).unwrap();
        journal.append(&undone(lease)).unwrap();
    }
    let files = |dir: &Path| fs::read_dir(dir).unwrap().count();
    assert_eq!(files(elsewhere.path()), 1, "nothing is written through the link");
    assert!(files(&moved) >= 6);
    assert_eq!(fs::read_to_string(moved.join("pool")).unwrap(), "ws://pool/\n");
}

#[test]
fn a_fifo_in_place_of_a_file_blocks_nothing() {
    let root = tempfile::tempdir().unwrap();
    let state = StateDir::open(root.path(), &node_key(1).id()).unwrap();
    let fifo = |path: &Path| {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    for file in ["agent.key", "delegation.json", "journal", "pool", "nonce", "pools.json"] {
        fifo(&state.path().join(file));
    }
    state.agent_key().unwrap_err();
    state.pool().unwrap_err();
    state.nonces().unwrap_err();
    state.pool_pins().unwrap_err();
    assert!(state.journal().unwrap_err().to_string().contains("regular file"));
    let key = root.path().join("nodekey");
    fifo(&key);
    assert!(read_node_key(&key, node_key(1).id(), "here").unwrap_err().to_string().contains("regular file"));
    let path = state.path().to_owned();
    drop(state);
    fs::remove_file(path.join("lock")).unwrap();
    fifo(&path.join("lock"));
    StateDir::open(root.path(), &node_key(1).id()).unwrap_err();
}
