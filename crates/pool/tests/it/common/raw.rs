//! What no honest agent sends.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// A WebSocket that sends any text.
pub(crate) struct RawSocket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl RawSocket {
    pub(crate) async fn open(url: &str) -> Self {
        Self(connect_async(url).await.unwrap().0)
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next JSON text.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match self.0.next().await.expect("the socket is open").expect("the socket is well") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(close) => panic!("closed: {close:?}"),
                _ => {}
            }
        }
    }

    /// The reason of the close frame; what comes before is dropped.
    pub(crate) async fn closed(&mut self) -> String {
        while let Some(Ok(message)) = self.0.next().await {
            if let Message::Close(close) = message {
                return close.map(|close| close.reason.to_string()).unwrap_or_default();
            }
        }
        "closed without a reason".to_owned()
    }
}

/// Writes bytes and reads until the other side ends the connection.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// One HTTP request without a body.
pub(crate) async fn get(address: SocketAddr, path: &str) -> String {
    exchange(address, format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes()).await
}

/// One HTTP POST.
pub(crate) async fn post_text(address: SocketAddr, body: &str) -> String {
    let head =
        format!("POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    exchange(address, format!("{head}{body}").as_bytes()).await
}
