//! What plain HTTP requests cost the pool is limited: bytes, time, and what a reader may leave unread.

use std::time::{Duration, Instant};

use crate::common::{Agent, Keys, LONG, RawSocket, config, exchange, get, post_text, ws_url};
use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};
use vipnode_pool::{PoolConfig, PoolLimits, PoolServer};
use vipnode_types::wire::{ErrorCode, method};

const SOON: Duration = Duration::from_millis(200);

async fn limited(limits: PoolLimits) -> PoolServer {
    PoolServer::spawn(PoolConfig { limits, ..config() }).await.unwrap()
}

#[tokio::test]
async fn answers_that_nobody_reads_end_the_connection() {
    let pool = limited(PoolLimits { write: SOON, ..PoolLimits::default() }).await;
    let mut stream = TcpStream::connect(pool.local_addr()).await.unwrap();
    let requests = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1_000);
    let fills = async { while stream.write_all(requests.as_bytes()).await.is_ok() {} };
    timeout(LONG, fills).await.expect("the pool closes a connection that it cannot write to");
}

#[tokio::test]
async fn an_http_connection_has_a_life_and_a_websocket_outlives_it() {
    let pool = limited(PoolLimits { http_life: SOON, ..PoolLimits::default() }).await;
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    let mut stream = TcpStream::connect(pool.local_addr()).await.unwrap();
    let since = Instant::now();
    let serves = async {
        let mut bytes = [0; 4_096];
        while stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.is_ok() {
            if matches!(stream.read(&mut bytes).await, Ok(0) | Err(_)) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, serves).await.unwrap();
    assert!(since.elapsed() >= SOON);
    socket.send(r#"{"id":1,"method":"vipnode_ping"}"#).await;
    assert_eq!(socket.next().await["result"], "pong");
}

#[tokio::test]
async fn a_message_in_fragments_has_to_end_in_time() {
    let pool = limited(PoolLimits { fragments: SOON, ..PoolLimits::default() }).await;
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    let fragment = |text: &'static str, code, last| Message::Frame(Frame::message(text, OpCode::Data(code), last));
    socket.0.send(fragment(r#"{"id":1,"#, Data::Text, false)).await.unwrap();
    socket.0.send(fragment(r#""method":"vipnode_ping"}"#, Data::Continue, true)).await.unwrap();
    assert_eq!(socket.next().await["result"], "pong", "fragments are allowed");
    socket.0.send(fragment("{", Data::Text, false)).await.unwrap();
    let pings = async {
        while socket.0.send(Message::Ping(Vec::new().into())).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, pings).await.expect("pings do not keep the socket open");
}

#[tokio::test]
async fn an_address_block_gets_so_many_bytes() {
    let pool = limited(PoolLimits {
        block_bytes_a_second: 1 << 10,
        block_bytes_at_once: 20 << 10,
        block_wait: Duration::ZERO,
        ..PoolLimits::default()
    })
    .await;
    let address = pool.local_addr();
    let status = r#"{"id":1,"method":"pool_status","params":[]}"#;
    let (mut sent, mut refused) = (0, false);
    for _ in 0..40 {
        let answer = post_text(address, status).await;
        refused = answer.contains("too many bytes per second");
        if refused {
            break;
        }
        sent += 1;
    }
    assert!(refused && sent >= 10, "{sent}");
    let full = get(address, "/health?full").await;
    assert!(full.starts_with("HTTP/1.1 429") && full.contains("retry-after: "), "{full}");
    let copy = get(address, "/health").await;
    assert!(copy.starts_with("HTTP/1.1 200"), "a probe of this machine is never refused: {copy}");
}

#[tokio::test]
async fn answers_on_a_websocket_count_to_the_bytes_of_its_block() {
    let pool = limited(PoolLimits {
        block_bytes_a_second: 1 << 10,
        block_bytes_at_once: 20 << 10,
        block_wait: Duration::ZERO,
        burst: 100_000,
        ..PoolLimits::default()
    })
    .await;
    let (agent, keys) = (Agent::open(&pool).await, Keys::new(1));
    agent.connect(&keys, &keys.client()).await.unwrap();
    let mut answered = 0;
    let busy = loop {
        match agent.call::<Value>(method::EXPLAIN, &[json!({})]).await {
            Ok(_) => answered += 1,
            Err(error) => break error,
        }
        assert!(answered < 1_000, "20 KiB at once are far fewer answers");
    };
    assert!(
        busy.is(ErrorCode::Busy) && busy.message.contains("too many bytes") && answered >= 10,
        "{busy}: {answered}"
    );
}

#[tokio::test]
async fn a_probe_of_this_machine_is_answered_when_every_connection_is_taken() {
    let pool = limited(PoolLimits { connections: 1, probes: 8, ..PoolLimits::default() }).await;
    let address = pool.local_addr();
    let _only = RawSocket::open(&ws_url(&pool)).await;
    assert!(get(address, "/health").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/metrics").await.contains("vipnode_pool_open_sockets 1"));
    let other = get(address, "/health?full").await;
    assert!(other.starts_with("HTTP/1.1 503") && other.contains("limit on connections"), "{other}");
    let proxied =
        "GET /health HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 198.51.100.7\r\nconnection: close\r\n\r\n";
    assert!(exchange(address, proxied.as_bytes()).await.starts_with("HTTP/1.1 503"), "someone else's");
}

/// The attack: 400 sockets of this machine that send nothing delay the answer to each probe by 4 s.
#[tokio::test]
async fn sockets_of_this_machine_that_open_too_fast_delay_no_probe() {
    let opens_wait = Duration::from_secs(60);
    let limits = PoolLimits { opens_a_second: 1, opens_at_once: 1, opens_wait, ..PoolLimits::default() };
    let pool = limited(limits).await;
    let address = pool.local_addr();
    let mut idle = Vec::new();
    for _ in 0..40 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let slow = async { tokio::join!(get(address, "/"), get(address, "/health?full")) };
    let probes = async { [get(address, "/health").await, get(address, "/metrics").await] };
    let answers = tokio::select! {
        answers = timeout(LONG, probes) => answers.expect("probes are answered at once"),
        answers = slow => panic!("all others wait for their turn: {answers:?}"),
    };
    assert!(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 200")), "{answers:?}");
}

/// The attack: strangers behind a proxy that sets no header look like probes of this machine, and have the largest page sent as
/// often as they ask for it.
#[tokio::test]
async fn answers_to_probes_of_this_machine_share_a_rate() {
    let limits = PoolLimits { probe_bytes_a_second: 40 << 10, block_bytes_at_once: 20 << 10, ..PoolLimits::default() };
    let pool = limited(limits).await;
    let (address, since) = (pool.local_addr(), Instant::now());
    let mut bytes = 0;
    while bytes < 60 << 10 {
        bytes += get(address, "/metrics").await.len();
    }
    let least = Duration::from_millis(900);
    assert!(since.elapsed() >= least, "{bytes} bytes in {:?}: 20 KiB at once, and 40 KiB in a second", since.elapsed());
    assert!(get(address, "/health").await.starts_with("HTTP/1.1 200"), "none is refused");
}

#[tokio::test]
async fn a_further_probe_of_this_machine_closes_the_one_that_was_idle_longest() {
    let pool = limited(PoolLimits { connections: 1, probes: 2, ..PoolLimits::default() }).await;
    let address = pool.local_addr();
    let _only = RawSocket::open(&ws_url(&pool)).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    let _second = TcpStream::connect(address).await.unwrap();
    for _ in 0..5 {
        let answer = get(address, "/health").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let closed = timeout(LONG, idle.read(&mut [0])).await.expect("the pool closes the idle connection");
    assert!(matches!(closed, Ok(0) | Err(_)));
}

/// Requests that are answered although they call nothing.
const REFUSED: [&str; 5] = [
    "POST / HTTP/1.1\r\nhost: localhost\r\norigin: https://evil.example\r\ncontent-length: 0\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n[]",
    "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 25\r\n\r\n{\"method\":\"vipnode_ping\"}",
    "DELETE / HTTP/1.1\r\nhost: localhost\r\n\r\n",
];

/// The answers to many such requests on one connection.
async fn answers(pool: &PoolServer, request: &str, count: usize) -> String {
    let last = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    exchange(pool.local_addr(), format!("{}{last}", request.repeat(count)).as_bytes()).await
}

#[tokio::test]
async fn every_request_is_paced_whatever_its_answer_is() {
    for request in REFUSED {
        let limits = PoolLimits { calls_a_second: 1, burst: 3, ..PoolLimits::default() };
        let answers = answers(&limited(limits).await, request, 20).await;
        let too_fast = answers.matches("HTTP/1.1 429").count();
        assert!((10..=18).contains(&too_fast), "{request}: {answers}");
    }
}

#[tokio::test]
async fn the_bytes_of_every_answer_are_charged() {
    for request in REFUSED {
        let limits = PoolLimits {
            block_bytes_a_second: 1 << 10,
            block_bytes_at_once: 2 << 10,
            block_wait: Duration::ZERO,
            ..PoolLimits::default()
        };
        let answers = answers(&limited(limits).await, request, 60).await;
        assert!(answers.contains("too many bytes per second"), "{request}: {answers}");
    }
}
