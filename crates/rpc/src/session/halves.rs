use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Sink, Stream};

/// A stream and a sink of their own, as one socket.
#[derive(Debug)]
pub struct Halves<R, W> {
    reader: R,
    writer: W,
}

impl<R, W> Halves<R, W> {
    /// Joins the two.
    pub const fn new(reader: R, writer: W) -> Self {
        Self { reader, writer }
    }
}

impl<R: Stream + Unpin, W: Unpin> Stream for Halves<R, W> {
    type Item = R::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.reader).poll_next(cx)
    }
}

impl<R: Unpin, W: Sink<T> + Unpin, T> Sink<T> for Halves<R, W> {
    type Error = W::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.writer).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), Self::Error> {
        Pin::new(&mut self.writer).start_send(item)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.writer).poll_close(cx)
    }
}
