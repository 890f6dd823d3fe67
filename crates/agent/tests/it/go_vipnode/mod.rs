//! Stands in for a pool of the original: takes calls as the Go pool does, verifies them over what Go would
//! marshal again, and answers with the same text. Sources are files of github.com/vipnode/vipnode.

pub mod go;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json, value::RawValue};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// `pool/service.go`, poolWhitelistTimeout.
const WHITELIST: Duration = Duration::from_secs(5);

/// A call that held, as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: String,
    pub node: String,
    pub nonce: u64,
    pub argument: String,
}

#[derive(Default)]
pub struct State {
    pub heard: Vec<Heard>,
    /// Calls that a Go pool would have refused.
    pub refused: Vec<String>,
    /// The content of the next answer to an update of that node.
    pub invalid: BTreeMap<String, Vec<String>>,
    pub latest_block: u64,
    /// Nodes that presented themselves, and where hosts are.
    nodes: BTreeMap<String, Option<(String, Remote)>>,
    nonces: BTreeMap<String, u64>,
}

impl State {
    /// A memory store that is restarted knows nobody; sockets stay.
    pub fn forget(&mut self) {
        self.nodes.clear();
    }

    /// Arguments of the calls of that method by that node.
    pub fn arguments(&self, method: &str, node: &str) -> Vec<String> {
        let of = |heard: &&Heard| heard.method == method && heard.node == node;
        self.heard.iter().filter(of).map(|heard| heard.argument.clone()).collect()
    }
}

/// A socket to an agent, which can be called.
#[derive(Clone)]
struct Remote {
    out: mpsc::UnboundedSender<String>,
    pending: Arc<Mutex<BTreeMap<u64, oneshot::Sender<Value>>>>,
    last: Arc<AtomicU64>,
}

impl Remote {
    /// `jsonrpc2/remote.go`, Call with a nil result: an answer that is neither null nor an error fails to unmarshal.
    async fn call(&self, method: &str, argument: &str) -> Result<(), String> {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (answered, answer) = oneshot::channel();
        self.pending.lock().unwrap().insert(id, answered);
        let text = format!(r#"{{"method":"{method}","params":["{argument}"],"id":{id},"jsonrpc":"2.0"}}"#);
        self.out.send(text).map_err(|error| error.to_string())?;
        let answer = timeout(WHITELIST, answer).await.map_err(|_| "context deadline exceeded")?;
        let answer = answer.map_err(|error| error.to_string())?;
        match (answer.get("error"), answer.get("result")) {
            (Some(error), _) if !error.is_null() => Err(error["message"].as_str().unwrap_or_default().to_owned()),
            (_, None | Some(Value::Null)) => Ok(()),
            _ => Err("json: Unmarshal(nil)".to_owned()),
        }
    }
}

/// The pool; it ends when dropped.
pub struct GoPool {
    pub url: String,
    pub state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for GoPool {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl GoPool {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { url, state, task }
    }

    /// Waits until the state is as wanted.
    pub async fn until<T>(&self, what: &str, look: impl Fn(&mut State) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(found) = look(&mut self.state.lock().unwrap()) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(60), found).await.unwrap_or_else(|_| panic!("never: {what}"))
    }
}

/// `jsonrpc2/remote.go`, Serve: each request runs by itself.
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let Ok(socket) = accept_async(stream).await else { return };
    let (mut write, mut read) = socket.split();
    let (out, mut texts) = mpsc::unbounded_channel::<String>();
    let remote = Remote { out, pending: Arc::default(), last: Arc::default() };
    let writer = tokio::spawn(async move {
        while let Some(text) = texts.recv().await {
            if write.send(Message::text(text)).await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(message)) = read.next().await {
        let Message::Text(text) = message else { continue };
        let value: Value = serde_json::from_str(&text).unwrap();
        if value.get("method").is_none() {
            let waiting = value["id"].as_u64().and_then(|id| remote.pending.lock().unwrap().remove(&id));
            waiting.map(|waiting| waiting.send(value));
            continue;
        }
        let (remote, state) = (remote.clone(), state.clone());
        tokio::spawn(async move {
            let answer = request(&text, &remote, &state).await;
            let _gone = remote.out.send(answer);
        });
    }
    writer.abort();
}

/// `jsonrpc2/server.go`, Handle: every error comes with a result of null.
async fn request(text: &str, remote: &Remote, state: &Arc<Mutex<State>>) -> String {
    #[derive(serde::Deserialize)]
    struct Request {
        method: String,
        params: Box<RawValue>,
        id: Value,
    }
    let Request { method, params, id } = serde_json::from_str(text).unwrap();
    match handle(&method, &params, remote, state).await {
        Ok(result) => format!(r#"{{"result":{result},"id":{id},"jsonrpc":"2.0"}}"#),
        Err((code, message)) => {
            state.lock().unwrap().refused.push(format!("{method}: {message}"));
            let message = json!(message);
            format!(r#"{{"result":null,"error":{{"code":{code},"message":{message}}},"id":{id},"jsonrpc":"2.0"}}"#)
        }
    }
}

type Answer = Result<String, (i32, String)>;

async fn handle(method: &str, params: &RawValue, remote: &Remote, state: &Arc<Mutex<State>>) -> Answer {
    let internal = |message: String| (-32603, message);
    let go::Call { node, nonce, argument } = go::verify(method, params)?;
    {
        let mut state = state.lock().unwrap();
        // `pool/store/memory/memory.go`, CheckAndSaveNonce.
        if state.nonces.get(&node).is_some_and(|last| *last >= nonce) {
            return Err(internal(format!("method {method:?} failed to verify signature: invalid nonce")));
        }
        state.nonces.insert(node.clone(), nonce);
        let heard = Heard { method: method.to_owned(), node: node.clone(), nonce, argument: argument.clone() };
        state.heard.push(heard);
    }
    match method {
        "vipnode_connect" => {
            let request: go::ConnectRequest = serde_json::from_str(&argument).unwrap();
            let host = request.node_info.is_full_node.then(|| {
                let uri = request.node_uri.replace("[::]", "127.0.0.1");
                (uri, remote.clone())
            });
            state.lock().unwrap().nodes.insert(node, host);
            Ok(r#"{"pool_version":"dev","message":"Welcome to the pool."}"#.to_owned())
        }
        "vipnode_update" => state.lock().unwrap().update(&node).map_err(internal),
        "vipnode_peer" => peers(&node, state).await.map_err(internal),
        _ => Err((-32601, format!("method not found: {method}"))),
    }
}

impl State {
    /// `pool/service.go`, Update; a balance as `balance/nobalance.go` has it.
    fn update(&mut self, node: &str) -> Result<String, String> {
        if !self.nodes.contains_key(node) {
            // `pool/store/errors.go`.
            return Err("unregistered node".to_owned());
        }
        let invalid = json!(self.invalid.remove(node).unwrap_or_default());
        let latest = self.latest_block;
        Ok(format!(
            r#"{{"balance":{{"deposit":0,"credit":0,"next_withdraw":"0001-01-01T00:00:00Z"}},"invalid_peers":{invalid},"active_peers":[],"latest_block_number":{latest}}}"#
        ))
    }
}

/// `pool/service.go`, requestHosts: every host except the caller's own is asked, and those that accept are given.
async fn peers(node: &str, state: &Arc<Mutex<State>>) -> Result<String, String> {
    let hosts: Vec<(String, String, Remote)> = {
        let state = state.lock().unwrap();
        let of = |(id, host): (&String, &Option<(String, Remote)>)| {
            let (uri, remote) = host.clone()?;
            (id != node).then(|| (id.clone(), uri, remote))
        };
        state.nodes.iter().filter_map(of).collect()
    };
    let (mut entries, mut failed) = (Vec::new(), BTreeSet::new());
    for (id, uri, remote) in hosts {
        match remote.call("vipnode_whitelist", node).await {
            // `pool/store/store.go`, Node.
            Ok(()) => entries.push(format!(
                r#"{{"ID":"{id}","uri":"{uri}","last_seen":"2020-09-13T12:26:40.123456789Z","kind":"geth","IsHost":true,"Payout":"","block_number":7,"node_version":"Geth","vipnode_version":"dev"}}"#
            )),
            Err(error) => drop(failed.insert(error)),
        }
    }
    match (entries.is_empty(), failed.is_empty()) {
        (false, _) => Ok(format!(r#"{{"peers":[{}]}}"#, entries.join(","))),
        // `pool/errors.go`.
        (true, false) => Err(format!("failed to call \"vipnode_whitelist\" on {} hosts: {failed:?}", failed.len())),
        (true, true) => Err("no host nodes available".to_owned()),
    }
}
