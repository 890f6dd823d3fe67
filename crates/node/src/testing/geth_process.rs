use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::{
    assert_isolated, free_port,
    light_chain::{self, LightNode},
};
use crate::{Endpoint, Node, NodeAccess};

/// What a geth of a test is started with.
#[derive(Debug, Clone)]
pub struct GethSpec {
    /// `--maxpeers`.
    pub max_peers: u32,
    /// Nodes of other chains do not become peers.
    pub chain_id: u64,
    /// Further flags, say `--http`.
    pub flags: Vec<String>,
    /// A node of a [`super::LightChain`].
    pub light: Option<LightNode>,
}

impl Default for GethSpec {
    fn default() -> Self {
        Self { max_peers: 50, chain_id: 1337, flags: Vec::new(), light: None }
    }
}

/// A real geth on loopback, with its own data directory. On drop, the process is killed and the directory is removed.
#[derive(Debug)]
pub struct Geth {
    child: Child,
    dir: TempDir,
    spec: GethSpec,
    ip: IpAddr,
    port: u16,
    auth_port: u16,
    log: Log,
}

/// The lines that a geth logged, of all its starts.
type Log = Arc<Mutex<Vec<String>>>;
/// Lines kept of a log; later ones are dropped.
const LOG_LINES: usize = 10_000;

/// From the start until it answers, on a busy machine.
const START: Duration = Duration::from_secs(60);
/// A free port can be taken by another process before geth opens it; then another one is tried, this many times.
const PORTS: usize = 3;
/// From SIGINT to the end.
const STOP: Duration = Duration::from_secs(30);

impl Geth {
    /// Starts one and waits until it answers over IPC.
    pub async fn start(spec: GethSpec) -> Self {
        assert_isolated();
        let dir = tempfile::tempdir().unwrap();
        match &spec.light {
            Some(light) => light_chain::init(dir.path(), &light.genesis).await,
            None => std::fs::write(dir.path().join("genesis.json"), genesis(spec.chain_id)).unwrap(),
        }
        for tries_left in (0..PORTS).rev() {
            let (port, auth_port) = (free_port(), free_port());
            // An address of its own, as nodes have: 127.x.y.1.
            let [x, y] = port.to_be_bytes();
            let ip = IpAddr::V4(Ipv4Addr::new(127, x, y, 1));
            let log = Log::default();
            match launch(dir.path(), &spec, (ip, port, auth_port), &log).await {
                Ok(child) => return Self { child, dir, spec, ip, port, auth_port, log },
                Err(log) if tries_left > 0 && log.contains("address already in use") => {}
                Err(log) => panic!("geth does not answer: {log}"),
            }
        }
        unreachable!("the last try returns or panics")
    }

    /// Its driver, over IPC.
    pub async fn node(&self) -> Arc<dyn Node> {
        self.endpoint().open(&NodeAccess::default()).await.unwrap()
    }

    /// Its IPC file.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::Ipc(self.ipc())
    }

    /// The path of its IPC file.
    #[must_use]
    pub fn ipc(&self) -> PathBuf {
        self.dir.path().join("geth.ipc")
    }

    /// The file of its node key.
    #[must_use]
    pub fn node_key(&self) -> PathBuf {
        self.dir.path().join("geth").join("nodekey")
    }

    /// The lines that it logged so far which contain each of `words`.
    #[must_use]
    pub fn logged(&self, words: &[&str]) -> Vec<String> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|line| words.iter().all(|word| line.contains(word))).cloned().collect()
    }

    /// Its process, for signals.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Stops it as a user does, with SIGINT, and waits for its end. [`Geth::again`] starts it again.
    pub async fn stop(&mut self) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().await.unwrap();
        assert!(sent.success(), "kill -INT {pid}");
        timeout(STOP, self.child.wait()).await.expect("geth stops on SIGINT").unwrap();
    }

    /// kill -9, and waits for its end.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Starts it again after [`Geth::stop`] or [`Geth::kill`]: same key, same addresses, same chain.
    pub async fn again(&mut self) {
        let at = (self.ip, self.port, self.auth_port);
        let child = launch(self.dir.path(), &self.spec, at, &self.log).await;
        self.child = child.unwrap_or_else(|log| panic!("geth does not answer: {log}"));
    }

    pub(super) fn engine_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.auth_port)
    }

    pub(super) fn engine_secret(&self) -> PathBuf {
        self.dir.path().join("geth").join("jwtsecret")
    }
}

/// Of a chain that begins after the Merge.
pub(super) fn genesis(chain_id: u64) -> String {
    let mut config = genesis_config(chain_id);
    config["terminalTotalDifficulty"] = json!(0);
    config["shanghaiTime"] = json!(0);
    json!({ "config": config, "difficulty": "0x0", "gasLimit": "0x1c9c380", "alloc": {} }).to_string()
}

/// All forks that both the geths of today and those that speak LES know.
pub(super) fn genesis_config(chain_id: u64) -> Value {
    let forks = [
        "homesteadBlock",
        "eip150Block",
        "eip155Block",
        "eip158Block",
        "byzantiumBlock",
        "constantinopleBlock",
        "petersburgBlock",
        "istanbulBlock",
        "berlinBlock",
        "londonBlock",
    ];
    let mut config = json!({ "chainId": chain_id });
    for fork in forks {
        config[fork] = json!(0);
    }
    config
}

/// Starts geth. The error is its log.
async fn launch(
    dir: &Path,
    spec: &GethSpec,
    (ip, port, auth_port): (IpAddr, u16, u16),
    log: &Log,
) -> Result<Child, String> {
    let program = match &spec.light {
        Some(_) => light_chain::program(),
        None => std::env::var("VIPNODE_TEST_GETH").unwrap_or_else(|_| "geth".to_owned()),
    };
    let mut command = Command::new(&program);
    command.arg("--datadir").arg(dir);
    match &spec.light {
        Some(light) => command.args(["--networkid", &spec.chain_id.to_string()]).args(&light.flags),
        None => command.arg("--override.genesis").arg(dir.join("genesis.json")).args(["--syncmode", "full"]),
    };
    command.arg("--ipcpath").arg(dir.join("geth.ipc"));
    command.args(["--nat", &format!("extip:{ip}"), "--port", &port.to_string()]);
    command.args(["--authrpc.port", &auth_port.to_string(), "--maxpeers", &spec.max_peers.to_string()]);
    command.args(["--nodiscover", "--netrestrict", "127.0.0.0/8", "--cache", "16"]);
    command.args(&spec.flags).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!("{program} does not start: {error}; ./test installs it, or set VIPNODE_TEST_GETH to a geth 1.17")
    });
    let lines = child.stderr.take().expect("its log is piped");
    let opened =
        timeout(START, opened(lines, log.clone())).await.unwrap_or_else(|_| Err(vec!["(too slow)".to_owned()]));
    opened.map(|()| child).map_err(|log| log.join("\n"))
}

/// Lines that geth logs once its sockets are open, in any order.
const OPEN: [&str; 2] = ["auth=true", "Started P2P networking"];

/// Waits until all of its sockets are open, and keeps reading so that geth never waits for us.
async fn opened(lines: tokio::process::ChildStderr, kept: Log) -> Result<(), Vec<String>> {
    let mut lines = BufReader::new(lines).lines();
    let keep = move |line: String| {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < LOG_LINES {
            kept.push(line);
        }
    };
    let mut log: Vec<String> = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        keep(line.clone());
        if log.len() < 200 {
            log.push(line);
        }
        if OPEN.iter().all(|word| log.iter().any(|line| line.contains(word))) {
            tokio::spawn(async move {
                while let Ok(Some(line)) = lines.next_line().await {
                    keep(line);
                }
            });
            return Ok(());
        }
    }
    Err(log)
}
