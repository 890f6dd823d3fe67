use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::value::{RawValue, to_raw_value};
use tokio::{runtime::Handle, sync::oneshot, task::yield_now};
use tokio_util::task::task_tracker::TaskTrackerToken;
use vipnode_metrics::Gauge;
use vipnode_pool_core::{CallId, CallOutcome, Command, Limits, Reply, RequestId};
use vipnode_rpc::Responder;
use vipnode_store::StoreError;
use vipnode_types::wire::WireError;

use crate::{engine::health_error::HealthError, error::Refusal, fairness::CommandPermit};

/// The answer of the pool's core to a request.
pub(crate) type Answer = Result<Reply, WireError>;

/// A reply as JSON.
pub(crate) fn reply_text(reply: &Reply) -> Result<Box<RawValue>, WireError> {
    let text = match reply {
        Reply::Connect(reply) => to_raw_value(reply),
        Reply::Report(reply) => to_raw_value(reply),
        Reply::Ask(reply) => to_raw_value(reply),
        Reply::Explain(reply) => to_raw_value(reply),
        Reply::Done(reply) => to_raw_value(reply),
        Reply::Status(reply) => to_raw_value(reply),
        Reply::Protocol2(reply) => to_raw_value(reply),
    };
    Ok(text.map_err(|error| Refusal::Internal { why: error.to_string() })?)
}

/// The receiver of an answer.
#[derive(Debug)]
pub(crate) enum ReplyTo {
    /// The task that made the request.
    Task(oneshot::Sender<Answer>),
    /// A WebSocket, which is answered directly. The token makes the shutdown of the pool wait for the answer.
    Socket(Responder, TaskTrackerToken),
}

impl ReplyTo {
    /// Whether the caller no longer waits.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Task(task) => task.is_closed(),
            Self::Socket(responder, _) => responder.is_closed(),
        }
    }

    pub(crate) fn send(self, answer: Answer) {
        match self {
            Self::Task(task) => {
                let _gone = task.send(answer);
            }
            Self::Socket(responder, _in_flight) => responder.respond_raw(answer.and_then(|reply| reply_text(&reply))),
        }
    }
}

/// A message in the queue of the core's thread.
#[derive(Debug)]
pub(crate) enum Message {
    /// A request of an agent. Holds its permit until it is handled.
    Request { command: Command, request: RequestId, reply_to: ReplyTo, permit: CommandPermit },
    /// A command without an answer.
    Note(Command),
    /// A call to an agent ended. `life` names the core that began it.
    CallDone { life: u64, call: CallId, outcome: CallOutcome },
    /// Batches up to this one are durable.
    Committed(u64),
    /// A batch could not be made durable.
    CommitFailed(StoreError),
    /// New limits; answered with the names of those that take effect only at the next start.
    Reload { limits: Box<Limits>, done: oneshot::Sender<Vec<&'static str>> },
    /// Asks whether core and store work.
    Probe(oneshot::Sender<Result<(), HealthError>>),
    /// The end, after the messages sent before.
    Stop,
}

/// The queue in front of the core's thread. It never blocks and never drops a message. Its length is bounded: requests by
/// the permits that they hold, ends of calls by the calls in flight, commits by the batches of the store, and the rest by
/// the number of sockets.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    shared: Arc<Shared>,
    length: Gauge,
}

/// The core's end of an [`Inbox`].
#[derive(Debug)]
pub(crate) struct InboxReader {
    shared: Arc<Shared>,
    length: Gauge,
    /// Messages taken out of the queue together, so that not each one needs the lock.
    taken: VecDeque<Message>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    items: VecDeque<Message>,
    /// Whether the core sleeps and no task is about to wake it.
    asleep: bool,
    /// Whether the core's thread has ended.
    closed: bool,
}

pub(crate) fn inbox(length: Gauge) -> (Inbox, InboxReader) {
    let shared = Arc::new(Shared::default());
    let items = InboxReader { shared: Arc::clone(&shared), length: length.clone(), taken: VecDeque::new() };
    (Inbox { shared, length }, items)
}

impl Shared {
    /// No code panics while it holds the lock; if one did, the queue would still be whole.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// Appends a message. After the core's thread has ended, the message is dropped together with the channel for its
    /// answer.
    pub(crate) fn push(&self, item: Message) {
        let mut queue = self.shared.lock();
        if queue.closed {
            return;
        }
        self.length.inc();
        queue.items.push_back(item);
        if std::mem::take(&mut queue.asleep) {
            drop(queue);
            self.wake();
        }
    }

    /// Wakes the core, in a task that runs after the tasks that can run now, so that their messages form one batch. A
    /// thread switch for each request would cost more than the request.
    fn wake(&self) {
        let shared = Arc::clone(&self.shared);
        let Ok(runtime) = Handle::try_current() else { return shared.bell.notify_one() };
        let ring = Ring(shared);
        runtime.spawn(async move {
            yield_now().await;
            drop(ring);
        });
    }
}

/// Wakes the core when dropped, even if the runtime ends before the task runs.
struct Ring(Arc<Shared>);

impl Drop for Ring {
    fn drop(&mut self) {
        self.0.bell.notify_one();
    }
}

impl InboxReader {
    /// Returns the next message; waits for it for at most `wait`.
    pub(crate) fn next(&mut self, wait: Duration) -> Option<Message> {
        if self.taken.is_empty() {
            let mut queue = self.shared.lock();
            if queue.items.is_empty() && !wait.is_zero() {
                queue.asleep = true;
                let woken = self.shared.bell.wait_timeout_while(queue, wait, |queue| queue.items.is_empty());
                (queue, _) = woken.unwrap_or_else(PoisonError::into_inner);
                queue.asleep = false;
            }
            std::mem::swap(&mut self.taken, &mut queue.items);
        }
        let item = self.taken.pop_front()?;
        self.length.dec();
        Some(item)
    }
}

impl Drop for InboxReader {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.closed = true;
        let left = std::mem::take(&mut queue.items);
        drop(queue);
        let left: Vec<Message> = left.into_iter().chain(std::mem::take(&mut self.taken)).collect();
        self.length.dec_by(i64::try_from(left.len()).unwrap_or(i64::MAX));
    }
}
