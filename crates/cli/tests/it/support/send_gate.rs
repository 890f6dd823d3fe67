//! A gate before an EVM node, which refuses to send transactions until it is opened.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Passes the calls of a pool on to its EVM node.
#[derive(Debug, Clone)]
pub struct SendGate {
    /// Where it listens.
    pub url: String,
    is_open: Arc<AtomicBool>,
    sent: Arc<Mutex<Vec<Value>>>,
}

impl SendGate {
    /// A closed gate before the node at this URL.
    pub async fn before(node: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let gate = Self { url, is_open: Arc::default(), sent: Arc::default() };
        let (each, node) = (gate.clone(), node.trim_start_matches("http://").to_owned());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (each, node) = (each.clone(), node.clone());
                tokio::spawn(async move { each.serve(socket, &node).await });
            }
        });
        gate
    }

    pub fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }

    /// The transactions that the pool tried to send, also while it was closed.
    pub fn sent(&self) -> Vec<Value> {
        self.sent.lock().unwrap().clone()
    }

    /// Answers the calls of one connection. `None` at its end.
    async fn serve(&self, mut socket: TcpStream, node: &str) -> Option<()> {
        let mut upstream = TcpStream::connect(node).await.ok()?;
        loop {
            let request = message(&mut socket).await?;
            let call: Value = serde_json::from_slice(body(&request)?).ok()?;
            if call["method"] == "eth_sendRawTransaction" {
                self.sent.lock().unwrap().push(call["params"][0].clone());
                if !self.is_open.load(Ordering::SeqCst) {
                    let error = json!({ "code": -32_000, "message": "the gate is closed" });
                    let answer = json!({ "jsonrpc": "2.0", "id": call["id"], "error": error }).to_string();
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
                    socket.write_all(format!("{head} {}\r\n\r\n{answer}", answer.len()).as_bytes()).await.ok()?;
                    continue;
                }
            }
            upstream.write_all(&request).await.ok()?;
            socket.write_all(&message(&mut upstream).await?).await.ok()?;
        }
    }
}

/// The body of a message.
fn body(message: &[u8]) -> Option<&[u8]> {
    let end = message.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    message.get(end + 4..)
}

/// Reads an HTTP message with its body, whose length is stated.
async fn message(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    loop {
        if let Some(body) = body(&read) {
            let head = String::from_utf8_lossy(&read[..read.len() - body.len()]).to_lowercase();
            let length = head.split("content-length:").nth(1)?.lines().next()?.trim().parse::<usize>().ok()?;
            if body.len() >= length {
                return Some(read);
            }
        }
        if socket.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}
