use std::{
    collections::VecDeque,
    fmt::Display,
    future::{poll_fn, ready},
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout};
use vipnode_types::{sanitize, wire::WireError};

use super::{
    alarm::Alarm,
    outbox::Outbox,
    shared::{Answered, Outgoing, Shared, Taken, Waiter},
};
use crate::{
    CallError, Closed, Connection, Event, Frame, Incoming, Responder, RpcHandle, RpcLimits, Served,
    limits::REASON_CHARS,
};

/// Whether a transport can ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keepalive {
    /// It pings by [`RpcLimits::ping`] and ends after [`RpcLimits::silence`].
    Ping,
    /// It knows no pings (IPC, pipes).
    None,
}

/// What a session has for its owner.
#[derive(Debug)]
pub enum Heard {
    /// The other side says something of its own.
    Incoming(Incoming),
    /// A ping was answered after so many microseconds.
    RoundTrip(u32),
    /// A frame that brought nothing: a ping, an answer that nobody waits for, what is not JSON-RPC, or a
    /// request beyond what may wait. To be counted by an owner who looks at the pace.
    Noise,
}

/// How often calls are swept whose caller does not wait any longer. A pace: [`RpcLimits::in_flight`] limits them.
const SWEEP: Duration = Duration::from_secs(20);

/// A [`Connection`] on a socket, run by whoever takes what it hears.
///
/// It works only while its owner waits in [`Session::next`] or [`Session::work_while`]; then it writes
/// what is queued, pings, and judges the other side's silence. The owner hears one thing at a time, and
/// nothing more is read before it asks for the next: a slow owner slows the other side down.
#[derive(Debug)]
pub struct Session<S> {
    socket: S,
    wire: Connection<Waiter>,
    out: Outbox,
    shared: Arc<Shared>,
    /// What one frame brought beyond the first.
    pending: VecDeque<Incoming>,
    keepalive: Keepalive,
    silence: Duration,
    /// Frames in a row that may be garbage.
    garbage: u32,
    /// What is queued has this long to be written at the end.
    flush: Duration,
    /// How long, and for how many frames, the other side's farewell is waited for.
    farewell: (Duration, usize),
    period: Duration,
    next_tick: Instant,
    alarm: Alarm,
    heard: Instant,
    pinged: (u64, Instant),
}

impl<S, E> Session<S>
where
    S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
    <S as Sink<Frame>>::Error: Display,
    E: Display,
{
    /// A session on an open socket, and a handle to call the other side.
    ///
    /// Must be called within a tokio runtime.
    pub fn new(socket: S, limits: &RpcLimits, keepalive: Keepalive) -> (Self, RpcHandle) {
        let shared = Arc::new(Shared::new(limits.outbound));
        let now = Instant::now();
        let (period, next_tick) = match keepalive {
            Keepalive::Ping => (limits.ping, now),
            Keepalive::None => (SWEEP, now + SWEEP),
        };
        let session = Self {
            socket,
            wire: Connection::new(limits),
            out: Outbox::new(limits.outbound, limits.write),
            shared: Arc::clone(&shared),
            pending: VecDeque::new(),
            keepalive,
            silence: limits.silence,
            garbage: limits.garbage.max(1),
            flush: limits.write,
            farewell: (limits.write.min(limits.farewell), limits.farewell_frames),
            period,
            next_tick,
            alarm: Alarm::new(next_tick),
            heard: now,
            pinged: (0, now),
        };
        (session, RpcHandle::new(shared))
    }

    /// Tells when the socket is gone.
    #[must_use]
    pub fn closed(&self) -> Closed {
        Closed(Arc::clone(&self.shared))
    }

    /// Works until there is something to hear. Nothing is lost when it is dropped half way.
    ///
    /// # Errors
    /// Why the session is over; it is then for [`Session::end`].
    pub async fn next(&mut self) -> Result<Heard, String> {
        poll_fn(|cx| self.poll(cx, true)).await
    }

    /// Works without reading until `other` is done.
    ///
    /// # Errors
    /// As [`Session::next`].
    pub async fn work_while<F: Future>(&mut self, other: F) -> Result<F::Output, String> {
        let mut other = pin!(other);
        poll_fn(|cx| match other.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => match self.poll(cx, false) {
                Poll::Ready(Err(reason)) => Poll::Ready(Err(reason)),
                // Without reading there is nothing to hear.
                Poll::Ready(Ok(_)) | Poll::Pending => Poll::Pending,
            },
        })
        .await
    }

    /// Says farewell: what is answered already is written, then a close frame with the reason. The socket
    /// is gone when the session is dropped.
    pub async fn end(&mut self, reason: String) {
        for (served, result) in self.shared.end(&reason) {
            self.answer(served, result.as_deref().map_err(|error| &**error));
        }
        // Nobody will be answered: the callers need not wait for the farewell.
        self.wire.retain_calls(|_| false);
        self.out.push(Frame::close(&reason));
        let patience = self.flush;
        let flush = async {
            let _gone = poll_fn(|cx| self.out.poll_pump(&mut self.socket, cx)).await;
            let _gone = self.socket.close().await;
        };
        let flushed = timeout(patience, flush).await;
        if flushed.is_ok() && self.keepalive == Keepalive::Ping {
            // To end a TCP connection with bytes unread would throw away what was just written.
            let (time, frames) = self.farewell;
            let rest = (&mut self.socket).take(frames).take_while(|frame| ready(frame.is_ok())).count();
            let _too_slow = timeout(time, rest).await;
        }
        tracing::debug!(reason, "connection closed");
    }

    fn poll(&mut self, cx: &mut Context<'_>, reading: bool) -> Poll<Result<Heard, String>> {
        self.shared.run_by(cx.waker());
        loop {
            if self.out.is_busy()
                && let Poll::Ready(Err(error)) = self.out.poll_pump(&mut self.socket, cx)
            {
                return Poll::Ready(Err(error.to_string()));
            }
            let room = self.out.has_room();
            match self.shared.take(room) {
                Taken::Close(reason) => return Poll::Ready(Err(reason)),
                Taken::Work(calls, answers) => {
                    self.say(calls, answers);
                    continue;
                }
                Taken::Nothing => {}
            }
            if reading && let Some(next) = self.pending.pop_front() {
                return Poll::Ready(Ok(Heard::Incoming(next)));
            }
            if reading
                && room
                && let Poll::Ready(frame) = self.socket.poll_next_unpin(cx)
            {
                match self.take(frame) {
                    Ok(None) => continue,
                    Ok(Some(heard)) => return Poll::Ready(Ok(heard)),
                    Err(reason) => return Poll::Ready(Err(reason)),
                }
            }
            match self.poll_alarm(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(reason)) => return Poll::Ready(Err(reason)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn say(&mut self, calls: VecDeque<Outgoing>, answers: Vec<Answered>) {
        for (served, result) in answers {
            self.answer(served, result.as_deref().map_err(|error| &**error));
        }
        for call in calls {
            self.begin(call);
        }
    }

    fn answer(&mut self, served: Served, result: Result<&RawValue, &WireError>) {
        if let Some(text) = self.wire.answer(served, result) {
            self.out.push(Frame::Text(text));
        }
    }

    fn begin(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Notify { method, params } => {
                self.out.push(Frame::Text(crate::request_text(None, &method, &params)));
            }
            Outgoing::Call { waiter, .. } if waiter.is_closed() => {}
            Outgoing::Call { method, params, waiter } => {
                if self.wire.is_full() {
                    self.sweep();
                }
                match self.wire.call(&method, &params, waiter) {
                    Ok((_, text)) => self.out.push(Frame::Text(text)),
                    Err(full) => {
                        let _gone = full.0.send(Err(CallError::Full));
                    }
                }
            }
        }
    }

    /// Callers that waited long enough leave their entry in the table (D4).
    fn sweep(&mut self) {
        self.wire.retain_calls(|waiter| !waiter.is_closed());
    }

    fn take(&mut self, frame: Option<Result<Frame, E>>) -> Result<Option<Heard>, String> {
        self.heard = Instant::now();
        match frame {
            None => Err("the other side is gone".to_owned()),
            Some(Err(error)) => Err(sanitize(&error.to_string(), REASON_CHARS)),
            Some(Ok(Frame::Close(reason))) if reason.is_empty() => Err("closed by the other side".to_owned()),
            Some(Ok(Frame::Close(reason))) => {
                Err(format!("closed by the other side: {}", sanitize(&reason, REASON_CHARS)))
            }
            Some(Ok(Frame::Ping(_) | Frame::Pong(None))) => Ok(Some(Heard::Noise)),
            Some(Ok(Frame::Pong(Some(number)))) => Ok(Some(self.pong(number))),
            Some(Ok(Frame::Text(text))) => self.read(&text),
        }
    }

    /// Takes a frame; the first of what it brought comes back, the rest is kept.
    fn read(&mut self, text: &str) -> Result<Option<Heard>, String> {
        let (mut first, mut answered) = (None, false);
        for event in self.wire.read(text) {
            let incoming = match event {
                Event::Send(text) => {
                    self.out.push(Frame::Text(text));
                    continue;
                }
                Event::Answer { waiter, result } => {
                    answered = true;
                    let _gone = waiter.send(result.map_err(CallError::Remote));
                    continue;
                }
                Event::Request { served, method, params } => {
                    let responder = Responder::new(served, Arc::clone(&self.shared));
                    Incoming::Request { method, params, responder }
                }
                Event::Notification { method, params } => Incoming::Notification { method, params },
            };
            if first.is_none() {
                first = Some(incoming);
            } else {
                self.pending.push_back(incoming);
            }
        }
        self.shared.set_dropped(self.wire.dropped());
        if self.wire.garbage() >= self.garbage {
            return Err(format!("{} frames in a row were not JSON-RPC 2.0", self.garbage));
        }
        match first {
            Some(first) => Ok(Some(Heard::Incoming(first))),
            None => Ok((!answered).then_some(Heard::Noise)),
        }
    }

    fn pong(&self, number: u64) -> Heard {
        let (pinged, at) = self.pinged;
        let rtt = u32::try_from(at.elapsed().as_micros()).unwrap_or(u32::MAX);
        if number == pinged { Heard::RoundTrip(rtt) } else { Heard::Noise }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        let stalled_at = self.out.is_busy().then(|| self.out.stalled_at());
        let due = stalled_at.map_or(self.next_tick, |at| at.min(self.next_tick));
        std::task::ready!(self.alarm.poll(due, cx));
        if stalled_at == Some(due) {
            return Poll::Ready(Err("the other side does not read".to_owned()));
        }
        Poll::Ready(self.tick())
    }

    fn tick(&mut self) -> Result<(), String> {
        let now = Instant::now();
        self.next_tick = now + self.period;
        self.sweep();
        if self.keepalive == Keepalive::None {
            return Ok(());
        }
        if now.duration_since(self.heard) >= self.silence {
            return Err(format!("nothing was heard for {} s", self.silence.as_secs()));
        }
        if self.out.has_room() {
            self.pinged = (self.pinged.0.wrapping_add(1), now);
            self.out.push(Frame::Ping(self.pinged.0));
        }
        Ok(())
    }
}

impl<S> Drop for Session<S> {
    fn drop(&mut self) {
        self.shared.end("the connection is closed");
        self.shared.set_gone();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use super::*;

    /// Whoever is at the other end never stops.
    struct Endless(u64);

    impl Stream for Endless {
        type Item = Result<Frame, String>;

        fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0 += 1;
            Poll::Ready(Some(Ok(Frame::Pong(None))))
        }
    }

    impl Sink<Frame> for Endless {
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

    #[tokio::test]
    async fn d4_a_flood_after_the_farewell_is_not_read_for_long() {
        let limits = RpcLimits { farewell: Duration::from_secs(10), farewell_frames: 3, ..RpcLimits::default() };
        let (mut session, _peer) = Session::new(Endless(0), &limits, Keepalive::Ping);
        session.end("too many calls".to_owned()).await;
        assert_eq!(session.socket.0, 3);
    }
}
