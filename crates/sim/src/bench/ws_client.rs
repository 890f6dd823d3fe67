//! The WebSocket client of the load generator, which does as little as possible besides system calls.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    ops::Range,
};

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};
use vipnode_types::wire::WireError;

use super::certificate::TrustedRoots;

/// An open WebSocket of the load generator.
pub(crate) struct WsClient {
    stream: Box<dyn ByteStream>,
    /// Bytes read so far; those before `taken` are consumed.
    buffer: Vec<u8>,
    taken: usize,
    /// The pool's challenge; empty if there was none.
    pub(crate) challenge: String,
    /// The id of the next call.
    next_id: u64,
}

/// TCP, or TLS over it.
trait ByteStream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> ByteStream for S {}

impl WsClient {
    /// Opens a WebSocket from an address of this machine.
    pub(crate) async fn open(to: SocketAddr, from: IpAddr) -> io::Result<Self> {
        Self::upgrade(Box::new(tcp(to, from).await?), to).await
    }

    /// Opens a WebSocket over TLS from an address of this machine.
    pub(crate) async fn open_tls(to: SocketAddr, from: IpAddr, trust: &TrustedRoots) -> io::Result<Self> {
        Self::upgrade(Box::new(trust.connect(tcp(to, from).await?).await?), to).await
    }

    async fn upgrade(mut stream: Box<dyn ByteStream>, to: SocketAddr) -> io::Result<Self> {
        let head = format!(
            "GET / HTTP/1.1\r\nhost: {to}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut wire = Self { stream, buffer: Vec::new(), taken: 0, challenge: String::new(), next_id: 1 };
        let end = loop {
            if let Some(end) = wire.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end.saturating_add(4);
            }
            wire.fill().await?;
        };
        let head = String::from_utf8_lossy(wire.buffer.get(..end).unwrap_or_default()).into_owned();
        if !head.starts_with("HTTP/1.1 101") {
            return Err(io::Error::other(head));
        }
        let challenge = head.lines().find_map(|line| line.strip_prefix("vipnode-challenge: "));
        wire.challenge = challenge.unwrap_or_default().to_owned();
        wire.taken = end;
        Ok(wire)
    }

    /// The connection underneath.
    pub(crate) fn into_stream(self) -> impl AsyncRead + AsyncWrite + Unpin {
        self.stream
    }

    /// Sends a frame made by [`frame`].
    pub(crate) async fn send_frame(&mut self, frame: &[u8]) -> io::Result<()> {
        self.stream.write_all(frame).await
    }

    pub(crate) async fn send(&mut self, text: &str) -> io::Result<()> {
        self.send_frame(&frame(text)).await
    }

    /// The next text message; answers pings on the way.
    pub(crate) async fn next(&mut self) -> io::Result<&str> {
        loop {
            let (opcode, payload) = self.next_frame().await?;
            match opcode {
                1 => {
                    let payload = self.buffer.get(payload).unwrap_or_default();
                    return std::str::from_utf8(payload).map_err(io::Error::other);
                }
                9 => {
                    let payload = self.buffer.get(payload).unwrap_or_default();
                    let mut pong = header(0x8a, payload.len());
                    pong.extend_from_slice(payload);
                    self.stream.write_all(&pong).await?;
                }
                8 => {
                    let reason = self.buffer.get(payload).unwrap_or_default();
                    return Err(io::Error::other(format!("closed: {}", String::from_utf8_lossy(reason))));
                }
                _ => {}
            }
        }
    }

    /// Calls and waits for the result; anything else that arrives is an error. That of a pool that refuses is a [`WireError`].
    pub(crate) async fn call(&mut self, method: &str, params: &str) -> io::Result<String> {
        let id = self.begin(method, params).await?;
        let answer = self.next().await?;
        let good = answer.contains(&format!("\"id\":{id},")) && answer.contains("\"result\":");
        if good {
            return Ok(answer.to_owned());
        }
        let mut parsed: Value = serde_json::from_str(answer).unwrap_or_default();
        let refused = parsed.get_mut("error").map(Value::take);
        match refused.and_then(|error| serde_json::from_value::<WireError>(error).ok()) {
            Some(refused) => Err(io::Error::other(refused)),
            None => Err(io::Error::other(format!("{method}: {answer}"))),
        }
    }

    /// Sends a call without waiting for its answer; returns its id.
    pub(crate) async fn begin(&mut self, method: &str, params: &str) -> io::Result<u64> {
        let id = self.next_id;
        self.next_id = id.saturating_add(1);
        self.send(&call_text(id, method, params)).await?;
        Ok(id)
    }

    async fn next_frame(&mut self) -> io::Result<(u8, Range<usize>)> {
        loop {
            if let Some((opcode, payload)) = self.parse() {
                self.taken = payload.end;
                return Ok((opcode, payload));
            }
            self.buffer.drain(..self.taken);
            self.taken = 0;
            self.fill().await?;
        }
    }

    /// The first complete frame in the buffer. Servers do not mask.
    fn parse(&self) -> Option<(u8, Range<usize>)> {
        let bytes = self.buffer.get(self.taken..)?;
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        let (head, length) = match second & 0x7f {
            126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
            127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
            short => (2, usize::from(short)),
        };
        let start = self.taken.checked_add(head)?;
        let end = start.checked_add(length)?;
        (end <= self.buffer.len()).then_some((first & 0x0f, start..end))
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.buffer.reserve(1_024);
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

async fn tcp(to: SocketAddr, from: IpAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A call as JSON.
pub(crate) fn call_text(id: u64, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}

/// A text frame from a client. Its mask is zero, which costs the server as much as any other mask.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let mut bytes = header(0x81, text.len());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn header(first: u8, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length.saturating_add(14));
    bytes.push(first);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => bytes.push(0x80 | short),
        (_, Ok(medium)) => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes
}
