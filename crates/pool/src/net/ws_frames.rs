use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::{Sink, Stream};
use vipnode_rpc::Frame;

/// A WebSocket as a socket of frames.
pub(crate) struct Frames {
    socket: WebSocket,
    /// For the words at the limit of a frame.
    bytes: usize,
}

impl Frames {
    /// `bytes` is the limit that the socket was given.
    pub(crate) const fn new(socket: WebSocket, bytes: usize) -> Self {
        Self { socket, bytes }
    }
}

impl Stream for Frames {
    type Item = Result<Frame, String>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let message = ready!(Pin::new(&mut self.socket).poll_next(cx));
        Poll::Ready(message.map(|message| message.map(read).map_err(|error| explain(&error, self.bytes))))
    }
}

impl Sink<Frame> for Frames {
    type Error = axum::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.socket).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Frame) -> Result<(), Self::Error> {
        Pin::new(&mut self.socket).start_send(write(frame))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.socket).poll_close(cx)
    }
}

fn read(message: Message) -> Frame {
    match message {
        Message::Text(text) => Frame::Text(text.as_str().to_owned()),
        Message::Binary(bytes) => Frame::Text(String::from_utf8_lossy(&bytes).into_owned()),
        Message::Ping(_) => Frame::Ping(0),
        Message::Pong(payload) => Frame::pong(&payload),
        Message::Close(close) => Frame::Close(close.map_or_else(String::new, |close| close.reason.as_str().to_owned())),
    }
}

fn write(frame: Frame) -> Message {
    match frame {
        Frame::Text(text) => Message::Text(text.into()),
        Frame::Ping(number) => Message::Ping(number.to_be_bytes().to_vec().into()),
        Frame::Pong(number) => Message::Pong(number.unwrap_or_default().to_be_bytes().to_vec().into()),
        Frame::Close(reason) => Message::Close(Some(CloseFrame { code: close_code::NORMAL, reason: reason.into() })),
    }
}

fn explain(error: &axum::Error, bytes: usize) -> String {
    let text = error.to_string();
    if text.contains("too long") || text.contains("too large") {
        return format!("a frame of more than {bytes} bytes");
    }
    text
}
