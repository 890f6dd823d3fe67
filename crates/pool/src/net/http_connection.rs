//! The requests on one TCP connection of the pool's port: upgrades, POSTs, `/health`, `/metrics`.

use std::{
    net::IpAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use axum::{
    body::{Body, HttpBody as _},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use hyper_util::rt::TokioIo;
use tokio::{
    task::yield_now,
    time::{sleep, sleep_until},
};
use vipnode_rpc::{Keepalive, RpcLimits, Session, WsFrames};
use vipnode_types::{TypedError as _, wire::CHALLENGE_HEADER};

use crate::{
    auth::Arrival,
    call_refusal::CallRefusal,
    engine::wall_clock,
    fairness::{Caller, Pace, Rate, TokenBucket, fair_poll},
    methods::{Health, Pacing, Service, websocket},
    net::{
        cors, counted_stream::CountedStream, fragment_deadline::FragmentDeadline, opener::Opener, port::Port,
        proxy_protocol::ConnectionEnds, proxy_signs::is_passed_on, refused_connection::RefusedConnection,
        upgrade::Upgrade,
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

/// What the pool answers from a copy that it makes once a second.
#[derive(Debug, Clone, Copy)]
enum Copied {
    Health,
    Metrics,
}

/// A request of a caller, or the answer that refuses it.
type Admitted = Result<(Arc<Caller>, Arrival), Box<Response>>;

const JSON: (HeaderName, HeaderValue) = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
const METRICS: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static(vipnode_metrics::CONTENT_TYPE));
/// Bytes of an answer's first line and of the headers that hyper adds.
const STATUS_LINE: usize = 100;
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
        if parts.method == Method::HEAD {
            // hyper leaves out the body.
            parts.method = Method::GET;
        }
        if let Opener::Probe { probe, .. } = &self.opener {
            probe.asks();
        }
        if let Some(copied) = Copied::of(&parts)
            && self.is_probe(&parts.headers)
        {
            let response = self.copied(copied);
            sleep(self.port.probes.wait(size(&response), Instant::now())).await;
            return response;
        }
        let (caller, arrival) = match self.admitted(&parts.headers).await {
            Ok(admitted) => admitted,
            Err(refusal) => {
                // No block is charged for the answer, so it is late.
                sleep(self.service().limits.flood_pause).await;
                return *refusal;
            }
        };
        let proxied = matches!(self.opener, Opener::Proxy { .. });
        let answer = self.answer_caller(Arc::clone(&caller), arrival, parts, body);
        // A proxy's connection carries the requests of many callers; any other runs under its caller's block as a whole.
        let answer = pin!(answer);
        if proxied { fair_poll(&caller, answer).await } else { answer.await }
    }

    /// Answers a request of a caller. Each request is paced, whatever its answer is, and each answer is charged.
    async fn answer_caller(
        self: Arc<Self>,
        caller: Arc<Caller>,
        arrival: Arrival,
        mut parts: Parts,
        body: Body,
    ) -> Response {
        let posts = parts.method == Method::POST;
        let upgrades = parts.method == Method::GET && parts.headers.contains_key(header::UPGRADE);
        let refused = if (posts || upgrades) && !self.is_own_page(&parts.headers, &arrival) {
            Some(foreign_page())
        } else if upgrades {
            // The rate of new connections limits the WebSockets.
            match Arc::clone(&self).upgrade(Arc::clone(&caller), arrival, &mut parts).await {
                Ok(switching) => return switching,
                Err(refused) => Some(*refused),
            }
        } else {
            None
        };
        let paced = self.pace(&caller).await;
        if posts && refused.is_none() {
            let mut response = self.post(&caller, arrival, body, paced).await;
            response.headers_mut().extend(self.service().access.pool_id_header());
            return response;
        }
        if let Err(refusal) = paced {
            return too_much(&refusal);
        }
        let response = match refused {
            Some(refused) => refused,
            None => self.page(&parts).await,
        };
        self.charged(&caller, response).await
    }

    /// Whether a request is from no web page, or from one that may call the pool.
    fn is_own_page(&self, headers: &HeaderMap, arrival: &Arrival) -> bool {
        headers.get(header::ORIGIN).is_none_or(|page| self.service().access.admits_page(page, arrival))
    }

    /// Answers a request that is neither a call nor an upgrade.
    async fn page(&self, parts: &Parts) -> Response {
        match (&parts.method, Copied::of(parts)) {
            (&Method::OPTIONS, _) => {
                let page = parts.headers.get(header::ORIGIN);
                cors::options(self.service().access.page_access(page), &parts.headers)
            }
            (&Method::GET, Some(copied)) => self.copied(copied),
            (&Method::GET, None) if parts.uri.path().ends_with("/health") => {
                health_response(Health::now(self.service()).await)
            }
            (&Method::GET, None) => {
                "This is a vipnode pool. Agents connect over WebSocket. See also /health and /metrics.\n"
                    .into_response()
            }
            _ => (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, cors::ALLOW)]).into_response(),
        }
    }

    /// Returns how a request reached the pool. The headers count only for whether there is a proxy.
    fn arrival(&self, headers: &HeaderMap) -> Arrival {
        if matches!(self.opener, Opener::Proxy { .. }) {
            // A request that names no client may be anybody's, even where the proxy is on this machine.
            return if self.port.proxies.names_client(headers) { Arrival::Proxied } else { Arrival::Hidden };
        }
        let direct = self.direct();
        if direct.is_from_this_machine() && is_passed_on(headers) {
            self.service().access.unnamed_proxy().warn();
            return Arrival::Hidden;
        }
        direct
    }

    /// Returns how the requests of the connection arrive if it has no proxy.
    const fn direct(&self) -> Arrival {
        let ConnectionEnds { remote, local } = self.ends;
        Arrival::Direct { local, remote: remote.ip() }
    }

    /// Whether a request may be that of a probe on this machine. A probe has no rights but an answer that is not refused, so it may
    /// also come from the address of a named proxy: monitoring next to the proxy must work when it is needed most.
    fn is_probe(&self, headers: &HeaderMap) -> bool {
        self.direct().is_from_this_machine() && !is_passed_on(headers)
    }

    /// Returns the caller of a request, and how the request arrived; behind a proxy, each request names its caller.
    async fn admitted(&self, headers: &HeaderMap) -> Admitted {
        let arrival = self.arrival(headers);
        match &self.opener {
            Opener::Caller { caller, .. } => {
                // A ban may be newer than the connection.
                self.check_ban(caller.address)?;
                // Already over, except for the first request of a connection within this machine.
                sleep_until(caller.ready.into()).await;
                Ok((Arc::clone(caller), arrival))
            }
            Opener::Probe { rejection, .. } => Err(self.rejected(rejection)),
            Opener::Proxy { .. } => {
                let caller = self.named(headers)?;
                sleep_until(caller.ready.into()).await;
                Ok((Arc::new(caller), arrival))
            }
        }
    }

    /// Returns the caller that a proxy names.
    fn named(&self, headers: &HeaderMap) -> Result<Caller, Box<Response>> {
        let client = self.port.proxies.client(self.ends.remote.ip(), headers);
        let client = client
            .map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}. {}\n", error.hint().unwrap_or_default())))
            .map_err(|answer| Box::new(answer.into_response()))?;
        self.check_ban(client)?;
        self.port.limiter.admit(client, Instant::now()).map_err(|limit| self.rejected(&limit.into()))
    }

    fn check_ban(&self, address: IpAddr) -> Result<(), Box<Response>> {
        match self.service().access.ban_of_address(address, wall_clock()) {
            Some(notice) => Err(self.rejected(&RefusedConnection::Banned(notice))),
            None => Ok(()),
        }
    }

    fn rejected(&self, rejection: &RefusedConnection) -> Box<Response> {
        self.service().metrics.refused.inc();
        Box::new((rejection.status(), rejection.text()).into_response())
    }

    fn copied(&self, copied: Copied) -> Response {
        match copied {
            Copied::Health => health_response(self.service().monitor.health()),
            Copied::Metrics => ([METRICS], self.service().monitor.metrics(self.service())).into_response(),
        }
    }

    /// Charges an answer to the caller's address block, which then may have to wait.
    async fn charged(&self, caller: &Caller, response: Response) -> Response {
        match self.service().charge(caller.block(), size(&response)).await {
            Ok(()) => response,
            Err(refusal) => too_much(&refusal),
        }
    }

    /// Makes the connection a WebSocket.
    ///
    /// # Errors
    /// The answer to a request that cannot become one.
    async fn upgrade(
        self: Arc<Self>,
        caller: Arc<Caller>,
        arrival: Arrival,
        parts: &mut Parts,
    ) -> Result<Response, Box<Response>> {
        let Upgrade { mut response, stream } = Upgrade::accept(parts)?;
        let mut challenge = [0; 32];
        if getrandom::fill(&mut challenge).is_err() {
            let why = "the pool cannot get random bytes from the operating system";
            return Err(Box::new((StatusCode::SERVICE_UNAVAILABLE, why).into_response()));
        }
        let challenge = hex(&challenge);
        let mut presented = vec![(CHALLENGE_HEADER, challenge.clone())];
        presented.extend(self.service().access.present(&challenge));
        for (name, value) in presented {
            let value = HeaderValue::from_str(&value).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
            response.headers_mut().insert(name, value.map_err(Box::new)?);
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
            let served =
                pin!(websocket::serve(&self.port.service, Box::new(session), rpc, &caller, arrival, challenge));
            fair_poll(&caller, served).await;
        });
        Ok(response)
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
    pub(super) async fn pace(&self, caller: &Caller) -> Result<(), CallRefusal> {
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

    /// Charges what a body counts as beyond one call, see [`PoolLimits::bytes_a_call`], and gives others their turn before a
    /// large body is parsed. `paced` is whether the caller may make a call now.
    ///
    /// [`PoolLimits::bytes_a_call`]: vipnode_pool_core::PoolLimits::bytes_a_call
    pub(super) async fn charge_body(&self, caller: &Caller, bytes: usize, paced: &Result<(), CallRefusal>) {
        let (now, limits) = (Instant::now(), &self.service().limits);
        let calls = limits.calls_of(bytes);
        let further = calls.saturating_sub(1);
        if let (Opener::Caller { .. }, Ok(())) = (&self.opener, paced) {
            self.rate.lock().unwrap_or_else(PoisonError::into_inner).owe(further, now);
        }
        caller.block().owe(if paced.is_ok() { Rate::Calls } else { Rate::Returns }, further, now);
        if calls >= limits.frames_a_turn {
            yield_now().await;
        }
    }
}

impl Copied {
    /// What a request asks for; `/health?full` asks for a fresh status.
    fn of(parts: &Parts) -> Option<Self> {
        let path = parts.uri.path();
        match parts.method {
            Method::GET if path.ends_with("/metrics") => Some(Self::Metrics),
            Method::GET if path.ends_with("/health") && parts.uri.query() != Some("full") => Some(Self::Health),
            _ => None,
        }
    }
}

/// Returns the bytes of an answer: its body and, roughly, its head.
pub(super) fn size(response: &Response) -> usize {
    let head = response
        .headers()
        .iter()
        .fold(STATUS_LINE, |sum, (name, value)| sum.saturating_add(name.as_str().len()).saturating_add(value.len()));
    usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX).saturating_add(head)
}

fn health_response(health: Health) -> Response {
    (health.status, [JSON], health.body).into_response()
}

/// Refuses a request of a caller whose address block uses too much.
pub(super) fn too_much(refusal: &CallRefusal) -> Response {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;
    use tokio_util::sync::CancellationToken;
    use vipnode_pool_core::PoolLimits;

    use super::*;
    use crate::{TrustedProxies, methods::test_service};

    /// A connection of a named proxy.
    fn proxied(limits: PoolLimits) -> Arc<HttpConnection> {
        let (service, _reader) = test_service(limits);
        let proxies = TrustedProxies { proxies: vec!["127.0.0.1/32".parse().unwrap()], ..TrustedProxies::default() };
        let port = Arc::new(Port::new(service, proxies, None, CancellationToken::new()));
        let ends = ConnectionEnds { remote: ([127, 0, 0, 1], 1).into(), local: ([127, 0, 0, 1], 2).into() };
        let opener = Opener::Proxy { _guard: port.limiter.acquire().unwrap() };
        Arc::new(HttpConnection { rate: Mutex::new(TokenBucket::new(20, 100, Instant::now())), port, ends, opener })
    }

    #[test]
    fn only_a_request_without_any_sign_of_a_proxy_is_from_this_machine() {
        let arrival = |connection: &HttpConnection, (name, value): (&'static str, &'static str)| {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
            (connection.arrival(&headers), connection.is_probe(&headers))
        };
        let named = proxied(PoolLimits::default());
        assert_eq!(arrival(&named, ("x-forwarded-for", "198.51.100.7")), (Arrival::Proxied, false));
        assert_eq!(arrival(&named, ("host", "127.0.0.1:8080")), (Arrival::Hidden, true));
        assert_eq!(arrival(&named, ("x-client-ip", "198.51.100.7")), (Arrival::Hidden, false));
        let port = &named.port;
        let caller = port.limiter.admit(named.ends.remote.ip(), Instant::now()).unwrap();
        let opener = Opener::Caller { _guard: port.limiter.acquire().unwrap(), caller: Arc::new(caller) };
        let rate = Mutex::new(TokenBucket::new(20, 100, Instant::now()));
        let own = HttpConnection { rate, port: Arc::clone(port), ends: named.ends, opener };
        assert_eq!(arrival(&own, ("host", "localhost:8080")), (own.direct(), true));
        for sign in [("x-forwarded-for", "198.51.100.7"), ("x-client-ip", "198.51.100.7"), ("host", "pool.example")] {
            assert_eq!(arrival(&own, sign), (Arrival::Hidden, false), "{sign:?}");
        }
    }

    #[tokio::test]
    async fn requests_through_a_proxy_run_one_at_a_time_once_their_block_has_used_its_cpu_time() {
        let connection = proxied(PoolLimits { block_cpu_us: 0, ..PoolLimits::default() });
        let answer = async |client: &str| {
            let request = Request::get("/").header("x-forwarded-for", client).body(Body::empty()).unwrap();
            timeout(Duration::from_millis(100), Arc::clone(&connection).handle(request)).await.ok()
        };
        let neighbor = connection.port.limiter.admit([198, 51, 100, 9].into(), Instant::now()).unwrap();
        let runs = neighbor.block().poll_permits(Instant::now()).await;
        assert!(answer("198.51.100.7").await.is_none(), "a neighbor runs");
        assert_eq!(answer("203.0.113.7").await.unwrap().status(), StatusCode::OK);
        drop(runs);
        assert_eq!(answer("198.51.100.7").await.unwrap().status(), StatusCode::OK);
    }
}
