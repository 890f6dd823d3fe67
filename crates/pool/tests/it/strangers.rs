//! Signatures, nonces, membership, and what strangers send.

use std::collections::BTreeSet;

use crate::common::{Agent, Keys, RawSocket, config, get, http_url, pool, post, post_text, wall, ws_url};
use serde_json::{Value, json, value::RawValue};
use vipnode_pool::{
    DataDir, Membership, PoolConfig, PoolError, PoolServer, StartError, StatusAudience,
    admin::{AdminClient, LedgerOrder, LedgerRequest, admin_socket},
};
use vipnode_pool_core::Limits;
use vipnode_rpc::{RpcLimits, http};
use vipnode_types::{
    Account, Amount, Asset, JoinSecret, PaymentMode, PoolKeyChanges, Price, QuotedPrice, TypedError as _,
    wire::{
        ConnectReply, ErrorCode, POOL_CHANGES_HEADER, POOL_ID_HEADER, POOL_PROOF_HEADER, ReportReply, WireError, method,
    },
};

fn unauthorized(answer: Result<ConnectReply, WireError>, words: &str) {
    let error = answer.unwrap_err();
    assert!(error.is(ErrorCode::Unauthorized), "{error:?}");
    assert!(error.message.contains(words), "{error}");
    assert!(!error.data.unwrap_or_default().hint.is_empty(), "{} has a hint", error.message);
}

#[tokio::test]
async fn signatures_audiences_and_challenges_are_checked() {
    let pool = pool().await;
    let keys = Keys::new(1);
    let agent = Agent::open(&pool).await;
    let (url, challenge, hello) = (agent.url.clone(), agent.challenge(), keys.client());
    let connect = async |params: Box<RawValue>| agent.call::<ConnectReply>(method::CONNECT, &params).await;

    let elsewhere = keys.sign(method::CONNECT, "ws://other.example:8080", &challenge, &hello);
    unauthorized(connect(elsewhere).await, "ws://127.0.0.1");
    let other = Agent::open(&pool).await.challenge();
    unauthorized(connect(keys.sign(method::CONNECT, &url, &other, &hello)).await, "not the challenge");
    let other_method = keys.sign(method::ASK, &url, &challenge, &hello);
    unauthorized(connect(other_method).await, "signature does not match");
    let changed = keys.sign(method::CONNECT, &url, &challenge, &hello).get().replace("Geth/test", "Geth/tess");
    unauthorized(connect(RawValue::from_string(changed).unwrap()).await, "signature does not match");
    let expired = Keys { issued: wall().minus(7_200_000), ..Keys::new(1) };
    unauthorized(connect(expired.sign(method::CONNECT, &url, &challenge, &hello)).await, "expired");
    let stranger = Keys { node: Keys::new(9).node, ..Keys::new(1) };
    let forged = stranger
        .sign(method::CONNECT, &url, &challenge, &hello)
        .get()
        .replace(&stranger.id().to_string(), &keys.id().to_string());
    unauthorized(connect(RawValue::from_string(forged).unwrap()).await, "signature does not match");
    unauthorized(agent.call(method::CONNECT, &[&hello]).await, "not signed");

    connect(keys.sign(method::CONNECT, &url, &challenge, &hello)).await.unwrap();
}

#[tokio::test]
async fn d1_short_signatures_are_answered_and_the_pool_lives() {
    let pool = pool().await;
    let keys = Keys::new(1);
    let agent = Agent::open(&pool).await;
    let good = keys.sign(method::CONNECT, &agent.url, &agent.challenge(), &keys.client());
    let params: Value = serde_json::from_str(good.get()).unwrap();
    for signature in [json!(""), json!("00"), json!("zz"), json!("0".repeat(127)), json!(7), json!(null)] {
        for place in ["/1/signature", "/1/delegation/signature"] {
            let mut params = params.clone();
            *params.pointer_mut(place).unwrap() = signature.clone();
            let error = agent.call::<Value>(method::CONNECT, &params).await.unwrap_err();
            assert!(error.is(ErrorCode::InvalidParams), "{error:?}");
        }
    }
    agent.connect(&keys, &keys.client()).await.unwrap();
}

#[tokio::test]
async fn a_socket_speaks_for_one_node_and_only_after_it_said_for_which() {
    let pool = pool().await;
    let agent = Agent::open(&pool).await;
    for (method, params) in [
        (method::REPORT, json!([{"seq": 1}])),
        (method::ASK, json!([{"want": 1}])),
        (method::EXPLAIN, json!([{}])),
        (method::LEAVE, json!([{"leases": [], "reason": "surplus"}])),
        (method::BYE, json!([{}])),
    ] {
        let error = agent.call::<Value>(method, &params).await.unwrap_err();
        assert!(error.is(ErrorCode::Unauthorized), "{method}: {error:?}");
    }
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    agent.connect(&ana, &ana.host(1)).await.unwrap();
    unauthorized(agent.connect(&ben, &ben.client()).await, "another node");
    agent.connect(&ana, &ana.host(2)).await.unwrap();
    for (params, code) in [
        (json!([]), ErrorCode::InvalidParams),
        (json!([7]), ErrorCode::InvalidParams),
        (json!([{"want": -1}]), ErrorCode::InvalidParams),
        (json!({"want": 1}), ErrorCode::InvalidParams),
    ] {
        assert!(agent.call::<Value>(method::ASK, &params).await.unwrap_err().is(code), "{params}");
    }
    let unknown = agent.call::<Value>("vipnode_updates", &[0; 0]).await.unwrap_err();
    assert!(unknown.is(ErrorCode::MethodNotFound) && unknown.message.contains("vipnode_updates"));
}

#[tokio::test]
async fn closed_pools_admit_members_and_holders_of_the_secret() {
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    let members = Membership::Members(BTreeSet::from([ana.id()]));
    let pool = PoolServer::spawn(PoolConfig { members, ..config() }).await.unwrap();
    Agent::open(&pool).await.connect(&ana, &ana.hello()).await.unwrap();
    let error = Agent::open(&pool).await.connect(&ben, &ben.hello()).await.unwrap_err();
    assert!(error.is(ErrorCode::NotMember) && error.data.unwrap().hint.contains(&ben.id().to_string()));

    let secret = JoinSecret::new("sesame").unwrap();
    let members = Membership::Secret(secret.clone());
    let pool = PoolServer::spawn(PoolConfig { members, ..config() }).await.unwrap();
    let agent = Agent::open(&pool).await;
    let hello = |secret: &str| ben.with_secret(ben.client(), &JoinSecret::new(secret).unwrap(), &agent.challenge());
    assert!(agent.connect(&ben, &ben.client()).await.unwrap_err().is(ErrorCode::NotMember));
    assert!(agent.connect(&ben, &hello("simsim")).await.unwrap_err().is(ErrorCode::NotMember));
    agent.connect(&ben, &hello("sesame")).await.unwrap();
}

#[tokio::test]
async fn d3_unsolicited_answers_and_garbage_do_not_stop_a_socket() {
    let pool = pool().await;
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    for _ in 0..3 {
        socket.send(r#"{"jsonrpc":"2.0","id":1,"result":"pong"}"#).await;
        socket.send(r#"{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"no"}}"#).await;
        socket.send(r#"{"method":"vipnode_ping"}"#).await;
    }
    for (text, code) in [("", -32700), ("nonsense", -32700), ("[[[[", -32700), ("{}", -32600), ("[]", -32600)] {
        socket.send(text).await;
        assert_eq!(socket.next().await["error"]["code"], code, "{text}");
    }
    let answer = r#"{"jsonrpc":"2.0","id":{"any":1.0},"result":"pong"}"#;
    socket.send(r#"{"id":{"any":1.0},"method":"vipnode_ping"}"#).await;
    assert_eq!(socket.next().await, serde_json::from_str::<Value>(answer).unwrap());
    socket.send(r#"[{"id":1,"method":"vipnode_ping"},{"id":2,"method":"pool_status"}]"#).await;
    assert_eq!(socket.next().await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn d8_a_call_whose_signature_does_not_hold_uses_no_nonce() {
    let pool = pool().await;
    let keys = Keys::new(1);
    let url = http_url(&pool);
    let rpc = http(&url, &RpcLimits::default()).unwrap();
    let now = wall().get();
    let largest = (now + 290_000).to_string();
    let good = keys.sign(method::CONNECT, &url, &largest, &keys.client());
    let bad = good.get().replace("Geth/test", "Geth/tess");
    let refused = rpc.call_raw(method::CONNECT, RawValue::from_string(bad).unwrap(), crate::common::LONG).await;
    unauthorized(crate::common::read(refused), "signature does not match");
    post::<ConnectReply>(&rpc, &keys, &url, method::CONNECT, now, &keys.client()).await.unwrap();

    let again = post::<ConnectReply>(&rpc, &keys, &url, method::CONNECT, now, &keys.client()).await;
    unauthorized(again, "was already used");
    let future = post::<ConnectReply>(&rpc, &keys, &url, method::CONNECT, now + 400_000, &keys.client()).await;
    unauthorized(future, "in the future");
    let elsewhere = post::<ConnectReply>(&rpc, &keys, "http://other:1", method::CONNECT, now + 1, &keys.client()).await;
    unauthorized(elsewhere, "other:1");
}

#[tokio::test]
async fn d32_a_new_socket_of_a_host_outlives_the_end_of_the_old_one() {
    let pool = pool().await;
    let (ana, ben) = (Keys::new(1), Keys::new(2));
    let old = Agent::open(&pool).await;
    old.connect(&ana, &ana.host(5)).await.unwrap();
    let mut new = Agent::open(&pool).await;
    new.connect(&ana, &ana.host(5)).await.unwrap();
    let reason = old.opened.closed.wait().await.to_string();
    assert!(reason.contains("a newer connection"), "{reason}");
    new.call::<ReportReply>(method::REPORT, &[json!({"seq":1,"full":[],"hash":"0000000000000000"})]).await.unwrap();

    let client = Agent::open(&pool).await;
    client.connect(&ben, &ben.client()).await.unwrap();
    let (asked, (method, _)) = tokio::join!(client.ask(1), new.take());
    assert_eq!((method.as_str(), asked.unwrap().hosts.len()), (method::ADMIT, 1));
}

#[tokio::test]
async fn http_answers_what_needs_no_signature() {
    let pool = pool().await;
    let address = pool.local_addr();
    assert!(
        post_text(address, r#"{"id":"7","method":"vipnode_ping"}"#)
            .await
            .ends_with(r#"{"jsonrpc":"2.0","id":"7","result":"pong"}"#)
    );
    let status = post_text(address, r#"{"id":1,"method":"pool_status","params":[]}"#).await;
    assert!(status.contains("active_hosts") && status.contains("application/json"), "{status}");
    let note = post_text(address, r#"{"method":"vipnode_ping"}"#).await;
    assert!(note.starts_with("HTTP/1.1 204"), "d45: {note}");
    let batch =
        post_text(address, r#"[{"id":1,"method":"vipnode_ping"},{"id":2,"method":"vipnode_ask","params":[{}]}]"#).await;
    assert!(batch.contains("pong") && batch.contains("-32001"), "{batch}");
    assert!(post_text(address, "nonsense").await.contains("-32700"));
    let health = get(address, "/health").await;
    let health: Value = serde_json::from_str(health.rsplit("\r\n\r\n").next().unwrap()).unwrap();
    assert_eq!(
        (&health["ok"], &health["stats"]["num_active_hosts"]),
        (&Value::Bool(true), &Value::from(0)),
        "{health}"
    );
    let off = PoolServer::spawn(PoolConfig { status: StatusAudience::Off, ..crate::common::config() }).await.unwrap();
    assert!(get(off.local_addr(), "/health").await.ends_with(r#"{"ok":true}"#), "nothing else is shown");
    assert!(get(address, "/any/health").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/metrics").await.contains("vipnode_pool_requests_total"));
    assert!(get(address, "/").await.contains("vipnode pool"));
    for path in ["/", "/health", "/metrics"] {
        let head = format!("HEAD {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let head = crate::common::exchange(address, head.as_bytes()).await;
        assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{path}: {head}");
    }
    let delete =
        crate::common::exchange(address, b"DELETE / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(delete.starts_with("HTTP/1.1 405"));
}

/// A pool where everything is free has no asset yet: its operator may choose one later.
#[tokio::test]
async fn a_pool_never_changes_its_asset_once_it_has_charged() {
    let dir = tempfile::tempdir().unwrap();
    let with = |core| PoolConfig { core, ..config() };
    let start = async |core| PoolServer::spawn_in(with(core), DataDir::open(dir.path()).unwrap()).await;
    let usdc: Asset = "USDC:6".parse().unwrap();
    let free = |asset| Limits { price: Price::free(asset), ..config().core };
    let priced =
        Limits { price: "1 USDC/day".parse::<QuotedPrice>().unwrap().in_asset(usdc).unwrap(), ..config().core };
    DataDir::check_asset(&dir.path().join("none"), usdc).unwrap();
    for asset in [Asset::ETHER, "EUR:2".parse().unwrap(), usdc] {
        DataDir::check_asset(dir.path(), asset).unwrap();
        start(free(asset)).await.unwrap().shutdown().await.unwrap();
    }
    let running = start(free(usdc)).await.unwrap();
    running.reload(&with(priced)).await;
    running.shutdown().await.unwrap();
    start(free(usdc)).await.unwrap().shutdown().await.unwrap();
    DataDir::check_asset(dir.path(), usdc).unwrap();
    let error = DataDir::check_asset(dir.path(), Asset::ETHER).unwrap_err();
    assert!(matches!(error, StartError::OtherAsset { .. }), "{error}");
    let error = start(free(Asset::ETHER)).await.unwrap_err();
    assert!(matches!(error, PoolError::Start(StartError::OtherAsset { .. })), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("--asset USDC:6") && hint.contains("--payment and --price"), "{hint}");
}

/// One start with --payment credit and without --asset fixes nothing.
#[tokio::test]
async fn the_asset_of_a_pool_whose_clients_pay_is_stored_with_the_first_amount() {
    let dir = tempfile::tempdir().unwrap();
    let start = async |asset| {
        let core = Limits { payment: PaymentMode::Credit, price: Price::free(asset), ..config().core };
        PoolServer::spawn_in(PoolConfig { core, ..config() }, DataDir::open(dir.path()).unwrap()).await
    };
    let usdc: Asset = "USDC:6".parse().unwrap();
    for asset in [Asset::ETHER, "EUR:2".parse().unwrap(), usdc] {
        DataDir::check_asset(dir.path(), asset).unwrap();
        let running = start(asset).await.unwrap();
        let prices = running.prices().await.unwrap();
        assert_eq!((prices.price, prices.next), (Price::free(asset), None), "no other price is announced");
        running.shutdown().await.unwrap();
    }
    let running = start(usdc).await.unwrap();
    let change = LedgerOrder::Credit { account: Account::new([7; 20]), amount: Amount::new(5_000_000) };
    let request = LedgerRequest { change, reason: "invoice 7".to_owned(), key: None, allow_negative: false };
    AdminClient::new(admin_socket(dir.path())).change_ledger(&request).await.unwrap();
    running.shutdown().await.unwrap();
    let running = start(usdc).await.unwrap();
    assert!(!running.has_unused_funds().await, "clients pay");
    running.shutdown().await.unwrap();
    let free = PoolConfig { core: Limits { price: Price::free(usdc), ..config().core }, ..config() };
    let running = PoolServer::spawn_in(free, DataDir::open(dir.path()).unwrap()).await.unwrap();
    assert!(running.has_unused_funds().await, "nobody pays, and the credit is left");
    running.shutdown().await.unwrap();
    let error = DataDir::check_asset(dir.path(), Asset::ETHER).unwrap_err();
    assert!(matches!(error, StartError::OtherAsset { .. }), "{error}");
    let error = start(Asset::ETHER).await.unwrap_err();
    assert!(matches!(error, PoolError::Start(StartError::OtherAsset { .. })), "{error}");
}

#[tokio::test]
async fn a_pool_with_a_data_directory_proves_its_id_and_sends_its_changes() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::new(1);
    let mut ids = Vec::new();
    for _start in 0..2 {
        let datadir = DataDir::open(dir.path()).unwrap();
        let id = datadir.id();
        let pool = PoolServer::spawn_in(config(), datadir).await.unwrap();
        let (mut socket, answer) = tokio_tungstenite::connect_async(ws_url(&pool)).await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header(POOL_ID_HEADER), id.to_string());
        assert!(id.proved_by(&header(POOL_PROOF_HEADER).parse().unwrap(), &header("vipnode-challenge")));
        socket.close(None).await.unwrap();
        let reply = Agent::open(&pool).await.connect(&keys, &keys.client()).await.unwrap();
        assert_eq!(reply.pool_id, Some(id));
        let status = post_text(pool.local_addr(), r#"{"id":1,"method":"pool_status","params":[]}"#).await;
        assert!(status.contains(&format!(r#""pool_id":"{id}""#)), "{status}");
        assert!(status.contains(&format!("\r\n{POOL_ID_HEADER}: {id}\r\n")), "{status}");
        pool.shutdown().await.unwrap();
        ids.push(id);
    }
    assert_eq!(ids[0], ids[1], "the id survives a restart");

    let mut datadir = DataDir::open(dir.path()).unwrap();
    datadir.rotate_key().unwrap();
    let id = datadir.id();
    let rotated = PoolServer::spawn_in(config(), datadir).await.unwrap();
    let (_socket, answer) = tokio_tungstenite::connect_async(ws_url(&rotated)).await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header(POOL_ID_HEADER), id.to_string());
    assert!(id.proved_by(&header(POOL_PROOF_HEADER).parse().unwrap(), &header("vipnode-challenge")));
    let changes: PoolKeyChanges = header(POOL_CHANGES_HEADER).parse().unwrap();
    assert!(changes.lead(&ids[0], &id), "an agent that remembers the old ID accepts the new one");
    rotated.shutdown().await.unwrap();

    let pool = pool().await;
    let (_socket, answer) = tokio_tungstenite::connect_async(ws_url(&pool)).await.unwrap();
    assert!(!answer.headers().contains_key(POOL_ID_HEADER) && !answer.headers().contains_key(POOL_PROOF_HEADER));
    assert_eq!(Agent::open(&pool).await.connect(&keys, &keys.client()).await.unwrap().pool_id, None);
}
