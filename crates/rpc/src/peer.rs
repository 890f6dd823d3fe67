use std::{sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};
use vipnode_types::wire::WireError;

use crate::opened::Shared;

/// The other side of an open socket, to be called. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RpcPeer {
    pub(crate) calls: mpsc::Sender<Outgoing>,
    pub(crate) shared: Arc<Shared>,
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The other side answered with an error.
    #[error("{0}")]
    Remote(WireError),
    /// The connection is gone, and why. Whether the call was carried out is not known.
    #[error("{0}")]
    Lost(String),
    /// No answer by the deadline.
    #[error("no answer within the time for it")]
    Expired,
    /// As many calls as allowed wait for an answer.
    #[error("as many calls as allowed wait for an answer of the other side")]
    Full,
    /// The params do not serialise, or the answer is not JSON-RPC.
    #[error("JSON: {0}")]
    Json(String),
}

pub(crate) type Waiter = oneshot::Sender<Result<Box<RawValue>, CallError>>;

/// What a handle asks the driver for.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Call { method: String, params: Box<RawValue>, waiter: Waiter },
    Notify { method: String, params: Box<RawValue> },
}

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

impl RpcPeer {
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
        let params = to_raw_value(params).map_err(|error| CallError::Json(error.to_string()))?;
        self.call_raw(method, params, deadline).await
    }

    /// The same with params that are text already, as a signature needs it.
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
        match timeout_at(until, self.calls.send(outgoing)).await {
            Ok(Ok(())) => pending.wait_until(until).await,
            Ok(Err(_closed)) => Err(CallError::Lost(self.shared.why())),
            Err(_elapsed) => Err(CallError::Expired),
        }
    }

    /// Queues a call without waiting, so that calls leave in the order in which they were begun.
    ///
    /// # Errors
    /// [`CallError::Full`] where the queue is full, [`CallError::Lost`].
    pub fn begin_call(&self, method: &str, params: Box<RawValue>) -> Result<PendingCall, CallError> {
        let (pending, outgoing) = self.prepare(method, params);
        match self.calls.try_send(outgoing) {
            Ok(()) => Ok(pending),
            Err(mpsc::error::TrySendError::Full(_)) => Err(CallError::Full),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(CallError::Lost(self.shared.why())),
        }
    }

    fn prepare(&self, method: &str, params: Box<RawValue>) -> (PendingCall, Outgoing) {
        let (waiter, answer) = oneshot::channel();
        let pending = PendingCall { answer, shared: Arc::clone(&self.shared) };
        (pending, Outgoing::Call { method: method.to_owned(), params, waiter })
    }

    /// Says something that is not answered; waits for room in the queue.
    ///
    /// # Errors
    /// [`CallError::Lost`], [`CallError::Json`].
    pub async fn notify<P: Serialize + ?Sized>(&self, method: &str, params: &P) -> Result<(), CallError> {
        let params = to_raw_value(params).map_err(|error| CallError::Json(error.to_string()))?;
        let outgoing = Outgoing::Notify { method: method.to_owned(), params };
        self.calls.send(outgoing).await.map_err(|_closed| CallError::Lost(self.shared.why()))
    }

    /// Closes the socket after what is queued was written; the first reason counts.
    pub fn close(&self, reason: &str) {
        let _earlier = self.shared.close_reason.set(reason.to_owned());
        self.shared.close.cancel();
    }

    /// Answers that nobody waited for, so far (D3).
    #[must_use]
    pub fn dropped_answers(&self) -> u64 {
        self.shared.dropped()
    }
}
