//! Agents that speak protocol 2 to our own pool, as they would to one of the original.

use std::time::Duration;

use crate::support::{SOON, Vipnode, error_of, stats_until};
use vipnode_node::sim::{SimNet, SimServer, SimSpec, sim_key};
use vipnode_types::NodeId;

/// Two simulated nodes for agents in other processes.
pub struct Nodes {
    net: SimNet,
    server: SimServer,
    dir: tempfile::TempDir,
}

impl Nodes {
    pub async fn start() -> Self {
        let (net, dir) = (SimNet::new(), tempfile::tempdir().unwrap());
        for (name, port) in [("host", 30_303), ("client", 30_304)] {
            net.add(SimSpec::new(name, port));
            std::fs::write(dir.path().join(name), sim_key(name).as_slice()).unwrap();
        }
        let server = SimServer::start(net.clone()).await.unwrap();
        Self { net, server, dir }
    }

    /// An agent of the node of the same name as its role.
    pub fn agent(&self, role: &str, pool: &str, args: &[&str]) -> Vipnode {
        let own = self.flags(role, pool);
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        Vipnode::start(&[&own, args].concat())
    }

    pub fn flags(&self, role: &str, pool: &str) -> [String; 5] {
        let dir = self.dir.path().display();
        [
            role.to_owned(),
            pool.to_owned(),
            format!("--rpc={}", self.server.endpoint(role)),
            format!("--nodekey={dir}/{role}"),
            format!("--state-dir={dir}"),
        ]
    }

    /// Waits for a further call of that node's agent: each has a new nonce, in its state directory.
    async fn says_more(&self, name: &str) {
        let file = self.dir.path().join(id(name).short()).join("nonce");
        let before = std::fs::read_to_string(&file).unwrap();
        let looking = async {
            while std::fs::read_to_string(&file).unwrap() == before {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(SOON, looking).await.expect("no further output");
    }

    fn connected(&self) -> bool {
        let (host, client) = (id("host"), id("client"));
        self.net.with(|world| world.peers(host).iter().any(|peer| peer.id == client))
    }
}

const PROTOCOL_2: &[&str] = &["--protocol", "2", "--update-interval", "6s"];

fn id(name: &str) -> NodeId {
    SimSpec::new(name, 1).id
}

#[tokio::test(flavor = "multi_thread")]
async fn host_and_client_of_protocol_2_are_metered_by_our_pool() {
    let nodes = Nodes::start().await;
    let (pool, url) = Vipnode::pool(&["--price", "100 gwei", "--welcome", "hello"]).await;
    let mut host = nodes.agent("host", &url, PROTOCOL_2);
    host.events(&["signs_each_call", "joined"]).await;
    let mut client = nodes.agent("client", &url, &[PROTOCOL_2, &["--min-peers", "1"]].concat());
    client.event("host_connected").await;
    host.event("client_connected").await;
    assert!(nodes.connected());
    stats_until(&url, "both sides see the lease", |stats| stats.num_running_leases == 1).await;
    // Each side is metered up to its last word.
    tokio::join!(nodes.says_more("client"), nodes.says_more("host"));
    nodes.says_more("client").await;
    // The client's last update names nobody, which ends the lease where it was last seen up.
    assert!(client.interrupt().await.success());
    let stats = stats_until(&url, "the lease is metered", |stats| stats.num_metered_leases == 1).await;
    assert!(stats.metered_ms > 0 && stats.num_running_leases == 0, "{stats:?}");
    host.event("client_evicted").await;
    let trusted = |world: &mut vipnode_node::sim::World| world.trusted(id("host")).contains(&id("client"));
    assert!(!nodes.net.with(trusted));
    assert!(host.interrupt().await.success());
    assert!(pool.interrupt().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_protocol_2_is_served_over_http_and_a_host_is_not() {
    let nodes = Nodes::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut host = nodes.agent("host", &url, PROTOCOL_2);
    host.event("joined").await;
    let http = url.replacen("ws", "http", 1);
    let mut client = nodes.agent("client", &http, &[PROTOCOL_2, &["--min-peers", "1"]].concat());
    client.event("host_connected").await;
    assert!(client.interrupt().await.success());
    assert!(host.interrupt().await.success());
    let mut refused = nodes.agent("host", &http, PROTOCOL_2);
    assert_eq!(refused.ended().await.code(), Some(2));
}

/// Each protocol on one side of a lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_protocol_3_serves_a_client_of_protocol_2_and_the_other_way_round() {
    for (host_args, client_args) in [(&[][..], PROTOCOL_2), (PROTOCOL_2, &[][..])] {
        let nodes = Nodes::start().await;
        let (_pool, url) = Vipnode::pool(&["--report-interval", "1s"]).await;
        let host = || nodes.agent("host", &url, host_args);
        let client = || nodes.agent("client", &url, &[client_args, &["--min-peers", "1"]].concat());
        // Protocol 2 has no genesis: of a private chain the pool learns it from a node of protocol 3.
        let (host, mut client) = if host_args.is_empty() {
            let mut host = host();
            host.event("joined").await;
            (host, client())
        } else {
            let mut client = client();
            client.event("joined").await;
            (host(), client)
        };
        client.event("host_connected").await;
        stats_until(&url, "both sides see the lease", |stats| stats.num_running_leases == 1).await;
        assert!(client.interrupt().await.success());
        assert!(host.interrupt().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_used_protocol_3_is_refused_on_protocol_2_unless_its_owner_allowed_it() {
    let nodes = Nodes::start().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut third = nodes.agent("host", &url, &[]);
    third.event("joined").await;
    assert!(third.interrupt().await.success());
    let own = nodes.flags("host", &url);
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let refusal = error_of(&[&own, PROTOCOL_2].concat()).await;
    assert!(refusal.to_string().contains("--allow-protocol-2"), "{refusal}");
    let mut third = nodes.agent("host", &url, &["--allow-protocol-2"]);
    third.event("joined").await;
    assert!(third.interrupt().await.success());
    let mut second = nodes.agent("host", &url, PROTOCOL_2);
    second.event("joined").await;
    assert!(second.interrupt().await.success());
}
