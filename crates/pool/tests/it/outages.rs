//! A pool whose store cannot write for a while keeps its connections and its leases.

use std::time::Duration;

use crate::common::{Agent, Keys, Mood, Original, TestStore, config, connect_request, get};
use serde_json::{Value, json};
use vipnode_pool::{PoolConfig, PoolLimits, PoolServer};
use vipnode_types::wire::{ErrorCode, ReportReply, method};

fn limits() -> PoolLimits {
    PoolLimits {
        store_retry: Duration::from_millis(100),
        opens_at_once: 1_000_000,
        status_age: Duration::ZERO,
        unauthenticated: Duration::from_secs(1),
        ..PoolLimits::default()
    }
}

async fn report(agent: &Agent, report: Value) -> ReportReply {
    agent.call(method::REPORT, &[report]).await.unwrap()
}

/// A running lease of two agents of the original.
async fn pair(pool: &PoolServer) -> (Original, Original) {
    let (mut host, mut client) = (Original::open(pool, 1).await, Original::open(pool, 2).await);
    host.connect(true).await;
    client.connect(false).await;
    host.update(&[], 100).await;
    let asked = client.send("vipnode_peer", r#"{"num":1,"kind":"geth"}"#).await;
    host.let_in().await;
    client.answer(asked).await.unwrap();
    let (host_id, client_id) = (host.id(), client.id());
    client.update(&[host_id], 99).await;
    host.update(&[client_id], 100).await;
    (host, client)
}

async fn stat(agent: &Agent, name: &str) -> Value {
    agent.call::<Value>(method::STATUS, &[(); 0]).await.unwrap()["stats"][name].clone()
}

async fn running(agent: &Agent) -> Value {
    stat(agent, "num_running_leases").await
}

async fn hosts(agent: &Agent) -> Value {
    stat(agent, "num_active_hosts").await
}

/// What the agents notice of an outage, from its first failed commit to its end.
async fn is_hardly_noticed(pool: &PoolServer, begin: impl FnOnce(), end: impl FnOnce()) {
    let (mut host, mut client) = pair(pool).await;
    let (ana, ben, eve) = (Keys::new(3), Keys::new(4), Keys::new(5));
    let known = Agent::open(pool).await;
    known.connect(&ana, &ana.client()).await.unwrap();
    report(&known, json!({"seq": 1, "full": [], "hash": "0000000000000000"})).await;
    assert_eq!(running(&known).await, 1);

    begin();
    let newcomer = Agent::open(pool).await;
    let refused = newcomer.connect(&ben, &ben.client()).await.unwrap_err();
    assert!(refused.is(ErrorCode::Busy), "{refused:?}");
    let silent = Agent::open(pool).await;
    // One that connects waits for the store, and one that does not wait with it is not connected later.
    let (mut latecomer, mut impatient) = (Original::open(pool, 6).await, Original::open(pool, 7).await);
    let connect = connect_request(true, "");
    let waits = latecomer.send("vipnode_connect", &connect).await;
    impatient.send("vipnode_connect", &connect).await;
    let sick = get(pool.local_addr(), "/health?full").await;
    assert!(sick.starts_with("HTTP/1.1 503") && sick.contains("the store failed"), "{sick}");
    for _ in 0..2 {
        // The original's agent would end at an error.
        let (host_id, client_id) = (host.id(), client.id());
        let news = client.update(&[host_id], 99).await;
        assert_eq!(news["active_peers"].as_array().unwrap().len(), 1, "{news}");
        assert_eq!(host.update(&[client_id], 100).await["invalid_peers"], json!([]));
        let hosts = client.call("vipnode_peer", r#"{"num":1,"kind":"geth"}"#).await.unwrap();
        assert_eq!(hosts, json!({"peers": []}));
        assert_eq!(report(&known, json!({"seq": 2})).await, ReportReply { resync: false, ..ReportReply::default() });
        assert!(known.ask(1).await.unwrap_err().is(ErrorCode::Busy));
        assert_eq!(running(&known).await, 1);
    }
    // Who signed is not taken for a socket that is silent, which was opened later.
    silent.opened.closed.wait().await;
    assert!(newcomer.connect(&ben, &ben.client()).await.unwrap_err().is(ErrorCode::Busy));
    // It leaves, which is noted.
    drop(client);
    drop(impatient);

    end();
    while !get(pool.local_addr(), "/health?full").await.contains(r#"{"ok":true"#) {}
    assert_eq!(running(&known).await, 1, "nothing ended");
    latecomer.answer(waits).await.unwrap();
    latecomer.update(&[], 100).await;
    // The first host, and the one that waited.
    while hosts(&known).await != 2 {}
    assert!(report(&known, json!({"seq": 3})).await.resync);
    report(&known, json!({"seq": 4, "full": [], "hash": "0000000000000000"})).await;
    newcomer.connect(&ben, &ben.client()).await.unwrap();
    let late = Agent::open(pool).await;
    late.connect(&eve, &eve.client()).await.unwrap();
    let client_id = Original::open(pool, 2).await.id();
    assert_eq!(host.update(&[client_id], 100).await["invalid_peers"], json!([]));
    assert_eq!(running(&known).await, 1);
}

#[tokio::test]
async fn a_store_that_fails_closes_no_connection_and_ends_no_lease() {
    for mood in [Mood::Failing, Mood::Panicking] {
        let store = TestStore::default();
        let config = PoolConfig { limits: limits(), ..config() };
        let pool = PoolServer::spawn_with(config, store.boxed()).await.unwrap();
        is_hardly_noticed(&pool, || store.set(mood), || store.set(Mood::Well)).await;
        pool.shutdown().await.unwrap();
    }
}

/// A real disk that is full, in memory, so that it is small.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_full_disk_closes_no_connection_and_the_pool_is_back_once_there_is_space() {
    use std::{fs, process::Command};

    use vipnode_pool::DataDir;

    let root = tempfile::tempdir().unwrap();
    let disk = root.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let at = disk.to_str().unwrap();
    let run = |args: &[&str]| Command::new(args[0]).args(&args[1..]).status().unwrap().success();
    if !run(&["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", at]) {
        // In a container that may not mount anything. In CI, tests run in a namespace of their own.
        assert!(std::env::var_os("VIPNODE_TEST_STRICT").is_none(), "a file system cannot be mounted");
        return;
    }
    let config = PoolConfig { limits: limits(), ..config() };
    let pool = PoolServer::spawn_in(config, DataDir::open(&disk.join("pool")).unwrap()).await.unwrap();
    let filler = disk.join("filler");
    let fill = || {
        let mut file = fs::File::create(&filler).unwrap();
        while std::io::Write::write_all(&mut file, &[0; 4_096]).is_ok() {}
    };
    is_hardly_noticed(&pool, fill, || fs::remove_file(&filler).unwrap()).await;
    pool.shutdown().await.unwrap();
    assert!(run(&["umount", at]));
}
