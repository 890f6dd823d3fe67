use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{Frame, SessionEnd};

/// A WebSocket as a socket of [`Frame`]s.
#[derive(Debug)]
pub struct WsFrames<S> {
    socket: WebSocketStream<S>,
    /// The maximum length of a message and of each frame, in bytes.
    frame_bytes: usize,
}

/// Bytes of the longest message that another vipnode accepts by default.
const MESSAGE_BYTES: usize = 1 << 20;
/// Bytes of pongs that may wait in addition to one message.
const PONG_BYTES: usize = 64 << 10;

/// Why a WebSocket ended.
#[derive(Debug, thiserror::Error)]
pub enum WsError {
    /// The other side sent a message, or a single frame of one, that exceeds the limit.
    #[error("received a message of more than {0} bytes")]
    TooLong(usize),
    /// The other side did not send its request in time.
    #[error("no request for a WebSocket arrived in time")]
    Late,
    /// Anything else.
    #[error(transparent)]
    Socket(#[from] Error),
}

impl From<WsError> for SessionEnd {
    fn from(error: WsError) -> Self {
        match error {
            WsError::TooLong(bytes) => Self::TooLong { bytes },
            error @ (WsError::Late | WsError::Socket(_)) => Self::broken(&error),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WsFrames<S> {
    /// The server's side of a stream whose handshake is done. A frame has at most `frame_bytes` bytes.
    pub async fn serve(stream: S, frame_bytes: usize) -> Self {
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config(frame_bytes))).await;
        Self { socket, frame_bytes }
    }

    pub(super) const fn new(socket: WebSocketStream<S>, frame_bytes: usize) -> Self {
        Self { socket, frame_bytes }
    }
}

/// The answer to a client's `Sec-WebSocket-Key` (RFC 6455), for a server that does the handshake itself.
#[must_use]
pub fn ws_accept_key(key: &[u8]) -> String {
    derive_accept_key(key)
}

pub(super) fn config(frame_bytes: usize) -> WebSocketConfig {
    // Pings are answered without being asked, so a side that pings and does not read would fill the memory with pongs. A pong that
    // has no room is left out, and a message that has none ends the socket.
    let unsent_bytes = frame_bytes.max(MESSAGE_BYTES).saturating_add(PONG_BYTES);
    // Without the two buffer sizes a socket costs 128 KiB for as long as it lives. One read takes a signed update of a few
    // peers (2 KB), or a connect.
    WebSocketConfig::default()
        .read_buffer_size(3_072)
        .write_buffer_size(0)
        .max_write_buffer_size(unsent_bytes)
        .max_message_size(Some(frame_bytes))
        .max_frame_size(Some(frame_bytes))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WsFrames<S> {
    type Item = Result<Frame, WsError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let message = match ready!(Pin::new(&mut self.socket).poll_next(cx)) {
                Some(Ok(message)) => message,
                Some(Err(Error::Capacity(_))) => return Poll::Ready(Some(Err(WsError::TooLong(self.frame_bytes)))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => return Poll::Ready(None),
            };
            if let Some(frame) = read(message) {
                return Poll::Ready(Some(Ok(frame)));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Frame> for WsFrames<S> {
    type Error = WsError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        Pin::new(&mut self.socket).poll_ready(cx).map_err(WsError::from)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Frame) -> Result<(), WsError> {
        Ok(Pin::new(&mut self.socket).start_send(write(frame))?)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        Pin::new(&mut self.socket).poll_flush(cx).map_err(WsError::from)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        Pin::new(&mut self.socket).poll_close(cx).map_err(WsError::from)
    }
}

/// `None` for a message that is only a part of one, which never comes.
fn read(message: Message) -> Option<Frame> {
    match message {
        Message::Text(text) => Some(Frame::Text(text.as_str().to_owned())),
        // Some speakers of JSON-RPC send binary frames; what is not UTF-8 is not JSON either.
        Message::Binary(bytes) => Some(Frame::Text(String::from_utf8_lossy(&bytes).into_owned())),
        Message::Ping(_) => Some(Frame::Ping(0)),
        Message::Pong(payload) => Some(Frame::pong(&payload)),
        Message::Close(close) => Some(Frame::Close(close.map_or_else(String::new, |close| close.reason.to_string()))),
        Message::Frame(_) => None,
    }
}

fn write(frame: Frame) -> Message {
    match frame {
        Frame::Text(text) => Message::text(text),
        Frame::Ping(number) => Message::Ping(number.to_be_bytes().to_vec().into()),
        Frame::Pong(number) => Message::Pong(number.unwrap_or_default().to_be_bytes().to_vec().into()),
        Frame::Close(reason) => Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: reason.into() })),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;

    /// A masked ping of 125 bytes, as a client sends it.
    fn ping() -> Vec<u8> {
        [&[0x89, 0x80 | 125, 0, 0, 0, 0][..], &[7; 125]].concat()
    }

    /// A hostile pool made an agent use more than 2 GB in 30 s that way.
    #[tokio::test]
    async fn a_side_that_pings_and_does_not_read_fills_no_memory() {
        let (mut stranger, ours) = duplex(64 << 10);
        let mut frames = WsFrames::serve(ours, 64 << 10).await;
        let pings = ping().repeat(100);
        let all = 2 * (MESSAGE_BYTES + PONG_BYTES);
        for _ in 0..all / pings.len() {
            let (sent, _heard) = tokio::join!(stranger.write_all(&pings), async {
                for _ in 0..100 {
                    frames.next().await.unwrap().unwrap();
                }
            });
            sent.unwrap();
        }
        // No pong waits beyond the limit, so one more message does not fit.
        let error = frames.feed(Frame::Text("x".repeat(PONG_BYTES))).await.unwrap_err();
        assert!(matches!(error, WsError::Socket(Error::WriteBufferFull(_))), "{error}");
    }
}
