//! What a pool writes while it runs.

use std::{process::Stdio, time::Duration};

use serde_json::value::to_raw_value;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Command},
    time::{sleep, timeout},
};
use vipnode_node::sim::sim_key;
use vipnode_rpc::{OpenSession, RpcLimits, open_ws};
use vipnode_types::{
    AgentKey, ChainSpec, Delegation, NodeKey,
    signed::Envelope,
    wire::{ClientCriteria, ConnectRequest, PROTOCOL, method},
};

use crate::support::{SOON, STILL, Sim};

/// The next line; each begins with the time.
async fn next(lines: &mut Lines<impl AsyncBufRead + Unpin>, awaited: &str) -> String {
    let line = timeout(SOON, lines.next_line()).await.expect(awaited).expect(awaited).expect(awaited);
    let line = anstream::adapter::strip_str(&line).to_string();
    assert!(line.starts_with("20") && line.as_bytes()[10] == b'T', "without a time: {line}");
    line
}

/// The next line that has this text.
async fn line_with(lines: &mut Lines<impl AsyncBufRead + Unpin>, text: &str) -> String {
    loop {
        let line = next(lines, text).await;
        if line.contains(text) {
            return line;
        }
    }
}

/// Reads on until there were lines with each of these texts, in any order.
async fn lines_with(lines: &mut Lines<impl AsyncBufRead + Unpin>, texts: &[&[&str]]) {
    let mut missing = texts.to_vec();
    while let Some(awaited) = missing.first() {
        let line = next(lines, &awaited.join(", ")).await;
        missing.retain(|texts| !texts.iter().all(|text| line.contains(text)));
    }
}

/// A pool whose lines are read through pipes, as under a service manager.
struct LoggedPool {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    log: Lines<BufReader<ChildStderr>>,
    url: String,
}

impl LoggedPool {
    async fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vipnode"))
            .args(["pool", "--store", "memory", "--bind", "127.0.0.1:0", "-v"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let listening = line_with(&mut said, "Listening on ").await;
        let url = listening.split_once("Listening on ").unwrap().1.to_owned();
        Self { child, said, log, url }
    }
}

#[tokio::test]
async fn a_pool_in_a_pipe_writes_figures_and_at_v_what_nodes_do() {
    let mut pool = LoggedPool::start(&["--stats-interval", "1s"]).await;
    let sim = Sim::start().await;
    let mut agent = sim.agent(&["client", &pool.url]);
    agent.event("joined").await;
    let joined = line_with(&mut pool.log, "joined").await;
    assert!(joined.contains("node=") && joined.contains("address=127.0.0.1"), "{joined}");
    line_with(&mut pool.said, "0 hosts, 1 client").await;
    assert!(agent.interrupt().await.success());
    let left = line_with(&mut pool.log, " left").await;
    assert!(left.contains("node=") && left.contains("address=127.0.0.1"), "{left}");
}

/// The reasons are words, not the names that the code has for them.
#[tokio::test]
async fn refusals_are_named_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let members = dir.path().join("members.txt");
    std::fs::write(&members, NodeKey::read(&[1; 32]).unwrap().id().to_string()).unwrap();
    let mut pool = LoggedPool::start(&["--stats-interval", "1s", "--members", members.to_str().unwrap()]).await;
    let sim = Sim::start().await;
    let _stranger = sim.agent(&["client", &pool.url]);
    let figures = line_with(&mut pool.said, " refused: ").await;
    assert!(figures.ends_with(" not a member"), "{figures}");
}

#[tokio::test]
async fn a_lease_and_its_end_are_written_with_both_nodes() {
    let mut pool = LoggedPool::start(&[]).await;
    let sim = Sim::start().await;
    let mut host = sim.other_agent(&[&["host", &pool.url], STILL].concat());
    host.event("offering").await;
    let id = |name: &str| NodeKey::read(sim_key(name).as_slice()).unwrap().id().to_string();
    let (host_is, client_is) = (format!("host={}", id("other")), format!("client={}", id("node")));
    let mut client = sim.agent(&["client", &pool.url]);
    client.event("host_connected").await;
    let lease = line_with(&mut pool.log, "lease: asking the host to admit the client").await;
    for part in [&host_is, &client_is, "address=127.0.0.1", "lease="] {
        assert!(lease.contains(part), "{part}: {lease}");
    }
    assert!(client.interrupt().await.success());
    let (node_is, peer_is) = (host_is.replace("host=", "node="), client_is.replace("client=", "peer="));
    let ended = ["lease ended", &node_is, &peer_is, "address=127.0.0.1", "reason=\"left\""];
    let left = [" left", &client_is.replace("client=", "node=")];
    lines_with(&mut pool.log, &[&ended, &left]).await;
    assert!(host.interrupt().await.success());
}

/// A node that joins as a client.
async fn join(url: &str, seed: u8) -> OpenSession {
    let node = NodeKey::read(&[seed; 32]).unwrap();
    let agent = AgentKey::from_random([seed.wrapping_add(100); 32]).unwrap();
    let hello = ConnectRequest {
        protocol: PROTOCOL,
        agent_version: "vipnode/test".to_owned(),
        client_version: "Geth/test".to_owned(),
        capabilities: Vec::new(),
        min_versions: Vec::new(),
        chain: ChainSpec::without_genesis(1337),
        enode: None,
        host: None,
        client: Some(ClientCriteria::default()),
        join: None,
        allow_protocol2: false,
    };
    let opened = open_ws(url, &RpcLimits::default()).await.unwrap();
    let issued = vipnode_agent::clock::wall().minus(1_000);
    let delegation = Delegation::sign(&node, agent.public(), issued, issued.plus(3_600_000));
    let (hello, challenge) = (to_raw_value(&hello).unwrap(), opened.challenge.clone().unwrap());
    let envelope = Envelope::sign(&agent, delegation, method::CONNECT, url, &challenge, hello.get());
    let params = to_raw_value(&(hello, envelope)).unwrap();
    opened.peer.call_raw(method::CONNECT, params, SOON).await.unwrap();
    opened
}

/// More nodes lose their membership at once than the log writes lines a second.
#[tokio::test]
async fn a_flood_of_events_is_counted_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let members = dir.path().join("members.txt");
    let ids: Vec<String> = (1..=100).map(|seed| NodeKey::read(&[seed; 32]).unwrap().id().to_string()).collect();
    std::fs::write(&members, ids.join("\n")).unwrap();
    let mut pool = LoggedPool::start(&["--members", members.to_str().unwrap()]).await;
    let mut joined = Vec::new();
    for seed in 1..=100 {
        joined.push(join(&pool.url, seed).await);
    }
    let last = NodeKey::read(&[101; 32]).unwrap().id();
    std::fs::write(&members, last.to_string()).unwrap();
    let pid = pool.child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().await.unwrap().success());
    line_with(&mut pool.said, "disconnected 100 agents").await;
    sleep(Duration::from_millis(1_100)).await;
    let _last = join(&pool.url, 101).await;
    let skipped = line_with(&mut pool.log, "more events than the log writes a second").await;
    let number = skipped.split_once("skipped=").unwrap().1.split_whitespace().next().unwrap().parse::<u64>().unwrap();
    assert!(number >= 50, "{skipped}");
}
