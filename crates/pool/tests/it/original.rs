//! Agents of the original at our pool, over real sockets.

use std::{collections::BTreeSet, time::Duration};

use crate::common::{
    Original, RawSocket, code, config, connect_request, exchange, frame, nonce, pool, post_text, update_request, ws_url,
};
use serde_json::{Value, json};
use tokio::time::Instant;
use vipnode_pool::{AllowedOrigin, Membership, PoolConfig, PoolLimits, PoolServer, StatusAudience};
use vipnode_pool_core::Limits;
use vipnode_types::{JoinSecret, NodeKey, protocol2::signed_params};

const LATEST: Duration = Duration::from_secs(40);

/// Calls as fast as a test likes, and agents that are soon silent.
async fn hasty() -> PoolServer {
    let limits = PoolLimits {
        calls_a_second: 1_000_000,
        burst: 1_000_000,
        status_age: Duration::ZERO,
        unauthenticated: Duration::from_millis(300),
        ..PoolLimits::default()
    };
    let core = Limits { silence_ms: 2_000, report_interval_ms: 1_000, reconnect_window_ms: 1_000, ..Limits::default() };
    let welcome = Some("Welcome, {{.NodeID}}".parse().unwrap());
    PoolServer::spawn(PoolConfig { limits, core, welcome, ..config() }).await.unwrap()
}

async fn status(pool: &PoolServer) -> Value {
    let answer = post_text(pool.local_addr(), r#"{"id":1,"method":"pool_status","params":[]}"#).await;
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str::<Value>(body).unwrap()["result"].clone()
}

#[tokio::test]
async fn a_light_node_gets_a_host_is_metered_and_the_host_hears_of_its_end() {
    let pool = hasty().await;
    let (mut host, mut client) = (Original::open(&pool, 1).await, Original::open(&pool, 2).await);
    let welcome = host.connect(true).await;
    assert_eq!(welcome["message"], format!("Welcome, {}", host.id()));
    assert!(welcome["pool_version"].is_string());
    client.connect(false).await;
    assert_eq!(host.update(&[], 100).await["active_peers"], json!([]));

    let asked = client.send("vipnode_peer", r#"{"num":3,"kind":"geth"}"#).await;
    host.let_in().await;
    assert_eq!(host.whitelisted, [client.id().to_string()]);
    let peers = client.answer(asked).await.unwrap()["peers"].clone();
    assert_eq!(peers.as_array().unwrap().len(), 1, "one host is all there is");
    assert_eq!(
        peers[0]["uri"],
        format!("enode://{}@127.0.0.1:30399", host.id()),
        "the observed address with the claimed port"
    );
    assert_eq!((&peers[0]["ID"], &peers[0]["IsHost"]), (&json!(host.id().to_string()), &json!(true)));

    // Both report each other until some of it is metered time.
    let (host_id, client_id) = (host.id(), client.id());
    let until = Instant::now() + Duration::from_millis(600);
    while Instant::now() < until {
        let news = client.update(&[host_id], 99).await;
        assert_eq!(news["active_peers"], json!([format!("enode://{host_id}@127.0.0.1:30399")]));
        assert_eq!(news["latest_block_number"], 99, "the median of both, rounded down");
        assert!(news["invalid_peers"].as_array().unwrap().is_empty() && news.get("balance").is_none());
        // A strict host keeps the client by its address (fault D33, docs/faults.md).
        let news = host.update(&[client_id], 100).await;
        assert_eq!(news["active_peers"].as_array().unwrap().len(), 1, "{news}");
    }
    let before = status(&pool).await;
    assert_eq!(before["stats"]["num_running_leases"], 1, "{before}");

    // The client goes, and is silent; the host has to drop it until it reports it no longer.
    drop(client);
    let deadline = Instant::now() + LATEST;
    while host.update(&[client_id], 101).await["invalid_peers"] != json!([client_id.to_string()]) {
        assert!(Instant::now() < deadline, "the host never got a call");
        tokio::task::yield_now().await;
    }
    assert_eq!(host.update(&[], 102).await["invalid_peers"], json!([]), "it has dropped it");
    let after = status(&pool).await;
    assert_eq!((&after["stats"]["num_running_leases"], &after["stats"]["num_metered_leases"]), (&json!(0), &json!(1)));
    assert!(after["stats"]["metered_ms"].as_u64().unwrap() >= 300, "{after}");
}

#[tokio::test]
async fn a_connected_socket_of_protocol_2_is_not_closed_for_saying_nothing() {
    let pool = hasty().await;
    let mut host = Original::open(&pool, 1).await;
    host.connect(true).await;
    let mut stranger = RawSocket::open(&ws_url(&pool)).await;
    assert!(stranger.closed().await.contains("did not authenticate"), "at its limit");
    assert_eq!(host.update(&[], 1).await["latest_block_number"], 1);
    let early = Original::open(&pool, 2).await.call("vipnode_update", &update_request(&[], 1)).await.unwrap_err();
    assert_eq!(code(&early), -32000);
    assert!(early["message"].as_str().unwrap().contains("has not authenticated"), "{early}");
}

/// A call that the original signed. Its signature is valid for the bytes as sent; its nonce is long outdated.
#[tokio::test]
async fn d9_d11_the_golden_vector_holds_and_is_too_old() {
    const ARGUMENT: &str = r#"{"peers_info":[{"id":"x","name":"a\u003cb\u003e\u0026c","caps":null,"protocols":null,"network":{"localAddress":"","remoteAddress":""}}],"block_number":0}"#;
    const SIGNATURE: &str = "Bg/iL/rHxi6QjnGS+zcwbqeux5Xlu8WLf2RI0yRC7j86iMrgvvfMCgf0STP7eQb2+ecmdDKDgTQQzer1GfnMrAA=";
    let key = "433ef0997f8c5dfbd8f3922c24c9cc15df1f388e26b0e4f6e1ba7a230fcdb8fa";
    let key = NodeKey::read(key.as_bytes()).unwrap();
    let pool = pool().await;
    let mut agent = Original::open(&pool, 1).await;
    agent.key = key;
    agent.connect(false).await;
    let params = format!(r#"["{SIGNATURE}","{}",1600000000000000000,{ARGUMENT}]"#, agent.id());
    let mut ask = async |params: &str| {
        agent.socket.send(&frame(77, "vipnode_update", params)).await;
        agent.answer(77).await.unwrap_err()
    };
    let old = ask(&params).await;
    assert!(old["message"].as_str().unwrap().contains("behind this pool's clock"), "{old}");
    for tampered in [
        params.replace("\"block_number\":0", "\"block_number\":1"),
        params.replace("\\u003c", "<"),
        params.replace("[{\"id\"", "[ {\"id\""),
    ] {
        let refused = ask(&tampered).await;
        assert_eq!(code(&refused), -32000);
        assert!(refused["message"].as_str().unwrap().contains("signature"), "{refused}");
    }
}

#[tokio::test]
async fn d2_less_than_one_peer_is_refused_with_a_hint() {
    let pool = pool().await;
    let mut agent = Original::open(&pool, 1).await;
    agent.connect(false).await;
    for num in ["-1", "0", "-9223372036854775808"] {
        let error = agent.call("vipnode_peer", &format!("{{\"num\":{num}}}")).await.unwrap_err();
        assert_eq!(code(&error), -32602);
        assert!(error["data"]["hint"].as_str().unwrap().contains("num"), "{error}");
    }
}

/// Faults D1 and D10 (docs/faults.md), and other calls that no honest agent sends.
#[tokio::test]
async fn d6_a_call_for_peers_is_signed_and_taken_once() {
    let pool = pool().await;
    let mut agent = Original::open(&pool, 1).await;
    agent.connect(false).await;
    let id = agent.id().to_string();
    let fresh = |argument: &str| signed_params(&NodeKey::read(&[1; 32]).unwrap(), "vipnode_peer", nonce(), argument);
    for (params, wanted) in [
        (fresh("{\"num\":1}").replace("\"num\":1", "\"num\":2"), -32000),
        (fresh("{}").replace(&id, &id.to_uppercase()), -32000),
        (fresh("{}").replace(&id, &format!("0x{id}")), -32000),
        (fresh("{}").replace(&id, &format!("0x{}", &id[..40])), -32000),
        (format!(r#"["","{id}",{},{{"num":1}}]"#, nonce()), -32000),
        (format!(r#"["AAAA","{id}",{},{{"num":1}}]"#, nonce()), -32000),
        (format!(r#"["AAAA","{id}",-1,{{"num":1}}]"#), -32602),
        ("[]".to_owned(), -32602),
        ("{}".to_owned(), -32602),
        ("null".to_owned(), -32602),
        (fresh("[]"), -32602),
        (fresh("{\"num\":\"1\"}"), -32602),
    ] {
        agent.socket.send(&frame(9, "vipnode_peer", &params)).await;
        assert_eq!(code(&agent.answer(9).await.unwrap_err()), wanted, "{params}");
    }
    // Fault D9 (docs/faults.md): a call is accepted once.
    let params = fresh("{\"num\":1}");
    agent.socket.send(&frame(10, "vipnode_peer", &params)).await;
    assert!(agent.answer(10).await.is_ok());
    agent.socket.send(&frame(11, "vipnode_peer", &params)).await;
    assert!(agent.answer(11).await.unwrap_err()["message"].as_str().unwrap().contains("nonce"));
    // The socket and the pool live.
    agent.update(&[], 1).await;
}

#[tokio::test]
async fn the_older_methods_are_served() {
    let pool = pool().await;
    let (mut host, mut client) = (Original::open(&pool, 1).await, Original::open(&pool, 2).await);
    // Without a node URI, as hosts that listen on the usual port. Both are on mainnet by their age.
    let welcome = host.call("vipnode_host", r#"{"kind":"geth","payout":""}"#).await.unwrap();
    assert!(welcome["pool_version"].is_string());
    let asked = client.send("vipnode_client", r#"{"kind":"geth"}"#).await;
    host.let_in().await;
    let reply = client.answer(asked).await.unwrap();
    assert_eq!(reply["hosts"][0]["uri"], format!("enode://{}@127.0.0.1:30303", host.id()));
    // `peers` is what agents sent before `peers_info`.
    let id = host.id();
    let old = client.call("vipnode_update", &format!(r#"{{"peers":["{id}"],"block_number":1}}"#)).await.unwrap();
    assert_eq!(old["active_peers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn over_http_a_node_is_a_client_and_never_a_host() {
    let pool = pool().await;
    let key = NodeKey::read(&[3; 32]).unwrap();
    let post = async |method: &str, argument: &str| {
        let params = signed_params(&key, method, nonce(), argument);
        let answer = post_text(pool.local_addr(), &frame(1, method, &params)).await;
        serde_json::from_str::<Value>(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let early = post("vipnode_update", &update_request(&[], 1)).await;
    assert_eq!(code(&early["error"]), -32000, "it has not connected");
    let refused = post("vipnode_host", r#"{"kind":"geth","payout":""}"#).await;
    assert!(refused["error"]["data"]["hint"].as_str().unwrap().contains("ws://"), "{refused}");
    assert!(post("vipnode_connect", &connect_request(true, "")).await["result"]["pool_version"].is_string());
    assert_eq!(post("vipnode_update", &update_request(&[], 5)).await["result"]["latest_block_number"], 5);
    assert_eq!(status(&pool).await["stats"]["num_active_hosts"], 0);
    assert_eq!(post("vipnode_peer", r#"{"num":1}"#).await["result"], json!({"peers": []}));
}

/// `web/`, Status.vue: what the page shows, with moments that `new Date` reads.
#[tokio::test]
async fn d29_d36_the_status_is_what_the_originals_page_reads() {
    let pool = hasty().await;
    let mut host = Original::open(&pool, 1).await;
    host.connect(true).await;
    host.update(&[], 4_242).await;
    // A full node asks for peers too, and the page shows light nodes as clients.
    host.call("vipnode_peer", r#"{"num":1,"kind":"geth"}"#).await.unwrap();
    let status = status(&pool).await;
    for moment in [&status["time_started"], &status["time_updated"], &status["active_hosts"][0]["last_seen"]] {
        assert!(moment.as_str().unwrap().ends_with('Z') && moment.as_str().unwrap().starts_with("20"), "{moment}");
    }
    let shown = &status["active_hosts"][0];
    assert_eq!((&shown["short_id"], &shown["kind"]), (&json!(&host.id().to_string()[..12]), &json!("geth")));
    assert_eq!((&shown["block_number"], &shown["num_peers"]), (&json!(4_242), &json!(0)));
    assert_eq!(shown["vipnode_version"], "v2.3.0");
    let stats = &status["stats"];
    assert_eq!((&stats["num_active_hosts"], &stats["num_total_hosts"]), (&json!(1), &json!(1)));
    assert_eq!((&stats["num_active_clients"], &stats["num_total_clients"]), (&json!(0), &json!(0)));
    assert_eq!((&stats["latest_block_number"], &stats["num_trial_balances"]), (&json!(4_242), &json!(0)));
    assert_eq!((&stats["total_credit"], &stats["total_deposit"]), (&json!("0"), &json!("0")), "no JSON numbers");
}

#[tokio::test]
async fn the_status_is_for_whom_the_operator_says() {
    const ASK: &str = r#"{"id":5,"method":"pool_status"}"#;
    for (audience, stranger, connected) in [
        (StatusAudience::Public, true, true),
        (StatusAudience::Members, false, true),
        (StatusAudience::Off, false, false),
    ] {
        let pool = PoolServer::spawn(PoolConfig { status: audience, ..config() }).await.unwrap();
        let over_http = post_text(pool.local_addr(), ASK).await;
        assert_eq!(over_http.contains("active_hosts"), stranger, "{over_http}");
        assert!(stranger || over_http.contains("--status"), "{over_http}");
        let mut agent = Original::open(&pool, 1).await;
        agent.socket.send(ASK).await;
        assert_eq!(agent.answer(5).await.is_ok(), stranger, "{audience:?}");
        agent.connect(false).await;
        agent.socket.send(ASK).await;
        assert_eq!(agent.answer(5).await.is_ok(), connected, "{audience:?}");
    }
}

#[tokio::test]
async fn closed_pools_and_pools_for_one_network_say_why() {
    let mut members = BTreeSet::new();
    members.insert(NodeKey::read(&[1; 32]).unwrap().id());
    let pool = PoolServer::spawn(PoolConfig { members: Membership::Members(members), ..config() }).await.unwrap();
    Original::open(&pool, 1).await.connect(false).await;
    let hello = connect_request(false, "");
    let error = Original::open(&pool, 2).await.call("vipnode_connect", &hello).await.unwrap_err();
    assert_eq!(code(&error), -32000);
    let members = Membership::Secret(JoinSecret::new("sesame").unwrap());
    let pool = PoolServer::spawn(PoolConfig { members, ..config() }).await.unwrap();
    let error = Original::open(&pool, 1).await.call("vipnode_connect", &hello).await.unwrap_err();
    assert_eq!(code(&error), -32000);
    assert!(error["message"].as_str().unwrap().contains("secret"), "{error}");
    let network = Some("mainnet".parse().unwrap());
    let pool = PoolServer::spawn(PoolConfig { network, ..config() }).await.unwrap();
    let error = Original::open(&pool, 1).await.call("vipnode_connect", &hello).await.unwrap_err();
    assert_eq!(code(&error), -32000);
    assert!(error["message"].as_str().unwrap().contains("mainnet"), "{error}");
    Original::open(&pool, 1).await.call("vipnode_connect", &hello.replace("1337", "1")).await.unwrap();
}

#[tokio::test]
async fn d45_batches_notifications_and_any_id_as_json_rpc_says() {
    let pool = pool().await;
    let mut agent = Original::open(&pool, 1).await;
    let key = NodeKey::read(&[1; 32]).unwrap();
    let connect = signed_params(&key, "vipnode_connect", nonce(), &connect_request(false, ""));
    let update = signed_params(&key, "vipnode_update", nonce(), &update_request(&[], 3));
    let note = r#"{"jsonrpc":"2.0","method":"vipnode_ping","params":[]}"#;
    agent.socket.send(note).await;
    let batch = format!(
        r#"[{{"id":"a","method":"vipnode_connect","params":{connect}}},{note},{{"id":null,"method":"vipnode_ping"}},{{"id":1.5,"jsonrpc":"","method":"vipnode_update","params":{update}}},5]"#
    );
    agent.socket.send(&batch).await;
    let answers = agent.socket.next().await;
    let of = |id: Value, error: bool| {
        answers.as_array().unwrap().iter().find(|one| one["id"] == id && one.get("error").is_some() == error).cloned()
    };
    assert_eq!(answers.as_array().unwrap().len(), 4, "{answers}");
    assert!(of(json!("a"), false).unwrap()["result"]["pool_version"].is_string());
    assert_eq!(of(Value::Null, false).unwrap()["result"], "pong");
    assert_eq!(of(json!(1.5), false).unwrap()["result"]["latest_block_number"], 3);
    assert_eq!(of(Value::Null, true).unwrap()["error"]["code"], -32600);
}

#[tokio::test]
async fn d45_a_page_sends_a_preflight_and_learns_whether_it_may_post() {
    let origins = ["https://pages.example".parse::<AllowedOrigin>().unwrap()].into_iter().collect();
    let pool = PoolServer::spawn(PoolConfig { origins, ..config() }).await.unwrap();
    let ask = async |method: &str, origin: &str, body: &str| {
        let length = body.len();
        let text = format!(
            "{method} / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\norigin: {origin}\r\n\
             access-control-request-method: POST\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        exchange(pool.local_addr(), text.as_bytes()).await
    };
    let may = ask("OPTIONS", "https://pages.example", "").await;
    assert!(may.starts_with("HTTP/1.1 204"), "{may}");
    for line in ["access-control-allow-origin: https://pages.example", "access-control-allow-methods: GET, POST"] {
        assert!(may.contains(line), "{may}");
    }
    let other = ask("OPTIONS", "https://evil.example", "").await;
    assert!(other.starts_with("HTTP/1.1 204") && !other.contains("access-control"), "{other}");
    let ping = r#"{"id":1,"method":"vipnode_ping"}"#;
    let answer = ask("POST", "https://pages.example", ping).await;
    assert!(answer.contains("access-control-allow-origin: https://pages.example") && answer.ends_with("\"pong\"}"));
}

/// Faults D7 and D46 (docs/faults.md): signed or not, a wallet cannot claim anything, and its data is not disclosed.
#[tokio::test]
async fn d7_d46_a_wallet_is_answered_honestly() {
    let pool = pool().await;
    let wallet = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
    let call = async |method: &str, params: &str| {
        let answer = post_text(pool.local_addr(), &frame(1, method, params)).await;
        serde_json::from_str::<Value>(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let account = call("pool_account", &format!("[\"{wallet}\"]")).await;
    assert_eq!(account["result"]["node_short_ids"], json!([]));
    assert_eq!(account["result"]["balance"]["credit"], 0);
    let claim = format!("[\"0x{}\",\"{wallet}\",{},\"{}\"]", "11".repeat(65), nonce(), "ab".repeat(64));
    let refused = call("pool_addNode", &claim).await;
    assert_eq!(code(&refused["error"]), -32000);
}

/// A browser sends a POST of plain text, and opens a WebSocket, without asking the server first.
#[tokio::test]
async fn a_foreign_page_cannot_call_the_pool() {
    let origins = ["https://pages.example".parse::<AllowedOrigin>().unwrap()].into_iter().collect();
    let public_urls = vec!["wss://pool.example".parse().unwrap()];
    let pool = PoolServer::spawn(PoolConfig { origins, public_urls, ..config() }).await.unwrap();
    let address = pool.local_addr();
    let own = format!("http://localhost:{}", address.port());
    let ping = r#"{"id":1,"method":"vipnode_ping"}"#;
    for (page, may) in [
        ("https://pages.example", true),
        ("https://pool.example", true),
        (&*own, true),
        ("https://evil.example", false),
        ("http://localhost:3000", false),
        ("null", false),
    ] {
        let post = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\norigin: {page}\r\ncontent-type: text/plain\r\n\
             content-length: {}\r\n\r\n{ping}",
            ping.len()
        );
        let answer = exchange(address, post.as_bytes()).await;
        assert_eq!(answer.contains("pong"), may, "{page}: {answer}");
        assert!(may || (answer.starts_with("HTTP/1.1 403") && answer.contains("--allow-origin")), "{answer}");
        let upgrade = format!(
            "GET / HTTP/1.1\r\nhost: localhost\r\norigin: {page}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let status = first_line(address, &upgrade).await;
        assert_eq!(status.contains("101"), may, "{page}: {status}");
        let get = format!("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\norigin: {page}\r\n\r\n");
        assert!(exchange(address, get.as_bytes()).await.starts_with("HTTP/1.1 200"), "it only may not be read");
    }
}

async fn first_line(address: std::net::SocketAddr, request: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(line).unwrap()
}
