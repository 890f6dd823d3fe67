use std::convert::Infallible;

use futures_util::stream;
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

use crate::{Frame, Halves, Keepalive, OpenSession, RpcLimits, drive};

/// Frames on their way between the two ends of a pipe.
const FRAMES: usize = 64;

/// Two ends of a connection in memory, with default limits.
///
/// Must be called within a tokio runtime.
#[must_use]
pub fn pipe() -> (OpenSession, OpenSession) {
    pipe_with(&RpcLimits::default())
}

/// Two ends of a connection in memory.
#[must_use]
pub fn pipe_with(limits: &RpcLimits) -> (OpenSession, OpenSession) {
    let (left, to_right) = mpsc::channel(FRAMES);
    let (right, to_left) = mpsc::channel(FRAMES);
    (end(left, to_left, limits), end(right, to_right, limits))
}

fn end(writer: mpsc::Sender<Frame>, mut reader: mpsc::Receiver<Frame>, limits: &RpcLimits) -> OpenSession {
    let reader = stream::poll_fn(move |cx| reader.poll_recv(cx).map(|frame| frame.map(Ok::<_, Infallible>)));
    drive(Halves::new(reader, PollSender::new(writer)), limits, Keepalive::None)
}
