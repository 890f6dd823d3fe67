use std::{collections::VecDeque, fmt::Display, future::poll_fn, sync::Arc, time::Duration};

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use serde_json::value::RawValue;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout},
};
use vipnode_types::wire::{ErrorCode, WireError};

use crate::{
    CallError, Closed, Connection, Event, Frame, Incoming, Opened, Responder, RpcLimits, RpcPeer,
    opened::Shared,
    outbox::Outbox,
    peer::{Outgoing, Waiter},
    responder::Answered,
};

/// Whether a transport can ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keepalive {
    /// It pings by [`RpcLimits::ping`] and ends after [`RpcLimits::silence`].
    Ping,
    /// It knows no pings (IPC, pipes).
    None,
}

/// How often calls are swept whose caller does not wait any longer.
const SWEEP: Duration = Duration::from_secs(20);

/// After its farewell a WebSocket waits this long for the other side's.
const LINGER: Duration = Duration::from_secs(1);

/// Runs a [`Connection`] on a reader and a writer of frames, as a task of its own.
///
/// The task ends when the transport does, when [`RpcPeer::close`] is called, or when nobody holds a
/// handle any longer.
pub fn drive<R, W, E>(reader: R, writer: W, limits: &RpcLimits, keepalive: Keepalive) -> Opened
where
    R: Stream<Item = Result<Frame, E>> + Unpin + Send + 'static,
    W: Sink<Frame> + Unpin + Send + 'static,
    W::Error: Display + Send,
    E: Display + Send + 'static,
{
    let shared = Arc::new(Shared::default());
    let (calls, outgoing) = mpsc::channel(limits.outbound.max(1));
    let (reply_to, replies) = mpsc::channel(limits.served.max(1));
    let (incoming, taken) = mpsc::channel(limits.incoming.max(1));
    let (rtt, rtt_us) = watch::channel(0);
    let mut tick = interval(if keepalive == Keepalive::Ping { limits.ping } else { SWEEP });
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let driver = Driver {
        wire: Connection::new(limits),
        out: Outbox::new(limits.outbound, limits.write),
        pending: VecDeque::new(),
        outgoing,
        nobody_calls: false,
        replies,
        reply_to,
        incoming,
        shared: Arc::clone(&shared),
        keepalive,
        silence: limits.silence,
        flush: limits.write,
        heard: Instant::now(),
        pinged: (0, Instant::now()),
        rtt,
    };
    tokio::spawn(driver.run(reader, writer, tick));
    let peer = RpcPeer { calls, shared: Arc::clone(&shared) };
    Opened { peer, incoming: taken, challenge: None, closed: Closed(shared), rtt_us }
}

struct Driver {
    wire: Connection<Waiter>,
    out: Outbox,
    /// What one frame brought and the owner has no room for yet; nothing is read until it is gone.
    pending: VecDeque<Incoming>,
    outgoing: mpsc::Receiver<Outgoing>,
    nobody_calls: bool,
    replies: mpsc::Receiver<Answered>,
    reply_to: mpsc::Sender<Answered>,
    incoming: mpsc::Sender<Incoming>,
    shared: Arc<Shared>,
    keepalive: Keepalive,
    silence: Duration,
    /// What is queued has this long to be written at the end.
    flush: Duration,
    heard: Instant,
    pinged: (u64, Instant),
    rtt: watch::Sender<u32>,
}

impl Driver {
    async fn run<R, W, E>(mut self, mut reader: R, mut writer: W, mut tick: Interval)
    where
        R: Stream<Item = Result<Frame, E>> + Unpin,
        W: Sink<Frame> + Unpin,
        W::Error: Display,
        E: Display,
    {
        let reason = self.work(&mut reader, &mut writer, &mut tick).await;
        let _first = self.shared.closed_reason.set(reason.clone());
        while let Ok((served, result)) = self.replies.try_recv() {
            self.answer(served, &result);
        }
        self.lose_calls();
        self.out.push(Frame::close(&reason));
        let patience = self.flush;
        let flush = async {
            let _gone = poll_fn(|cx| self.out.poll_pump(&mut writer, cx)).await;
            let _gone = writer.close().await;
        };
        let flushed = timeout(patience, flush).await;
        if flushed.is_ok() && self.keepalive == Keepalive::Ping {
            // To end a TCP connection with bytes unread would throw away what was just written.
            let rest = async { while let Some(Ok(_)) = reader.next().await {} };
            let _too_slow = timeout(patience.min(LINGER), rest).await;
        }
        tracing::debug!(reason, "connection closed");
        self.shared.closed.cancel();
    }

    /// Nobody will be answered: the callers need not wait for the farewell.
    fn lose_calls(&mut self) {
        self.outgoing.close();
        while self.outgoing.try_recv().is_ok() {}
        self.wire.retain_calls(|_| false);
    }

    /// Works until the connection ends; returns why.
    async fn work<R, W, E>(&mut self, reader: &mut R, writer: &mut W, tick: &mut Interval) -> String
    where
        R: Stream<Item = Result<Frame, E>> + Unpin,
        W: Sink<Frame> + Unpin,
        W::Error: Display,
        E: Display,
    {
        let incoming = self.incoming.clone();
        loop {
            let (room, busy, stalled_at) = (self.out.has_room(), self.out.is_busy(), self.out.stalled_at());
            let idle = self.pending.is_empty();
            let step = tokio::select! {
                biased;
                () = self.shared.close.cancelled() => Some(self.asked_to_close()),
                written = poll_fn(|cx| self.out.poll_pump(writer, cx)), if busy => {
                    written.err().map(|error| error.to_string())
                }
                () = sleep_until(stalled_at), if busy => {
                    Some("the other side does not read".to_owned())
                }
                Some((served, result)) = self.replies.recv(), if room => {
                    self.answer(served, &result);
                    None
                }
                permit = incoming.reserve(), if !idle => {
                    match (permit, self.pending.pop_front()) {
                        (Ok(permit), Some(next)) => permit.send(next),
                        (_, next) => refuse(next),
                    }
                    None
                }
                outgoing = self.outgoing.recv(), if room && !self.nobody_calls => {
                    self.begin(outgoing);
                    None
                }
                frame = reader.next(), if room && idle => self.take(frame),
                () = incoming.closed(), if self.nobody_calls => Some("no longer used".to_owned()),
                _ = tick.tick() => self.tick(),
            };
            if let Some(reason) = step {
                return reason;
            }
        }
    }

    fn asked_to_close(&self) -> String {
        self.shared.close_reason.get().cloned().unwrap_or_else(|| "closed".to_owned())
    }

    fn answer(&mut self, served: crate::Served, result: &Result<Box<RawValue>, WireError>) {
        let result = result.as_ref().map(|value| &**value);
        if let Some(text) = self.wire.answer(served, result) {
            self.out.push(Frame::Text(text));
        }
    }

    fn begin(&mut self, outgoing: Option<Outgoing>) {
        match outgoing {
            None => self.nobody_calls = true,
            Some(Outgoing::Notify { method, params }) => {
                self.out.push(Frame::Text(crate::request_text(None, &method, &params)));
            }
            Some(Outgoing::Call { waiter, .. }) if waiter.is_closed() => {}
            Some(Outgoing::Call { method, params, waiter }) => {
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

    fn take<E: Display>(&mut self, frame: Option<Result<Frame, E>>) -> Option<String> {
        self.heard = Instant::now();
        match frame {
            None => return Some("the other side is gone".to_owned()),
            Some(Err(error)) => return Some(error.to_string()),
            Some(Ok(Frame::Close(reason))) if reason.is_empty() => return Some("closed by the other side".to_owned()),
            Some(Ok(Frame::Close(reason))) => return Some(format!("closed by the other side: {reason}")),
            Some(Ok(Frame::Ping(_) | Frame::Pong(None))) => {}
            Some(Ok(Frame::Pong(Some(number)))) => self.pong(number),
            Some(Ok(Frame::Text(text))) => self.read(&text),
        }
        None
    }

    fn read(&mut self, text: &str) {
        for event in self.wire.read(text) {
            match event {
                Event::Send(text) => self.out.push(Frame::Text(text)),
                Event::Request { served, method, params } => {
                    let responder = Responder::new(served, self.reply_to.clone());
                    self.pending.push_back(Incoming::Request { method, params, responder });
                }
                Event::Notification { method, params } => {
                    self.pending.push_back(Incoming::Notification { method, params });
                }
                Event::Answer { waiter, result } => {
                    let _gone = waiter.send(result.map_err(CallError::Remote));
                }
            }
        }
        self.shared.set_dropped(self.wire.dropped());
    }

    fn pong(&mut self, number: u64) {
        let (pinged, at) = self.pinged;
        if number == pinged {
            let rtt = at.elapsed().as_micros();
            let _nobody = self.rtt.send(u32::try_from(rtt).unwrap_or(u32::MAX));
        }
    }

    fn tick(&mut self) -> Option<String> {
        self.sweep();
        if self.keepalive == Keepalive::None {
            return None;
        }
        if self.heard.elapsed() >= self.silence {
            return Some(format!("nothing was heard for {} s", self.silence.as_secs()));
        }
        if self.out.has_room() {
            self.pinged = (self.pinged.0.wrapping_add(1), Instant::now());
            self.out.push(Frame::Ping(self.pinged.0));
        }
        None
    }
}

/// Nobody takes requests here.
fn refuse(incoming: Option<Incoming>) {
    if let Some(Incoming::Request { method, responder, .. }) = incoming {
        let error = WireError::new(ErrorCode::MethodNotFound, format!("there is no method {method} here"), "");
        responder.respond(Err::<(), _>(error));
    }
}
