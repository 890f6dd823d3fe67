//! Calls in the body of an HTTP POST.

use std::{sync::Arc, time::Instant};

use axum::{
    body::{Body, to_bytes},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tokio::time::timeout;
use vipnode_rpc::{Connection, ConnectionEvent, RpcLimits};

use crate::{
    auth::Arrival,
    call_refusal::CallRefusal,
    fairness::{Block, Caller},
    methods::http_rpc,
    net::http_connection::{HttpConnection, size, too_much},
};

impl HttpConnection {
    /// Answers the calls of a body. `paced` is whether the caller may make one now.
    pub(super) async fn post(
        &self,
        caller: &Caller,
        arrival: Arrival,
        body: Body,
        paced: Result<(), CallRefusal>,
    ) -> Response {
        let limits = &self.service().limits;
        let refused = match timeout(limits.http_body, to_bytes(body, limits.frame_bytes)).await {
            Ok(Ok(body)) => match std::str::from_utf8(&body) {
                Ok(text) => {
                    self.charge_body(caller, text.len(), &paced).await;
                    return self.calls(caller, arrival, text, paced).await;
                }
                Err(_) => (StatusCode::BAD_REQUEST, "the body is not UTF-8").into_response(),
            },
            Ok(Err(_)) => {
                let why = format!("the body cannot be read or is larger than {} bytes", limits.frame_bytes);
                (StatusCode::PAYLOAD_TOO_LARGE, why).into_response()
            }
            Err(_elapsed) => (StatusCode::REQUEST_TIMEOUT, "the body took too long").into_response(),
        };
        owed(caller.block(), 0, refused)
    }

    /// Answers the calls of one text, one after the other.
    async fn calls(&self, caller: &Caller, arrival: Arrival, text: &str, paced: Result<(), CallRefusal>) -> Response {
        let limits = &self.service().limits;
        let served = limits.requests_a_socket;
        let mut wire = Connection::<()>::new(&RpcLimits { served, batch: served, ..RpcLimits::default() });
        let (mut answer, mut charged, mut paced) = (None, 0_usize, Some(paced));
        let mut charged_to = Arc::clone(caller.block());
        for event in wire.read(text) {
            match event {
                ConnectionEvent::Send(text) => answer = Some(text),
                ConnectionEvent::Request { served, method, params } => {
                    self.service().metrics.requests.inc();
                    let paced = match paced.take() {
                        Some(paced) => paced,
                        None => self.pace(caller).await,
                    };
                    let result = match paced {
                        Ok(()) => {
                            let answered = http_rpc::answer(self.service(), caller, arrival, &method, &params).await;
                            charged_to = answered.charged_to;
                            answered.result
                        }
                        Err(refusal) => {
                            self.service().metrics.too_fast.inc();
                            Err(refusal.into())
                        }
                    };
                    match &result {
                        Ok(value) => charged = charged.saturating_add(value.get().len()),
                        Err(error) => self.service().metrics.count_error(error),
                    }
                    answer = wire.answer(served, result.as_ref().map(|value| &**value)).or(answer);
                }
                ConnectionEvent::Notification { .. } | ConnectionEvent::Answer { .. } => {}
            }
        }
        if let Some(Err(refusal)) = paced {
            // There was no call that the refusal could answer.
            return too_much(&refusal);
        }
        let response = match answer {
            Some(answer) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
            // Only notifications, which get no answer (fault D45, docs/faults.md).
            None => StatusCode::NO_CONTENT.into_response(),
        };
        owed(&charged_to, charged, response)
    }
}

/// Charges the bytes of an answer that are not charged yet. The next requests of the block wait for them.
fn owed(charged_to: &Block, charged: usize, response: Response) -> Response {
    charged_to.owe_bytes(size(&response).saturating_sub(charged), Instant::now());
    response
}
