//! How a pool sees a caller that has not joined.

use std::{net::Ipv4Addr, time::Duration};

use crate::common::{Agent, Keys, RawSocket, config, http_url, ws_url};
use serde_json::{Value, json, value::to_raw_value};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{client::IntoClientRequest, http::HeaderValue};
use vipnode_pool::{Membership, PoolConfig, PoolServer, ProxyHeader, TrustedProxies};
use vipnode_rpc::{CallError, RpcLimits, http, open_ws};
use vipnode_types::{JoinSecret, wire::ConnectRequest};

const SOON: Duration = Duration::from_secs(20);

async fn ask(pool: &PoolServer, request: &Value) -> Result<Value, CallError> {
    let socket = open_ws(&ws_url(pool), &RpcLimits::default()).await.unwrap();
    let answer = socket.peer.call("vipnode_reach", &(request,), SOON).await?;
    Ok(serde_json::from_str(answer.get()).unwrap())
}

fn about(port: Option<u16>) -> Value {
    json!({"port": port, "node": Keys::new(1).id(), "chain_id": 1337})
}

async fn spawn(change: impl FnOnce(&mut PoolConfig)) -> PoolServer {
    let mut config = config();
    change(&mut config);
    PoolServer::spawn(config).await.unwrap()
}

#[tokio::test]
async fn a_port_of_the_asker_is_tried_and_nothing_is_kept() {
    let pool = spawn(|_| {}).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = ask(&pool, &about(Some(port))).await.unwrap();
    assert_eq!((&answer["port"], &answer["address"]), (&json!("open"), &json!("127.0.0.1")));
    assert_eq!(answer["admission"], "allowed");
    assert!(crate::common::wall().get().abs_diff(answer["time_ms"].as_u64().unwrap()) < 20_000);
    drop(listener);
    assert_eq!(ask(&pool, &about(Some(port))).await.unwrap()["port"], "refused");
    assert!(ask(&pool, &about(None)).await.unwrap().get("port").is_none());
    assert!(ask(&pool, &about(Some(0))).await.is_err());
    let http = http(&http_url(&pool), &RpcLimits::default()).unwrap();
    let status = http.call_raw("pool_status", to_raw_value(&[(); 0]).unwrap(), SOON).await.unwrap();
    let status: Value = serde_json::from_str(status.get()).unwrap();
    assert_eq!((&status["stats"]["num_total_hosts"], &status["stats"]["num_total_clients"]), (&json!(0), &json!(0)));
    let answer = http.call_raw("vipnode_reach", to_raw_value(&(about(None),)).unwrap(), SOON).await.unwrap();
    assert!(answer.get().contains("allowed"), "{}", answer.get());
}

/// A listener whose queue is full drops what comes: nobody refuses.
#[tokio::test]
async fn a_silent_port_is_given_up_in_time() {
    let pool = spawn(|config| config.limits.reach_wait = Duration::from_millis(300)).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let place = listener.local_addr().unwrap();
    let full: Vec<_> = (0..8).map(|_| tokio::spawn(TcpStream::connect(place))).collect();
    let _first = full.into_iter().next().unwrap().await.unwrap().unwrap();
    let answer = tokio::time::timeout(SOON, async {
        loop {
            let answer = ask(&pool, &about(Some(place.port()))).await.unwrap();
            if answer["port"] == "timeout" {
                return answer;
            }
        }
    });
    assert_eq!(answer.await.unwrap()["address"], "127.0.0.1");
}

#[tokio::test]
async fn an_address_block_has_few_tries() {
    let pool = spawn(|config| {
        config.limits.reach_every = Duration::from_secs(3_600);
        config.limits.reach_burst = 2;
    })
    .await;
    let port = pool.local_addr().port();
    for _ in 0..2 {
        assert_eq!(ask(&pool, &about(Some(port))).await.unwrap()["port"], "open");
    }
    let untested = ask(&pool, &about(Some(port))).await.unwrap();
    assert!(untested.get("port").is_none() && untested["time_ms"].is_u64(), "{untested}");
    assert_eq!(untested["admission"], "allowed", "it is checked all the same");
    assert!(untested["port_error"]["data"]["retry_ms"].as_u64().unwrap() > 3_500_000, "{untested}");
    assert!(ask(&pool, &about(None)).await.is_ok(), "without a port nothing is spent");
}

/// A listener on all loopback addresses that nobody accepts from, and whose queue is full.
async fn full_listener() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("0.0.0.0:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let target = (Ipv4Addr::LOCALHOST, listener.local_addr().unwrap().port());
    let mut queued = Vec::new();
    while let Ok(open) = timeout(Duration::from_millis(300), TcpStream::connect(target)).await {
        queued.push(open.unwrap());
    }
    (listener, queued)
}

/// A socket as a proxy opens it for a caller at this address.
async fn behind_proxy(pool: &PoolServer, address: &str) -> RawSocket {
    let mut request = ws_url(pool).into_client_request().unwrap();
    request.headers_mut().append("x-forwarded-for", HeaderValue::from_str(address).unwrap());
    RawSocket(tokio_tungstenite::connect_async(request).await.unwrap().0)
}

#[tokio::test]
async fn a_block_whose_ports_are_silent_leaves_tests_for_others() {
    let pool = spawn(|config| {
        let proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.proxies = TrustedProxies { proxies, header: ProxyHeader::XForwardedFor, ..TrustedProxies::default() };
        (config.limits.reaches, config.limits.reach_burst) = (8, 100);
        (config.limits.reach_wait, config.limits.block_minimum) = (Duration::from_secs(50), 1);
    })
    .await;
    let (silent, _queued) = full_listener().await;
    let call =
        |id: usize, port: u16| json!({"id": id, "method": "vipnode_reach", "params": [about(Some(port))]}).to_string();
    let mut flood = behind_proxy(&pool, "127.1.0.1").await;
    for id in 0..20 {
        flood.send(&call(id, silent.local_addr().unwrap().port())).await;
    }
    // All but a third of the tests are refused; those that go on answer much later.
    for _ in 0..17 {
        assert_eq!(flood.next().await["result"]["port_error"]["code"], -32_003, "busy");
    }
    let open = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let mut honest = behind_proxy(&pool, "127.2.0.1").await;
    honest.send(&call(1, open.local_addr().unwrap().port())).await;
    assert_eq!(honest.next().await["result"]["port"], "open");
}

#[tokio::test]
async fn a_pool_may_try_none_at_all() {
    let pool = spawn(|config| config.limits.reaches = 0).await;
    let answer = ask(&pool, &about(Some(pool.local_addr().port()))).await.unwrap();
    assert!(answer.get("port").is_none() && answer["port_error"]["code"] == -32_003, "{answer}");
}

#[tokio::test]
async fn a_closed_pool_says_so_and_not_who_its_members_are() {
    let keys = Keys::new(1);
    let pool = spawn(|config| config.members = Membership::Members([keys.id()].into())).await;
    assert_eq!(ask(&pool, &about(None)).await.unwrap()["admission"], "members_only");

    let secret = JoinSecret::new("sesame").unwrap();
    let pool = spawn(|config| config.members = Membership::Secret(secret.clone())).await;
    let refused = ask(&pool, &about(None)).await.unwrap();
    assert_eq!(refused["admission"]["refused"]["code"], -32_002, "{refused}");
    let socket = open_ws(&ws_url(&pool), &RpcLimits::default()).await.unwrap();
    let mut request = about(None);
    request["join"] = json!(secret.prove(&keys.id(), socket.challenge.as_ref().unwrap()));
    let answer = socket.peer.call("vipnode_reach", &(request,), SOON).await.unwrap();
    assert!(answer.get().contains("allowed"), "{}", answer.get());
}

/// The result of a connect that is only checked, over a WebSocket or HTTP.
async fn checked(pool: &PoolServer, keys: &Keys, hello: &ConnectRequest, audience: &str, socket: bool) -> Value {
    let (node, chain_id) = (keys.id(), hello.chain.chain_id);
    let request = |hello: &ConnectRequest| json!({"node": node, "chain_id": chain_id, "connect": hello});
    let answer = if socket {
        let socket = open_ws(&ws_url(pool), &RpcLimits::default()).await.unwrap();
        let params = keys.sign("vipnode_reach", audience, socket.challenge.as_ref().unwrap(), &request(hello));
        socket.peer.call("vipnode_reach", &params, SOON).await.unwrap()
    } else {
        let http = http(&http_url(pool), &RpcLimits::default()).unwrap();
        let nonce = crate::common::wall().get().to_string();
        http.call_raw("vipnode_reach", keys.sign("vipnode_reach", audience, &nonce, &request(hello)), SOON)
            .await
            .unwrap()
    };
    serde_json::from_str::<Value>(answer.get()).unwrap()["admission"].clone()
}

fn code(admission: &Value) -> Option<i64> {
    admission["refused"]["code"].as_i64()
}

#[tokio::test]
async fn a_signed_caller_is_judged_as_by_a_connect_and_does_not_join() {
    let (member, stranger) = (Keys::new(1), Keys::new(2));
    let pool = spawn(|config| {
        config.members = Membership::Members([member.id()].into());
        config.network = Some("1337".parse().unwrap());
    })
    .await;
    let url = ws_url(&pool);
    let running = Agent::open(&pool).await;
    running.connect(&member, &member.host(1)).await.unwrap();
    for socket in [true, false] {
        assert_eq!(checked(&pool, &member, &member.host(1), &url, socket).await, "allowed");
        assert_eq!(code(&checked(&pool, &stranger, &stranger.client(), &url, socket).await), Some(-32_002));
        let elsewhere = checked(&pool, &member, &member.client(), "wss://pool.example", socket).await;
        assert_eq!(code(&elsewhere), Some(-32_001), "audience: {elsewhere}");
        let mut hello = member.client();
        hello.chain.chain_id = 5;
        assert_eq!(code(&checked(&pool, &member, &hello, &url, socket).await), Some(-32_004), "network");
        let newer = Keys { issued: member.issued.plus(500), ..Keys::new(1) };
        assert_eq!(checked(&pool, &newer, &newer.host(1), &url, socket).await, "allowed");
    }
    running.connect(&member, &member.host(1)).await.expect("neither replaced nor revoked");
    let status: vipnode_types::wire::PoolStatus = running.call("pool_status", &[(); 0]).await.unwrap();
    assert_eq!((status.stats.num_total_hosts, status.stats.num_total_clients), (1, 0));
}

#[tokio::test]
async fn what_is_to_be_checked_has_to_be_signed_for_this_connection_and_method() {
    let keys = Keys::new(1);
    let pool = spawn(|_| {}).await;
    let url = ws_url(&pool);
    let request = json!({"node": keys.id(), "chain_id": 1337, "connect": keys.client()});
    assert_eq!(code(&ask(&pool, &request).await.unwrap()["admission"]), Some(-32_001), "no signature");
    for (method, nonce) in [("vipnode_reach", Some("00".repeat(32))), ("vipnode_connect", None)] {
        let socket = open_ws(&ws_url(&pool), &RpcLimits::default()).await.unwrap();
        let nonce = nonce.unwrap_or_else(|| socket.challenge.clone().unwrap());
        let params = keys.sign(method, &url, &nonce, &request);
        let answer = socket.peer.call("vipnode_reach", &params, SOON).await.unwrap();
        let answer: Value = serde_json::from_str(answer.get()).unwrap();
        assert_eq!(code(&answer["admission"]), Some(-32_001), "{method}");
    }
    let socket = open_ws(&ws_url(&pool), &RpcLimits::default()).await.unwrap();
    let another = json!({"node": Keys::new(2).id(), "chain_id": 1337, "connect": keys.client()});
    let params = keys.sign("vipnode_reach", &url, socket.challenge.as_ref().unwrap(), &another);
    let answer = socket.peer.call("vipnode_reach", &params, SOON).await.unwrap();
    assert!(answer.get().contains("-32602"), "{}", answer.get());
    let http = http(&http_url(&pool), &RpcLimits::default()).unwrap();
    let params = keys.sign("vipnode_reach", &url, "1", &request);
    let answer = http.call_raw("vipnode_reach", params, SOON).await.unwrap();
    assert!(answer.get().contains("the nonce is"), "{}", answer.get());
}
