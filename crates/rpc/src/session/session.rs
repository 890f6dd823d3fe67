use std::{
    fmt::Display,
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{Sink, Stream, StreamExt as _};

use super::{exchange::Exchange, farewell::Farewell, liveness::Liveness, session_timer::SessionTimer};
use crate::{Closed, Frame, Keepalive, RpcHandle, RpcLimits, SessionEnd, SessionInput};

/// A [`crate::Connection`] on a socket, run by the task that owns it.
///
/// It works only while its owner waits in [`Session::next`] or [`Session::work_while`]: it writes what is queued,
/// pings, and watches for silence. The owner receives one thing at a time, and nothing more is read before it asks for
/// the next: a slow owner slows the other side down.
#[derive(Debug)]
pub struct Session<S> {
    socket: S,
    exchange: Exchange,
    liveness: Liveness,
    farewell: Farewell,
    alarm: SessionTimer,
    /// Bytes of the text that was read last, until they are taken.
    read_bytes: usize,
}

impl<S, E> Session<S>
where
    S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
    <S as Sink<Frame>>::Error: Display,
    E: Into<SessionEnd>,
{
    /// A session on an open socket, and a handle to call the other side.
    ///
    /// Must be called within a tokio runtime.
    pub fn new(socket: S, limits: &RpcLimits, keepalive: Keepalive) -> (Self, RpcHandle) {
        let (exchange, liveness) = (Exchange::new(limits), Liveness::new(limits, keepalive));
        let handle = RpcHandle::new(Arc::clone(exchange.shared()));
        let alarm = SessionTimer::new(liveness.next_tick());
        (Self { socket, exchange, liveness, farewell: Farewell::new(limits), alarm, read_bytes: 0 }, handle)
    }

    /// Returns the bytes of the text that [`Session::next`] read last, for an owner that limits them: 0 for a frame that is not
    /// a text, and for what a text contained beyond the first. The answers of the other side do not count.
    pub fn take_read_bytes(&mut self) -> usize {
        std::mem::take(&mut self.read_bytes)
    }

    /// Returns how many requests of the other side wait for an answer.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.exchange.unanswered()
    }

    /// Reports when the socket is gone.
    #[must_use]
    pub fn closed(&self) -> Closed {
        Closed(Arc::clone(self.exchange.shared()))
    }

    /// Works until something arrives. Cancel-safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// Why the session is over; pass it to [`Session::end`].
    pub async fn next(&mut self) -> Result<SessionInput, SessionEnd> {
        poll_fn(|cx| self.poll(cx, true)).await
    }

    /// Works without reading until `other` is done.
    ///
    /// # Errors
    /// As [`Session::next`].
    pub async fn work_while<F: Future>(&mut self, other: F) -> Result<F::Output, SessionEnd> {
        let mut other = pin!(other);
        poll_fn(|cx| match other.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => match self.poll(cx, false) {
                Poll::Ready(Err(end)) => Poll::Ready(Err(end)),
                // Without reading nothing arrives.
                Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
            },
        })
        .await
    }

    /// Ends the session: writes the answers that exist, then a close frame with the reason. The socket is gone when the
    /// session is dropped.
    pub async fn end(&mut self, end: SessionEnd) {
        self.exchange.end(&end);
        self.farewell.run(self.exchange.out(), &mut self.socket, self.liveness.has_pings()).await;
        tracing::debug!(reason = %end, "connection closed");
    }

    fn poll(&mut self, cx: &mut Context<'_>, reading: bool) -> Poll<Result<SessionInput, SessionEnd>> {
        self.exchange.shared().run_by(cx.waker());
        loop {
            self.exchange.poll_pump(&mut self.socket, cx)?;
            let room = self.exchange.has_room();
            if self.exchange.take_queued()? {
                continue;
            }
            if reading && let Some(next) = self.exchange.next_pending() {
                return Poll::Ready(Ok(SessionInput::Incoming(next)));
            }
            if reading
                && room
                && let Poll::Ready(frame) = self.socket.poll_next_unpin(cx)
            {
                match self.take(frame)? {
                    None => continue,
                    Some(heard) => return Poll::Ready(Ok(heard)),
                }
            }
            match self.poll_alarm(cx) {
                Poll::Ready(ticked) => ticked?,
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn take(&mut self, frame: Option<Result<Frame, E>>) -> Result<Option<SessionInput>, SessionEnd> {
        self.liveness.set_heard();
        self.read_bytes = 0;
        match frame {
            None => Err(SessionEnd::Gone),
            Some(Err(error)) => Err(error.into()),
            Some(Ok(Frame::Close(reason))) => Err(SessionEnd::closed_by_other(&reason)),
            Some(Ok(Frame::Ping(_) | Frame::Pong(None))) => Ok(Some(SessionInput::Noise)),
            Some(Ok(Frame::Pong(Some(number)))) => {
                Ok(Some(self.liveness.round_trip(number).map_or(SessionInput::Noise, SessionInput::RoundTrip)))
            }
            Some(Ok(Frame::Text(text))) => {
                self.read_bytes = text.len();
                self.exchange.read(&text)
            }
        }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SessionEnd>> {
        let (stalled_at, next_tick) = (self.exchange.stalled_at(), self.liveness.next_tick());
        let due = stalled_at.map_or(next_tick, |at| at.min(next_tick));
        std::task::ready!(self.alarm.poll(due, cx));
        if stalled_at == Some(due) {
            return Poll::Ready(Err(SessionEnd::NotReading));
        }
        self.exchange.sweep();
        if let Some(ping) = self.liveness.tick(self.exchange.has_room())? {
            self.exchange.push(ping);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S> Drop for Session<S> {
    fn drop(&mut self) {
        let shared = self.exchange.shared();
        shared.end(&SessionEnd::closed("the connection is closed"));
        shared.set_gone();
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, pin::Pin, time::Duration};

    use super::*;

    macro_rules! sink {
        ($socket:ty) => {
            impl Sink<Frame> for $socket {
                type Error = String;

                fn poll_ready(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), String>> {
                    Poll::Ready(Ok(()))
                }

                fn start_send(self: Pin<&mut Self>, _frame: Frame) -> Result<(), String> {
                    Ok(())
                }

                fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), String>> {
                    Poll::Ready(Ok(()))
                }

                fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), String>> {
                    Poll::Ready(Ok(()))
                }
            }
        };
    }

    /// The other side never stops sending.
    struct Endless(u64);

    impl Stream for Endless {
        type Item = Result<Frame, std::convert::Infallible>;

        fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0 += 1;
            Poll::Ready(Some(Ok(Frame::Pong(None))))
        }
    }

    /// The other side sends some frames.
    #[derive(Default)]
    struct Frames(VecDeque<Frame>);

    impl Stream for Frames {
        type Item = Result<Frame, std::convert::Infallible>;

        fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0.pop_front().map_or(Poll::Pending, |frame| Poll::Ready(Some(Ok(frame))))
        }
    }

    sink!(Endless);
    sink!(Frames);

    #[tokio::test]
    async fn the_bytes_of_a_text_are_those_of_its_first_call_and_of_no_answer() {
        let (mut session, peer) = Session::new(Frames::default(), &RpcLimits::default(), Keepalive::Ping);
        let params = serde_json::value::to_raw_value(&[(); 0]).unwrap();
        let call = peer.begin_call("vipnode_ping", params).unwrap();
        let ping = r#"{"id":1,"method":"vipnode_ping"}"#;
        let batch = format!("[{ping},{ping}]");
        session.socket.0.extend([
            Frame::Text(batch.clone()),
            Frame::Text(format!(r#"{{"id":1,"result":"{}"}}"#, "x".repeat(5_000))),
            Frame::Pong(None),
            Frame::Text(ping.to_owned()),
        ]);
        for bytes in [batch.len(), 0, 0, ping.len()] {
            session.next().await.unwrap();
            assert_eq!(session.take_read_bytes(), bytes);
        }
        drop(call);
    }

    #[tokio::test]
    async fn d4_a_flood_after_the_farewell_is_not_read_for_long() {
        let limits = RpcLimits { farewell: Duration::from_secs(10), farewell_frames: 3, ..RpcLimits::default() };
        let (mut session, _peer) = Session::new(Endless(0), &limits, Keepalive::Ping);
        session.end(SessionEnd::closed("too many calls")).await;
        assert_eq!(session.socket.0, 3);
    }
}
