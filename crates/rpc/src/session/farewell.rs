use std::{
    future::{poll_fn, ready},
    time::Duration,
};

use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::time::timeout;

use super::outbox::Outbox;
use crate::{Frame, RpcLimits};

/// How long the end of a session may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Farewell {
    /// For writing what is queued.
    flush: Duration,
    /// For the other side's close frame.
    wait: Duration,
    /// How many frames may arrive before the close frame.
    frames: usize,
}

impl Farewell {
    pub(super) fn new(limits: &RpcLimits) -> Self {
        let wait = limits.write.min(limits.farewell);
        Self { flush: limits.write, wait, frames: limits.farewell_frames }
    }

    /// Writes what is queued and closes the socket. With `reads`, it then reads until the other side closes too: a TCP
    /// connection that ends with unread bytes discards what was just written.
    pub(super) async fn run<S, E>(self, out: &mut Outbox, socket: &mut S, reads: bool)
    where
        S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
    {
        let flush = async {
            let _gone = poll_fn(|cx| out.poll_pump(socket, cx)).await;
            let _gone = socket.close().await;
        };
        let flushed = timeout(self.flush, flush).await;
        if flushed.is_ok() && reads {
            let rest = socket.take(self.frames).take_while(|frame| ready(frame.is_ok())).count();
            let _too_slow = timeout(self.wait, rest).await;
        }
    }
}
