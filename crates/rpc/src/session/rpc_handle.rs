use std::{sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::shared::{NotQueued, Outgoing, Shared};
use crate::CallError;

/// The other side of an open socket, to be called. Cheap to clone.
#[derive(Debug)]
pub struct RpcHandle(Arc<Shared>);

/// A call that was queued.
#[derive(Debug)]
pub struct PendingCall {
    answer: oneshot::Receiver<Result<Box<RawValue>, CallError>>,
    shared: Arc<Shared>,
}

impl PendingCall {
    /// Waits for the answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn wait_until(self, until: Instant) -> Result<Box<RawValue>, CallError> {
        match timeout_at(until, self.answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_dropped)) => Err(CallError::Lost(self.shared.why())),
            Err(_elapsed) => Err(CallError::Expired),
        }
    }
}

impl RpcHandle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        shared.add_caller();
        Self(shared)
    }

    /// Calls a method and waits for its answer, at most for `deadline`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call<P: Serialize + ?Sized>(
        &self,
        method: &str,
        params: &P,
        deadline: Duration,
    ) -> Result<Box<RawValue>, CallError> {
        let params = to_raw_value(params).map_err(|error| CallError::Json { why: error.to_string() })?;
        self.call_raw(method, params, deadline).await
    }

    /// The same as [`Self::call`], with params that are already serialized, as signatures require.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call_raw(
        &self,
        method: &str,
        params: Box<RawValue>,
        deadline: Duration,
    ) -> Result<Box<RawValue>, CallError> {
        let until = Instant::now() + deadline;
        let (pending, outgoing) = self.prepare(method, params);
        match timeout_at(until, self.0.queue(outgoing)).await {
            Ok(Ok(())) => pending.wait_until(until).await,
            Ok(Err(end)) => Err(CallError::Lost(end)),
            Err(_elapsed) => Err(CallError::Expired),
        }
    }

    /// Queues a call without waiting, so that calls leave in the order in which they were begun.
    ///
    /// # Errors
    /// [`CallError::Full`] where the queue is full, [`CallError::Lost`].
    pub fn begin_call(&self, method: &str, params: Box<RawValue>) -> Result<PendingCall, CallError> {
        let (pending, outgoing) = self.prepare(method, params);
        match self.0.try_queue(outgoing) {
            Ok(()) => Ok(pending),
            Err(NotQueued::Full(_)) => Err(CallError::Full),
            Err(NotQueued::Ended(end)) => Err(CallError::Lost(end)),
        }
    }

    fn prepare(&self, method: &str, params: Box<RawValue>) -> (PendingCall, Outgoing) {
        let (waiter, answer) = oneshot::channel();
        let pending = PendingCall { answer, shared: Arc::clone(&self.0) };
        (pending, Outgoing::Call { method: method.to_owned(), params, waiter })
    }

    /// Sends a notification; waits for room in the queue.
    ///
    /// # Errors
    /// [`CallError::Lost`], [`CallError::Json`].
    pub async fn notify<P: Serialize + ?Sized>(&self, method: &str, params: &P) -> Result<(), CallError> {
        let params = to_raw_value(params).map_err(|error| CallError::Json { why: error.to_string() })?;
        let outgoing = Outgoing::Notify { method: method.to_owned(), params };
        self.0.queue(outgoing).await.map_err(CallError::Lost)
    }

    /// Closes the socket after what is queued was written; the first reason counts.
    pub fn close(&self, reason: &str) {
        self.0.close(reason);
    }

    /// Answers that nobody waited for, so far (fault D3, docs/faults.md).
    #[must_use]
    pub fn dropped_answers(&self) -> u64 {
        self.0.dropped()
    }
}

impl Clone for RpcHandle {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.0))
    }
}

impl Drop for RpcHandle {
    fn drop(&mut self) {
        self.0.remove_caller();
    }
}
