use std::{
    future::Future as _,
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// The stream of a WebSocket, whose reads fail if a message that began in fragments does not end in time.
///
/// Pings may stand between fragments, so a client could keep a socket alive, and its unfinished message in memory, for
/// ever.
#[derive(Debug)]
pub(crate) struct FragmentDeadline<S> {
    stream: S,
    limit: Duration,
    scanner: FrameScanner,
    /// Runs while a message is unfinished.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> FragmentDeadline<S> {
    /// Fails the reads of a message that takes longer than `limit` from its first fragment to its last.
    pub(crate) const fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, scanner: FrameScanner::new(), timer: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FragmentDeadline<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        this.scanner.read(buf.filled().get(before..).unwrap_or_default());
        if !this.scanner.unfinished {
            this.timer = None;
            return read;
        }
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(this.limit)));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(
                ErrorKind::TimedOut,
                format!("a message in fragments did not end within {} s", this.limit.as_secs()),
            ))),
            Poll::Pending => read,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FragmentDeadline<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// Follows the frames of a client (RFC 6455, section 5.2), to know whether a message is unfinished. The
/// WebSocket itself checks them.
#[derive(Debug)]
struct FrameScanner {
    /// The part of the head of a frame that has arrived.
    head: [u8; HEAD],
    length: u8,
    /// Bytes of the frame's payload that are still to come.
    payload: u64,
    /// Whether the last data frame was not the last of its message.
    unfinished: bool,
}

/// Bytes of a head, at most: two, the length in eight, and the mask.
const HEAD: usize = 14;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
/// The opcodes of control frames have this bit.
const CONTROL: u8 = 0x08;

impl FrameScanner {
    const fn new() -> Self {
        Self { head: [0; HEAD], length: 0, payload: 0, unfinished: false }
    }

    fn read(&mut self, mut bytes: &[u8]) {
        loop {
            let skipped = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
            self.payload = self.payload.saturating_sub(skipped as u64);
            let Some((byte, rest)) = bytes.get(skipped..).and_then(<[u8]>::split_first) else { return };
            bytes = rest;
            if let Some(slot) = self.head.get_mut(usize::from(self.length)) {
                *slot = *byte;
            }
            self.length = self.length.saturating_add(1);
            self.end_head();
        }
    }

    /// Once the head is whole, the payload begins.
    fn end_head(&mut self) {
        let [first, second, rest @ ..] = self.head;
        let mask = if second & MASKED == 0 { 0 } else { 4 };
        let (extended, payload) = match second & !MASKED {
            126 => (2, rest.first_chunk().map_or(0, |length| u64::from(u16::from_be_bytes(*length)))),
            127 => (8, rest.first_chunk().map_or(0, |length| u64::from_be_bytes(*length))),
            length => (0, u64::from(length)),
        };
        if self.length < 2 || self.length < 2 + extended + mask {
            return;
        }
        if first & CONTROL == 0 {
            self.unfinished = first & FINAL == 0;
        }
        self.length = 0;
        self.payload = payload;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// A frame as clients send them, masked by zeros.
    fn frame(first: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload {
            0..126 => bytes.push(MASKED | u8::try_from(payload).unwrap()),
            126..65_536 => {
                bytes.push(MASKED | 126);
                bytes.extend(u16::try_from(payload).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(MASKED | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        // Payload that would look like heads.
        bytes.resize(bytes.len() + payload, 0x01);
        bytes
    }

    #[test]
    fn a_message_is_unfinished_from_its_first_fragment_to_its_last() {
        let frames = [
            (frame(0x81, 10), false),
            (frame(0x01, 300), true),
            (frame(0x89, 4), true),
            (frame(0x00, 70_000), true),
            (frame(0x8a, 0), true),
            (frame(0x80, 0), false),
            (frame(0x82, 70_000), false),
            (frame(0x02, 0), true),
            (frame(0x80, 125), false),
        ];
        for step in [1, 2, 7, 1_000_000] {
            let mut scanner = FrameScanner::new();
            for (bytes, unfinished) in &frames {
                for part in bytes.chunks(step) {
                    scanner.read(part);
                }
                assert_eq!((scanner.unfinished, scanner.payload, scanner.length), (*unfinished, 0, 0), "{step}");
            }
        }
    }

    #[tokio::test]
    async fn a_message_that_does_not_end_is_an_error_and_pings_do_not_help() {
        let (mut other, stream) = duplex(1_024);
        let mut stream = FragmentDeadline::new(stream, Duration::from_millis(100));
        let pings = async {
            other.write_all(&frame(0x01, 3)).await.unwrap();
            loop {
                sleep(Duration::from_millis(20)).await;
                if other.write_all(&frame(0x89, 0)).await.is_err() {
                    return;
                }
            }
        };
        let reads = async {
            let mut bytes = [0; 64];
            loop {
                if let Err(error) = stream.read(&mut bytes).await {
                    return error;
                }
            }
        };
        let error = tokio::select! { error = reads => error, () = pings => panic!("the reads end first") };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
