use std::time::Duration;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{CallError, HttpRpc, RpcPeer};

/// Whoever can be called, over a socket or over HTTP.
#[derive(Debug, Clone)]
pub enum RpcClient {
    /// A socket, which can call back.
    Socket(RpcPeer),
    /// HTTP, one request a call.
    Http(HttpRpc),
}

impl RpcClient {
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

    /// The same with params that are text already.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call_raw(
        &self,
        method: &str,
        params: Box<RawValue>,
        deadline: Duration,
    ) -> Result<Box<RawValue>, CallError> {
        match self {
            Self::Socket(peer) => peer.call_raw(method, params, deadline).await,
            Self::Http(http) => http.call_raw(method, params, deadline).await,
        }
    }
}
