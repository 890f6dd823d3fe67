//! Which hosts and clients the pool matches, based on what their nodes serve and run. The pool and the agents are
//! processes next to simulated nodes.

use crate::support::{Vipnode, stats_until};
use vipnode_node::sim::{SimFamily, SimNet, SimServer, SimSpec, sim_key};

/// Simulated nodes for agents in other processes.
struct Nodes {
    net: SimNet,
    server: SimServer,
    dir: tempfile::TempDir,
}

impl Nodes {
    async fn start(specs: impl IntoIterator<Item = (&'static str, SimSpec)>) -> Self {
        let (net, dir) = (SimNet::new(), tempfile::tempdir().unwrap());
        for (name, spec) in specs {
            net.add(spec);
            std::fs::write(dir.path().join(name), sim_key(name).as_slice()).unwrap();
        }
        let server = SimServer::start(net.clone()).await.unwrap();
        Self { net, server, dir }
    }

    fn agent(&self, node: &str, role: &str, pool: &str, args: &[&str]) -> Vipnode {
        let dir = self.dir.path().to_str().unwrap();
        let (rpc, key) = (self.server.endpoint(node).to_string(), format!("{dir}/{node}"));
        let own = [role, pool, "--rpc", &rpc, "--nodekey", &key, "--state-dir", dir];
        Vipnode::start(&[&own, args].concat())
    }
}

fn node(name: &'static str, port: u16) -> (&'static str, SimSpec) {
    (name, SimSpec { client_version: "Geth/v1.17.5-stable/linux".to_owned(), ..SimSpec::new(name, port) })
}

fn without_snap((name, spec): (&'static str, SimSpec)) -> (&'static str, SimSpec) {
    (name, SimSpec { snap: false, ..spec })
}

fn older((name, spec): (&'static str, SimSpec)) -> (&'static str, SimSpec) {
    (name, SimSpec { client_version: "Geth/v1.12.0-stable/linux".to_owned(), ..spec })
}

const ONE: &[&str] = &["--min-peers", "1"];

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_the_host_that_serves_what_it_needs_or_the_reason_why_none_does() {
    let nodes = Nodes::start([without_snap(node("plain", 30_303)), node("snap", 30_304), node("client", 30_305)]).await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut plain = nodes.agent("plain", "host", &url, &[]);
    plain.events(&["offering", "joined"]).await;
    let mut client = nodes.agent("client", "client", &url, &[ONE, &["--need", "snap/1"]].concat());
    let missing = client.event("hosts_missing").await["text"].as_str().unwrap().to_owned();
    assert!(
        missing.contains("the only host on chain 1337") && missing.contains("does not serve snap/1 (--need)"),
        "{missing}"
    );
    let mut host = nodes.agent("snap", "host", &url, &[]);
    host.event("joined").await;
    let connected = client.event("host_connected").await;
    assert_eq!(connected["peer"], SimSpec::new("snap", 1).id.to_string());
    stats_until(&url, "both sides see the lease", |stats| stats.num_running_leases == 1).await;
    assert!(client.interrupt().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_stays_with_its_agent_and_the_pool_learns_from_the_refusal() {
    let nodes = Nodes::start([node("host", 30_303), older(node("old", 30_304)), node("new", 30_305)]).await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut host = nodes.agent("host", "host", &url, &["--reject-client", "^Geth/v1\\.1[0-6]\\."]);
    host.events(&["offering", "joined"]).await;
    let mut old = nodes.agent("old", "client", &url, ONE);
    let refused = host.event("unsuitable").await["text"].as_str().unwrap().to_owned();
    assert!(refused.contains("Geth/v1.12.0") && refused.contains("--reject-client"), "{refused}");
    let missing = old.event("hosts_missing").await["text"].as_str().unwrap().to_owned();
    assert!(missing.contains("rejects your node's version"), "{missing}");
    let mut new = nodes.agent("new", "client", &url, ONE);
    new.event("host_connected").await;
    host.event("client_connected").await;
    for agent in [old, new, host] {
        assert!(agent.interrupt().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_takes_no_host_that_is_too_old_or_rejected() {
    let nodes = Nodes::start([older(node("host", 30_303)), node("new", 30_304), node("client", 30_305)]).await;
    // A pattern stays with its agent, which hears of the host's version when it is given the host.
    for (flag, value, heard) in
        [("--min-client-version", "geth/1.17.0", "hosts_missing"), ("--reject-client", "v1\\.12\\.", "unsuitable")]
    {
        let (_pool, url) = Vipnode::pool(&[]).await;
        let mut host = nodes.agent("host", "host", &url, &[]);
        host.events(&["offering", "joined"]).await;
        let mut client = nodes.agent("client", "client", &url, &[ONE, &[flag, value]].concat());
        let why = client.event(heard).await["text"].as_str().unwrap().to_owned();
        assert!(why.contains(flag), "{why}");
        let new = nodes.agent("new", "host", &url, &[]);
        assert_eq!(client.event("host_connected").await["peer"], SimSpec::new("new", 1).id.to_string(), "{flag}");
        for agent in [client, host, new] {
            assert!(agent.interrupt().await.success());
        }
    }
}

#[tokio::test]
async fn what_is_no_rule_is_refused_with_its_form() {
    for (flag, value, form) in [
        ("--need", "snap/one", "snap/1"),
        ("--min-client-version", "1.17.0", "geth/1.17.0"),
        ("--reject-client", "(", "regular expression"),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_vipnode"))
            .args(["client", "ws://127.0.0.1:1", flag, value])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(form), "{flag}: {said}");
    }
}

/// reth dials seconds after the call, so the pool asks the host to dial its client at once; the others dial at once. Of three
/// clients of each kind, the fastest counts, because other tests use the machine too.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_each_family_gets_a_host_that_can_dial_at_once() {
    const CLIENTS: [&str; 3] = ["first", "second", "third"];
    for (family, version) in [
        (SimFamily::Geth, "Geth/v1.17.5"),
        (SimFamily::Reth, "reth/v2.5.1"),
        (SimFamily::Nethermind, "Nethermind/v1.37.0"),
        (SimFamily::Besu, "besu/v26.1.0"),
    ] {
        let clients = (30_304..).zip(CLIENTS).map(|(port, name)| {
            let (name, spec) = node(name, port);
            (name, SimSpec { family, client_version: version.to_owned(), ..spec })
        });
        let nodes = Nodes::start(std::iter::once(node("host", 30_303)).chain(clients)).await;
        let (_pool, url) = Vipnode::pool(&[]).await;
        let mut host = nodes.agent("host", "host", &url, &[]);
        host.events(&["offering", "joined"]).await;
        let (mut running, mut fastest) = (vec![host], std::time::Duration::MAX);
        for name in CLIENTS {
            let mut client = nodes.agent(name, "client", &url, ONE);
            client.event("host_assigned").await;
            let given = std::time::Instant::now();
            client.event("host_connected").await;
            fastest = fastest.min(given.elapsed());
            let peers = nodes.net.with(|world| world.peers(SimSpec::new(name, 1).id));
            let dialed = peers.len() == 1 && (peers[0].inbound || family != SimFamily::Reth);
            assert!(dialed, "{version}: the host dialed: {peers:?}");
            running.push(client);
        }
        assert!(fastest.as_millis() < 300, "{version}: {fastest:?}");
        for agent in running {
            assert!(agent.interrupt().await.success());
        }
    }
}
