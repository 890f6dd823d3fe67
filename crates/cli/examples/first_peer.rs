//! Measures on real geths how long a client waits for its first host, next to the node's own dial.
//!
//! `cargo build --release && unshare -n sh -c 'ip link set lo up && cargo run --release --example first_peer'`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement by hand"
)]

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use vipnode_node::{
    Node, PeerCommand,
    testing::{Geth, GethSpec},
};
use vipnode_types::NodeId;

const ROUNDS: usize = 5;

fn binary() -> PathBuf {
    let examples = std::env::current_exe().unwrap();
    let binary = examples.parent().unwrap().parent().unwrap().join("vipnode");
    assert!(binary.exists(), "build it first: cargo build --release");
    binary
}

fn vipnode(args: &[&str]) -> Child {
    Command::new(binary())
        .args(args)
        .arg("--json")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn wait_for(child: &mut Child, event: &str) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains(&format!("\"event\":\"{event}\"")) {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return;
        }
    }
    panic!("it never said {event}");
}

async fn shows(node: &dyn Node, id: NodeId) {
    while !node.peers().await.unwrap().iter().any(|peer| peer.id == id && peer.ready) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::main]
async fn main() {
    let host = Geth::start(GethSpec::default()).await;
    let host_enode = host.node().await.facts().await.unwrap().enode;
    let mut pool = vipnode(&["pool", "--bind", "127.0.0.1:8080"]);
    wait_for(&mut pool, "listening").await;
    let state = tempfile::tempdir().unwrap();
    let common = ["ws://127.0.0.1:8080", "--state-dir", text(state.path())];
    let host_paths = [text(&host.ipc()).to_owned(), text(&host.node_key()).to_owned()];
    let mut agent = vipnode(
        &[&["host"], &common[..], &["--max-head-age", "off", "--rpc", &host_paths[0], "--nodekey", &host_paths[1]]]
            .concat(),
    );
    wait_for(&mut agent, "joined").await;
    for round in 1..=ROUNDS {
        let (alone, client) = (Geth::start(GethSpec::default()).await, Geth::start(GethSpec::default()).await);
        let node = alone.node().await;
        let started = Instant::now();
        node.call(PeerCommand::Dial(host_enode.clone())).await.unwrap();
        shows(&*node, host_enode.id).await;
        let own = started.elapsed();

        let node = client.node().await;
        let (ipc, key) = (client.ipc(), client.node_key());
        let flags = ["--min-peers", "1", "--rpc", text(&ipc), "--nodekey", text(&key)];
        let started = Instant::now();
        let _agent = vipnode(&[&["client"], &common[..], &flags].concat());
        shows(&*node, host_enode.id).await;
        println!("round {round}: own dial {own:.1?}, client start to host shown {:.1?}", started.elapsed());
    }
}
