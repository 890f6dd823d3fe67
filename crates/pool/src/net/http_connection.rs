//! The requests on one TCP connection of the pool's port: upgrades, POSTs, `/health`, `/metrics`.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use hyper_util::rt::TokioIo;
use tokio::{
    task::yield_now,
    time::{sleep, timeout},
};
use vipnode_rpc::{Connection, ConnectionEvent, Keepalive, RpcLimits, Session, WsFrames};
use vipnode_types::wire::{CHALLENGE_HEADER, POOL_ID_HEADER, POOL_PROOF_HEADER, WireError};

use crate::{
    error::Refusal,
    fairness::{Caller, ConnectionGuard, Pace, TokenBucket, fair_poll},
    methods::{Pacing, Service, http_rpc, websocket},
    net::{cors, port::Port, upgrade::Upgrade},
};

/// One TCP connection.
#[derive(Debug)]
pub(crate) struct HttpConnection {
    pub(crate) port: Arc<Port>,
    /// The remote address, which may be that of a proxy.
    pub(crate) address: IpAddr,
    /// The remote end, unless it is a proxy.
    pub(crate) caller: Option<Arc<Caller>>,
    /// Counts the connection until its last user drops it.
    pub(crate) _guard: ConnectionGuard,
    pub(crate) rate: Mutex<TokenBucket>,
}

impl HttpConnection {
    pub(crate) async fn handle(self: Arc<Self>, request: Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        let service = Arc::clone(&self.port.service);
        let page = parts.headers.get(header::ORIGIN).cloned();
        if parts.method == Method::OPTIONS {
            return cors::options(service.access.page_access(page.as_ref()), &parts.headers);
        }
        let mut response = self.answer_one(parts, body).await;
        cors::open(service.access.page_access(page.as_ref()), response.headers_mut());
        response
    }

    fn service(&self) -> &Service {
        &self.port.service
    }

    async fn answer_one(self: Arc<Self>, mut parts: Parts, body: Body) -> Response {
        let path = parts.uri.path();
        match parts.method {
            Method::GET if parts.headers.contains_key(header::UPGRADE) => match self.caller(&parts.headers).await {
                Ok(caller) => self.upgrade(caller, &mut parts).await,
                Err(refusal) => *refusal,
            },
            Method::GET if path.ends_with("/health") => self.health().await,
            Method::GET if path.ends_with("/metrics") => {
                ([(header::CONTENT_TYPE, vipnode_metrics::CONTENT_TYPE)], self.service().metrics.text()).into_response()
            }
            Method::GET => "This is a vipnode pool. Agents connect over WebSocket. See also /health and /metrics.\n"
                .into_response(),
            Method::POST => match self.caller(&parts.headers).await {
                Ok(caller) => self.post(&caller, body).await,
                Err(refusal) => *refusal,
            },
            _ => (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, cors::ALLOW)]).into_response(),
        }
    }

    /// Returns the caller; behind a proxy, each request names it.
    async fn caller(&self, headers: &HeaderMap) -> Result<Arc<Caller>, Box<Response>> {
        if let Some(caller) = &self.caller {
            return Ok(Arc::clone(caller));
        }
        let client = self.port.proxies.client(self.address, headers);
        let client = client
            .map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response())
            .map_err(Box::new)?;
        let caller = self.port.limiter.admit(client, Instant::now()).map_err(|limit| {
            self.service().metrics.refused.inc();
            Box::new((limit.status(), limit.text()).into_response())
        })?;
        sleep(caller.wait).await;
        Ok(Arc::new(caller))
    }

    /// Reports readiness: never 200 with an error (fault D44, docs/faults.md). If the status is public, the answer includes
    /// it, because the original's pages read it there.
    async fn health(&self) -> Response {
        let (status, body) = match self.service().gateway.health().await {
            Ok(()) => (StatusCode::OK, self.healthy().await),
            Err(error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                serde_json::json!({"ok": false, "error": error.to_string()}).to_string(),
            ),
        };
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }

    async fn healthy(&self) -> String {
        let status = self.service().status(false).await.ok();
        match status.as_ref().and_then(|status| status.get().strip_prefix('{')) {
            Some(fields) => format!(r#"{{"ok":true,{fields}"#),
            None => r#"{"ok":true}"#.to_owned(),
        }
    }

    async fn upgrade(self: Arc<Self>, caller: Arc<Caller>, parts: &mut Parts) -> Response {
        let Upgrade { mut response, stream } = match Upgrade::accept(parts) {
            Ok(upgrade) => upgrade,
            Err(refusal) => return *refusal,
        };
        let mut challenge = [0; 32];
        if getrandom::fill(&mut challenge).is_err() {
            return (StatusCode::SERVICE_UNAVAILABLE, "the pool cannot get random bytes from the operating system")
                .into_response();
        }
        let challenge = hex(&challenge);
        let mut presented = vec![(CHALLENGE_HEADER, challenge.clone())];
        if let Some((id, proof)) = self.service().access.prove_id(&challenge) {
            presented.extend([(POOL_ID_HEADER, id.to_string()), (POOL_PROOF_HEADER, proof.to_string())]);
        }
        for (name, value) in presented {
            let Ok(value) = HeaderValue::from_str(&value) else {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            };
            response.headers_mut().insert(name, value);
        }
        // Reading a request and answering it are two steps: in a storm of connects, other tasks run in between.
        yield_now().await;
        let token = self.port.tasks.token();
        // The future lives as long as the socket, so its parts are on the heap and not moved with it.
        tokio::spawn(async move {
            let _open = token;
            let stream = match stream.await {
                Ok(stream) => TokioIo::new(stream),
                Err(error) => return tracing::debug!(%error, "the upgrade failed"),
            };
            let frames = WsFrames::serve(stream, self.service().limits.frame_bytes).await;
            let (session, rpc) = Session::new(frames, &self.rpc_limits(), Keepalive::Ping);
            let served = websocket::serve(&self.port.service, Box::new(session), rpc, &caller, challenge);
            fair_poll(&caller.block, served).await;
        });
        response
    }

    fn rpc_limits(&self) -> RpcLimits {
        let limits = &self.service().limits;
        RpcLimits {
            frame_bytes: limits.frame_bytes,
            in_flight: limits.unanswered,
            served: limits.requests_a_socket,
            batch: limits.requests_a_socket,
            outbound: limits.outbound,
            incoming: limits.requests_a_socket,
            garbage: limits.garbage,
            write: limits.write,
            ping: limits.ping,
            silence: limits.socket_silence,
            farewell: limits.farewell,
            farewell_frames: limits.farewell_frames,
            ..RpcLimits::default()
        }
    }

    async fn post(&self, caller: &Caller, body: Body) -> Response {
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
        match self.answer(caller, text).await {
            Some(answer) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
            // Only notifications, which get no answer (fault D45, docs/faults.md).
            None => StatusCode::NO_CONTENT.into_response(),
        }
    }

    /// Answers the calls of one body, one after the other.
    async fn answer(&self, caller: &Caller, text: &str) -> Option<String> {
        let limits = &self.service().limits;
        let served = limits.requests_a_socket;
        let mut wire = Connection::<()>::new(&RpcLimits { served, batch: served, ..RpcLimits::default() });
        let mut answer = None;
        for event in wire.read(text) {
            match event {
                ConnectionEvent::Send(text) => answer = Some(text),
                ConnectionEvent::Request { served, method, params } => {
                    self.service().metrics.requests.inc();
                    let result = match self.pace(caller).await {
                        Ok(()) => http_rpc::answer(self.service(), caller, &method, &params).await,
                        Err(error) => {
                            self.service().metrics.too_fast.inc();
                            Err(WireError::from(error))
                        }
                    };
                    if result.is_err() {
                        self.service().metrics.errors.inc();
                    }
                    answer = wire.answer(served, result.as_ref().map(|value| &**value)).or(answer);
                }
                ConnectionEvent::Notification { .. } | ConnectionEvent::Answer { .. } => {}
            }
        }
        answer
    }

    /// Slows down a caller that is too fast.
    async fn pace(&self, caller: &Caller) -> Result<(), Refusal> {
        let (now, limits) = (Instant::now(), &self.service().limits);
        // A proxy's connection carries the calls of many callers, which are limited only by address block.
        let own = match self.caller {
            Some(_) => self.rate.lock().unwrap_or_else(PoisonError::into_inner).take(now),
            None => Pace::Fine,
        };
        let Pacing { wait, result } = Pacing::of(own, &caller.block, &caller.block.calls, limits, now);
        if !wait.is_zero() {
            sleep(wait).await;
        }
        result
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
