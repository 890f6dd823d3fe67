//! Each limit of the gateway is reached and returns its error.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::common::{
    Agent, Keys, Mood, RawSocket, TestStore, config, exchange, get, http_url, post, post_text, wall, ws_url,
};
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::Message;
use vipnode_pool::{PoolConfig, PoolLimits, PoolMetrics, PoolServer};
use vipnode_rpc::{OpenError, RpcLimits, http, open_ws};
use vipnode_types::wire::{ConnectReply, Done, ErrorCode, PoolStatus, ReportReply, WireError, method};

const SOON: Duration = Duration::from_millis(50);

async fn limited(limits: PoolLimits) -> PoolServer {
    PoolServer::spawn(PoolConfig { limits, ..config() }).await.unwrap()
}

async fn limited_on(store: &TestStore, limits: PoolLimits) -> PoolServer {
    PoolServer::spawn_with(PoolConfig { limits, ..config() }, store.boxed()).await.unwrap()
}

fn busy(answer: Result<Value, WireError>, words: &str) {
    let error = answer.unwrap_err();
    assert!(error.is(ErrorCode::Busy) && error.message.contains(words), "{error:?}");
    assert!(error.data.unwrap().retry_ms.unwrap() > 0);
}

async fn status(pool: &PoolServer) -> PoolStatus {
    let rpc = http(&http_url(pool), &RpcLimits::default()).unwrap();
    crate::common::read(
        rpc.call_raw(method::STATUS, serde_json::value::to_raw_value(&[(); 0]).unwrap(), crate::common::LONG).await,
    )
    .unwrap()
}

#[tokio::test]
async fn d4_frame_bytes() {
    let pool = limited(PoolLimits { frame_bytes: 2_000, ..PoolLimits::default() }).await;
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    socket.send(&"x".repeat(2_001)).await;
    assert_eq!(socket.closed().await, "received a message of more than 2000 bytes");
    let answer = post_text(pool.local_addr(), &"x".repeat(2_001)).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("2000 bytes"), "{answer}");
}

#[tokio::test]
async fn d4_connections_in_all_and_of_an_address() {
    for (limits, status, words) in [
        (PoolLimits { connections: 1, ..PoolLimits::default() }, 503, "limit on connections"),
        (PoolLimits { connections_an_address: 1, ..PoolLimits::default() }, 429, "from this address"),
    ] {
        let pool = limited(limits).await;
        let first = Agent::open(&pool).await;
        let Err(OpenError::Refused { status: received, body, .. }) =
            open_ws(&ws_url(&pool), &RpcLimits::default()).await
        else {
            panic!("the second socket was taken")
        };
        assert!(received == status && body.contains(words), "{received} {body}");
        first.opened.peer.close("enough");
        // The connection is free again once the pool has seen the end.
        while open_ws(&ws_url(&pool), &RpcLimits::default()).await.is_err() {}
    }
}

#[tokio::test]
async fn d4_unauthenticated() {
    let pool = limited(PoolLimits { unauthenticated: SOON, ..PoolLimits::default() }).await;
    let keys = Keys::new(1);
    let silent = Agent::open(&pool).await;
    let known = Agent::open(&pool).await;
    known.connect(&keys, &keys.client()).await.unwrap();
    let reason = silent.opened.closed.wait().await.to_string();
    assert!(reason.contains("did not authenticate") && reason.contains("vipnode_connect"), "{reason}");
    known.call::<Done>(method::BYE, &[json!({})]).await.unwrap();
}

#[tokio::test]
async fn unanswered_calls_end_the_socket() {
    let pool = limited(PoolLimits { unanswered: 1, ..PoolLimits::default() }).await;
    let ana = Keys::new(1);
    let host = Agent::open(&pool).await;
    host.connect(&ana, &ana.host(9)).await.unwrap();
    host.call::<ReportReply>(method::REPORT, &[empty_report()]).await.unwrap();
    let mut clients = Vec::new();
    for seed in 2..4 {
        let keys = Keys::new(seed);
        let client = Agent::open(&pool).await;
        client.connect(&keys, &keys.client()).await.unwrap();
        clients.push(client);
    }
    let (first, second) = tokio::join!(clients[0].ask(1), clients[1].ask(1));
    assert!(first.unwrap().hosts.is_empty() && second.unwrap().hosts.is_empty());
    assert!(host.opened.closed.wait().await.to_string().contains("does not answer the pool's calls"));
}

#[tokio::test]
async fn outbound_calls_that_do_not_fit_end_the_socket() {
    let metrics = PoolMetrics::default();
    let limits = PoolLimits { outbound: 1, ..PoolLimits::default() };
    let store = TestStore::default();
    // All clients are at one address, and each of them is to get an offer.
    let core = vipnode_pool_core::Limits { offers_minimum: 50, ..config().core };
    let config = PoolConfig { limits, core, metrics: metrics.clone(), ..config() };
    let pool = PoolServer::spawn_with(config, store.boxed()).await.unwrap();
    let ana = Keys::new(1);
    let host = Agent::open(&pool).await;
    host.connect(&ana, &ana.host(50)).await.unwrap();
    host.call::<ReportReply>(method::REPORT, &[empty_report()]).await.unwrap();
    let mut clients = Vec::new();
    for seed in 2..22 {
        let keys = Keys::new(seed);
        let client = Agent::open(&pool).await;
        client.connect(&keys, &keys.client()).await.unwrap();
        clients.push(client);
    }
    // The calls to the host wait for the store; when it goes on, this thread, on which the host's
    // socket lives, stands still until the core has met the full queue.
    store.set(Mood::Held);
    let mut asks = tokio::task::JoinSet::new();
    for client in clients {
        asks.spawn(async move { client.ask(1).await.unwrap() });
    }
    while !metrics.text().contains("vipnode_pool_requests_total 42\n") {
        tokio::task::yield_now().await;
    }
    store.set(Mood::Well);
    while metrics.text().contains("vipnode_pool_socket_queue_overflows_total 0\n") {
        std::thread::yield_now();
    }
    assert!(host.opened.closed.wait().await.to_string().contains("does not answer the pool's calls"));
    assert!(asks.join_all().await.iter().any(|reply| reply.hosts.is_empty()));
}

#[tokio::test]
async fn requests_a_socket() {
    let store = TestStore::default();
    let pool = limited_on(&store, PoolLimits { requests_a_socket: 2, ..PoolLimits::default() }).await;
    let keys = Keys::new(1);
    let agent = Agent::open(&pool).await;
    store.set(Mood::Held);
    let (hello, again) = (keys.host(1), keys.host(2));
    let asked = tokio::join!(agent.connect(&keys, &hello), agent.connect(&keys, &again), async {
        busy(agent.call(method::PING, &[(); 0]).await, "waiting for a response");
        store.set(Mood::Well);
    });
    asked.0.unwrap();
    asked.1.unwrap();
}

#[tokio::test]
async fn d4_calls_a_second_burst_and_flood() {
    let limits = PoolLimits { calls_a_second: 1, burst: 2, flood: 3, ..PoolLimits::default() };
    let pool = limited(limits).await;
    let agent = Agent::open(&pool).await;
    let ping = async || agent.call::<Value>(method::PING, &[(); 0]).await;
    assert_eq!((ping().await.unwrap(), ping().await.unwrap()), (json!("pong"), json!("pong")));
    busy(ping().await, "too many calls per second");
    busy(ping().await, "too many calls per second");
    // The third in a row ends the socket, and its own answer may or may not come through.
    let _last = agent.opened.peer.call(method::PING, &[(); 0], crate::common::LONG).await;
    assert!(agent.opened.closed.wait().await.to_string().contains("repeatedly"));
    let ping = r#"{"id":1,"method":"vipnode_ping"}"#;
    let batch = post_text(pool.local_addr(), &format!("[{ping},{ping},{ping}]")).await;
    assert!(batch.contains("too many calls per second"), "{batch}");
}

/// A pool whose core waits for a store that is held.
async fn stuck(limits: PoolLimits) -> (TestStore, PoolServer, Agent) {
    let store = TestStore::default();
    let limits = PoolLimits { store_batches: 1, health: SOON, health_age: 2 * SOON, ..limits };
    let pool = limited_on(&store, limits).await;
    let keys = Keys::new(1);
    let agent = Agent::open(&pool).await;
    agent.connect(&keys, &keys.host(1)).await.unwrap();
    store.set(Mood::Held);
    // The first probe is in the store's hands, the second in its queue, the third in the core's.
    for _ in 0..3 {
        let answer = get(pool.local_addr(), "/health?full").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("within 50 ms"), "{answer}");
    }
    (store, pool, agent)
}

#[tokio::test]
async fn permits_of_each_kind_and_store_batches_and_health() {
    let limits = PoolLimits { permits_connect: 1, permits_report: 1, permits_other: 1, ..PoolLimits::default() };
    let (store, pool, agent) = stuck(limits).await;
    let ben = Keys::new(2);
    let other = Agent::open(&pool).await;
    let hello = ben.sign(method::CONNECT, &other.url, &other.challenge(), &ben.client());
    let report = [empty_report()];
    for (agent, method, params) in [
        (&other, method::CONNECT, serde_json::to_value(&hello).unwrap()),
        (&agent, method::REPORT, json!(report)),
        (&agent, method::ASK, json!([{"want": 0}])),
    ] {
        let params = if method == method::CONNECT { hello.clone() } else { to_raw(&params) };
        let first = agent.opened.peer.begin_call(method, params.clone()).unwrap();
        busy(crate::common::read(agent.opened.peer.call_raw(method, params, crate::common::LONG).await), "overloaded");
        drop(first);
    }
    let copy = get(pool.local_addr(), "/health").await;
    assert!(copy.starts_with("HTTP/1.1 503") && copy.contains("within 100 ms"), "d44, health_age: {copy}");
    store.set(Mood::Well);
    let answer = get(pool.local_addr(), "/health?full").await;
    assert!(answer.contains(r#"{"ok":true"#), "{answer}");
}

fn to_raw(value: &Value) -> Box<serde_json::value::RawValue> {
    serde_json::value::to_raw_value(value).unwrap()
}

fn empty_report() -> Value {
    json!({"seq": 1, "full": [], "hash": "0000000000000000"})
}

#[tokio::test]
async fn d4_http_head_and_body() {
    let pool = limited(PoolLimits { http_head: SOON, http_body: SOON, ..PoolLimits::default() }).await;
    let head = exchange(pool.local_addr(), b"GET / HTTP/1.1\r\nhost:").await;
    assert!(!head.contains("200"), "{head}");
    let body = exchange(pool.local_addr(), b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{").await;
    assert!(body.starts_with("HTTP/1.1 408"), "{body}");
}

#[tokio::test]
async fn d40_ping_and_silence() {
    let limits = PoolLimits { ping: SOON, socket_silence: 3 * SOON, ..PoolLimits::default() };
    let pool = limited(limits).await;
    let living = Agent::open(&pool).await;
    let text = upgrade_and_listen(pool.local_addr()).await;
    assert!(text.contains("vipnode-challenge: ") && text.contains("received nothing"), "{text}");
    assert_eq!(living.call::<Value>(method::PING, &[(); 0]).await.unwrap(), "pong", "who answers pings stays");
}

/// A WebSocket that answers no ping.
async fn upgrade_and_listen(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "GET /any/path HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    stream.read_to_end(&mut seen).await.unwrap();
    String::from_utf8_lossy(&seen).into_owned()
}

#[tokio::test]
async fn d4_write_ends_a_socket_that_takes_nothing() {
    let limits = PoolLimits { write: SOON, calls_a_second: 1_000_000, burst: 1_000_000, ..PoolLimits::default() };
    let pool = limited(limits).await;
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    // The answers are as long as the ids, and nobody reads them.
    let ping = format!(r#"{{"id":"{}","method":"vipnode_ping"}}"#, "x".repeat(1_000));
    while socket.0.send(Message::text(ping.clone())).await.is_ok() {}
    assert_eq!(Agent::open(&pool).await.call::<Value>(method::PING, &[(); 0]).await.unwrap(), "pong");
}

#[tokio::test]
async fn busy_retry_is_what_busy_answers_say() {
    let store = TestStore::default();
    let limits = PoolLimits { busy_retry: Duration::from_millis(1_234), ..PoolLimits::default() };
    let pool = limited_on(&store, limits).await;
    let keys = Keys::new(1);
    let agent = Agent::open(&pool).await;
    store.set(Mood::Failing);
    let error = agent.connect(&keys, &keys.host(1)).await.unwrap_err();
    assert_eq!(error.data.unwrap().retry_ms, Some(1_234));
}

#[tokio::test]
async fn http_agents_and_http_idle() {
    let limits = PoolLimits { http_agents: 1, http_idle: SOON, status_age: Duration::ZERO, ..PoolLimits::default() };
    let pool = limited(limits).await;
    let url = http_url(&pool);
    let rpc = http(&url, &RpcLimits::default()).unwrap();
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    let now = wall().get();
    post::<ConnectReply>(&rpc, &ana, &url, method::CONNECT, now, &ana.client()).await.unwrap();
    let full = post::<Value>(&rpc, &ben, &url, method::CONNECT, now, &ben.client()).await;
    busy(full, "overloaded");
    while status(&pool).await.stats.num_active_clients > 0 {
        tokio::task::yield_now().await;
    }
    let gone = post::<Value>(&rpc, &ana, &url, method::ASK, now + 1, &json!({"want": 0})).await.unwrap_err();
    assert!(gone.is(ErrorCode::Unauthorized), "{gone:?}");
}

#[tokio::test]
async fn status_age() {
    let pool = limited(PoolLimits { status_age: Duration::from_secs(3_600), ..PoolLimits::default() }).await;
    assert_eq!(status(&pool).await.stats.num_active_hosts, 0);
    let keys = Keys::new(1);
    let host = Agent::open(&pool).await;
    host.connect(&keys, &keys.host(1)).await.unwrap();
    assert_eq!(status(&pool).await.stats.num_active_hosts, 0, "the kept one");
}

#[tokio::test]
async fn drain_ends_though_the_store_does_not_answer() {
    let store = TestStore::default();
    let pool = limited_on(&store, PoolLimits { drain: SOON, ..PoolLimits::default() }).await;
    let keys = Keys::new(1);
    let agent = Agent::open(&pool).await;
    store.set(Mood::Held);
    let hello = keys.sign(method::CONNECT, &agent.url, &agent.challenge(), &keys.client());
    let asked = agent.opened.peer.begin_call(method::CONNECT, hello).unwrap();
    assert_eq!(agent.call::<Value>(method::PING, &[(); 0]).await.unwrap(), "pong");
    let ending = tokio::spawn(pool.shutdown());
    assert!(agent.opened.closed.wait().await.to_string().contains("shutting down"));
    drop(asked);
    store.set(Mood::Well);
    ending.await.unwrap().unwrap();
}

/// Longer than waits are where nobody sets them.
const PATIENT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn closing_ends_although_a_socket_sends_no_close_frame() {
    let limits = PoolLimits { closing: SOON, write: PATIENT, farewell: PATIENT, ..PoolLimits::default() };
    let pool = limited(limits).await;
    // It reads nothing, so it answers no close frame.
    let _mute = RawSocket::open(&ws_url(&pool)).await;
    let since = Instant::now();
    pool.shutdown().await.unwrap();
    assert!(since.elapsed() < PoolLimits::default().closing, "{:?}", since.elapsed());
}

#[tokio::test]
async fn farewell_is_waited_for_and_then_the_socket_is_closed() {
    let farewell = Duration::from_millis(1_200);
    let pool = limited(PoolLimits { unauthenticated: SOON, farewell, ..PoolLimits::default() }).await;
    let since = Instant::now();
    let text = upgrade_and_listen(pool.local_addr()).await;
    assert!(text.contains("did not authenticate"), "{text}");
    assert!(since.elapsed() >= farewell, "{:?}", since.elapsed());
}

#[tokio::test]
async fn farewell_frames_are_read_and_no_more() {
    let (write, farewell) = (PATIENT, PATIENT);
    let limits = PoolLimits { unauthenticated: SOON, farewell_frames: 0, write, farewell, ..PoolLimits::default() };
    let pool = limited(limits).await;
    let since = Instant::now();
    let text = upgrade_and_listen(pool.local_addr()).await;
    assert!(text.contains("did not authenticate"), "{text}");
    assert!(since.elapsed() < PATIENT, "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_refusal_is_taken_in_time_or_the_socket_is_closed() {
    let refusal = Duration::from_millis(1_200);
    let pool = limited(PoolLimits { connections_an_address: 1, probes: 0, refusal, ..PoolLimits::default() }).await;
    let _first = Agent::open(&pool).await;
    let mut refused = TcpStream::connect(pool.local_addr()).await.unwrap();
    let since = Instant::now();
    let mut answer = String::new();
    refused.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    // It goes on and on, and nobody listens any more.
    while refused.write_all(&[0; 1_024]).await.is_ok() {}
    assert!(since.elapsed() >= refusal, "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_storm_of_refused_sockets_is_taken_slowly() {
    let storm_pause = Duration::from_millis(100);
    let limits = PoolLimits { connections_an_address: 1, probes: 0, storm: 1, storm_pause, ..PoolLimits::default() };
    let pool = limited(limits).await;
    let _first = Agent::open(&pool).await;
    let since = Instant::now();
    for _ in 0..3 {
        assert!(exchange(pool.local_addr(), b"").await.starts_with("HTTP/1.1 429"));
    }
    assert!(since.elapsed() >= 2 * storm_pause, "{:?}", since.elapsed());
}
