//! The driver on real sockets and pipes.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixListener},
    task::JoinSet,
};
use tokio_tungstenite::{accept_hdr_async, tungstenite::Message};
use vipnode_rpc::{
    CallError, Frame, Halves, Incoming, Keepalive, OpenError, OpenSession, RpcLimits, SessionEnd, drive, http,
    open_ipc, open_ws, pipe, pipe_with,
};
use vipnode_types::wire::{ErrorCode, WireError};

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(20);

/// Answers `echo` with its params and refuses the rest.
fn serve(mut opened: OpenSession) {
    tokio::spawn(async move {
        while let Some(incoming) = opened.incoming.recv().await {
            let Incoming::Request { method, params, responder } = incoming else { continue };
            match method.as_str() {
                "echo" => responder.respond_raw(Ok(params)),
                "drop" => drop(responder),
                _ => responder.respond(Err::<(), _>(WireError::new(ErrorCode::Refused, "no", "ask nicely"))),
            }
        }
    });
}

#[tokio::test]
async fn a_pipe_carries_calls_both_ways() {
    let (mut left, right) = pipe();
    let back = right.peer.clone();
    serve(right);
    assert_eq!(left.peer.call("echo", &json!([1, "a"]), SECOND).await.unwrap().get(), "[1,\"a\"]");
    let Err(CallError::Remote(error)) = left.peer.call("other", &[0], SECOND).await else { panic!() };
    assert!(error.is(ErrorCode::Refused) && error.data.unwrap().hint == "ask nicely");
    let Err(CallError::Remote(error)) = left.peer.call("drop", &[0], SECOND).await else { panic!() };
    assert!(error.is(ErrorCode::Internal));

    let calling = tokio::spawn(async move { back.call("back", &[7], SECOND).await });
    let Some(Incoming::Request { params, responder, .. }) = left.incoming.recv().await else { panic!() };
    assert_eq!(params.get(), "[7]");
    responder.respond(Ok("here"));
    assert_eq!(calling.await.unwrap().unwrap().get(), "\"here\"");

    left.peer.close("enough");
    assert_eq!(left.closed.wait().await, SessionEnd::closed("enough"));
    let lost = left.peer.call("echo", &[0], SECOND).await.unwrap_err();
    assert_eq!(lost, CallError::Lost(SessionEnd::closed("enough")));
}

/// A pool orders the eviction of a banned node right before it closes the connection.
#[tokio::test]
async fn what_was_called_before_a_close_arrives_and_nothing_after_it() {
    let (left, mut right) = pipe();
    let mut before = std::pin::pin!(left.peer.call("before", &[1], LONG));
    assert!(futures_util::poll!(&mut before).is_pending(), "it is queued");
    left.peer.close("enough");
    let after = left.peer.call("after", &[2], LONG).await.unwrap_err();
    assert_eq!(after, CallError::Lost(SessionEnd::closed("enough")));
    let Some(Incoming::Request { method, .. }) = right.incoming.recv().await else { panic!() };
    assert_eq!(method, "before");
    assert!(right.incoming.recv().await.is_none());
    assert_eq!(before.await.unwrap_err(), CallError::Lost(SessionEnd::closed("enough")));
}

#[tokio::test]
async fn d48_a_thousand_calls_in_flight_are_all_answered() {
    let (left, mut right) = pipe();
    let mut calls = JoinSet::new();
    for number in 0..1_000 {
        let peer = left.peer.clone();
        calls.spawn(async move { (number, peer.call("echo", &[number], LONG).await.unwrap().get().to_owned()) });
    }
    let mut waiting = Vec::new();
    while waiting.len() < 1_000 {
        let Some(Incoming::Request { params, responder, .. }) = right.incoming.recv().await else { panic!() };
        waiting.push((params, responder));
    }
    for (params, responder) in waiting.into_iter().rev() {
        responder.respond_raw(Ok(params));
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.len(), 1_000);
    assert!(answers.iter().all(|(number, text)| *text == format!("[{number}]")));
}

#[tokio::test]
async fn d48_beyond_the_limit_calls_fail_at_once_and_expired_ones_make_room() {
    let soon = Duration::from_millis(30);
    let (left, right) = pipe_with(&RpcLimits { in_flight: 2, ..RpcLimits::default() });
    let mut calls = JoinSet::new();
    for _ in 0..3 {
        let peer = left.peer.clone();
        calls.spawn(async move { peer.call("wait", &[0], soon).await.unwrap_err() });
    }
    let mut errors = calls.join_all().await;
    errors.sort_by_key(|error| *error != CallError::Full);
    assert_eq!(errors, [CallError::Full, CallError::Expired, CallError::Expired]);
    serve(right);
    left.peer.call("echo", &[1], SECOND).await.unwrap();
}

#[tokio::test]
async fn a_dropped_receiver_refuses_requests() {
    let (left, right) = pipe();
    drop(right.incoming);
    let Err(CallError::Remote(error)) = left.peer.call("any", &[0], SECOND).await else { panic!() };
    assert!(error.is(ErrorCode::MethodNotFound));
    drop(right.peer);
    let end = left.closed.wait().await;
    assert!(matches!(&end, SessionEnd::ClosedByOther { reason } if reason.contains("no longer used")), "{end}");
}

/// A WebSocket server of one connection that hands its messages to `work`.
async fn ws_server<F, Fut>(work: F) -> String
where
    F: FnOnce(tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        #[allow(clippy::result_large_err)]
        let with_challenge = |_: &_, mut response: tokio_tungstenite::tungstenite::handshake::server::Response| {
            response.headers_mut().insert("vipnode-challenge", "c0ffee".parse().unwrap());
            Ok(response)
        };
        work(accept_hdr_async(stream, with_challenge).await.unwrap()).await;
    });
    url
}

#[tokio::test]
async fn d3_a_websocket_goes_on_after_unsolicited_answers() {
    let url = ws_server(|mut socket| async move {
        for _ in 0..2 {
            socket.send(Message::text(r#"{"jsonrpc":"2.0","id":77,"result":0}"#)).await.unwrap();
        }
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            let call: Value = serde_json::from_str(&text).unwrap();
            let answer = json!({"jsonrpc":"2.0","id":call["id"],"result":call["params"]}).to_string();
            socket.send(Message::text(answer.clone())).await.unwrap();
            socket.send(Message::text(answer)).await.unwrap();
        }
    })
    .await;
    let opened = open_ws(&url, &RpcLimits::default()).await.unwrap();
    assert_eq!(opened.challenge.as_deref(), Some("c0ffee"));
    for number in 0..10 {
        let answer = opened.peer.call("echo", &[number], LONG).await.unwrap();
        assert_eq!(answer.get(), format!("[{number}]"));
    }
    assert!(opened.peer.dropped_answers() >= 11);
}

#[tokio::test]
async fn d4_a_frame_beyond_the_limit_ends_a_websocket() {
    let url = ws_server(|mut socket| async move {
        let _ = socket.send(Message::text("x".repeat(3_000))).await;
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await;
    let limits = RpcLimits { frame_bytes: 2_000, ..RpcLimits::default() };
    let opened = open_ws(&url, &limits).await.unwrap();
    assert_eq!(opened.closed.wait().await, SessionEnd::TooLong { bytes: 2_000 });
}

#[tokio::test]
async fn d40_a_half_open_websocket_is_closed() {
    let url = ws_server(|socket| async move {
        // Holds the socket and never reads it, so that no ping is answered.
        std::future::pending::<()>().await;
        drop(socket);
    })
    .await;
    let limits =
        RpcLimits { ping: Duration::from_millis(20), silence: Duration::from_millis(60), ..RpcLimits::default() };
    let opened = open_ws(&url, &limits).await.unwrap();
    assert!(matches!(opened.closed.wait().await, SessionEnd::Silent { .. }));
}

#[tokio::test]
async fn pings_measure_and_keep_a_websocket() {
    let url = ws_server(|mut socket| async move { while let Some(Ok(_)) = socket.next().await {} }).await;
    let limits = RpcLimits { ping: Duration::from_millis(10), ..RpcLimits::default() };
    let mut opened = open_ws(&url, &limits).await.unwrap();
    opened.rtt_us.changed().await.unwrap();
    assert!(*opened.rtt_us.borrow() > 0);
}

/// Otherwise a hostile pool could keep a core of each of its agents busy.
#[tokio::test]
async fn a_flood_of_pings_is_read_at_a_pace() {
    let (counted, pongs) = tokio::sync::oneshot::channel();
    let counted = std::sync::Mutex::new(Some(counted));
    let url = ws_server(move |socket| {
        let counted = counted.lock().unwrap().take().unwrap();
        async move {
            let (mut out, mut back) = socket.split();
            let flood = tokio::spawn(async move { while out.send(Message::Ping(vec![1].into())).await.is_ok() {} });
            let mut pongs = 0_u32;
            let count = async {
                while let Some(Ok(_)) = back.next().await {
                    pongs += 1;
                }
            };
            let _over = tokio::time::timeout(SECOND / 2, count).await;
            let _ = counted.send(pongs);
            flood.abort();
        }
    })
    .await;
    let _opened = open_ws(&url, &RpcLimits::default()).await.unwrap();
    let pongs = pongs.await.unwrap();
    assert!((1..=64 * 7).contains(&pongs), "{pongs} pongs in half a second");
}

#[tokio::test]
async fn the_reason_of_the_other_side_arrives() {
    use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
    let url = ws_server(|mut socket| async move {
        let frame = CloseFrame { code: CloseCode::Away, reason: "going down".into() };
        socket.close(Some(frame)).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await;
    let opened = open_ws(&url, &RpcLimits::default()).await.unwrap();
    assert_eq!(opened.closed.wait().await.to_string(), "closed by the other side: going down");
}

#[tokio::test]
async fn refusals_of_the_handshake_say_why() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4_096];
        let _ = stream.read(&mut head).await.unwrap();
        stream.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nfull").await.unwrap();
    });
    let error = open_ws(&url, &RpcLimits::default()).await.unwrap_err();
    assert_eq!(error, OpenError::Refused { url: url.clone(), status: 503, body: "full".to_owned() });
    assert!(matches!(open_ws(&url, &RpcLimits::default()).await, Err(OpenError::Unreachable { .. })));
}

#[tokio::test]
async fn ipc_speaks_json_without_delimiters() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node.ipc");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = vec![0; 4_096];
        let length = stream.read(&mut seen).await.unwrap();
        let call: Value = serde_json::from_slice(&seen[..length]).unwrap();
        let note = json!({"jsonrpc":"2.0","method":"admin_subscription","params":{"subscription":"0x1"}});
        let answer = json!({"jsonrpc":"2.0","id":call["id"],"result":"}{"});
        let text = format!("{note}{answer}");
        let (first, second) = text.split_at(text.len() - 20);
        stream.write_all(first.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        stream.write_all(second.as_bytes()).await.unwrap();
    });
    let mut opened = open_ipc(&path, &RpcLimits::default()).await.unwrap();
    assert_eq!(opened.peer.call("m", &[0; 0], LONG).await.unwrap().get(), "\"}{\"");
    let Some(Incoming::Notification { method, .. }) = opened.incoming.recv().await else { panic!() };
    assert_eq!(method, "admin_subscription");
    assert_eq!(opened.closed.wait().await, SessionEnd::Gone);
    let error = open_ipc(&dir.path().join("none.ipc"), &RpcLimits::default()).await.unwrap_err();
    assert!(matches!(error, OpenError::Unreachable { .. }));
}

/// An HTTP server that answers each connection with the same bytes.
async fn http_server(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4_096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(&answer).await;
        }
    });
    url
}

fn response(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn http_calls_and_explains() {
    let limits = RpcLimits { frame_bytes: 200, ..RpcLimits::default() };
    let call = async |answer: String| {
        let url = http_server(answer).await;
        http(&url, &limits).unwrap().call_raw("m", serde_json::value::to_raw_value(&[0; 0]).unwrap(), LONG).await
    };
    let good = r#"{"jsonrpc":"2.0","id":1,"result":[ 1]}"#;
    assert_eq!(call(response("200 OK", good)).await.unwrap().get(), "[ 1]");
    let text_id = r#"{"jsonrpc":"2.0","id":"1","result":2}"#;
    assert_eq!(call(response("200 OK", text_id)).await.unwrap().get(), "2");
    let refused = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32003,"message":"busy"}}"#;
    assert!(matches!(call(response("503 Busy", refused)).await, Err(CallError::Remote(error)) if error.code == -32003));
    let refused = call(response("403 Forbidden", "invalid host specified")).await;
    let Err(CallError::Open(OpenError::Refused { status: 403, body, .. })) = refused else { panic!() };
    assert_eq!(body, "invalid host specified");
    let redirect =
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let Err(CallError::Open(OpenError::Redirected { status: 302, to, .. })) = call(redirect.to_owned()).await else {
        panic!()
    };
    assert_eq!(to, "http://127.0.0.1:1/");
    let page = call(response("200 OK", "<html>hello</html>")).await;
    assert!(matches!(page, Err(CallError::Open(OpenError::WebPage { .. }))), "{page:?}");
    let large = response("200 OK", &"x".repeat(201));
    assert!(matches!(call(large).await, Err(CallError::TooLarge { bytes: 200 })));
    assert!(matches!(call(response("200 OK", "{}")).await, Err(CallError::Json { .. })));
    let nobody = http("http://127.0.0.1:1", &limits)
        .unwrap()
        .call_raw("m", serde_json::value::to_raw_value(&[0; 0]).unwrap(), LONG)
        .await;
    let refused = std::io::ErrorKind::ConnectionRefused;
    assert!(matches!(nobody, Err(CallError::Open(OpenError::Unreachable { kind, .. })) if kind == refused));
}

/// `printf '%s' '{"jsonrpc":"2.0","id":1,"result":"packed"}' | gzip -n`
const PACKED: &str = "1f8b08000000000002ffab56ca2acecf2b2a4856b25232d23350d251ca4c51b232d4512a4a2d2ecd29018a16242667a7a628d50200cd74214e2a000000";
/// The same with a text of 100,000 zeros.
const PACKED_ZEROS: &str = "1f8b08000000000002ffedc8310e40401000c0bf6c2d7294f71d1444903b2af1779ea19829e78ea5ee5b3986c8d1b729\
     9a98c7c85d1365aad77a7e9b000000000000000000000000000000000000000000000000000000000000000000000000\
     000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
     00000000000000000000000080df8ae7052bf87bd8c4860100";

#[tokio::test]
async fn a_packed_answer_is_read_and_its_unpacked_bytes_are_bounded() {
    let call = async |packed: &str| {
        let body = const_hex::decode(packed).unwrap();
        let head = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let url = http_server([head.into_bytes(), body].concat()).await;
        let limits = RpcLimits { frame_bytes: 50_000, ..RpcLimits::default() };
        http(&url, &limits).unwrap().call_raw("m", serde_json::value::to_raw_value(&[0; 0]).unwrap(), LONG).await
    };
    assert_eq!(call(PACKED).await.unwrap().get(), "\"packed\"");
    assert!(matches!(call(PACKED_ZEROS).await, Err(CallError::TooLarge { bytes: 50_000 })));
}

#[tokio::test]
async fn begun_calls_keep_their_order_and_a_full_queue_says_so() {
    let (left, mut right) = pipe_with(&RpcLimits { outbound: 2, ..RpcLimits::default() });
    let params = |number: u32| serde_json::value::to_raw_value(&[number]).unwrap();
    let begun: Vec<_> = (0..3).map(|number| left.peer.begin_call("m", params(number))).collect();
    assert_eq!(begun[2].as_ref().unwrap_err(), &CallError::Full);
    for number in 0..2 {
        let Some(Incoming::Request { params, .. }) = right.incoming.recv().await else { panic!() };
        assert_eq!(params.get(), format!("[{number}]"));
    }
}

#[tokio::test]
async fn d4_a_side_that_does_not_read_loses_its_connection() {
    let (sender, held) = tokio::sync::mpsc::channel::<Frame>(1);
    let limits = RpcLimits { write: Duration::from_millis(30), ..RpcLimits::default() };
    let reader = futures_util::stream::pending::<Result<Frame, std::convert::Infallible>>();
    let opened = drive(Halves::new(reader, tokio_util::sync::PollSender::new(sender)), &limits, Keepalive::None);
    for _ in 0..3 {
        opened.peer.notify("n", &[0]).await.unwrap();
    }
    assert_eq!(opened.closed.wait().await, SessionEnd::NotReading);
    drop(held);
}

#[tokio::test]
async fn opening_ends_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let limits = RpcLimits { open: Duration::from_millis(30), ..RpcLimits::default() };
    let error = open_ws(&url, &limits).await.unwrap_err();
    assert_eq!(error, OpenError::Timeout { address: url, ms: 30 });
}

#[tokio::test]
async fn what_nobody_takes_waits_and_is_not_lost() {
    let (left, mut right) = pipe_with(&RpcLimits { incoming: 1, outbound: 1, ..RpcLimits::default() });
    let sending = tokio::spawn(async move {
        for number in 0..500 {
            left.peer.notify("n", &[number]).await.unwrap();
        }
        left
    });
    for number in 0..500 {
        let Some(Incoming::Notification { params, .. }) = right.incoming.recv().await else { panic!() };
        assert_eq!(params.get(), format!("[{number}]"));
    }
    sending.await.unwrap();
}
