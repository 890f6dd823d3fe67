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
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    PoolTls,
    engine::gateway::Gateway,
    fairness::{
        connection_limiter::{Caller, ConnectionGuard, LimitReached},
        fair_poll::fair_poll,
        token_bucket::{SharedTokenBucket, TokenBucket},
    },
    net::{http_connection::HttpConnection, tls::accept},
};

/// After the system refused a socket (it has no more of them). A pace: the system has the limit.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes connections until `stop`.
pub(crate) async fn listen(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    tasks: TaskTracker,
    stop: CancellationToken,
    tls: Option<PoolTls>,
) {
    let refusals = SharedTokenBucket::new(gateway.limits.refusals, gateway.limits.refusals, Instant::now());
    let mut refused_in_a_row = 0_u32;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Open connections come before the next new one, however many of those wait.
        yield_now().await;
        match admit(&gateway, address) {
            Ok(admitted) => {
                gateway.metrics.opened.inc();
                refused_in_a_row = 0;
                let (gateway, stop, tls) = (Arc::clone(&gateway), stop.clone(), tls.clone());
                let tracker = tasks.clone();
                let block = admitted.1.as_ref().map(|caller| Arc::clone(&caller.block));
                let work = welcome((stream, address), admitted, gateway, tracker, stop, tls);
                tasks.spawn(async move {
                    match block {
                        Some(block) => fair_poll(&block, work).await,
                        None => work.await,
                    }
                });
            }
            Err(limit) => {
                gateway.metrics.refused.inc();
                if refusals.take(Instant::now()).is_ok() {
                    tasks.spawn(timeout(gateway.limits.refusal, refuse(stream, limit)));
                }
                refused_in_a_row = refused_in_a_row.saturating_add(1);
                if refused_in_a_row.is_multiple_of(gateway.limits.storm.max(1)) {
                    // A storm of connects costs the system more than the pool: others come first.
                    sleep(gateway.limits.storm_pause).await;
                }
            }
        }
    }
}

/// Counts a connection, and its other end where that is not a proxy.
fn admit(gateway: &Gateway, address: SocketAddr) -> Result<(ConnectionGuard, Option<Arc<Caller>>), LimitReached> {
    let guard = gateway.limiter.acquire()?;
    if gateway.proxies.trusts(address.ip()) {
        return Ok((guard, None));
    }
    let caller = gateway.limiter.admit(address.ip(), Instant::now())?;
    Ok((guard, Some(Arc::new(caller))))
}

/// Serves a connection once its wait is over, over TLS where the pool has a certificate.
async fn welcome(
    (stream, address): (TcpStream, SocketAddr),
    admitted: (ConnectionGuard, Option<Arc<Caller>>),
    gateway: Arc<Gateway>,
    tasks: TaskTracker,
    stop: CancellationToken,
    tls: Option<PoolTls>,
) {
    if let Some(caller) = &admitted.1
        && !caller.wait.is_zero()
        && stop.run_until_cancelled(sleep(caller.wait)).await.is_none()
    {
        return;
    }
    // A late packet costs more than a small one.
    let _best_effort = stream.set_nodelay(true);
    let Some(tls) = tls else { return serve(stream, address, admitted, gateway, tasks, stop).await };
    let shaken = stop.run_until_cancelled(accept(stream, address.ip(), &gateway, &tls)).await;
    if let Some(stream) = shaken.flatten() {
        serve(stream, address, admitted, gateway, tasks, stop).await;
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    address: SocketAddr,
    (guard, caller): (ConnectionGuard, Option<Arc<Caller>>),
    gateway: Arc<Gateway>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let (head, head_bytes, rate) = (gateway.limits.http_head, gateway.limits.http_head_bytes, &gateway.limits);
    let connection = Arc::new(HttpConnection {
        rate: Mutex::new(TokenBucket::new(rate.calls_a_second, rate.burst, Instant::now())),
        gateway: Arc::clone(&gateway),
        address: address.ip().to_canonical(),
        caller,
        _guard: guard,
        tasks,
    });
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let connection = Arc::clone(&connection);
        async move { Ok::<_, Infallible>(connection.handle(request.map(Body::new)).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(head_bytes)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = pin!(serving);
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stop.cancelled() => {
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
    // Closing with unread bytes would throw the refusal away on its way.
    let _gone = stream.shutdown().await;
    let _read = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}
