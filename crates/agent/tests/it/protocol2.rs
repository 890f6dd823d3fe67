//! Agents that speak protocol 2 to a stand-in for a pool of the original, over real sockets.

use std::{path::Path, sync::Arc, time::Duration};

use crate::go_vipnode::GoPool;
use tokio::{sync::mpsc, time::timeout};
use vipnode_agent::{
    AgentError, AgentNotice, AgentRunner, NetConnector, NodeKeyAt, PoolAccess, PoolAddress, RunnerConfig,
    SystemResolver,
    limits::{NoticeLimits, StatementLimits},
    release,
};
use vipnode_agent_core::{Advertise, AgentConfig, DirectConfig, HostConfig, Notice, PeerPolicy, Protocol2Config};
use vipnode_node::{
    Node,
    sim::{SimNet, SimSpec, sim_key},
};
use vipnode_types::Enode;
use vipnode_types::TypedError;

struct Agent {
    runner: AgentRunner,
    notices: mpsc::Receiver<AgentNotice>,
}

impl Agent {
    async fn notice<T>(&mut self, pick: impl Fn(&AgentNotice) -> Option<T>) -> T {
        let picked = async {
            loop {
                if let Some(picked) = pick(&self.notices.recv().await.expect("the agent ended")) {
                    return picked;
                }
            }
        };
        timeout(Duration::from_secs(60), picked).await.expect("the notice never came")
    }

    async fn core_notice(&mut self, pick: impl Fn(&Notice) -> bool) {
        self.notice(|notice| matches!(notice, AgentNotice::Notice(notice) if pick(notice)).then_some(())).await;
    }

    async fn stop(self) -> Result<(), AgentError> {
        self.runner.stop();
        timeout(Duration::from_secs(20), self.runner.join()).await.expect("it does not stop")
    }
}

/// A network, a pool and a place for state.
struct Bench {
    net: SimNet,
    pool: GoPool,
    root: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        Self { net: SimNet::new(), pool: GoPool::start().await, root: tempfile::tempdir().unwrap() }
    }

    fn config(&self, name: &str, port: u16, min_peers: u32, slots: Option<u32>) -> RunnerConfig {
        let spec = SimSpec::new(name, port);
        let known = self.net.with(|world| world.spec(spec.id).is_some());
        let node: Arc<dyn Node> = if known { self.net.node(spec.id) } else { self.net.add(spec) };
        let pool = PoolAddress::read(&self.pool.url).unwrap();
        let key_file = self.root.path().join(name);
        std::fs::write(&key_file, sim_key(name).as_slice()).unwrap();
        let host = |slots| HostConfig {
            slots,
            reserve: 16,
            node_max_peers: 50,
            payout: None,
            min_price: None,
            no_trials: false,
            max_head_age_s: None,
        };
        RunnerConfig {
            connections: vipnode_agent::local::ConnectionSettings::default(),
            flags: vipnode_agent::local::AgentFlags::default(),
            node,
            pool: Some(PoolAccess {
                connector: Arc::new(NetConnector::new(pool.clone(), vipnode_rpc::Trust::default())),
                address: pool,
                join: None,
                accepted: None,
            }),
            resolver: Arc::new(SystemResolver),
            state_root: self.root.path().join("state"),
            node_key: NodeKeyAt::File(key_file),
            metrics: None,
            notice_limits: NoticeLimits::default(),
            statement_limits: StatementLimits::default(),
            metrics_funds: Duration::from_secs(300),
            agent: AgentConfig {
                agent_version: "vipnode/test<&>".to_owned(),
                pool: true,
                direct: DirectConfig::default(),
                min_peers,
                max_price: None,
                pay: None,
                strict: false,
                keep: Default::default(),
                policy: PeerPolicy::default(),
                host: slots.map(host),
                advertise: Advertise::Node,
                dial_private: false,
                protocol2: Some(Protocol2Config { update_interval_ms: 200 }),
                allow_protocol2: false,
                request_ms: vipnode_agent_core::REQUEST_MS,
                seed: [0; 32],
            },
        }
    }

    fn spawn(config: RunnerConfig) -> Agent {
        let (runner, notices) = AgentRunner::spawn(config);
        Agent { runner, notices }
    }

    fn trusts(&self, host: &SimSpec, client: &SimSpec) -> bool {
        self.net.with(|world| world.trusted(host.id).contains(&client.id))
    }

    async fn names(&self, node: &SimSpec, peer: &SimSpec) {
        let (node, peer) = (node.id.to_string(), peer.id.to_string());
        let named = |state: &mut crate::go_vipnode::State| {
            state.arguments("vipnode_update", &node).last().filter(|last| last.contains(&peer)).map(|_| ())
        };
        self.pool.until("an update that names the peer", named).await;
    }

    fn nobody_was_refused(&self) {
        assert_eq!(self.pool.state.lock().unwrap().refused, Vec::<String>::new());
    }
}

fn specs() -> (SimSpec, SimSpec) {
    (SimSpec::new("host", 30301), SimSpec::new("client", 30302))
}

/// Host first, then the client that is brought to it.
async fn pair(bench: &Bench) -> (Agent, Agent) {
    let mut host = Bench::spawn(bench.config("host", 30301, 0, Some(5)));
    let welcome = |notice: &Notice| matches!(notice, Notice::Connected { welcome: Some(text), price: None, pool_id: None } if text == "Welcome to the pool.");
    host.core_notice(welcome).await;
    let mut client = Bench::spawn(bench.config("client", 30302, 1, None));
    client.core_notice(|notice| matches!(notice, Notice::HostConnected { .. })).await;
    host.core_notice(|notice| matches!(notice, Notice::ClientConnected { .. })).await;
    (host, client)
}

#[tokio::test]
async fn host_and_client_meet_over_a_pool_of_the_original() {
    let bench = Bench::new().await;
    let (host_node, client_node) = specs();
    let (mut host, client) = pair(&bench).await;
    assert!(bench.trusts(&host_node, &client_node));
    bench.names(&host_node, &client_node).await;
    bench.names(&client_node, &host_node).await;
    let connects = bench.pool.state.lock().unwrap().arguments("vipnode_connect", &host_node.id.to_string());
    let id = host_node.id;
    assert!(connects[0].starts_with(r#"{"vipnode_version":"vipnode/test\u003c\u0026\u003e","node_info":{"version":"#));
    let end = format!(r#""network":1337,"is_full_node":true}},"node_uri":"enode://{id}@[::]:30301","payout":""}}"#);
    assert!(connects[0].ends_with(&end), "{}", connects[0]);

    // The pool takes the client back; a peer that the agent did not let in stays.
    let invalid = vec![client_node.id.to_string(), "ab".repeat(64)];
    bench.pool.state.lock().unwrap().invalid.insert(host_node.id.to_string(), invalid);
    host.core_notice(|notice| matches!(notice, Notice::ClientEvicted { .. })).await;
    assert!(!bench.trusts(&host_node, &client_node));
    bench.nobody_was_refused();
    client.stop().await.unwrap();
    host.stop().await.unwrap();
    let last = bench.pool.state.lock().unwrap().arguments("vipnode_update", &client_node.id.to_string());
    assert!(last.last().unwrap().starts_with(r#"{"peers_info":null,"#), "{last:?}");
}

#[tokio::test]
async fn d9_nonces_grow_over_restarts_and_when_the_clock_goes_back() {
    let bench = Bench::new().await;
    let (node, _) = specs();
    let mut agent = Bench::spawn(bench.config("host", 30301, 0, Some(5)));
    agent.core_notice(|notice| matches!(notice, Notice::Connected { .. })).await;
    agent.stop().await.unwrap();
    // As if this machine's clock had been ahead by a minute.
    let file = bench.root.path().join("state").join(node.id.short()).join("nonce");
    let last: u64 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    let ahead = last + 60_000_000_000;
    std::fs::write(&file, format!("{ahead}\n")).unwrap();
    let mut agent = Bench::spawn(bench.config("host", 30301, 0, Some(5)));
    agent.core_notice(|notice| matches!(notice, Notice::Connected { .. })).await;
    agent.stop().await.unwrap();
    bench.nobody_was_refused();
    let nonces: Vec<u64> = bench.pool.state.lock().unwrap().heard.iter().map(|heard| heard.nonce).collect();
    assert!(nonces.is_sorted_by(|a, b| a < b), "{nonces:?}");
    assert!(nonces.contains(&(ahead + 1)), "{nonces:?}");
}

#[tokio::test]
async fn d40_a_pool_that_forgot_everybody_is_joined_again_and_nobody_is_disconnected() {
    let bench = Bench::new().await;
    let (host_node, client_node) = specs();
    let (host, client) = pair(&bench).await;
    bench.pool.state.lock().unwrap().forget();
    let again = |state: &mut crate::go_vipnode::State| {
        let connects = |node: &SimSpec| state.arguments("vipnode_connect", &node.id.to_string()).len();
        (connects(&host_node) == 2 && connects(&client_node) == 2).then_some(())
    };
    bench.pool.until("both connect again", again).await;
    bench.names(&client_node, &host_node).await;
    assert!(bench.trusts(&host_node, &client_node));
    client.stop().await.unwrap();
    host.stop().await.unwrap();
}

#[tokio::test]
async fn d51_release_undoes_what_a_crash_left() {
    let bench = Bench::new().await;
    let (host_node, client_node) = specs();
    let (host, client) = pair(&bench).await;
    host.runner.abort().await;
    assert!(bench.trusts(&host_node, &client_node));
    let node = bench.net.node(host_node.id);
    let undone = release(&bench.root.path().join("state"), &*node).await.unwrap().undone;
    assert_eq!(undone.iter().map(|change| change.peer.id).collect::<Vec<_>>(), [client_node.id]);
    assert!(!bench.trusts(&host_node, &client_node));
    client.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_that_is_behind_is_reported() {
    let bench = Bench::new().await;
    bench.pool.state.lock().unwrap().latest_block = u64::MAX / 2;
    let mut agent = Bench::spawn(bench.config("host", 30301, 0, Some(5)));
    agent.core_notice(|notice| matches!(notice, Notice::Behind { .. })).await;
    bench.pool.state.lock().unwrap().latest_block = 1;
    agent.core_notice(|notice| matches!(notice, Notice::CaughtUp { latest: 1 })).await;
    agent.stop().await.unwrap();
}

async fn fails(config: RunnerConfig) -> AgentError {
    timeout(Duration::from_secs(20), Bench::spawn(config).runner.join()).await.unwrap().unwrap_err()
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_the_reason_and_the_flag() {
    let bench = Bench::new().await;
    let mut config = bench.config("host", 30301, 0, Some(5));
    config.node_key = NodeKeyAt::File(Path::new("/nonexistent").to_owned());
    let error = fails(config).await;
    assert!(error.to_string().contains("every call"), "{error}");
    assert!(error.hint().unwrap().contains("--nodekey"), "{}", error.hint().unwrap());

    let mut config = bench.config("host", 30301, 0, Some(5));
    config.agent.advertise = Advertise::Enode(Enode::id_only(SimSpec::new("other", 1).id));
    let error = fails(config).await;
    assert!(matches!(error, AgentError::OtherEnode { .. }), "{error}");

    let mut config = bench.config("host", 30301, 0, Some(5));
    config.pool.as_mut().unwrap().address = PoolAddress::read("https://pool.example").unwrap();
    let error = fails(config).await;
    assert!(error.hint().unwrap().contains("wss://pool.example/"), "{}", error.hint().unwrap());

    let mut config = bench.config("host", 30301, 0, Some(5));
    std::fs::write(bench.root.path().join("host"), sim_key("client").as_slice()).unwrap();
    config.agent.min_peers = 0;
    let error = fails(config).await;
    assert!(error.to_string().contains("the key in"), "{error}");
}
