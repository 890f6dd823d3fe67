use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::Sink;
use tokio::time::Instant;

use super::{
    outbox::Outbox,
    shared::{Answered, NextWork, Outgoing, Shared, Waiter},
};
use crate::{CallError, Connection, ConnectionEvent, Frame, Incoming, Responder, RpcLimits, SessionEnd, SessionInput};

/// The traffic of a session without its socket: from the queues of the handles into frames, and from frames to callers
/// and to the owner.
#[derive(Debug)]
pub(super) struct Exchange {
    connection: Connection<Waiter>,
    out: Outbox,
    shared: Arc<Shared>,
    /// What one frame brought beyond the first.
    pending: VecDeque<Incoming>,
    /// Frames in a row that may be garbage.
    garbage: u32,
}

impl Exchange {
    pub(super) fn new(limits: &RpcLimits) -> Self {
        Self {
            connection: Connection::new(limits),
            out: Outbox::new(limits.outbound, limits.write),
            shared: Arc::new(Shared::new(limits.outbound)),
            pending: VecDeque::new(),
            garbage: limits.garbage.max(1),
        }
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The frames to write.
    pub(super) const fn out(&mut self) -> &mut Outbox {
        &mut self.out
    }

    pub(super) fn has_room(&self) -> bool {
        self.out.has_room()
    }

    /// Requests of the other side that wait for an answer.
    pub(super) fn unanswered(&self) -> usize {
        self.connection.served()
    }

    /// What one frame brought beyond the first.
    pub(super) fn next_pending(&mut self) -> Option<Incoming> {
        self.pending.pop_front()
    }

    /// When the other side will have taken nothing for too long; `None` while nothing waits to be written.
    pub(super) fn stalled_at(&self) -> Option<Instant> {
        self.out.is_busy().then(|| self.out.stalled_at())
    }

    /// Writes what waits.
    pub(super) fn poll_pump<S>(&mut self, socket: &mut S, cx: &mut Context<'_>) -> Result<(), SessionEnd>
    where
        S: Sink<Frame> + Unpin,
        S::Error: std::fmt::Display,
    {
        match self.out.is_busy().then(|| self.out.poll_pump(socket, cx)) {
            Some(Poll::Ready(Err(error))) => Err(SessionEnd::broken(&error)),
            _ => Ok(()),
        }
    }

    /// Turns what the handles queued into frames, where there is room. Returns whether there was any.
    pub(super) fn take_queued(&mut self) -> Result<bool, SessionEnd> {
        match self.shared.take(self.out.has_room()) {
            NextWork::Close(end) => Err(end),
            NextWork::Nothing => Ok(false),
            NextWork::Work(calls, answers) => {
                self.answer(answers);
                for call in calls {
                    self.begin(call);
                }
                Ok(true)
            }
        }
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.out.push(frame);
    }

    /// Takes in a text; returns the first of what it brought and keeps the rest.
    pub(super) fn read(&mut self, text: &str) -> Result<Option<SessionInput>, SessionEnd> {
        let (mut first, mut answered) = (None, false);
        for event in self.connection.read(text) {
            let incoming = match event {
                ConnectionEvent::Send(text) => {
                    self.out.push(Frame::Text(text));
                    continue;
                }
                ConnectionEvent::Answer { waiter, result } => {
                    answered = true;
                    let _gone = waiter.send(result.map_err(CallError::Remote));
                    continue;
                }
                ConnectionEvent::Request { served, method, params } => {
                    let responder = Responder::new(served, Arc::clone(&self.shared));
                    Incoming::Request { method, params, responder }
                }
                ConnectionEvent::Notification { method, params } => Incoming::Notification { method, params },
            };
            if first.is_none() {
                first = Some(incoming);
            } else {
                self.pending.push_back(incoming);
            }
        }
        self.shared.set_dropped(self.connection.dropped());
        if self.connection.garbage() >= self.garbage {
            return Err(SessionEnd::Garbage { frames: self.garbage });
        }
        match first {
            Some(first) => Ok(Some(SessionInput::Incoming(first))),
            None => Ok((!answered).then_some(SessionInput::Noise)),
        }
    }

    /// Queues the answers that exist and a close frame, and fails all calls.
    pub(super) fn end(&mut self, end: &SessionEnd) {
        let answers = self.shared.end(end);
        self.answer(answers);
        // No answer will arrive any more: the callers need not wait for the farewell.
        self.connection.retain_calls(|_| false);
        self.out.push(Frame::close(&end.to_string()));
    }

    /// Removes the calls whose caller has given up (fault D4, docs/faults.md).
    pub(super) fn sweep(&mut self) {
        self.connection.retain_calls(|waiter| !waiter.is_closed());
    }

    fn answer(&mut self, answers: Vec<Answered>) {
        for (served, result) in answers {
            let text = self.connection.answer(served, result.as_deref().map_err(|error| &**error));
            self.out.extend(text.map(Frame::Text));
        }
    }

    fn begin(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Notify { method, params } => {
                self.out.push(Frame::Text(crate::request_text(None, &method, &params)));
            }
            Outgoing::Call { waiter, .. } if waiter.is_closed() => {}
            Outgoing::Call { method, params, waiter } => {
                if self.connection.is_full() {
                    self.sweep();
                }
                match self.connection.call(&method, &params, waiter) {
                    Ok((_, text)) => self.out.push(Frame::Text(text)),
                    Err(full) => {
                        let _gone = full.0.send(Err(CallError::Full));
                    }
                }
            }
        }
    }
}
