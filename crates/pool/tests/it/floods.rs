//! Sockets that flood, send garbage or stand still are ended with a reason, and others are served.

use std::time::Duration;

use crate::common::{Agent, Keys, RawSocket, config, exchange, pool, ws_url};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::Message;
use vipnode_pool::{PoolConfig, PoolLimits, PoolServer};
use vipnode_types::wire::{ErrorCode, PoolStatus, method};

const PING: &str = r#"{"id":1,"method":"vipnode_ping"}"#;

async fn limited(limits: PoolLimits) -> PoolServer {
    PoolServer::spawn(PoolConfig { limits, ..config() }).await.unwrap()
}

/// Other agents are served during each of these.
async fn others_are_served(pool: &PoolServer) {
    let agent = Agent::open(pool).await;
    assert_eq!(agent.call::<Value>(method::PING, &[(); 0]).await.unwrap(), "pong");
}

#[tokio::test]
async fn d4_garbage_again_and_again_ends_a_socket() {
    let pool = limited(PoolLimits { garbage: 3, ..PoolLimits::default() }).await;
    for garbage in ["nonsense", "{}", "[]", "[1,2,3]", r#"{"id":1,"method":7}"#, "\u{0}"] {
        let mut socket = RawSocket::open(&ws_url(&pool)).await;
        for _ in 0..2 {
            socket.send(garbage).await;
        }
        // One good frame, and it begins again.
        socket.send(PING).await;
        for _ in 0..3 {
            socket.send(garbage).await;
        }
        let reason = socket.closed().await;
        assert_eq!(reason, "3 frames in a row were not JSON-RPC 2.0", "{garbage}");
    }
    others_are_served(&pool).await;
}

#[tokio::test]
async fn each_wrong_request_gets_its_code_a_sentence_and_a_hint() {
    let pool = pool().await;
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    for (text, code) in [
        ("nonsense", -32700),
        ("{}", -32600),
        ("[]", -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"vipnode_ping"}"#, -32600),
        (r#"{"id":1,"method":"vipnode_ping","params":7}"#, -32600),
        (r#"{"id":1,"method":"vipnode_unknown"}"#, -32601),
        (r#"{"id":1,"method":"vipnode_report","params":[{"seq":1}]}"#, ErrorCode::Unauthorized as i64),
        (r#"{"id":1,"method":"vipnode_connect","params":[]}"#, -32602),
        (r#"{"id":1,"method":"vipnode_connect","params":[{}]}"#, ErrorCode::Unauthorized as i64),
        (r#"{"id":1,"method":"vipnode_connect","params":["sig","id",1]}"#, ErrorCode::Server as i64),
        (r#"{"id":1,"method":"vipnode_peer","params":["","",1,{}]}"#, ErrorCode::Server as i64),
    ] {
        socket.send(text).await;
        let error = socket.next().await["error"].clone();
        assert_eq!(error["code"], code, "{text}: {error}");
        assert!(error["message"].as_str().unwrap().len() > 10, "{text}: {error}");
        assert!(error["data"]["hint"].as_str().is_some_and(|hint| hint.len() > 10), "{text}: {error}");
    }
}

#[tokio::test]
async fn d4_bytes_that_are_not_text_are_answered_and_end_a_socket() {
    let pool = limited(PoolLimits { garbage: 2, ..PoolLimits::default() }).await;
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    socket.0.send(Message::binary(vec![0xff, 0xfe, 0x00])).await.unwrap();
    assert_eq!(socket.next().await["error"]["code"], -32700);
    socket.0.send(Message::binary(vec![0xc3, 0x28])).await.unwrap();
    assert!(socket.closed().await.contains("not JSON-RPC"));
}

/// A WebSocket after its handshake, as bare bytes.
async fn bare(pool: &PoolServer) -> TcpStream {
    let mut stream = TcpStream::connect(pool.local_addr()).await.unwrap();
    let head = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn d4_frames_that_break_the_protocol_end_a_socket_with_a_reason() {
    let pool = pool().await;
    let mask = [0_u8; 4];
    let long = [&[1, 0][..], &[0; 4 + 256]].concat();
    for (what, head, payload) in [
        ("a reserved opcode", [0x83, 0x80], &[][..]),
        ("reserved bits", [0xf1, 0x80], &[]),
        ("a frame that is not masked", [0x81, 0x02], b"{}"),
        ("a text that is not UTF-8", [0x81, 0x82], &[0xc3, 0x28]),
        ("a long ping", [0x89, 0xfe], &long),
        ("a continuation of nothing", [0x80, 0x80], &[]),
    ] {
        let mut stream = bare(&pool).await;
        let mut frame = head.to_vec();
        if head[1] & 0x80 != 0 && head[1] != 0xfe {
            frame.extend(mask);
        }
        frame.extend(payload);
        stream.write_all(&frame).await.unwrap();
        let mut seen = Vec::new();
        let _reset = stream.read_to_end(&mut seen).await;
        let seen = String::from_utf8_lossy(&seen).into_owned();
        let reason = seen.rsplit("vipnode-challenge").next().unwrap();
        assert!(reason.to_lowercase().contains("protocol") || reason.to_lowercase().contains("utf"), "{what}: {seen}");
    }
    others_are_served(&pool).await;
}

#[tokio::test]
async fn d4_floods_of_frames_that_are_no_calls_end_a_socket() {
    let limits = PoolLimits {
        calls_a_second: 1,
        burst: 5,
        flood: 5,
        flood_pause: Duration::from_millis(1),
        ..PoolLimits::default()
    };
    let pool = limited(limits).await;
    for message in [
        Message::text(r#"{"method":"vipnode_ping"}"#),
        Message::text(r#"{"id":7,"result":"pong"}"#),
        Message::Ping(b"12345678".to_vec().into()),
        Message::Pong(b"12345678".to_vec().into()),
    ] {
        let mut socket = RawSocket::open(&ws_url(&pool)).await;
        for _ in 0..11 {
            socket.0.send(message.clone()).await.unwrap();
        }
        assert!(socket.closed().await.contains("repeatedly"), "{message:?}");
    }
    others_are_served(&pool).await;
}

#[tokio::test]
async fn calls_of_one_address_block_together_are_limited() {
    let limits =
        PoolLimits { block_calls_a_second: 1, block_burst: 3, block_wait: Duration::ZERO, ..PoolLimits::default() };
    let pool = limited(limits).await;
    let mut answers = Vec::new();
    for _ in 0..5 {
        let agent = Agent::open(&pool).await;
        answers.push(agent.call::<Value>(method::PING, &[(); 0]).await);
    }
    assert!(answers[..3].iter().all(Result::is_ok), "{answers:?}");
    let error = answers[4].clone().unwrap_err();
    assert!(error.is(ErrorCode::Busy) && error.message.contains("address block"), "{error:?}");
    assert!(error.data.unwrap().retry_ms.unwrap() > 0);
    // One more is due each second, and a slow machine may take that long.
    let mut bodies = Vec::new();
    while bodies.len() < 20 && !bodies.iter().any(|body: &String| body.contains("address block")) {
        bodies.push(crate::common::post_text(pool.local_addr(), PING).await);
    }
    assert!(bodies.len() < 20, "over HTTP too: {bodies:?}");
}

/// A ping that is padded to 10 KiB, so that it counts as ten calls and a started one.
fn large_ping() -> String {
    format!(r#"{{"id":1,"method":"vipnode_ping","params":["{}"]}}"#, "x".repeat(10 << 10))
}

#[tokio::test]
async fn a_large_call_counts_as_several_of_its_socket() {
    let pool =
        limited(PoolLimits { bytes_a_call: 1 << 10, calls_a_second: 1, burst: 2, ..PoolLimits::default() }).await;
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    socket.send(&large_ping()).await;
    assert_eq!(socket.next().await["result"], "pong", "it is larger than the burst");
    socket.send(PING).await;
    let error = socket.next().await["error"].clone();
    assert_eq!(error["code"], ErrorCode::Busy as i64, "{error}");
    let retry_ms = error["data"]["retry_ms"].as_u64().unwrap();
    assert!((6_000..=10_000).contains(&retry_ms), "eleven of a second each, of which two were there: {retry_ms}");
    others_are_served(&pool).await;
}

#[tokio::test]
async fn a_large_call_counts_as_several_of_its_address_block() {
    let limits = PoolLimits {
        bytes_a_call: 1 << 10,
        block_calls_a_second: 1,
        block_burst: 2,
        block_wait: Duration::ZERO,
        ..PoolLimits::default()
    };
    let pool = limited(limits.clone()).await;
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    socket.send(&large_ping()).await;
    assert_eq!(socket.next().await["result"], "pong");
    let answer = crate::common::post_text(pool.local_addr(), PING).await;
    assert!(answer.contains("address block"), "{answer}");

    let pool = limited(limits).await;
    let answer = crate::common::post_text(pool.local_addr(), &large_ping()).await;
    assert!(answer.contains("pong"), "over HTTP too: {answer}");
    let answer = crate::common::post_text(pool.local_addr(), PING).await;
    assert!(answer.contains("address block"), "{answer}");
}

#[tokio::test]
async fn pings_do_not_spend_the_calls_of_an_address_block() {
    let limits =
        PoolLimits { block_calls_a_second: 1, block_burst: 3, block_wait: Duration::ZERO, ..PoolLimits::default() };
    let pool = limited(limits).await;
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    for _ in 0..9 {
        socket.0.send(Message::Ping(b"12345678".to_vec().into())).await.unwrap();
    }
    // Frames are taken in order: by the first answer all pings have been.
    for _ in 0..3 {
        socket.send(PING).await;
        assert_eq!(socket.next().await["result"], "pong");
    }
}

#[tokio::test]
async fn calls_that_come_together_are_all_answered_though_others_have_their_turn_between() {
    let limits = PoolLimits { frames_a_turn: 1, block_cpu_us: 0, ..PoolLimits::default() };
    let pool = limited(limits).await;
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    for _ in 0..30 {
        socket.0.feed(Message::text(PING)).await.unwrap();
    }
    socket.0.flush().await.unwrap();
    for _ in 0..30 {
        assert_eq!(socket.next().await["result"], "pong");
    }
}

#[tokio::test]
async fn d4_a_storm_of_connects_is_refused_and_beyond_the_refusals_without_a_word() {
    let pool = limited(PoolLimits {
        opens_a_second: 1,
        opens_at_once: 1,
        opens_wait: Duration::ZERO,
        probes: 0,
        ..PoolLimits::default()
    })
    .await;
    let _first = TcpStream::connect(pool.local_addr()).await.unwrap();
    let refused = exchange(pool.local_addr(), b"").await;
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("wait a second"), "{refused}");
    let pool = limited(PoolLimits {
        opens_at_once: 1,
        opens_wait: Duration::ZERO,
        probes: 0,
        refusals: 1,
        ..PoolLimits::default()
    })
    .await;
    let _first = TcpStream::connect(pool.local_addr()).await.unwrap();
    assert!(exchange(pool.local_addr(), b"").await.contains("wait a second"));
    assert_eq!(exchange(pool.local_addr(), b"").await, "");
}

#[tokio::test]
async fn http_head_bytes() {
    let pool = limited(PoolLimits { http_head_bytes: 8 << 10, ..PoolLimits::default() }).await;
    let long = format!("GET / HTTP/1.1\r\nhost: localhost\r\nlong: {}\r\n\r\n", "x".repeat(9 << 10));
    let answer = exchange(pool.local_addr(), long.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn d40_an_agent_that_stops_answering_mid_connection_has_left() {
    let limits = PoolLimits {
        ping: Duration::from_millis(20),
        socket_silence: Duration::from_millis(200),
        status_age: Duration::ZERO,
        calls_a_second: 1_000_000,
        burst: 1_000_000,
        ..PoolLimits::default()
    };
    let pool = limited(limits).await;
    let watcher = Agent::open(&pool).await;
    let hosts = async || watcher.call::<PoolStatus>(method::STATUS, &[(); 0]).await.unwrap().stats.num_active_hosts;
    let keys = Keys::new(1);
    let (socket, answer) = tokio_tungstenite::connect_async(ws_url(&pool)).await.unwrap();
    let challenge = answer.headers()["vipnode-challenge"].to_str().unwrap().to_owned();
    let mut socket = RawSocket(socket);
    let hello = keys.sign(method::CONNECT, &ws_url(&pool), &challenge, &keys.host(1));
    socket.send(&crate::common::signed_text(method::CONNECT, &hello)).await;
    assert!(socket.next().await["result"].is_object());
    // While it reads, it answers pings by itself; then it stands still with its connection open.
    for _ in 0..20 {
        assert!(matches!(socket.0.next().await.unwrap().unwrap(), Message::Ping(_)));
    }
    assert_eq!(hosts().await, 1);
    while hosts().await > 0 {
        tokio::task::yield_now().await;
    }
    assert!(socket.closed().await.contains("received nothing"));
}
