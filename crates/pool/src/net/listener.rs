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
    time::{sleep, timeout},
};

use crate::{
    fairness::{Caller, ConnectionGuard, LimitReached, SharedTokenBucket, TokenBucket, fair_poll},
    net::{http_connection::HttpConnection, port::Port, tls::accept},
};

/// The pause after the system failed to accept a socket, because it has no more of them.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A counted connection, and its remote end unless that is a proxy.
type Admitted = (ConnectionGuard, Option<Arc<Caller>>);

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
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Open connections have priority over new ones.
        yield_now().await;
        match admit(&port, address) {
            Ok(admitted) => {
                port.service.metrics.opened.inc();
                refused_in_a_row = 0;
                let block = admitted.1.as_ref().map(|caller| Arc::clone(&caller.block));
                let work = welcome((stream, address), admitted, Arc::clone(&port));
                port.tasks.spawn(async move {
                    match block {
                        Some(block) => fair_poll(&block, work).await,
                        None => work.await,
                    }
                });
            }
            Err(limit) => {
                port.service.metrics.refused.inc();
                if refusals.take(Instant::now()).is_ok() {
                    port.tasks.spawn(timeout(limits.refusal, refuse(stream, limit)));
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

fn admit(port: &Port, address: SocketAddr) -> Result<Admitted, LimitReached> {
    let guard = port.limiter.acquire()?;
    if port.proxies.trusts(address.ip()) {
        return Ok((guard, None));
    }
    let caller = port.limiter.admit(address.ip(), Instant::now())?;
    Ok((guard, Some(Arc::new(caller))))
}

/// Serves a connection after its wait, over TLS if the pool has a certificate.
async fn welcome((stream, address): (TcpStream, SocketAddr), admitted: Admitted, port: Arc<Port>) {
    if let Some(caller) = &admitted.1
        && !caller.wait.is_zero()
        && port.stop.run_until_cancelled(sleep(caller.wait)).await.is_none()
    {
        return;
    }
    // A late packet costs more than a small packet.
    let _best_effort = stream.set_nodelay(true);
    let Some(tls) = &port.tls else { return serve(stream, address, admitted, port).await };
    let shaken = port.stop.run_until_cancelled(accept(stream, address.ip(), &port, tls)).await;
    if let Some(stream) = shaken.flatten() {
        serve(stream, address, admitted, port).await;
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    address: SocketAddr,
    (guard, caller): Admitted,
    port: Arc<Port>,
) {
    let limits = &port.service.limits;
    let connection = Arc::new(HttpConnection {
        rate: Mutex::new(TokenBucket::new(limits.calls_a_second, limits.burst, Instant::now())),
        port: Arc::clone(&port),
        address: address.ip().to_canonical(),
        caller,
        _guard: guard,
    });
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let connection = Arc::clone(&connection);
        async move { Ok::<_, Infallible>(connection.handle(request.map(Body::new)).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.http_head)
        .max_buf_size(limits.http_head_bytes)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = pin!(serving);
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = port.stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%address, %error, "connection ended");
    }
}

async fn refuse(mut stream: TcpStream, limit: LimitReached) {
    let (status, why) = (limit.status(), limit.text());
    let text = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{why}", why.len());
    let _gone = stream.write_all(text.as_bytes()).await;
    // Closing with unread bytes would discard the refusal on its way.
    let _gone = stream.shutdown().await;
    let _read = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}
