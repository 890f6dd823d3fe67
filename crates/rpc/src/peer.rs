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
        let (waiter, answer) = oneshot::channel();
        let outgoing = Outgoing::Call { method: method.to_owned(), params, waiter };
        match timeout_at(until, self.calls.send(outgoing)).await {
            Ok(Ok(())) => {}
            Ok(Err(_closed)) => return Err(CallError::Lost(self.shared.why())),
            Err(_elapsed) => return Err(CallError::Expired),
        }
        match timeout_at(until, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_dropped)) => Err(CallError::Lost(self.shared.why())),
            Err(_elapsed) => Err(CallError::Expired),
        }
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
