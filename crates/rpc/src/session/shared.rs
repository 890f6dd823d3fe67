use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;
use serde_json::value::RawValue;
use tokio::sync::{Notify, oneshot};
use vipnode_types::wire::WireError;

use crate::{CallError, Served, SessionEnd};

/// What a session shares with the handles on it: what has to be sent, and whether it has ended.
#[derive(Debug)]
pub(crate) struct Shared {
    queues: Mutex<Queues>,
    /// The task that runs the session.
    task: AtomicWaker,
    /// Calls that may wait in the queue.
    outbound: usize,
    callers: AtomicUsize,
    no_callers: Notify,
    room: Notify,
    gone: Notify,
    dropped: AtomicU64,
}

pub(crate) type Waiter = oneshot::Sender<Result<Box<RawValue>, CallError>>;

/// What a handle asks the session for.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Call { method: String, params: Box<RawValue>, waiter: Waiter },
    Notify { method: String, params: Box<RawValue> },
}

pub(crate) type Answered = (Served, Result<Box<RawValue>, Box<WireError>>);

/// Calls are bounded by [`crate::RpcLimits::outbound`], answers by [`crate::RpcLimits::served`]: each
/// request that is served is answered once.
#[derive(Debug, Default)]
struct Queues {
    calls: VecDeque<Outgoing>,
    answers: Vec<Answered>,
    /// A handle wants the end, and why.
    close: Option<SessionEnd>,
    /// Why it ended; nothing is queued any more.
    ended: Option<SessionEnd>,
    /// The socket is gone too.
    gone: bool,
}

/// What a session took out of the queues.
pub(crate) enum NextWork {
    Nothing,
    Work(VecDeque<Outgoing>, Vec<Answered>),
    /// It is to end.
    Close(SessionEnd),
}

/// Why a call was not queued.
pub(crate) enum NotQueued {
    Full(Outgoing),
    Ended(SessionEnd),
}

impl Shared {
    pub(crate) fn new(outbound: usize) -> Self {
        Self {
            queues: Mutex::default(),
            task: AtomicWaker::new(),
            outbound: outbound.max(1),
            callers: AtomicUsize::new(0),
            no_callers: Notify::new(),
            room: Notify::new(),
            gone: Notify::new(),
            dropped: AtomicU64::new(0),
        }
    }

    /// No code panics while it holds the lock; if one did, the queues would still be whole.
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session wakes `task` from now on when a handle did something.
    pub(crate) fn run_by(&self, task: &Waker) {
        self.task.register(task);
    }

    pub(crate) fn try_queue(&self, outgoing: Outgoing) -> Result<(), NotQueued> {
        let mut queues = self.lock();
        // After a close nothing is added, so what is sent before it comes to an end.
        if let Some(end) = queues.ended.as_ref().or(queues.close.as_ref()) {
            return Err(NotQueued::Ended(end.clone()));
        }
        if queues.calls.len() >= self.outbound {
            return Err(NotQueued::Full(outgoing));
        }
        queues.calls.push_back(outgoing);
        drop(queues);
        self.task.wake();
        Ok(())
    }

    /// Waits for room.
    pub(crate) async fn queue(&self, mut outgoing: Outgoing) -> Result<(), SessionEnd> {
        loop {
            let room = self.room.notified();
            match self.try_queue(outgoing) {
                Ok(()) => return Ok(()),
                Err(NotQueued::Ended(end)) => return Err(end),
                Err(NotQueued::Full(back)) => outgoing = back,
            }
            room.await;
        }
    }

    /// Where the session has ended nobody is left to be answered.
    pub(crate) fn answer(&self, served: Served, result: Result<Box<RawValue>, WireError>) {
        let mut queues = self.lock();
        if queues.ended.is_none() {
            queues.answers.push((served, result.map_err(Box::new)));
            drop(queues);
            self.task.wake();
        }
    }

    /// The first reason counts.
    pub(crate) fn close(&self, reason: &str) {
        self.lock().close.get_or_insert_with(|| SessionEnd::closed(reason));
        self.task.wake();
    }

    /// What has to be done; work only where there is room for it.
    pub(crate) fn take(&self, room: bool) -> NextWork {
        let mut queues = self.lock();
        // What was called before the close is still sent, although nobody waits for the answer: it may be an order.
        if let Some(end) = queues.close.as_ref().filter(|_| !room || queues.calls.is_empty()) {
            return NextWork::Close(end.clone());
        }
        if !room || (queues.calls.is_empty() && queues.answers.is_empty()) {
            return NextWork::Nothing;
        }
        let (calls, answers) = (std::mem::take(&mut queues.calls), std::mem::take(&mut queues.answers));
        drop(queues);
        if calls.len() >= self.outbound {
            self.room.notify_waiters();
        }
        NextWork::Work(calls, answers)
    }

    /// The session ends: nothing is queued any more, calls that were not sent are lost. Returns the
    /// answers that may still be sent. The first reason counts.
    pub(crate) fn end(&self, end: &SessionEnd) -> Vec<Answered> {
        let mut queues = self.lock();
        queues.ended.get_or_insert_with(|| end.clone());
        let (lost, answers) = (std::mem::take(&mut queues.calls), std::mem::take(&mut queues.answers));
        drop(queues);
        drop(lost);
        self.room.notify_waiters();
        answers
    }

    pub(crate) fn set_gone(&self) {
        self.lock().gone = true;
        self.gone.notify_waiters();
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.lock().gone
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.lock().ended.is_some()
    }

    pub(crate) async fn until_gone(&self) -> SessionEnd {
        let gone = self.gone.notified();
        if !self.is_gone() {
            gone.await;
        }
        self.why()
    }

    pub(crate) fn why(&self) -> SessionEnd {
        self.lock().ended.clone().unwrap_or_else(|| SessionEnd::closed("the connection is closed"))
    }

    pub(crate) fn add_caller(&self) {
        self.callers.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn remove_caller(&self) {
        if self.callers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.no_callers.notify_one();
        }
    }

    /// Waits until nobody holds a handle to call by; there will be none again.
    pub(crate) async fn until_no_callers(&self) {
        self.no_callers.notified().await;
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn set_dropped(&self, dropped: u64) {
        self.dropped.store(dropped, Ordering::Relaxed);
    }
}
