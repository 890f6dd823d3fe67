use std::time::Duration;

use serde_json::value::RawValue;

use crate::{CallError, HttpRpc, RpcHandle};

/// A server to call, over a socket or over HTTP.
#[derive(Debug, Clone)]
pub enum RpcClient {
    /// A socket, which can call back.
    Socket(RpcHandle),
    /// HTTP, one request a call.
    Http(HttpRpc),
}

impl RpcClient {
    /// Calls a method and waits for its answer, at most for `deadline`. The params are already serialized, as
    /// signatures require.
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
