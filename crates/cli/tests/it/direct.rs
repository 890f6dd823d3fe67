//! Hosts and clients that the user named: agents as processes next to simulated nodes, with a pool and without.

use crate::support::Vipnode;
use serde_json::Value;
use tempfile::TempDir;
use vipnode_node::sim::{SimNet, SimServer, SimSpec};

/// Simulated nodes for agents in other processes. No key of theirs is at hand.
struct Nodes {
    net: SimNet,
    server: SimServer,
    dir: TempDir,
}

impl Nodes {
    async fn start(names: &[&str]) -> Self {
        let net = SimNet::new();
        for (port, name) in (30_303..).zip(names) {
            net.add(SimSpec::new(name, port));
        }
        let server = SimServer::start(net.clone()).await.unwrap();
        Self { net, server, dir: tempfile::tempdir().unwrap() }
    }

    fn args(&self, node: &str, args: &[&str]) -> Vec<String> {
        let own = ["--rpc", &self.server.endpoint(node).to_string(), "--state-dir", self.dir.path().to_str().unwrap()];
        args.iter().chain(&own).map(|arg| (*arg).to_owned()).collect()
    }

    fn agent(&self, node: &str, args: &[&str]) -> Vipnode {
        let args = self.args(node, args);
        Vipnode::start(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Runs to its end.
    fn run(&self, node: &str, args: &[&str]) -> (Option<i32>, Vec<Value>) {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vipnode"));
        let output = command.args(self.args(node, args)).arg("--json").env_remove("VIPNODE_POOL").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn trusts(&self, node: &str, other: &str) -> bool {
        self.net.with(|world| world.trusted(spec(node).id).contains(&spec(other).id))
    }

    fn peers(&self, node: &str) -> usize {
        self.net.with(|world| world.peers(spec(node).id).len())
    }
}

fn spec(name: &str) -> SimSpec {
    SimSpec::new(name, 0)
}

fn id(name: &str) -> String {
    spec(name).id.to_string()
}

fn enode(name: &str, port: u16) -> String {
    SimSpec::new(name, port).enode().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn d51_a_client_and_a_host_need_no_pool_and_leave_nothing() {
    let nodes = Nodes::start(&["host", "client"]).await;
    let mut host = nodes.agent("host", &["host", "--allow", &id("client")]);
    assert_eq!(host.event("without_pool").await["clients"], 1);
    host.event("node").await;
    let at_name = format!("enode://{}@localhost:30303", id("host"));
    let mut client = nodes.agent("client", &["client", &at_name]);
    assert_eq!(client.event("without_pool").await["hosts"], 1);
    assert_eq!(client.event("host_connected").await["peer"], id("host"));
    host.event("client_connected").await;
    assert!(nodes.trusts("host", "client"));
    assert!(client.interrupt().await.success());
    assert_eq!(nodes.peers("client"), 0);
    assert!(host.interrupt().await.success());
    assert!(!nodes.trusts("host", "client"));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_file_take_hold_with_a_hangup() {
    let nodes = Nodes::start(&["one", "two", "client"]).await;
    let file = nodes.dir.path().join("vipnode.toml");
    let (one, two) = (enode("one", 30_303), enode("two", 30_304));
    std::fs::write(&file, format!("[client]\npool = [\"{one}\"]\n")).unwrap();
    let mut client = nodes.agent("client", &["client", "--config", file.to_str().unwrap()]);
    assert_eq!(client.event("host_connected").await["peer"], id("one"));
    std::fs::write(&file, format!("[client]\npool = [\"{two}\"]\n")).unwrap();
    client.signal("-HUP").await;
    assert_eq!(client.event("reloaded").await["changed"][0], "pool");
    assert_eq!(client.event("host_connected").await["peer"], id("two"));
    assert_eq!(nodes.peers("client"), 1);
    // A pool where there was none is for the next start.
    std::fs::write(&file, "[client]\npool = \"ws://127.0.0.1:1\"\n").unwrap();
    client.signal("-HUP").await;
    assert_eq!(client.event("restart_needed").await["settings"][0], "pool");
    assert!(client.interrupt().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_and_the_doctor_know_whom_the_user_named() {
    let nodes = Nodes::start(&["host", "client"]).await;
    let named = [&*enode("host", 30_303), "--allow", &id("other")];
    let (code, lines) = nodes.run("client", &[&["agent", "--dry-run"], &named[..]].concat());
    let calls: Vec<&str> = lines.iter().filter_map(|line| line["text"].as_str()).collect();
    for call in ["admin_addPeer", "admin_removePeer", "admin_addTrustedPeer", "admin_removeTrustedPeer"] {
        assert!(calls.iter().any(|text| text.contains(call)), "{call}: {calls:?}");
    }
    assert!(code == Some(0) && !calls.iter().any(|text| text.contains("the pool assigns")), "{calls:?}");
    assert_eq!(nodes.peers("client"), 0);

    let (code, lines) =
        nodes.run("client", &[&["doctor", "--role", "client", "--max-head-age", "off"], &named[..1]].concat());
    let verdict = |check: &str| lines.iter().find(|line| line["check"] == check).map(|line| line["verdict"].clone());
    assert_eq!((code, verdict("direct")), (Some(0), Some("warning".into())), "{lines:?}");
    assert_eq!((verdict("pool"), verdict("key")), (None, None), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_go_together_is_refused_with_a_hint() {
    let nodes = Nodes::start(&["node"]).await;
    let (host, client) = (enode("host", 1), id("client"));
    for (args, what) in [
        (&["host", &*host][..], "does not connect to other hosts"),
        (&["client", "ws://a", "ws://b"], "two were given"),
        (&["client", &host, &host], "named twice"),
        (&["host", "ws://a", "--slots", "34", "--allow", &client], "with the client of --allow"),
        (&["host", "--allow", &client, "--reserve", "50"], "--node-max-peers 50"),
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vipnode"));
        let output = command.args(nodes.args("node", args)).env_remove("VIPNODE_POOL").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(what) && said.contains("->"), "{args:?}: {said}");
    }
}
