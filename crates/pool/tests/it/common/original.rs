//! An agent of the original: frames as its Go code writes them, answers as it reads them.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use serde_json::{Value, json};
use vipnode_pool::PoolServer;
use vipnode_types::{NodeId, NodeKey, protocol2::signed_params};

use super::{RawSocket, ws_url};

/// `jsonrpc2/types.go`, Message: the request's fields first, then id and version. `json.Encoder` ends it
/// with a line feed.
pub(crate) fn frame(id: u64, method: &str, params: &str) -> String {
    format!("{{\"method\":\"{method}\",\"params\":{params},\"id\":{id},\"jsonrpc\":\"2.0\"}}\n")
}

/// Nanoseconds since the epoch, as `time.Now().UnixNano()`; each is newer than the one before. This clock is
/// a little ahead, so that no call falls into the millisecond of the pool's start.
pub(crate) fn nonce() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = u64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos()).unwrap() + 10_000_000;
    LAST.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(now.max(last + 1))).unwrap();
    LAST.load(Ordering::SeqCst)
}

/// `pool/pool.go`, ConnectRequest with `ethnode/rpc.go`, UserAgent.
pub(crate) fn connect_request(full: bool, node_uri: &str) -> String {
    let uri = if node_uri.is_empty() { String::new() } else { format!("\"node_uri\":\"{node_uri}\",") };
    format!(
        r#"{{"vipnode_version":"v2.3.0","node_info":{{"version":"Geth/v1.9.20-stable/linux-amd64/go1.14","eth_protocol":"0x40","kind":1,"network":1337,"is_full_node":{full}}},{uri}"payout":""}}"#
    )
}

/// `pool/pool.go`, UpdateRequest with `ethnode/rpc.go`, PeerInfo: every peer of the node, `null` for none.
pub(crate) fn update_request(peers: &[NodeId], block: u64) -> String {
    let one = |id: &NodeId| {
        format!(
            r#"{{"enode":"enode://{id}@127.0.0.1:30303","id":"{:064x}","name":"Geth/v1.9.20 \u003ctest\u003e","caps":["eth/64","eth/65"],"protocols":{{"eth":{{"version":65}}}},"network":{{"localAddress":"127.0.0.1:5","remoteAddress":"127.0.0.1:6"}}}}"#,
            7
        )
    };
    let peers: Vec<String> = peers.iter().map(one).collect();
    let peers = if peers.is_empty() { "null".to_owned() } else { format!("[{}]", peers.join(",")) };
    format!(r#"{{"peers_info":{peers},"block_number":{block}}}"#)
}

/// One agent on a WebSocket.
pub(crate) struct Original {
    pub(crate) key: NodeKey,
    pub(crate) socket: RawSocket,
    next_id: u64,
    /// Whom the pool had it let in.
    pub(crate) whitelisted: Vec<String>,
}

impl Original {
    pub(crate) async fn open(pool: &PoolServer, seed: u8) -> Self {
        let socket = RawSocket::open(&ws_url(pool)).await;
        Self { key: NodeKey::read(&[seed; 32]).unwrap(), socket, next_id: 1, whitelisted: Vec::new() }
    }

    pub(crate) fn id(&self) -> NodeId {
        self.key.id()
    }

    /// Sends a signed call.
    pub(crate) async fn send(&mut self, method: &str, argument: &str) -> u64 {
        let (id, params) = (self.next_id, signed_params(&self.key, method, nonce(), argument));
        self.next_id += 1;
        self.socket.send(&frame(id, method, &params)).await;
        id
    }

    /// Waits for the answer to a call and serves the pool's calls meanwhile, as `agent/agent.go`,
    /// Whitelist, does: the answer of a method without a result is null.
    pub(crate) async fn answer(&mut self, id: u64) -> Result<Value, Value> {
        loop {
            let message = self.socket.next().await;
            if message["method"] == "vipnode_whitelist" {
                self.serve(&message).await;
            } else if message["id"] == id {
                assert_eq!(message["jsonrpc"], "2.0");
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].clone()),
                };
            }
        }
    }

    pub(crate) async fn call(&mut self, method: &str, argument: &str) -> Result<Value, Value> {
        let id = self.send(method, argument).await;
        self.answer(id).await
    }

    /// Serves one call of the pool.
    pub(crate) async fn let_in(&mut self) {
        let message = self.socket.next().await;
        self.serve(&message).await;
    }

    async fn serve(&mut self, message: &Value) {
        assert_eq!(message["method"], "vipnode_whitelist", "{message}");
        self.whitelisted.push(message["params"][0].as_str().unwrap().to_owned());
        let id = &message["id"];
        self.socket.send(&format!("{{\"result\":null,\"id\":{id},\"jsonrpc\":\"2.0\"}}\n")).await;
    }

    pub(crate) async fn connect(&mut self, full: bool) -> Value {
        // What an agent sends whose node knows no public address.
        let uri = if full { format!("enode://{}@[::]:30399", self.id()) } else { String::new() };
        self.call("vipnode_connect", &connect_request(full, &uri)).await.unwrap()
    }

    pub(crate) async fn update(&mut self, peers: &[NodeId], block: u64) -> Value {
        self.call("vipnode_update", &update_request(peers, block)).await.unwrap()
    }
}

/// The code of an error, which has a sentence and how to fix it.
pub(crate) fn code(error: &Value) -> i64 {
    assert!(error["message"].as_str().is_some_and(|message| message.len() > 10), "{error}");
    let hint = error["data"]["hint"].as_str().unwrap_or_default();
    assert!(!hint.is_empty() || error["code"] == json!(-32602) || error["code"] == json!(-32601), "{error}");
    error["code"].as_i64().unwrap()
}
