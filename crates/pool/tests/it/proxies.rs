//! Behind a proxy, the agent's address comes from the proxy's header; the header of any other sender is ignored.

use crate::common::{Keys, RawSocket, config, exchange, ws_url};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest, http::HeaderValue};
use vipnode_pool::{PoolConfig, PoolLimits, PoolServer, ProxyHeader, TrustedProxies};
use vipnode_types::{
    Enode,
    wire::{AskReply, AskRequest, ConnectRequest, method},
};

async fn behind(proxy: &str, limits: PoolLimits) -> PoolServer {
    let proxies = vec![proxy.parse().unwrap()];
    named(TrustedProxies { proxies, header: ProxyHeader::XForwardedFor, ..TrustedProxies::default() }, limits).await
}

/// Behind proxies, agents know the pool by its public URL.
async fn named(proxies: TrustedProxies, limits: PoolLimits) -> PoolServer {
    let public_urls = vec![PUBLIC.parse().unwrap()];
    PoolServer::spawn(PoolConfig { proxies, limits, public_urls, ..config() }).await.unwrap()
}

const PUBLIC: &str = "wss://pool.example";

/// A WebSocket as a proxy opens it, and the challenge.
async fn open(pool: &PoolServer, forwarded: &str) -> Result<(RawSocket, String), (u16, String)> {
    open_with(pool, Some(("x-forwarded-for", forwarded))).await
}

/// A WebSocket that is opened with a further header, and the challenge.
async fn open_with(
    pool: &PoolServer,
    header: Option<(&'static str, &str)>,
) -> Result<(RawSocket, String), (u16, String)> {
    let mut request = ws_url(pool).into_client_request().unwrap();
    if let Some((name, value)) = header {
        request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, answer)) => {
            Ok((RawSocket(socket), answer.headers()["vipnode-challenge"].to_str().unwrap().to_owned()))
        }
        Err(Error::Http(answer)) => {
            let body = answer.body().clone().unwrap_or_default();
            Err((answer.status().as_u16(), String::from_utf8(body).unwrap()))
        }
        Err(other) => panic!("{other}"),
    }
}

/// The address of the host that a client of this pool is given.
async fn given(pool: &PoolServer, forwarded: &str) -> String {
    given_with(pool, Some(("x-forwarded-for", forwarded))).await
}

/// The same, where the host's socket is opened with another header, or none.
async fn given_with(pool: &PoolServer, header: Option<(&'static str, &str)>) -> String {
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    let (mut host, challenge) = open_with(pool, header).await.unwrap();
    let claimed = Enode::at(ana.id(), [203, 0, 113, 5].into(), 30303);
    let hello = ConnectRequest { enode: Some(claimed), ..ana.host(1) };
    let hello = ana.sign(method::CONNECT, PUBLIC, &challenge, &hello);
    host.send(&crate::common::signed_text(method::CONNECT, &hello)).await;
    assert!(host.next().await["result"].is_object());
    let report = json!([{"seq": 1, "full": [], "hash": "0000000000000000"}]);
    host.send(&json!({"id": 2, "method": method::REPORT, "params": report}).to_string()).await;
    host.next().await;
    let (mut client, challenge) = open(pool, "127.0.0.9").await.unwrap();
    let hello = ben.sign(method::CONNECT, PUBLIC, &challenge, &ben.client());
    client.send(&crate::common::signed_text(method::CONNECT, &hello)).await;
    assert!(client.next().await["result"].is_object());
    let ask = AskRequest { want: 1, avoid: Vec::new() };
    client.send(&json!({"id": 2, "method": method::ASK, "params": [ask]}).to_string()).await;
    let call = host.next().await;
    host.send(&json!({"id": call["id"], "result": {}}).to_string()).await;
    let mut answer = client.next().await;
    while answer["id"] != 2 || answer.get("method").is_some() {
        answer = client.next().await;
    }
    let asked: AskReply = serde_json::from_value(answer["result"].clone()).unwrap();
    asked.hosts[0].host.to_string()
}

/// The answer to `vipnode_reach` with a port, over a connection that sends these headers.
async fn reach_port(pool: &PoolServer, port: u16, headers: &str) -> String {
    let params = json!([{"chain_id": 1, "node": Keys::new(1).id(), "port": port}]);
    let body = json!({"id": 1, "method": method::REACH, "params": params}).to_string();
    let length = body.len();
    let head =
        format!("POST / HTTP/1.1\r\nhost: localhost\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n");
    exchange(pool.local_addr(), format!("{head}{body}").as_bytes()).await
}

#[tokio::test]
async fn d34_the_address_of_a_host_behind_a_proxy_is_the_one_that_the_proxy_saw() {
    let pool = behind("127.0.0.0/8", PoolLimits::default()).await;
    let enode = given(&pool, "10.9.9.9, 198.51.100.7").await;
    assert!(enode.contains("@198.51.100.7:30303"), "{enode}");
    let pool = behind("127.0.0.0/8", PoolLimits::default()).await;
    let enode = given(&pool, "[2001:db8::7]:5000").await;
    assert!(enode.contains("@[2001:db8::7]:30303"), "{enode}");
}

#[tokio::test]
async fn d34_nobody_but_the_proxy_is_believed() {
    let pool = behind("10.0.0.0/8", PoolLimits::default()).await;
    let enode = given(&pool, "198.51.100.7").await;
    assert!(enode.contains("@127.0.0.1:30303"), "{enode}");
}

/// The attack: behind a proxy that the pool does not know, a stranger's address is that of the pool's own machine, so the pool
/// would try ports there, and believe addresses that the stranger claims.
#[tokio::test]
async fn behind_an_unnamed_proxy_no_port_is_tested_and_no_claim_is_believed() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for header in ["x-forwarded-for", "via", "x-forwarded-proto", "cf-connecting-ip"] {
        let pool = behind("10.0.0.0/8", PoolLimits::default()).await;
        let enode = given_with(&pool, Some((header, "1.1 cache"))).await;
        assert!(enode.contains("@127.0.0.1:30303"), "{header}: {enode}");
        let answer = reach_port(&pool, port, &format!("{header}: 1.1 cache\r\n")).await;
        assert!(answer.contains("--proxy") && !answer.contains("\"port\""), "{header}: {answer}");
    }
    // nginx sets no header by default. A caller that signs a public URL came through it.
    let pool = behind("10.0.0.0/8", PoolLimits::default()).await;
    assert!(reach_port(&pool, port, "").await.contains("\"port\":\"open\""), "the pool takes it for this machine");
    let enode = given_with(&pool, None).await;
    assert!(enode.contains("@127.0.0.1:30303"), "{enode}");
    let answer = reach_port(&pool, port, "").await;
    assert!(answer.contains("--proxy") && !answer.contains("\"port\""), "{answer}");
}

/// The same attack through a proxy that the operator named, but that names no client, or by another header than the pool reads.
#[tokio::test]
async fn a_named_proxy_that_names_no_client_passes_on_no_rights_of_this_machine() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for headers in ["", "x-client-ip: 198.51.100.7\r\n", "x-real-ip: 198.51.100.7\r\n"] {
        let pool = behind("127.0.0.1/32", PoolLimits::default()).await;
        let answer = reach_port(&pool, port, headers).await;
        assert!(answer.contains("--proxy-header") && !answer.contains("\"port\""), "{headers}: {answer}");
        assert!(answer.contains(r#""address":"127.0.0.1""#), "{answer}");
    }
    let pool = behind("127.0.0.1/32", PoolLimits::default()).await;
    let enode = given_with(&pool, None).await;
    assert!(enode.contains("@127.0.0.1:30303"), "no claim is believed: {enode}");
    let keys = Keys::new(1);
    let (mut socket, challenge) = open_with(&pool, None).await.unwrap();
    let hello = keys.sign(method::CONNECT, &ws_url(&pool), &challenge, &keys.client());
    socket.send(&crate::common::signed_text(method::CONNECT, &hello)).await;
    let refused = socket.next().await;
    let why = refused["error"]["message"].as_str().unwrap();
    assert!(why.contains("is signed for ws://127.0.0.1") && why.contains(PUBLIC), "{why}");
}

#[tokio::test]
async fn a_header_that_names_no_address_is_a_bad_request_that_says_so() {
    let pool = behind("127.0.0.1/32", PoolLimits::default()).await;
    let (status, body) = open(&pool, "unknown").await.err().unwrap();
    assert!(status == 400 && body.contains("x-forwarded-for") && body.contains("unknown"), "{status} {body}");
    let post = "POST / HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 1.2.3\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let answer = exchange(pool.local_addr(), post.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("1.2.3"), "{answer}");
}

#[tokio::test]
async fn limits_by_address_are_of_those_behind_the_proxy() {
    let pool = behind("127.0.0.1/32", PoolLimits { connections_an_address: 1, ..PoolLimits::default() }).await;
    let (mut first, _) = open(&pool, "198.51.100.7").await.unwrap();
    let (status, body) = open(&pool, "198.51.100.7").await.err().unwrap();
    assert!(status == 429 && body.contains("from this address"), "{status} {body}");
    let (_other, _) = open(&pool, "198.51.100.8").await.unwrap();
    first.send(r#"{"id":1,"method":"vipnode_ping"}"#).await;
    assert_eq!(first.next().await["result"], Value::from("pong"));
    drop(first);
    // The place comes back once the pool has seen the end.
    while open(&pool, "198.51.100.7").await.is_err() {}
}

#[tokio::test]
async fn d12_a_loopback_url_does_not_count_through_a_proxy() {
    for proxy in ["127.0.0.0/8", "10.0.0.0/8"] {
        let pool = behind(proxy, PoolLimits::default()).await;
        let (mut socket, challenge) = open(&pool, "198.51.100.7").await.unwrap();
        let keys = Keys::new(1);
        let connect = async |socket: &mut RawSocket, url: &str| {
            let hello = keys.sign(method::CONNECT, url, &challenge, &keys.client());
            socket.send(&crate::common::signed_text(method::CONNECT, &hello)).await;
            socket.next().await
        };
        let refused = connect(&mut socket, &ws_url(&pool)).await;
        assert!(refused["error"]["message"].as_str().unwrap().contains("is signed for ws://127.0.0.1"), "{refused}");
        assert!(connect(&mut socket, PUBLIC).await["result"].is_object());
    }
}

/// The answer to `vipnode_reach` on a connection that begins with these bytes.
async fn reached(pool: &PoolServer, header: &[u8]) -> String {
    let body =
        format!(r#"{{"id":1,"method":"vipnode_reach","params":[{{"chain_id":1,"node":"{}"}}]}}"#, Keys::new(1).id());
    let post = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(pool.local_addr(), &[header, post.as_bytes()].concat()).await
}

#[tokio::test]
async fn a_named_balancer_names_its_clients_by_the_proxy_protocol() {
    let balancers = vec!["127.0.0.1/32".parse().unwrap()];
    let limits = PoolLimits { proxy_header: std::time::Duration::from_millis(200), ..PoolLimits::default() };
    let pool = named(TrustedProxies { balancers, ..TrustedProxies::default() }, limits).await;
    let one = reached(&pool, b"PROXY TCP4 198.51.100.7 192.0.2.1 5000 443\r\n").await;
    assert!(one.contains(r#""address":"198.51.100.7""#), "{one}");
    let two = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x08\xc0\0\x02\x01\x13\x88\x01\xbb";
    let two = reached(&pool, two).await;
    assert!(two.contains(r#""address":"198.51.100.8""#), "{two}");
    let own = reached(&pool, b"PROXY UNKNOWN\r\n").await;
    assert!(own.contains(r#""address":"127.0.0.1""#), "a health check of the balancer: {own}");
    assert_eq!(reached(&pool, b"").await, "", "no header");
    assert_eq!(exchange(pool.local_addr(), b"PROX").await, "", "no whole header in time");
}

#[tokio::test]
async fn nobody_else_may_send_the_proxy_protocol() {
    let balancers = vec!["10.0.0.0/8".parse().unwrap()];
    let pool = named(TrustedProxies { balancers, ..TrustedProxies::default() }, PoolLimits::default()).await;
    let refused = reached(&pool, b"PROXY TCP4 198.51.100.7 192.0.2.1 5000 443\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 400") && !refused.contains("198.51.100.7"), "{refused}");
}
