//! What a unit of `Type=notify` expects, and the check of the settings before a reload.

use std::{os::unix::net::UnixDatagram, path::Path, process::Command};

use crate::support::{SOON, Sim, Vipnode};

/// The socket on which a service manager hears of its services.
struct Manager {
    socket: UnixDatagram,
    path: String,
    _dir: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self { socket, path: path.to_str().unwrap().to_owned(), _dir: dir }
    }

    fn env(&self) -> [(&str, &str); 2] {
        // A heartbeat each 100 ms.
        [("NOTIFY_SOCKET", &self.path), ("WATCHDOG_USEC", "300000")]
    }

    fn hear(&self, notice: &str) {
        let mut bytes = [0; 1_024];
        loop {
            let read = self.socket.recv(&mut bytes).expect(notice);
            if String::from_utf8_lossy(&bytes[..read]).lines().any(|line| line == notice) {
                return;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_hears_of_a_pool() {
    let manager = Manager::new();
    let mut pool = Vipnode::start_with(&["pool", "--bind", "127.0.0.1:0"], &manager.env());
    pool.event("listening").await;
    for notice in ["READY=1", "WATCHDOG=1", "WATCHDOG=1"] {
        manager.hear(notice);
    }
    assert!(pool.interrupt().await.success());
    manager.hear("STOPPING=1");
}

/// A service manager in a container may listen at a name that is not a file.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_may_listen_at_an_abstract_name() {
    use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
    let name = format!("vipnode-test-{}", std::process::id());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let manager = Manager { socket, path: format!("@{name}"), _dir: tempfile::tempdir().unwrap() };
    let mut pool = Vipnode::start_with(&["pool", "--bind", "127.0.0.1:0"], &manager.env());
    pool.event("listening").await;
    for notice in ["READY=1", "WATCHDOG=1"] {
        manager.hear(notice);
    }
    assert!(pool.interrupt().await.success());
}

/// What fills the queue of a service manager that does not read stops nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_manager_that_does_not_read_holds_up_nobody() {
    let manager = Manager::new();
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(b"x", &manager.path).is_ok() {}
    let mut pool = Vipnode::start_with(&["pool", "--bind", "127.0.0.1:0"], &manager.env());
    pool.event("listening").await;
    assert!(pool.interrupt().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_hears_of_an_agent_also_before_its_node_is_there() {
    let (pool, url) = Vipnode::pool(&[]).await;
    let (manager, sim) = (Manager::new(), Sim::start().await);
    let mut agent = sim.agent_with(&["client", &url], &manager.env());
    agent.event("joined").await;
    for notice in ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"] {
        manager.hear(notice);
    }
    assert!(agent.interrupt().await.success());
    manager.hear("STOPPING=1");

    let waiting = Manager::new();
    let agent = Vipnode::start_with(&["client", &url, "--rpc", "http://127.0.0.1:1"], &waiting.env());
    for notice in ["READY=1", "WATCHDOG=1"] {
        waiting.hear(notice);
    }
    agent.kill().await;
    assert!(pool.interrupt().await.success());
}

fn check(dir: &Path, settings: &str) -> (Option<i32>, String) {
    let file = dir.join("pool.toml");
    std::fs::write(&file, settings).unwrap();
    let args = ["pool", "--config", file.to_str().unwrap(), "--check-config"];
    // The user's own pool has nothing to do with the test.
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipnode"));
    let output = command.args(args).env("XDG_DATA_HOME", dir).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn settings_are_checked_without_starting_a_pool() {
    let dir = tempfile::tempdir().unwrap();
    let (code, said) = check(dir.path(), "[pool]\nbind = \"192.0.2.9:3\"\n");
    assert!(code == Some(2) && said.contains("does not have the address 192.0.2.9"), "{said}");
    let members = dir.path().join("members");
    std::fs::write(&members, format!("{}\n", "0a".repeat(64))).unwrap();
    let settings = format!("[pool]\nbind = \"127.0.0.1:1\"\nprice = \"3 gwei\"\nmembers = \"{}\"\n", members.display());
    let (code, said) = check(dir.path(), &settings);
    assert!(code == Some(0) && said.contains("valid: 1 member, a slot costs 3 gwei"), "{said}");
    std::fs::write(&members, "nobody\n").unwrap();
    let (code, said) = check(dir.path(), &settings);
    assert!(code == Some(2) && said.contains("line 1"), "{said}");
    let (code, said) = check(dir.path(), "[pool]\ntls-cert = \"/none.pem\"\ntls-key = \"/none.key\"\n");
    assert!(code == Some(2) && said.contains("/none.pem cannot be read"), "{said}");
    assert_eq!(check(dir.path(), "[pool]\nprize = \"1\"\n").0, Some(2));
}
