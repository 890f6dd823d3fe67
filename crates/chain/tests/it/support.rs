//! An EVM node that answers as a test wants it to.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use vipnode_chain::{ChainLimits, EvmNodes};

/// What is answered to a call.
pub enum Answer {
    Result(Value),
    Error(Value),
    /// A whole HTTP body with its status.
    Http(u16, String),
    /// The connection is closed.
    Nothing,
    /// The connection stays open.
    Silence,
}

/// A node, and the calls that it got. Stopped when dropped.
pub struct FakeNode {
    pub url: String,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    server: JoinHandle<()>,
}

type Answers = Arc<dyn Fn(&str, &Value) -> Answer + Send + Sync>;

impl FakeNode {
    pub async fn start(answers: impl Fn(&str, &Value) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v3/0123456789abcdef", listener.local_addr().unwrap());
        let (answers, calls): (Answers, _) = (Arc::new(answers), Arc::<Mutex<Vec<_>>>::default());
        let kept = Arc::clone(&calls);
        let server = tokio::spawn(async move {
            // They end with this task.
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(socket, Arc::clone(&answers), Arc::clone(&kept)));
            }
        });
        Self { url, calls, server }
    }

    /// This node with quick retries and these limits.
    pub fn open(&self, limits: ChainLimits) -> EvmNodes {
        let pause = std::time::Duration::from_millis(1);
        EvmNodes::open(&self.url.parse().unwrap(), ChainLimits { pause, poll: pause, ..limits }).unwrap()
    }

    pub fn calls(&self, method: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(called, _)| called == method).map(|(_, params)| params.clone()).collect()
    }
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(mut socket: TcpStream, answers: Answers, calls: Arc<Mutex<Vec<(String, Value)>>>) {
    let mut read = Vec::new();
    loop {
        let body = loop {
            if let Some(body) = body_of(&read) {
                break body;
            }
            let mut chunk = [0; 4_096];
            match socket.read(&mut chunk).await {
                Ok(count) if count > 0 => read.extend(&chunk[..count]),
                _ => return,
            }
        };
        read.clear();
        let request: Value = serde_json::from_slice(&body).unwrap();
        let method = request["method"].as_str().unwrap().to_owned();
        calls.lock().unwrap().push((method.clone(), request["params"].clone()));
        let (status, body) = match answers(&method, &request["params"]) {
            Answer::Result(result) => {
                (200, json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }).to_string())
            }
            Answer::Error(error) => (200, json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }).to_string()),
            Answer::Http(status, body) => (status, body),
            Answer::Nothing => return,
            Answer::Silence => return std::future::pending().await,
        };
        let head =
            format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if socket.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

fn body_of(read: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(read);
    let (head, _) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok())?;
    let begin = head.len() + 4;
    read.get(begin..begin + length).map(<[u8]>::to_vec)
}
