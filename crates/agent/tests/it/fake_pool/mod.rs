//! A pool that a test controls, and an agent next to a simulated node.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use serde::de::DeserializeOwned;
use serde_json::{Value, json, value::RawValue};
use tokio::sync::mpsc;
use vipnode_agent::{
    AgentError, AgentNotice, AgentRunner, Connector, NodeKeyAt, PoolAccess, PoolAddress, PoolConnection, RunnerConfig,
    SystemResolver,
    limits::{NoticeLimits, StatementLimits},
};
use vipnode_agent_core::{Advertise, AgentConfig, DirectConfig, HostConfig, Notice, PeerPolicy};
use vipnode_node::{
    Node,
    sim::{SimNet, SimSpec, sim_key},
};
use vipnode_rpc::{Incoming, OpenError, OpenSession, PoolHeaders, Responder, pipe};
use vipnode_types::{Enode, JoinSecret, LeaseId, NodeId, Price, signed::Envelope, wire::ReportRequest};

pub(crate) const POOL: &str = "ws://127.0.0.1:8080/";
pub(crate) const CHALLENGE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Doors that the test stands behind.
#[derive(Debug)]
pub(crate) struct ToyConnector {
    ends: mpsc::UnboundedSender<OpenSession>,
    pub(crate) open: AtomicBool,
    /// How the pool presents itself from the next socket on.
    pub(crate) headers: Mutex<PoolHeaders>,
}

impl Connector for ToyConnector {
    fn open(&self) -> BoxFuture<'_, Result<PoolConnection, OpenError>> {
        let opened = if self.open.load(Ordering::Relaxed) {
            let (ours, theirs) = pipe();
            self.ends.send(theirs).unwrap();
            let (challenge, remote) = (Some(CHALLENGE.to_owned()), Some(Ipv4Addr::LOCALHOST.into()));
            let pool_headers = self.headers.lock().unwrap().clone();
            Ok(PoolConnection::Socket(Box::new(OpenSession { challenge, remote, pool_headers, ..ours })))
        } else {
            Err(OpenError::Unreachable {
                address: POOL.to_owned(),
                kind: std::io::ErrorKind::ConnectionRefused,
                why: "the test closed it".to_owned(),
            })
        };
        std::future::ready(opened).boxed()
    }
}

/// An agent, its node, and the pool's end of its sockets.
pub(crate) struct Toy {
    pub(crate) net: SimNet,
    pub(crate) node: Arc<dyn Node>,
    pub(crate) id: NodeId,
    pub(crate) connector: Arc<ToyConnector>,
    pub(crate) ends: mpsc::UnboundedReceiver<OpenSession>,
    pub(crate) root: tempfile::TempDir,
    pub(crate) key_file: std::path::PathBuf,
}

impl Toy {
    pub(crate) fn new() -> Self {
        Self::next_to("agent", 30303)
    }

    /// Next to a node of that name.
    pub(crate) fn next_to(name: &str, port: u16) -> Self {
        let net = SimNet::new();
        let node = net.add(SimSpec::new(name, port));
        let (ends, ends_of_test) = mpsc::unbounded_channel();
        let root = tempfile::tempdir().unwrap();
        let key_file = root.path().join("nodekey");
        std::fs::write(&key_file, sim_key(name).as_slice()).unwrap();
        let id = SimSpec::new(name, port).id;
        let connector = Arc::new(ToyConnector { ends, open: AtomicBool::new(true), headers: Mutex::default() });
        Self { net, node, id, connector, ends: ends_of_test, root, key_file }
    }

    pub(crate) fn config(&self) -> RunnerConfig {
        RunnerConfig {
            connections: vipnode_agent::local::ConnectionSettings::default(),
            flags: vipnode_agent::local::AgentFlags::default(),
            node: self.node.clone(),
            pool: Some(PoolAccess {
                address: PoolAddress::read(POOL).unwrap(),
                connector: self.connector.clone(),
                join: JoinSecret::new("club"),
                accepted: None,
            }),
            resolver: Arc::new(SystemResolver),
            state_root: self.root.path().join("state"),
            node_key: NodeKeyAt::File(self.key_file.clone()),
            metrics: None,
            notice_limits: NoticeLimits::default(),
            statement_limits: StatementLimits::default(),
            metrics_funds: Duration::from_secs(300),
            agent: AgentConfig {
                agent_version: "vipnode/test".to_owned(),
                pool: true,
                direct: DirectConfig::default(),
                min_peers: 1,
                max_price: None,
                pay: None,
                strict: false,
                keep: Default::default(),
                policy: PeerPolicy::default(),
                host: Some(HostConfig {
                    slots: 10,
                    reserve: 16,
                    node_max_peers: 50,
                    payout: None,
                    min_price: None,
                    no_trials: false,
                    max_head_age_s: None,
                }),
                advertise: Advertise::Node,
                dial_private: false,
                protocol2: None,
                allow_protocol2: false,
                request_ms: vipnode_agent_core::REQUEST_MS,
                seed: [0; 32],
            },
        }
    }

    pub(crate) fn spawn(&self) -> Running {
        Running::of(self.config())
    }

    /// A further node that takes everyone.
    pub(crate) fn peer(&self, name: &str, port: u16) -> SimSpec {
        let spec = SimSpec::new(name, port);
        self.net.add(spec.clone());
        spec
    }

    /// The pool's end of the next socket, with the agent presented and taken.
    pub(crate) async fn accept(&mut self, leases: Value) -> PoolEnd {
        self.accept_as(Value::Null, leases).await
    }

    /// The same, by a pool with this ID.
    pub(crate) async fn accept_as(&mut self, pool_id: Value, leases: Value) -> PoolEnd {
        let end = within(self.ends.recv()).await.unwrap();
        let mut end = PoolEnd { end };
        let (params, responder) = end.expect("vipnode_connect").await;
        responder.respond(Ok(json!({
            "pool_version": "vipnode/toy",
            "pool_id": pool_id,
            "welcome": "hello",
            "report_interval_ms": 60_000,
            "price": Price::FREE,
            "leases": leases,
        })));
        let (_, envelope): (Value, Envelope) = read(&params);
        assert_eq!(envelope.delegation.node, self.id);
        end
    }

    /// Where others dial the agent's node.
    pub(crate) fn node_enode(&self) -> Enode {
        self.net.with(|world| world.spec(self.id).unwrap().enode())
    }

    pub(crate) fn trusted(&self, id: NodeId) -> bool {
        self.net.with(|world| world.trusted(self.id).contains(&id))
    }

    pub(crate) async fn connected(&self, id: NodeId) -> bool {
        self.node.peers().await.unwrap().iter().any(|peer| peer.id == id && peer.ready)
    }

    pub(crate) fn journaled(&self) -> usize {
        let dir = self.root.path().join("state").join(self.id.short());
        let text = std::fs::read_to_string(dir.join("journal")).unwrap_or_default();
        let entries = text.lines().map(|line| serde_json::from_str(line).unwrap());
        vipnode_agent_core::unreleased_changes(entries).len()
    }
}

pub(crate) struct Running {
    pub(crate) runner: AgentRunner,
    pub(crate) notices: mpsc::Receiver<AgentNotice>,
}

impl Running {
    pub(crate) fn of(config: RunnerConfig) -> Self {
        let (runner, notices) = AgentRunner::spawn(config);
        Self { runner, notices }
    }

    /// The next notice that `pick` picks.
    pub(crate) async fn notice<T>(&mut self, pick: impl Fn(&Notice) -> Option<T>) -> T {
        loop {
            match within(self.notices.recv()).await.expect("the agent ended") {
                AgentNotice::Notice(notice) => {
                    if let Some(picked) = pick(&notice) {
                        return picked;
                    }
                }
                _ => continue,
            }
        }
    }

    pub(crate) async fn stop(self) -> Result<(), AgentError> {
        self.runner.stop();
        within(self.runner.join()).await
    }
}

pub(crate) struct PoolEnd {
    end: OpenSession,
}

impl PoolEnd {
    /// The next request of that method; others, reports above all, are answered by the way.
    pub(crate) async fn expect(&mut self, wanted: &str) -> (Box<RawValue>, Responder) {
        loop {
            match within(self.end.incoming.recv()).await.unwrap_or_else(|| panic!("closed before {wanted}")) {
                Incoming::Request { method, params, responder } if method == wanted => return (params, responder),
                Incoming::Request { responder, .. } => responder.respond(Ok(json!({}))),
                Incoming::Notification { .. } => {}
            }
        }
    }

    /// Answers everything with nothing, until the socket is gone.
    pub(crate) async fn answer_all(mut self) {
        while let Some(incoming) = self.end.incoming.recv().await {
            if let Incoming::Request { method, responder, .. } = incoming {
                let answer = if method == "vipnode_ask" { json!({"hosts": [], "missing": 0}) } else { json!({}) };
                responder.respond(Ok(answer));
            }
        }
    }

    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Box<RawValue>, vipnode_rpc::CallError> {
        self.end.peer.call(method, &[params], Duration::from_secs(10)).await
    }

    /// Answers the next ask with this host.
    pub(crate) async fn give(&mut self, lease: u64, host: &SimSpec) {
        let (_, responder) = self.expect("vipnode_ask").await;
        let leased = json!({"lease": LeaseId::new(lease), "host": host.enode(), "price": Price::FREE});
        responder.respond(Ok(json!({"hosts": [leased], "missing": 0})));
    }

    /// Answers reports until one has this lease as up; returns them all.
    pub(crate) async fn expect_up(&mut self, lease: u64) -> Vec<String> {
        let mut texts = Vec::new();
        loop {
            let (params, responder) = self.expect("vipnode_report").await;
            responder.respond(Ok(json!({})));
            texts.push(params.get().to_owned());
            let (report,): (ReportRequest,) = read(&params);
            let full = report.full.unwrap_or_default().into_iter().map(|up| up.lease);
            if full.chain(report.up).any(|up| up.get() == lease) {
                return texts;
            }
        }
    }

    pub(crate) fn close(self, why: &str) {
        self.end.peer.close(why);
    }
}

pub(crate) fn read<T: DeserializeOwned>(params: &RawValue) -> T {
    serde_json::from_str(params.get()).unwrap()
}

/// Waits for what has to come; the limit only keeps a broken test from hanging.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), future).await.expect("nothing came")
}

impl From<OpenSession> for PoolEnd {
    fn from(end: OpenSession) -> Self {
        Self { end }
    }
}
