//! A pool that is started again with its data directory: every lease continues, and so does its meter.

#[cfg(unix)]
use std::os::unix::process::ExitStatusExt;
use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::support::{Sim, Vipnode, ran, stats_until, text};
use serde_json::Value;
use tempfile::TempDir;
use vipnode_node::testing::free_port;

/// A pool with a data directory, at a port that stays the same.
pub struct DurablePool {
    pub bind: String,
    pub data: TempDir,
}

impl DurablePool {
    pub fn new() -> Self {
        Self { bind: format!("127.0.0.1:{}", free_port()), data: tempfile::tempdir().unwrap() }
    }

    pub fn url(&self) -> String {
        format!("ws://{}", self.bind)
    }

    pub async fn start(&self) -> Vipnode {
        let data = self.data.path().to_str().unwrap();
        let fast = ["--report-interval", "1s", "--stats-interval", "1s", "--price", "100 gwei"];
        let mut pool = Vipnode::start(&[&["pool", "--bind", &self.bind, "--datadir", data], &fast[..]].concat());
        pool.event("listening").await;
        pool
    }

    /// Stops the pool by a signal and starts it again, while a client of a host is connected. Both agents keep the lease.
    /// Returns the new pool.
    pub async fn restart(&self, mut pool: Vipnode, signal: &str, host: &mut Vipnode, client: &mut Vipnode) -> Vipnode {
        pool.signal(signal).await;
        pool.ended().await;
        for agent in [&mut *host, &mut *client] {
            agent.event("pool_disconnected").await;
        }
        let mut pool = self.start().await;
        for agent in [&mut *host, &mut *client] {
            agent.event("joined").await;
        }
        // Reports of both sides have arrived.
        for _ in 0..3 {
            pool.event("figures").await;
        }
        stats_until(&self.url(), "the lease still runs", |stats| stats.num_running_leases == 1).await;
        pool
    }

    /// Stops the client and checks that one lease was metered since `connected`, over all restarts.
    pub async fn metered_since(&self, connected: Instant, host: &mut Vipnode, client: Vipnode) {
        let expected = connected.elapsed();
        assert!(client.interrupt().await.success());
        host.event("client_evicted").await;
        let stats = stats_until(&self.url(), "the lease has ended", |stats| stats.num_running_leases == 0).await;
        let metered = Duration::from_millis(stats.metered_ms);
        // The ends of the meter are the reports of both, one second apart.
        assert!(metered + Duration::from_millis(2_500) > expected, "{metered:?} of {expected:?}");
        for (event, times) in [("client_admitted", 1), ("client_evicted", 1)] {
            assert_eq!(host.times_said(event), times, "{event}");
        }
    }
}

/// The leases of all agents of a state directory.
pub async fn leases(state_dir: &str) -> Vec<Value> {
    let output = ran(&["status", "--json", "--state-dir", state_dir]).await;
    let status: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    let agents = status["agents"].as_array().unwrap().iter();
    let sides = agents.flat_map(|agent| [&agent["host"]["leases"], &agent["client"]["leases"]]);
    sides.filter_map(Value::as_array).flatten().map(|lease| lease["lease"].clone()).collect()
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let (sim, pool) = (Sim::start().await, DurablePool::new());
    let mut running = pool.start().await;
    let mut host = sim.agent(&["host", &pool.url()]);
    host.event("joined").await;
    let mut client = sim.other_agent(&["client", &pool.url(), "--min-peers", "1"]);
    client.event("host_connected").await;
    host.event("client_connected").await;
    let connected = Instant::now();
    let before = leases(sim.dir.path().to_str().unwrap()).await;
    assert!(before.len() == 2 && before[0] == before[1], "{before:?}");
    for signal in ["-TERM", "-KILL"] {
        running = pool.restart(running, signal, &mut host, &mut client).await;
        assert_eq!(leases(sim.dir.path().to_str().unwrap()).await, before, "after {signal}");
    }
    pool.metered_since(connected, &mut host, client).await;
    assert!(running.interrupt().await.success());
}

#[tokio::test]
async fn without_flags_a_pool_keeps_its_state_in_the_data_home_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let env = [("XDG_DATA_HOME", home.path().to_str().unwrap())];
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut pool = Vipnode::start_with(&["pool", "--bind", "127.0.0.1:0"], &env);
        ids.push(pool.event("pool_id").await["id"].clone());
        let said = pool.event("data").await;
        assert_eq!(said["datadir"], home.path().join("vipnode/pool").to_str().unwrap(), "{said}");
        assert!(pool.interrupt().await.success());
    }
    assert_eq!(ids[0], ids[1]);
    assert!(home.path().join("vipnode/pool/pool.db").exists());
    let mut pool = Vipnode::start_with(&["pool", "--bind", "127.0.0.1:0", "--store", "memory"], &env);
    let said = pool.event("data").await;
    assert!(said["text"].as_str().unwrap().contains("in memory") && said["hint"].is_string(), "{said}");
}

#[tokio::test]
async fn a_running_pool_is_backed_up_and_verified() {
    let (sim, pool) = (Sim::start().await, DurablePool::new());
    let _running = pool.start().await;
    let mut host = sim.agent(&["host", &pool.url()]);
    host.event("joined").await;
    let mut client = sim.other_agent(&["client", &pool.url(), "--min-peers", "1"]);
    client.event("host_connected").await;
    let data = pool.data.path().to_str().unwrap();
    let copy = pool.data.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    let (file, copy) = (copy.join("pool.db"), copy.to_str().unwrap());
    let json = |output: std::process::Output| {
        assert!(output.status.success(), "{output:?}");
        serde_json::from_str::<Value>(text(&output.stdout).lines().next().unwrap()).unwrap()
    };
    let backed_up = json(ran(&["pool", "backup", file.to_str().unwrap(), "--datadir", data, "--json"]).await);
    for (datadir, seq) in [(data, None), (copy, backed_up["seq"].as_u64())] {
        let verified = json(ran(&["pool", "verify", "--datadir", datadir, "--json"]).await);
        assert_eq!((&verified["nodes"], &verified["leases"]), (&2.into(), &1.into()), "{verified}");
        assert!(seq.is_none_or(|seq| verified["seq"] == seq), "{verified} of {seq:?}");
    }
    let error = crate::support::error_of(&["pool", "backup", file.to_str().unwrap(), "--datadir", data]).await;
    assert!(error["text"].as_str().unwrap().contains("cannot write the backup"), "{error}");
    let error = crate::support::error_of(&["pool", "verify", "--datadir", "/nonexistent"]).await;
    assert!(error["hint"].as_str().unwrap().contains("--datadir DIR"), "{error}");
    // Anything else than what the pool wrote.
    std::fs::write(&file, "damaged").unwrap();
    let error = crate::support::error_of(&["pool", "verify", "--datadir", copy]).await;
    assert!(error["text"].as_str().unwrap().contains("is not the database of a pool"), "{error}");
}

/// The kernel kills a process at the byte at which its file would be longer than the limit.
#[cfg(unix)]
#[tokio::test]
async fn a_backup_that_is_killed_in_the_middle_leaves_none() {
    let (pool, dir) = (DurablePool::new(), tempfile::tempdir().unwrap());
    let _running = pool.start().await;
    let data = pool.data.path().to_str().unwrap();
    let [file, whole] = ["killed.db", "whole.db"].map(|name| dir.path().join(name));
    let back_up = |to: &Path| ["pool", "backup", to.to_str().unwrap(), "--datadir", data].map(str::to_owned);
    assert!(ran(&back_up(&whole).each_ref().map(String::as_str)).await.status.success());
    let length = std::fs::metadata(&whole).unwrap().len();
    for eighths in 1..8 {
        // In units of 512 bytes.
        let limited = format!("ulimit -c 0; ulimit -f {}; exec \"$@\"", length * eighths / 8 / 512);
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", &limited, "sh", env!("CARGO_BIN_EXE_vipnode")]).args(back_up(&file));
        let killed = command.output().await.unwrap();
        assert_eq!(killed.status.signal(), Some(rustix::process::Signal::XFSZ.as_raw()), "{killed:?}");
        assert!(!file.exists(), "after {eighths} of 8 parts");
    }
    // What they left is in the way of nothing, and is removed.
    assert!(ran(&back_up(&file).each_ref().map(String::as_str)).await.status.success());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    assert!(ran(&["pool", "verify", file.to_str().unwrap()]).await.status.success());
}

#[tokio::test]
async fn a_directory_for_a_pool_in_memory_is_refused() {
    let error = crate::support::error_of(&["pool", "--store", "memory", "--datadir", "/nonexistent/pool"]).await;
    assert!(error["text"].as_str().unwrap().contains("--store memory does not store anything"), "{error}");
}
