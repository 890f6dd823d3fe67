//! Runs the binary and reads its output, line by line, as JSON.

pub mod packaged;
pub mod scrape;
pub mod send_gate;
#[cfg(target_os = "linux")]
pub mod terminal;

use std::{
    path::Path,
    process::{ExitStatus, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};
use vipnode_agent::{Connector, NetConnector, PoolAddress, PoolConnection};
use vipnode_node::{
    Node,
    sim::{SimNet, SimServer, SimSpec, sim_key},
    testing::Geth,
};
use vipnode_types::{
    Enode, NodeId, PeerCommand, PeerFact,
    wire::{PoolStats, PoolStatus, method},
};

/// Sells whatever fits, on a chain that stands still.
pub const STILL: &[&str] = &["--max-head-age", "off"];

/// Whatever is awaited comes well within this time, on a busy machine too.
pub const SOON: Duration = Duration::from_secs(90);

/// A running `vipnode`. Killed when dropped.
pub struct Vipnode {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Vec<String>,
    /// Where it keeps its data by default.
    _data: TempDir,
}

impl Vipnode {
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, &[])
    }

    pub fn start_with(args: &[&str], env: &[(&str, &str)]) -> Self {
        Self::start_logging(args, env, Stdio::inherit())
    }

    /// Starts it with its log going to `log`.
    pub fn start_logging(args: &[&str], env: &[(&str, &str)], log: Stdio) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_vipnode"))
            .args(args)
            .args(["--json"])
            .env_remove("VIPNODE_POOL")
            .env("XDG_DATA_HOME", data.path())
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, said: Vec::new(), _data: data }
    }

    /// How often this event occurs in the output that was read so far.
    pub fn times_said(&self, event: &str) -> usize {
        let events = self.said.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|line| line["event"] == *event).count()
    }

    /// A pool on a free port, and its address.
    pub async fn pool(args: &[&str]) -> (Self, String) {
        let mut pool = Self::start(&[&["pool", "--bind", "127.0.0.1:0"], args].concat());
        let url = pool.event("listening").await["url"].as_str().unwrap().to_owned();
        (pool, url)
    }

    /// The next line with this event; those before it are passed over.
    pub async fn event(&mut self, name: &str) -> Value {
        self.any_of(&[name]).await
    }

    pub async fn any_of(&mut self, names: &[&str]) -> Value {
        loop {
            let line = match timeout(SOON, self.lines.next_line()).await {
                Ok(Ok(Some(line))) => line,
                Ok(_) => panic!("it ended without saying one of {names:?}; it said:\n{}", self.said.join("\n")),
                Err(_) => panic!("it did not say one of {names:?}; it said:\n{}", self.said.join("\n")),
            };
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            self.said.push(line);
            if names.iter().any(|name| value["event"] == *name) {
                return value;
            }
        }
    }

    /// Waits for these events, in whichever order they come.
    pub async fn events(&mut self, names: &[&str]) {
        let mut missing: Vec<&str> = names.to_vec();
        while !missing.is_empty() {
            let next = self.any_of(&missing).await["event"].as_str().unwrap().to_owned();
            missing.retain(|name| *name != next);
        }
    }

    /// Ctrl-C, and waits for the end.
    pub async fn interrupt(mut self) -> ExitStatus {
        self.signal("-INT").await;
        self.ended().await
    }

    /// A signal of `kill`, with its minus.
    pub async fn signal(&mut self, signal: &str) {
        self.signals(&[signal]).await;
    }

    /// Signals of `kill`, with their minus, one right after the other.
    pub async fn signals(&mut self, signals: &[&str]) {
        let pid = self.child.id().expect("it runs");
        let kills: String = signals.iter().map(|signal| format!("kill {signal} {pid} && ")).collect();
        assert!(Command::new("sh").args(["-c", &format!("{kills} true")]).status().await.unwrap().success());
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

/// A simulated node for agents in other processes, and another one called "other".
pub struct Sim {
    pub net: SimNet,
    pub server: SimServer,
    pub dir: tempfile::TempDir,
}

impl Sim {
    pub async fn start() -> Self {
        let net = SimNet::new();
        net.add(SimSpec::new("node", 30_303));
        net.add(SimSpec::new("other", 30_304));
        let server = SimServer::start(net.clone()).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("key"), sim_key("node").as_slice()).unwrap();
        std::fs::write(dir.path().join("other.key"), sim_key("other").as_slice()).unwrap();
        Self { net, server, dir }
    }

    pub fn args(&self) -> [String; 3] {
        self.args_of("node", "key")
    }

    /// The flags of the other node.
    pub fn other_args(&self) -> [String; 3] {
        self.args_of("other", "other.key")
    }

    /// The flags for one more node.
    pub fn add(&self, name: &str, spec: SimSpec) -> [String; 3] {
        self.net.add(spec);
        std::fs::write(self.dir.path().join(name), sim_key(name).as_slice()).unwrap();
        self.args_of(name, name)
    }

    fn args_of(&self, node: &str, key: &str) -> [String; 3] {
        let dir = self.dir.path().display();
        [
            format!("--rpc={}", self.server.endpoint(node)),
            format!("--nodekey={dir}/{key}"),
            format!("--state-dir={dir}"),
        ]
    }

    /// An agent of the node.
    pub fn agent(&self, args: &[&str]) -> Vipnode {
        Self::start_agent(args, &self.args())
    }

    /// An agent of the node, with these variables.
    pub fn agent_with(&self, args: &[&str], env: &[(&str, &str)]) -> Vipnode {
        let own = self.args();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        Vipnode::start_with(&[args, &own].concat(), env)
    }

    /// An agent of the other node, with the same state directory.
    pub fn other_agent(&self, args: &[&str]) -> Vipnode {
        Self::start_agent(args, &self.other_args())
    }

    /// `vipnode release` for one of the nodes.
    pub fn release(&self, node: &str) -> Vipnode {
        let (rpc, state) = (self.server.endpoint(node), self.dir.path().to_str().unwrap());
        Vipnode::start(&["release", "--rpc", &rpc.to_string(), "--state-dir", state])
    }

    fn start_agent(args: &[&str], own: &[String]) -> Vipnode {
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        Vipnode::start(&[args, &own].concat())
    }
}

/// The flags of an agent of a geth, with a state directory of its own.
pub struct NodeSetup {
    ipc: String,
    key: String,
    pub state: TempDir,
}

impl NodeSetup {
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

    /// What the agent shows on its own machine.
    pub async fn status(&self) -> Value {
        let output = ran(&["status", "--json", "--state-dir", self.state_dir()]).await;
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn state_dir(&self) -> &str {
        self.state.path().to_str().unwrap()
    }
}

pub async fn enode(geth: &Geth) -> Enode {
    geth.node().await.facts().await.unwrap().enode
}

/// Looks until the node's list of peers is as wanted. No event shows that a protocol runs, so it looks again
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

/// Fills the one inbound place of a host, and sees that a stranger, who reaches others, stays out.
pub async fn fill(host: &Geth, filler: &Geth, stranger: &Geth) {
    let (at_host, host_enode) = (host.node().await, enode(host).await);
    let (own, stranger_id) = (enode(filler).await.id, enode(stranger).await.id);
    filler.node().await.call(PeerCommand::Dial(host_enode.clone())).await.unwrap();
    until(&*at_host, "the filler comes in", |peers| has(peers, own)).await;
    let at_stranger = stranger.node().await;
    at_stranger.call(PeerCommand::Dial(host_enode)).await.unwrap();
    at_stranger.call(PeerCommand::Dial(enode(filler).await)).await.unwrap();
    until(&*at_stranger, "the stranger reaches another", |peers| has(peers, own)).await;
    assert!(!has(&at_host.peers().await.unwrap(), stranger_id));
}

pub fn has(peers: &[PeerFact], id: NodeId) -> bool {
    peers.iter().any(|peer| peer.id == id && peer.ready)
}

/// Whether the node trusts another: geth lists no trusted ids, but shows it of a connected peer. So the node
/// dials the other.
pub async fn trusts(node: &dyn Node, other: &Enode) -> bool {
    node.call(PeerCommand::Dial(other.clone())).await.unwrap();
    let peers = until(node, "the dialed peer shows", |peers| has(peers, other.id)).await;
    node.call(PeerCommand::Drop(other.clone())).await.unwrap();
    peers.iter().find(|peer| peer.id == other.id).unwrap().trusted.unwrap()
}

/// Reads a demo's output up to its summary and checks it.
pub async fn demo_printed(demo: &mut Vipnode) {
    let running = demo.event("meters").await;
    let rows = running["rows"].as_array().unwrap();
    assert!(rows.len() == 3 && rows.iter().all(|row| row["runs"] == true), "{running}");
    let moved = demo.event("meters").await;
    let rows = moved["rows"].as_array().unwrap();
    let running = |host: &Value| rows.iter().filter(|row| row["host"] == *host && row["runs"] == true).count();
    let ended: Vec<_> = rows.iter().filter(|row| row["runs"] == false).collect();
    assert!(!ended.is_empty() && ended.iter().all(|row| running(&row["host"]) == 0), "one host died: {moved}");
    assert_eq!(rows.iter().filter(|row| row["runs"] == true).count(), 3, "every client is served again: {moved}");
    let summary = demo.event("summary").await;
    let pool = &summary["pool"];
    // The last part of a lease may be a billing period of its own.
    let (periods, leases) =
        (pool["num_metered_leases"].as_u64().unwrap(), summary["rows"].as_array().unwrap().len() as u64);
    assert!((leases..=2 * leases).contains(&periods), "{summary}");
    let seen: u64 = summary["rows"].as_array().unwrap().iter().map(|row| row["metered_ms"].as_u64().unwrap()).sum();
    let metered = pool["metered_ms"].as_u64().unwrap();
    // A report interval of 1 s and some room, for each of five leases at most.
    assert!(metered <= seen + 1_000 && seen <= metered + 10_000, "seen {seen} ms, metered {metered} ms");
}

/// The command lines that name a path.
pub fn processes_of(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    let lines = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let bytes = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
    });
    lines.filter(|line| line.contains(path)).collect()
}

/// Waits until no process names this path any more: a killed one takes a moment to go.
pub async fn gone(path: &Path) {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        while !processes_of(path).is_empty() {
            ticks.tick().await;
        }
    };
    timeout(Duration::from_secs(5), looking).await.unwrap_or_else(|_| panic!("left: {:?}", processes_of(path)));
}

/// Asks the pool again and again until its sums are as wanted.
pub async fn stats_until(pool: &str, what: &str, holds: impl Fn(&PoolStats) -> bool) -> PoolStats {
    let connector = NetConnector::new(PoolAddress::read(pool).unwrap(), Default::default());
    let PoolConnection::Socket(socket) = connector.open().await.unwrap() else { panic!("no socket") };
    let asking = async {
        loop {
            let answer = socket.peer.call(method::STATUS, &[(); 0], SOON).await.unwrap();
            let status: PoolStatus = serde_json::from_str(answer.get()).unwrap();
            if holds(&status.stats) {
                return status.stats;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, asking).await.unwrap_or_else(|_| panic!("{what}: it did not come to that"))
}

/// Runs a command to its end, with nothing in the environment that names a pool or a state directory.
pub async fn ran(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipnode"));
    for name in ["VIPNODE_POOL", "VIPNODE_STATE_DIR"] {
        command.env_remove(name);
    }
    timeout(SOON, command.args(args).stdin(Stdio::null()).kill_on_drop(true).output()).await.expect("it ends").unwrap()
}

/// Runs a command to its end with exit code 2. It prints its error once, on stderr, and nothing with the same text on stdout.
pub async fn error_of(args: &[&str]) -> Value {
    let output = ran(&[args, &["--json"]].concat()).await;
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{args:?}: {out}{error}");
    let error: Value = serde_json::from_str(error.lines().last().unwrap()).unwrap();
    assert!(!out.contains(error["text"].as_str().unwrap()), "said twice: {out}");
    error
}

/// What a command wrote.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
