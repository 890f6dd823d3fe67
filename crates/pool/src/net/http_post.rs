//! Calls in the body of an HTTP POST.

use axum::{
    body::{Body, to_bytes},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::value::RawValue;
use tokio::time::timeout;
use vipnode_rpc::{Connection, ConnectionEvent, RpcLimits};
use vipnode_types::wire::WireError;

use crate::{auth::Arrival, fairness::Caller, methods::http_rpc, net::http_connection::HttpConnection};

impl HttpConnection {
    pub(super) async fn post(&self, caller: &Caller, arrival: Arrival, body: Body) -> Response {
        let limits = &self.service().limits;
        let body = match timeout(limits.http_body, to_bytes(body, limits.frame_bytes)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => {
                let why = format!("the body cannot be read or is larger than {} bytes", limits.frame_bytes);
                return (StatusCode::PAYLOAD_TOO_LARGE, why).into_response();
            }
            Err(_elapsed) => return (StatusCode::REQUEST_TIMEOUT, "the body took too long").into_response(),
        };
        let Ok(text) = std::str::from_utf8(&body) else {
            return (StatusCode::BAD_REQUEST, "the body is not UTF-8").into_response();
        };
        match self.answer(caller, arrival, text).await {
            Some(answer) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
            // Only notifications, which get no answer (fault D45, docs/faults.md).
            None => StatusCode::NO_CONTENT.into_response(),
        }
    }

    /// Answers the calls of one body, one after the other.
    async fn answer(&self, caller: &Caller, arrival: Arrival, text: &str) -> Option<String> {
        let limits = &self.service().limits;
        let served = limits.requests_a_socket;
        let mut wire = Connection::<()>::new(&RpcLimits { served, batch: served, ..RpcLimits::default() });
        let mut answer = None;
        for event in wire.read(text) {
            match event {
                ConnectionEvent::Send(text) => answer = Some(text),
                ConnectionEvent::Request { served, method, params } => {
                    self.service().metrics.requests.inc();
                    let result = self.call(caller, arrival, &method, &params).await;
                    if let Err(error) = &result {
                        self.service().metrics.count_error(error);
                    }
                    answer = wire.answer(served, result.as_ref().map(|value| &**value)).or(answer);
                }
                ConnectionEvent::Notification { .. } | ConnectionEvent::Answer { .. } => {}
            }
        }
        answer
    }

    /// Answers one call.
    async fn call(
        &self,
        caller: &Caller,
        arrival: Arrival,
        method: &str,
        params: &RawValue,
    ) -> Result<Box<RawValue>, WireError> {
        if let Err(error) = self.pace(caller).await {
            self.service().metrics.too_fast.inc();
            return Err(error.into());
        }
        http_rpc::answer(self.service(), caller, arrival, method, params).await
    }
}
