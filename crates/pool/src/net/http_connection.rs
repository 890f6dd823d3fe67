//! The requests on one TCP connection of the pool's port: upgrades, POSTs, `/health`, `/metrics`.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use axum::{
    body::{Body, HttpBody as _},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use hyper_util::rt::TokioIo;
use tokio::{task::yield_now, time::sleep};
use vipnode_rpc::{Keepalive, RpcLimits, Session, WsFrames};
use vipnode_types::{TypedError as _, wire::CHALLENGE_HEADER};

use crate::{
    auth::Arrival,
    engine::wall_clock,
    error::Refusal,
    fairness::{Caller, Pace, TokenBucket, fair_poll},
    methods::{Health, Pacing, Service, websocket},
    net::{
        cors, counted_stream::CountedStream, fragment_deadline::FragmentDeadline, opener::Opener, port::Port,
        proxy_protocol::ConnectionEnds, rejection::Rejection, trusted_proxies::has_proxy_header, upgrade::Upgrade,
    },
};

/// One TCP connection.
#[derive(Debug)]
pub(crate) struct HttpConnection {
    pub(crate) port: Arc<Port>,
    /// The two ends: the remote end may be a proxy.
    pub(crate) ends: ConnectionEnds,
    /// Who opened the connection. Its last user drops it.
    pub(crate) opener: Opener,
    pub(crate) rate: Mutex<TokenBucket>,
}

/// A request of a caller, or the answer that refuses it.
type Admitted = Result<(Arc<Caller>, Arrival), Box<Response>>;

const JSON: (HeaderName, HeaderValue) = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
const METRICS: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static(vipnode_metrics::CONTENT_TYPE));
const TEXT: (HeaderName, HeaderValue) = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));

impl HttpConnection {
    pub(crate) async fn handle(self: Arc<Self>, request: Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        let service = Arc::clone(&self.port.service);
        let page = parts.headers.get(header::ORIGIN).cloned();
        let preflight = parts.method == Method::OPTIONS;
        let mut response = self.answer_one(parts, body).await;
        if !preflight {
            cors::open(service.access.page_access(page.as_ref()), response.headers_mut());
        }
        response
    }

    pub(super) fn service(&self) -> &Service {
        &self.port.service
    }

    async fn answer_one(self: Arc<Self>, mut parts: Parts, body: Body) -> Response {
        let path = parts.uri.path();
        let (health, metrics) = (path.ends_with("/health"), path.ends_with("/metrics"));
        let full = parts.uri.query() == Some("full");
        let upgrades = parts.method == Method::GET && parts.headers.contains_key(header::UPGRADE);
        if parts.method == Method::HEAD {
            // hyper leaves out the body.
            parts.method = Method::GET;
        }
        let probes = parts.method == Method::GET && ((health && !full) || metrics);
        if probes && self.arrival(&parts.headers).is_from_this_machine() {
            return if health { self.copied_health() } else { self.copied_metrics() };
        }
        let (caller, arrival) = match self.admitted(&parts.headers).await {
            Ok(admitted) => admitted,
            Err(refusal) => return *refusal,
        };
        if let Some(page) = parts.headers.get(header::ORIGIN)
            && (upgrades || parts.method == Method::POST)
            && !self.service().access.admits_page(page, &arrival)
        {
            return foreign_page();
        }
        if upgrades {
            return self.upgrade(caller, arrival, &mut parts).await;
        }
        if parts.method == Method::POST {
            return self.post(&caller, arrival, body).await;
        }
        if let Err(refusal) = self.pace(&caller).await {
            return too_much(&refusal);
        }
        let response = match parts.method {
            Method::OPTIONS => {
                let page = parts.headers.get(header::ORIGIN);
                return cors::options(self.service().access.page_access(page), &parts.headers);
            }
            Method::GET if health && full => health_response(Health::now(self.service()).await),
            Method::GET if health => self.copied_health(),
            Method::GET if metrics => self.copied_metrics(),
            Method::GET => "This is a vipnode pool. Agents connect over WebSocket. See also /health and /metrics.\n"
                .into_response(),
            _ => return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, cors::ALLOW)]).into_response(),
        };
        self.charged(&caller, response).await
    }

    /// Returns how a request reached the pool. The headers count only for whether there is a proxy.
    fn arrival(&self, headers: &HeaderMap) -> Arrival {
        let ConnectionEnds { remote, local } = self.ends;
        if matches!(self.opener, Opener::Proxy { .. }) && self.port.proxies.names_client(headers) {
            return Arrival::Proxied;
        }
        let direct = Arrival::Direct { local, remote: remote.ip() };
        if direct.is_from_this_machine() && has_proxy_header(headers) {
            self.port.warn_of_unnamed_proxy();
            return Arrival::UnnamedProxy;
        }
        direct
    }

    /// Returns the caller of a request, and how the request arrived; behind a proxy, each request names its caller.
    async fn admitted(&self, headers: &HeaderMap) -> Admitted {
        let arrival = self.arrival(headers);
        match &self.opener {
            Opener::Caller { caller, .. } => {
                // A ban may be newer than the connection.
                self.check_ban(caller.address)?;
                return Ok((Arc::clone(caller), arrival));
            }
            Opener::Probe { rejection, .. } => return Err(self.rejected(rejection)),
            Opener::Proxy { .. } => {}
        }
        let client = self.port.proxies.client(self.ends.remote.ip(), headers);
        let client = client
            .map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response())
            .map_err(Box::new)?;
        self.check_ban(client)?;
        let caller = self.port.limiter.admit(client, Instant::now()).map_err(|limit| self.rejected(&limit.into()))?;
        sleep(caller.wait).await;
        Ok((Arc::new(caller), arrival))
    }

    fn check_ban(&self, address: IpAddr) -> Result<(), Box<Response>> {
        match self.service().access.ban_of_address(address, wall_clock()) {
            Some(notice) => Err(self.rejected(&Rejection::Banned(notice))),
            None => Ok(()),
        }
    }

    fn rejected(&self, rejection: &Rejection) -> Box<Response> {
        self.service().metrics.refused.inc();
        Box::new((rejection.status(), rejection.text()).into_response())
    }

    fn copied_health(&self) -> Response {
        health_response(self.service().monitor.health())
    }

    fn copied_metrics(&self) -> Response {
        ([METRICS], self.service().monitor.metrics(self.service())).into_response()
    }

    /// Charges an answer to the caller's address block, which then may have to wait.
    async fn charged(&self, caller: &Caller, response: Response) -> Response {
        let bytes = response.body().size_hint().lower();
        match self.service().charge(caller.block(), usize::try_from(bytes).unwrap_or(usize::MAX)).await {
            Ok(()) => response,
            Err(refusal) => too_much(&refusal),
        }
    }

    async fn upgrade(self: Arc<Self>, caller: Arc<Caller>, arrival: Arrival, parts: &mut Parts) -> Response {
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
        presented.extend(self.service().access.present(&challenge));
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
            let limits = &self.service().limits;
            // Bytes of a direct connection are counted where it was accepted.
            let proxied = matches!(self.opener, Opener::Proxy { .. }).then(|| Arc::clone(caller.block()));
            let stream = CountedStream::new(FragmentDeadline::new(stream, limits.fragments), proxied);
            let frames = WsFrames::serve(stream, limits.frame_bytes).await;
            let (session, rpc) = Session::new(frames, &self.rpc_limits(), Keepalive::Ping);
            let served = websocket::serve(&self.port.service, Box::new(session), rpc, &caller, arrival, challenge);
            fair_poll(&caller, served).await;
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

    /// Slows down a caller that is too fast.
    pub(super) async fn pace(&self, caller: &Caller) -> Result<(), Refusal> {
        let (now, limits) = (Instant::now(), &self.service().limits);
        // A proxy's connection carries the calls of many callers, which are limited only by address block.
        let own = match self.opener {
            Opener::Caller { .. } => self.rate.lock().unwrap_or_else(PoisonError::into_inner).take(now),
            Opener::Proxy { .. } | Opener::Probe { .. } => Pace::Fine,
        };
        let Pacing { wait, result } = Pacing::of_call(own, caller.block(), limits, now);
        if !wait.is_zero() {
            sleep(wait).await;
        }
        result
    }
}

fn health_response(health: Health) -> Response {
    (health.status, [JSON], health.body).into_response()
}

/// Refuses a request of a caller whose address block uses too much.
pub(super) fn too_much(refusal: &Refusal) -> Response {
    let seconds = refusal.retry_ms().unwrap_or_default().div_ceil(1_000).max(1);
    let headers = [TEXT, (header::RETRY_AFTER, HeaderValue::from(seconds))];
    (StatusCode::TOO_MANY_REQUESTS, headers, format!("{refusal}\n")).into_response()
}

fn foreign_page() -> Response {
    let why =
        "web pages of this origin may not call the pool; ask its operator to add the origin with --allow-origin\n";
    (StatusCode::FORBIDDEN, [TEXT], why).into_response()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
