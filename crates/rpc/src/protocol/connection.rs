use std::collections::{BTreeMap, VecDeque};

use serde_json::value::RawValue;
use vipnode_types::wire::WireError;

use super::{
    frame_error::{FrameError, RETRY_MS},
    message::{self, Message, answer_text, request_text},
};
use crate::RpcLimits;

/// One side of a JSON-RPC 2.0 connection, without any I/O: frames in, events out.
///
/// `W` is whatever the owner keeps for a call in flight, such as the sender of its answer.
///
/// ```
/// use serde_json::value::RawValue;
/// use vipnode_rpc::{Connection, ConnectionEvent, RpcLimits};
///
/// let limits = RpcLimits::default();
/// let (mut caller, mut server) = (Connection::new(&limits), Connection::<()>::new(&limits));
/// let (_id, frame) = caller.call("vipnode_ping", RawValue::NULL, "what waits").expect("few calls are in flight");
///
/// let request = server.read(&frame).into_iter().next();
/// let Some(ConnectionEvent::Request { served, method, .. }) = request else { panic!("no request") };
/// assert_eq!(method, "vipnode_ping");
/// let frame = server.answer(served, Ok(RawValue::TRUE)).expect("answered for the first time");
///
/// let answer = caller.read(&frame).into_iter().next();
/// assert!(matches!(answer, Some(ConnectionEvent::Answer { waiter: "what waits", result: Ok(json) }) if json.get() == "true"));
/// ```
#[derive(Debug)]
pub struct Connection<W> {
    in_flight_limit: usize,
    served_limit: usize,
    batch_limit: usize,
    next_call: u64,
    calls: BTreeMap<u64, W>,
    next_served: u64,
    /// In order of their names: most are answered in that order.
    served: VecDeque<UnansweredRequest>,
    batches: BTreeMap<u64, Batch>,
    dropped: u64,
    garbage: u32,
}

/// A request of the other side that has to be answered, as [`Connection`] names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Served(u64);

/// What a frame brought.
#[derive(Debug)]
pub enum ConnectionEvent<W> {
    /// To be answered with [`Connection::answer`], once.
    Request {
        /// Identifies the request when it is answered.
        served: Served,
        /// The JSON-RPC method that the other side calls.
        method: String,
        /// The params as they stood in the frame; `[]` where there were none.
        params: Box<RawValue>,
    },
    /// Not to be answered.
    Notification {
        /// The JSON-RPC method that the other side calls.
        method: String,
        /// The params as they stood in the frame.
        params: Box<RawValue>,
    },
    /// A call of ours has its answer.
    Answer {
        /// What was kept for the call.
        waiter: W,
        /// The result or error that the other side returned.
        result: Result<Box<RawValue>, WireError>,
    },
    /// To be sent at once: the frame, or a part of it, could not be taken.
    Send(String),
}

/// As many calls as allowed are in flight; the waiter comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many calls are waiting for a response from the other side")]
pub struct Full<W>(pub W);

#[derive(Debug)]
struct UnansweredRequest {
    served: Served,
    id: Box<RawValue>,
    batch: Option<u64>,
}

/// A batch whose answers leave together.
#[derive(Debug, Default)]
struct Batch {
    waiting: usize,
    answers: Vec<String>,
}

impl<W> Connection<W> {
    /// A connection on which nothing was said yet.
    #[must_use]
    pub fn new(limits: &RpcLimits) -> Self {
        Self {
            in_flight_limit: limits.in_flight,
            served_limit: limits.served,
            batch_limit: limits.batch,
            next_call: 1,
            calls: BTreeMap::new(),
            next_served: 1,
            served: VecDeque::new(),
            batches: BTreeMap::new(),
            dropped: 0,
            garbage: 0,
        }
    }

    /// Begins a call; returns its id and the frame to send.
    ///
    /// # Errors
    /// [`Full`] at the limit of calls in flight.
    pub fn call(&mut self, method: &str, params: &RawValue, waiter: W) -> Result<(u64, String), Full<W>> {
        if self.calls.len() >= self.in_flight_limit {
            return Err(Full(waiter));
        }
        let id = self.next_call;
        self.next_call = self.next_call.wrapping_add(1);
        self.calls.insert(id, waiter);
        Ok((id, request_text(Some(id), method, params)))
    }

    /// Forgets the calls for which `keep` is false; their answers will be dropped and counted.
    pub fn retain_calls(&mut self, mut keep: impl FnMut(&W) -> bool) {
        self.calls.retain(|_, waiter| keep(waiter));
    }

    /// Whether the table of calls is at its limit.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.calls.len() >= self.in_flight_limit
    }

    /// How many of our calls wait for an answer.
    #[must_use]
    pub fn calls_in_flight(&self) -> usize {
        self.calls.len()
    }

    /// Requests that wait for our answer.
    #[must_use]
    pub fn served(&self) -> usize {
        self.served.len()
    }

    /// Answers that nobody waited for: unsolicited, doubled or too late (fault D3, docs/faults.md).
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Frames in a row, up to the last one, of which nothing was JSON-RPC.
    #[must_use]
    pub fn garbage(&self) -> u32 {
        self.garbage
    }

    /// Takes one frame.
    pub fn read(&mut self, frame: &str) -> Vec<ConnectionEvent<W>> {
        let frame = frame.trim_ascii();
        // Taken back by the first message that is one.
        self.garbage = self.garbage.saturating_add(1);
        if frame.is_empty() {
            return vec![refuse(None, FrameError::Empty)];
        }
        if !frame.starts_with('[') {
            return self.read_one(frame, None).into_iter().collect();
        }
        let Ok(messages) = serde_json::from_str::<Vec<&RawValue>>(frame) else {
            return vec![refuse(None, FrameError::NotJson)];
        };
        if messages.is_empty() {
            return vec![refuse(None, FrameError::EmptyBatch)];
        }
        if messages.len() > self.batch_limit {
            let error = FrameError::LongBatch { messages: messages.len(), most: self.batch_limit };
            return vec![refuse(None, error)];
        }
        self.read_batch(&messages)
    }

    fn read_batch(&mut self, messages: &[&RawValue]) -> Vec<ConnectionEvent<W>> {
        let name = self.next_served;
        self.next_served = self.next_served.wrapping_add(1);
        let mut batch = Batch::default();
        let mut events = Vec::with_capacity(messages.len());
        for message in messages {
            match self.read_one(message.get(), Some(name)) {
                Some(ConnectionEvent::Send(answer)) => batch.answers.push(answer),
                Some(event) => {
                    batch.waiting += usize::from(matches!(event, ConnectionEvent::Request { .. }));
                    events.push(event);
                }
                None => {}
            }
        }
        if batch.waiting > 0 {
            self.batches.insert(name, batch);
        } else if !batch.answers.is_empty() {
            events.push(ConnectionEvent::Send(batch.text()));
        }
        events
    }

    fn read_one(&mut self, text: &str, batch: Option<u64>) -> Option<ConnectionEvent<W>> {
        let message = message::read(text);
        if !matches!(message, Message::Invalid { .. } | Message::NotJson) {
            self.garbage = 0;
        }
        match message {
            Message::Request { id, .. } if self.served.len() >= self.served_limit => {
                let error = WireError::from(FrameError::Busy { retry_ms: RETRY_MS });
                Some(ConnectionEvent::Send(answer_text(id, Err(&error))))
            }
            Message::Request { id, method, params } => {
                let served = Served(self.next_served);
                self.next_served = self.next_served.wrapping_add(1);
                self.served.push_back(UnansweredRequest { served, id: id.to_owned(), batch });
                let (method, params) = (method.into_owned(), params.to_owned());
                Some(ConnectionEvent::Request { served, method, params })
            }
            Message::Notification { method, params } => {
                Some(ConnectionEvent::Notification { method: method.into_owned(), params: params.to_owned() })
            }
            Message::Answer { id, result } => {
                let Some(waiter) = id.and_then(|id| self.calls.remove(&id)) else {
                    self.dropped = self.dropped.saturating_add(1);
                    return None;
                };
                Some(ConnectionEvent::Answer { waiter, result: result.map(ToOwned::to_owned) })
            }
            Message::Invalid { id, why } => Some(refuse(id, FrameError::Invalid { why })),
            Message::NotJson => Some(refuse(None, FrameError::NotJson)),
        }
    }

    /// Answers a request; returns the frame to send, `None` while others of its batch are missing
    /// or where it was answered before.
    pub fn answer(&mut self, served: Served, result: Result<&RawValue, &WireError>) -> Option<String> {
        let at = self.served.binary_search_by_key(&served, |request| request.served).ok()?;
        let request = self.served.remove(at)?;
        let text = answer_text(&request.id, result);
        let Some(name) = request.batch else { return Some(text) };
        let batch = self.batches.get_mut(&name)?;
        batch.answers.push(text);
        batch.waiting = batch.waiting.saturating_sub(1);
        if batch.waiting > 0 {
            return None;
        }
        self.batches.remove(&name).map(|batch| batch.text())
    }
}

impl Batch {
    fn text(&self) -> String {
        format!("[{}]", self.answers.join(","))
    }
}

fn refuse<W>(id: Option<&RawValue>, error: FrameError) -> ConnectionEvent<W> {
    ConnectionEvent::Send(answer_text(id.unwrap_or(RawValue::NULL), Err(&error.into())))
}

#[cfg(test)]
mod tests;
