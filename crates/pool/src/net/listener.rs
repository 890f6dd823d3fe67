use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::body::Body;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::yield_now,
    time::{sleep, sleep_until, timeout},
};

use crate::{
    engine::wall_clock,
    fairness::{ConnectionGuard, SharedTokenBucket, TokenBucket, fair_poll},
    net::{
        counted_stream::CountedStream,
        http_connection::HttpConnection,
        opener::Opener,
        port::Port,
        proxy_protocol::{ConnectionEnds, read_ends},
        refused_connection::RefusedConnection,
        tls::accept,
        write_deadline::WriteDeadline,
    },
};

/// The pause after the system failed to accept a socket, because it has no more of them.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until the port stops.
pub(crate) async fn listen(listener: TcpListener, port: Arc<Port>) {
    let limits = &port.service.limits;
    let refusals = SharedTokenBucket::new(limits.refusals, limits.refusals, Instant::now());
    let mut refused_in_a_row = 0_u32;
    loop {
        let accepted = tokio::select! {
            () = port.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let accepted = accepted.and_then(|(stream, remote)| {
            let local = stream.local_addr()?;
            Ok((stream, ConnectionEnds { remote, local }))
        });
        let (stream, ends) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Open connections have priority over new ones.
        yield_now().await;
        match begin(stream, ends, &port) {
            Ok(()) => {
                port.service.metrics.opened.inc();
                refused_in_a_row = 0;
            }
            Err((stream, rejection)) => {
                port.service.metrics.refused.inc();
                if refusals.take(Instant::now()).is_ok() {
                    port.tasks.spawn(timeout(limits.refusal, refuse(stream, rejection, port.tls.is_some())));
                }
                refused_in_a_row = refused_in_a_row.saturating_add(1);
                if refused_in_a_row.is_multiple_of(limits.storm.max(1)) {
                    // A storm of connects costs the system more than the pool, so other work has priority.
                    sleep(limits.storm_pause).await;
                }
            }
        }
    }
}

/// Begins to serve a connection in a task of its own.
fn begin(stream: TcpStream, ends: ConnectionEnds, port: &Arc<Port>) -> Result<(), (TcpStream, RefusedConnection)> {
    if port.proxies.balances(ends.remote.ip()) {
        return match port.limiter.acquire() {
            Ok(guard) => {
                port.tasks.spawn(balanced(stream, ends, guard, Arc::clone(port)));
                Ok(())
            }
            Err(limit) => Err((stream, limit.into())),
        };
    }
    match port
        .limiter
        .acquire()
        .map_err(RefusedConnection::from)
        .and_then(|guard| opener(port, ends.remote, guard))
        .or_else(|rejection| probe(port, ends, rejection))
    {
        Ok(opener) => {
            port.tasks.spawn(fairly(stream, ends, opener, Arc::clone(port)));
            Ok(())
        }
        Err(rejection) => Err((stream, rejection)),
    }
}

/// Returns who opened a counted connection.
fn opener(port: &Port, remote: SocketAddr, guard: ConnectionGuard) -> Result<Opener, RefusedConnection> {
    if port.proxies.trusts(remote.ip()) {
        return Ok(Opener::Proxy { _guard: guard });
    }
    if let Some(notice) = port.service.access.ban_of_address(remote.ip(), wall_clock()) {
        return Err(RefusedConnection::Banned(notice));
    }
    let caller = port.limiter.admit(remote.ip(), Instant::now())?;
    Ok(Opener::Caller { _guard: guard, caller: Arc::new(caller) })
}

/// Lets a connection of this machine in that is refused: monitoring must work when it is needed most.
fn probe(port: &Port, ends: ConnectionEnds, rejection: RefusedConnection) -> Result<Opener, RefusedConnection> {
    if !ends.remote.ip().to_canonical().is_loopback() {
        return Err(rejection);
    }
    match port.probes.open() {
        Some(probe) => Ok(Opener::Probe { probe, rejection }),
        None => Err(rejection),
    }
}

/// Serves a connection of a balancer once its header has named the two ends.
async fn balanced(mut stream: TcpStream, ends: ConnectionEnds, guard: ConnectionGuard, port: Arc<Port>) {
    let limits = &port.service.limits;
    let header = port.stop.run_until_cancelled(timeout(limits.proxy_header, read_ends(&mut stream))).await;
    let ends = match header {
        // The balancer's own connection, such as a health check.
        Some(Ok(Ok(Some(named)))) if !named.can_be_from(&ends) => {
            return tracing::debug!(address = %ends.remote, "a balancer on another machine named a connection within this one");
        }
        Some(Ok(Ok(named))) => named.unwrap_or(ends),
        Some(Ok(Err(error))) => {
            return tracing::debug!(address = %ends.remote, %error, "a load balancer closed its connection");
        }
        Some(Err(_elapsed)) => {
            return tracing::debug!(address = %ends.remote, "a load balancer did not send the header in time");
        }
        None => return,
    };
    match opener(&port, ends.remote, guard) {
        Ok(opener) => fairly(stream, ends, opener, port).await,
        Err(rejection) => {
            port.service.metrics.refused.inc();
            let _too_slow = timeout(limits.refusal, refuse(stream, rejection, port.tls.is_some())).await;
        }
    }
}

/// Serves a connection, charged to its address block.
async fn fairly(stream: TcpStream, ends: ConnectionEnds, opener: Opener, port: Arc<Port>) {
    let caller = opener.caller().map(Arc::clone);
    let work = pin!(welcome(stream, ends, opener, port));
    match caller {
        Some(caller) => fair_poll(&caller, work).await,
        None => work.await,
    }
}

/// Serves a connection after its wait, over TLS if the pool has a certificate.
async fn welcome(stream: TcpStream, ends: ConnectionEnds, opener: Opener, port: Arc<Port>) {
    // Within this machine, the first request waits instead, unless it is a probe's: the sockets of others there delay no probe.
    let caller = opener.caller().filter(|_| !ends.are_on_one_machine());
    if let Some(caller) = caller
        && port.stop.run_until_cancelled(sleep_until(caller.ready.into())).await.is_none()
    {
        return;
    }
    // A late packet costs more than a small packet.
    let _best_effort = stream.set_nodelay(true);
    let Some(tls) = &port.tls else { return serve(stream, ends, opener, port).await };
    let shaken = port.stop.run_until_cancelled(accept(stream, ends.remote.ip(), &port, tls)).await;
    if let Some(stream) = shaken.flatten() {
        serve(stream, ends, opener, port).await;
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    ends: ConnectionEnds,
    opener: Opener,
    port: Arc<Port>,
) {
    let limits = &port.service.limits;
    let endless = matches!(opener, Opener::Proxy { .. });
    let closed = opener.closed();
    let stream = CountedStream::new(stream, opener.block());
    let connection = Arc::new(HttpConnection {
        rate: Mutex::new(TokenBucket::new(limits.calls_a_second, limits.burst, Instant::now())),
        port: Arc::clone(&port),
        ends,
        opener,
    });
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let connection = Arc::clone(&connection);
        async move { Ok::<_, Infallible>(connection.handle(request.map(Body::new)).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.http_head)
        .max_buf_size(limits.http_head_bytes)
        .serve_connection(TokioIo::new(WriteDeadline::new(stream, limits.write)), service)
        .with_upgrades();
    let mut serving = pin!(serving);
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = port.stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
        // A newer probe takes its turn.
        () = closed.cancelled() => return,
        // A proxy's connection serves many callers, who come and go.
        () = sleep(limits.http_life), if !endless => {
            serving.as_mut().graceful_shutdown();
            // The request in progress may still need its body, its turn, and its answer.
            let last = limits.http_body.saturating_add(limits.block_wait).saturating_add(limits.write);
            timeout(last, serving).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = served {
        tracing::debug!(address = %ends.remote, %error, "connection ended");
    }
}

/// Refuses a connection. On a TLS port, the refusal is a TLS alert, because a client could not read a text before the
/// handshake, which a refused connection may not cost.
async fn refuse(mut stream: TcpStream, rejection: RefusedConnection, tls: bool) {
    let refusal = if tls { rejection.tls_alert().to_vec() } else { rejection.http_response().into_bytes() };
    let _gone = stream.write_all(&refusal).await;
    // Closing with unread bytes would discard the refusal on its way.
    let _gone = stream.shutdown().await;
    let _read = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}
