//! The pool sends an answer only once its rows are durable, and takes back what it could not write.

use std::time::{Duration, Instant};

use crate::common::{Agent, Keys, Mood, Original, TestStore, config, get, pool};
use serde_json::{Value, json};
use vipnode_pool::{PoolConfig, PoolError, PoolLimits, PoolServer};
use vipnode_pool_core::Limits;
use vipnode_types::{
    TypedError as _,
    wire::{ErrorCode, ReportReply, Side, method},
};

async fn on(store: &TestStore) -> PoolServer {
    PoolServer::spawn_with(config(), store.boxed()).await.unwrap()
}

#[tokio::test]
async fn answers_wait_until_their_rows_are_durable() {
    let store = TestStore::default();
    let limits = PoolLimits { status_age: Duration::ZERO, ..PoolLimits::default() };
    let pool = PoolServer::spawn_with(PoolConfig { limits, ..config() }, store.boxed()).await.unwrap();
    let keys = Keys::new(1);
    let agent = Agent::open(&pool).await;
    store.set(Mood::Held);
    let hello = keys.sign(method::CONNECT, &agent.url, &agent.challenge(), &keys.host(1));
    let connecting = agent.opened.peer.begin_call(method::CONNECT, hello).unwrap();
    let mut connecting = std::pin::pin!(connecting.wait_until(tokio::time::Instant::now() + crate::common::LONG));
    // The core has accepted it, which the status shows: that needs nothing durable.
    loop {
        let status = tokio::select! {
            biased;
            early = &mut connecting => panic!("answered before it was durable: {early:?}"),
            status = agent.call::<Value>(method::STATUS, &[(); 0]) => status.unwrap(),
        };
        if status["stats"]["num_active_hosts"] == 1 {
            break;
        }
    }
    store.set(Mood::Well);
    connecting.await.unwrap();
}

#[tokio::test]
async fn a_host_has_its_whole_time_though_the_commit_was_slower() {
    let store = TestStore::default();
    let core = Limits { admit_deadline_ms: 250, ..Limits::default() };
    let pool = PoolServer::spawn_with(PoolConfig { core, ..config() }, store.boxed()).await.unwrap();
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    let mut host = Agent::open(&pool).await;
    host.connect(&ana, &ana.host(5)).await.unwrap();
    let report = [json!({"seq": 1, "full": [], "hash": "0000000000000000"})];
    host.call::<ReportReply>(method::REPORT, &report).await.unwrap();
    let client = Agent::open(&pool).await;
    client.connect(&ben, &ben.client()).await.unwrap();
    store.set(Mood::Slow);
    let (asked, (method, _)) = tokio::join!(client.ask(1), host.take());
    assert_eq!((method.as_str(), asked.unwrap().hosts.len()), (method::ADMIT, 1));
}

#[tokio::test]
async fn leases_of_a_pool_that_forgot_are_not_numbered_again() {
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    let mut leases = Vec::new();
    for _ in 0..2 {
        let pool = pool().await;
        let mut host = Agent::open(&pool).await;
        host.connect(&ana, &ana.host(5)).await.unwrap();
        let report = [json!({"seq": 1, "full": [], "hash": "0000000000000000"})];
        host.call::<ReportReply>(method::REPORT, &report).await.unwrap();
        let client = Agent::open(&pool).await;
        client.connect(&ben, &ben.client()).await.unwrap();
        let (asked, _) = tokio::join!(client.ask(1), host.take());
        leases.push(asked.unwrap().hosts[0].lease.get());
        pool.shutdown().await.unwrap();
    }
    assert!(leases[0] < leases[1], "{leases:?}");
    assert!(leases[1] < 1 << 53, "whole in JSON everywhere");
}

#[tokio::test]
async fn d21_a_failed_commit_is_answered_busy_and_the_state_is_built_again() {
    for mood in [Mood::Failing, Mood::Panicking] {
        let store = TestStore::default();
        let limits = PoolLimits { store_retry: Duration::from_millis(100), ..PoolLimits::default() };
        let pool = PoolServer::spawn_with(PoolConfig { limits, ..config() }, store.boxed()).await.unwrap();
        let (ana, ben) = (Keys::new(1), Keys::new(2));
        let known = Agent::open(&pool).await;
        known.connect(&ana, &ana.host(1)).await.unwrap();
        store.set(mood);
        let agent = Agent::open(&pool).await;
        let error = agent.connect(&ben, &ben.client()).await.unwrap_err();
        assert!(error.is(ErrorCode::Busy), "{error:?}");
        assert_eq!(error.data.unwrap().retry_ms, Some(5_000));
        let sick = get(pool.local_addr(), "/health?full").await;
        assert!(sick.starts_with("HTTP/1.1 503") && sick.contains("the store failed"), "d44: {sick}");
        // As long as nothing can be written, nobody is disconnected, and a lease neither begins nor ends.
        for still_open in [&known, &agent] {
            assert!(still_open.ask(1).await.unwrap_err().is(ErrorCode::Busy));
        }

        store.set(Mood::Well);
        while !get(pool.local_addr(), "/health?full").await.contains(r#"{"ok":true"#) {}
        // Both still have their connections, and only the one whose connect was lost has to connect.
        assert_eq!(known.call::<Value>(method::STATUS, &[(); 0]).await.unwrap()["stats"]["num_active_hosts"], 1);
        agent.connect(&ben, &ben.client()).await.unwrap();
        pool.shutdown().await.unwrap();
        let reason = agent.opened.closed.wait().await.to_string();
        assert!(reason.contains("shutting down; leases stay active"), "{reason}");
    }
}

#[tokio::test]
async fn d44_health_says_what_is_wrong_with_a_store_that_cannot_even_be_read() {
    let store = TestStore::default();
    let store_retry = Duration::from_millis(1_200);
    let limits = PoolLimits { store_retry, opens_at_once: 1_000_000, ..PoolLimits::default() };
    let pool = PoolServer::spawn_with(PoolConfig { limits, ..config() }, store.boxed()).await.unwrap();
    let keys = Keys::new(1);
    let agent = Agent::open(&pool).await;
    store.set(Mood::Dead);
    let since = Instant::now();
    assert!(agent.connect(&keys, &keys.host(1)).await.unwrap_err().is(ErrorCode::Busy));
    let sick = get(pool.local_addr(), "/health?full").await;
    assert!(sick.starts_with("HTTP/1.1 503") && sick.contains("the disk is full"), "{sick}");
    let again = Agent::open(&pool).await;
    assert!(again.connect(&keys, &keys.host(1)).await.unwrap_err().is(ErrorCode::Busy));
    store.set(Mood::Well);
    while !get(pool.local_addr(), "/health?full").await.contains(r#"{"ok":true"#) {}
    assert!(since.elapsed() >= store_retry, "it is not read again sooner");
    Agent::open(&pool).await.connect(&keys, &keys.host(1)).await.unwrap();
}

#[tokio::test]
async fn a_clock_far_from_the_stored_time_stops_the_start_unless_it_is_accepted() {
    use vipnode_pool_core::Row;

    const DAY: u64 = 24 * 60 * 60 * 1_000;
    let now = crate::common::wall();
    for (stored, flag_needed) in [(now.plus(2 * DAY), true), (now.minus(91 * DAY), true), (now.minus(89 * DAY), false)]
    {
        let store = TestStore::default();
        store.boxed().apply(&[Row::Clock(stored)]).unwrap();
        let refused = PoolServer::spawn_with(config(), store.boxed()).await.err();
        assert_eq!(refused.is_some(), flag_needed, "{refused:?}");
        assert!(refused.is_none_or(|error| error.hint().unwrap().contains("--accept-clock")));
        let accepted = PoolConfig { accept_clock: true, ..config() };
        PoolServer::spawn_with(accepted, store.boxed()).await.unwrap().shutdown().await.unwrap();
    }
}

/// The wall clock was ahead once. Pool time stays ahead, and agents sign by clocks that are right.
#[tokio::test]
async fn agents_join_a_pool_whose_stored_time_is_ahead_of_the_wall_clock() {
    use vipnode_pool_core::Row;

    let (store, mut running) = (TestStore::default(), None);
    store.boxed().apply(&[Row::Clock(crate::common::wall().plus(2 * 60 * 60 * 1_000))]).unwrap();
    for _ in 0..2 {
        if let Some(pool) = running.take() {
            PoolServer::shutdown(pool).await.unwrap();
        }
        let pool = on(&store).await;
        let mut agent = Original::open(&pool, 1).await;
        agent.connect(true).await;
        agent.update(&[], 100).await;
        running = Some(pool);
    }
}

#[tokio::test]
async fn d43_a_shutdown_writes_everything_and_leases_go_on_after_it() {
    let store = TestStore::default();
    let pool = on(&store).await;
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    let mut host = Agent::open(&pool).await;
    host.connect(&ana, &ana.host(5)).await.unwrap();
    let report = [json!({"seq": 1, "full": [], "hash": "0000000000000000"})];
    host.call::<ReportReply>(method::REPORT, &report).await.unwrap();
    let client = Agent::open(&pool).await;
    client.connect(&ben, &ben.client()).await.unwrap();
    let (asked, _) = tokio::join!(client.ask(1), host.take());
    let lease = asked.unwrap().hosts[0].lease;
    pool.shutdown().await.unwrap();

    let pool = on(&store).await;
    let back = Agent::open(&pool).await.connect(&ana, &ana.host(5)).await.unwrap();
    let held: Vec<_> = back.leases.iter().map(|view| (view.lease, view.side, view.peer.id)).collect();
    assert_eq!(held, [(lease, Side::Host, ben.id())]);
}

/// The system lets the pool write to a file that is removed, and the next start would not find it.
#[tokio::test]
#[cfg(unix)]
async fn a_database_that_is_removed_is_not_healthy() {
    let dir = tempfile::tempdir().unwrap();
    let opened = vipnode_pool::DataDir::open(dir.path()).unwrap();
    let pool = PoolServer::spawn_in(config(), opened).await.unwrap();
    assert!(get(pool.local_addr(), "/health?full").await.starts_with("HTTP/1.1 200"));
    let (file, moved) = (dir.path().join("pool.db"), dir.path().join("moved.db"));
    std::fs::rename(&file, &moved).unwrap();
    let sick = get(pool.local_addr(), "/health?full").await;
    assert!(sick.starts_with("HTTP/1.1 503") && sick.contains("was removed or replaced"), "{sick}");
    std::fs::rename(&moved, &file).unwrap();
    assert!(get(pool.local_addr(), "/health?full").await.starts_with("HTTP/1.1 200"), "it is back");
    pool.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_taken_address_is_explained_and_join_waits() {
    let mut running = pool().await;
    let bind = running.local_addr();
    let error = PoolServer::spawn(PoolConfig { bind, ..config() }).await.unwrap_err();
    assert!(matches!(error, PoolError::Bind { .. }) && error.hint().unwrap().contains("--bind"), "{error}");
    // Of a documentation network: no machine has it.
    let bind = "203.0.113.7:0".parse().unwrap();
    let error = PoolServer::spawn(PoolConfig { bind, ..config() }).await.unwrap_err();
    assert!(matches!(error, PoolError::ForeignAddress { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--bind 0.0.0.0:0"), "{:?}", error.hint());
    tokio::select! {
        biased;
        ended = running.join() => panic!("{ended:?}"),
        () = std::future::ready(()) => {}
    }
    running.shutdown().await.unwrap();
}
