//! Runs the binary and reads what it says, line by line, as JSON.
#![allow(dead_code, unreachable_pub, clippy::indexing_slicing, reason = "each test file uses its part")]

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};
use vipnode_node::{Node, PeerCommand, testing::Geth};
use vipnode_types::{Enode, NodeId, PeerFact};

/// Whatever is awaited comes well within this time, on a busy machine too.
pub const SOON: Duration = Duration::from_secs(90);

/// A running `vipnode`. Killed when dropped.
pub struct Vipnode {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Vec<String>,
}

impl Vipnode {
    pub fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vipnode"))
            .args(args)
            .args(["--json"])
            .env_remove("VIPNODE_POOL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, said: Vec::new() }
    }

    /// A pool on a free port, and its address.
    pub async fn pool(args: &[&str]) -> (Self, String) {
        let mut pool = Self::start(&[&["pool", "--bind", "127.0.0.1:0"], args].concat());
        let url = pool.event("listening").await["url"].as_str().unwrap().to_owned();
        (pool, url)
    }

    /// The next line with this event; those before it are passed over.
    pub async fn event(&mut self, name: &str) -> Value {
        loop {
            let line = match timeout(SOON, self.lines.next_line()).await {
                Ok(Ok(Some(line))) => line,
                Ok(_) => panic!("it ended without saying {name:?}; it said:\n{}", self.said.join("\n")),
                Err(_) => panic!("it did not say {name:?}; it said:\n{}", self.said.join("\n")),
            };
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            self.said.push(line);
            if value["event"] == name {
                return value;
            }
        }
    }

    /// Ctrl-C, and waits for the end.
    pub async fn interrupt(mut self) -> ExitStatus {
        self.signal("-INT").await;
        self.ended().await
    }

    /// A signal of `kill`, with its minus.
    pub async fn signal(&mut self, signal: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().await.unwrap().success());
    }

    /// Waits for the end.
    pub async fn ended(&mut self) -> ExitStatus {
        timeout(SOON, self.child.wait()).await.expect("it ends").unwrap()
    }

    /// kill -9, and waits for its end.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// The flags of an agent beside a geth, with a state directory of its own.
pub struct Beside {
    ipc: String,
    key: String,
    pub state: TempDir,
}

impl Beside {
    pub fn new(geth: &Geth) -> Self {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        Self { ipc: text(&geth.ipc()), key: text(&geth.node_key()), state: tempfile::tempdir().unwrap() }
    }

    pub fn agent(&self, role: &str, pool: &str, args: &[&str]) -> Vipnode {
        let own = [role, pool, "--rpc", &self.ipc, "--nodekey", &self.key, "--state-dir", self.state_dir()];
        Vipnode::start(&[&own, args].concat())
    }

    pub fn release(&self) -> Vipnode {
        Vipnode::start(&["release", "--rpc", &self.ipc, "--state-dir", self.state_dir()])
    }

    pub fn state_dir(&self) -> &str {
        self.state.path().to_str().unwrap()
    }
}

pub async fn enode(geth: &Geth) -> Enode {
    geth.node().await.facts().await.unwrap().enode
}

/// Looks until the node's list of peers is as wanted. No event tells that a protocol runs, so it looks again
/// every 20 ms.
pub async fn until(node: &dyn Node, what: &str, holds: impl Fn(&[PeerFact]) -> bool) -> Vec<PeerFact> {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let peers = node.peers().await.unwrap();
            if holds(&peers) {
                return peers;
            }
        }
    };
    timeout(SOON, looking).await.unwrap_or_else(|_| panic!("{what}: it did not come to that"))
}

pub fn has(peers: &[PeerFact], id: NodeId) -> bool {
    peers.iter().any(|peer| peer.id == id && peer.ready)
}

/// Whether the node trusts another: geth lists no trusted ids, but shows it of a connected peer. So the node
/// dials the other.
pub async fn trusts(node: &dyn Node, other: &Enode) -> bool {
    node.call(PeerCommand::Dial(other.clone())).await.unwrap();
    let peers = until(node, "the dialled peer shows", |peers| has(peers, other.id)).await;
    node.call(PeerCommand::Drop(other.clone())).await.unwrap();
    peers.iter().find(|peer| peer.id == other.id).unwrap().trusted.unwrap()
}
