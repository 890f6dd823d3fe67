use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::Duration,
};

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio_util::task::task_tracker::TaskTrackerToken;
use vipnode_core::{CallId, CallOutcome, Command, Reply, RequestId};
use vipnode_rpc::Responder;
use vipnode_store::StoreError;
use vipnode_types::wire::WireError;

use crate::gateway::reply_text;

/// The answer of the pool's mind to a request.
pub(crate) type Answer = Result<Reply, WireError>;

/// Who waits for an answer.
#[derive(Debug)]
pub(crate) enum ReplyTo {
    /// Whoever goes on with it.
    Caller(oneshot::Sender<Answer>),
    /// A WebSocket, which is answered at once. Held so that the end of the pool waits for the answer.
    Socket(Responder, TaskTrackerToken),
}

impl ReplyTo {
    /// Whether nobody waits any longer.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Caller(caller) => caller.is_closed(),
            Self::Socket(responder, _) => responder.is_closed(),
        }
    }

    pub(crate) fn send(self, answer: Answer) {
        match self {
            Self::Caller(caller) => {
                let _gone = caller.send(answer);
            }
            Self::Socket(responder, _in_flight) => responder.respond_raw(answer.and_then(|reply| reply_text(&reply))),
        }
    }
}

/// What the thread of the pool's mind is told.
#[derive(Debug)]
pub(crate) enum Item {
    /// A request of an agent. Holds its permit until it is handled.
    Request { command: Command, request: RequestId, reply_to: ReplyTo, permit: OwnedSemaphorePermit },
    /// Something that nobody waits for.
    Note(Command),
    /// A call to an agent ended. `life` tells which mind began it.
    CallDone { life: u64, call: CallId, outcome: CallOutcome },
    /// Batches up to this one are durable.
    Committed(u64),
    /// A batch could not be made durable.
    CommitFailed(StoreError),
    /// Is everything well?
    Probe(oneshot::Sender<Result<(), String>>),
    /// End, after what came before.
    Stop,
}

/// The queue before the mind's thread. Never blocks and loses nothing. What is in it is bounded:
/// requests by the permits they hold, ends of calls by the calls in flight, commits by the batches
/// that the store may have, the rest by the number of sockets.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    items: Sender<Item>,
    length: Gauge,
}

/// The mind's end of an [`Inbox`].
#[derive(Debug)]
pub(crate) struct Items {
    items: Receiver<Item>,
    length: Gauge,
}

pub(crate) fn inbox(length: Gauge) -> (Inbox, Items) {
    let (send, receive) = channel();
    (Inbox { items: send, length: length.clone() }, Items { items: receive, length })
}

impl Inbox {
    /// Puts an item at the end. After the end of the mind's thread it is dropped, and whoever waits
    /// for an answer sees that.
    pub(crate) fn push(&self, item: Item) {
        self.length.inc();
        if self.items.send(item).is_err() {
            self.length.dec();
        }
    }
}

impl Items {
    /// The next item; `Ok(None)` after `wait`, `Err` where nobody can send any longer.
    pub(crate) fn next(&self, wait: Duration) -> Result<Option<Item>, RecvTimeoutError> {
        match self.items.recv_timeout(wait) {
            Ok(item) => {
                self.length.dec();
                Ok(Some(item))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(gone @ RecvTimeoutError::Disconnected) => Err(gone),
        }
    }
}
