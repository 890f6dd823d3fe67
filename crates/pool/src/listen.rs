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
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    gateway::Gateway,
    http::HttpConnection,
    rate::Rate,
    sockets::{Crowded, Place},
};

/// Bytes of the head of an HTTP request.
const HEAD_BYTES: usize = 16 << 10;
/// A refused connection has this long to take its refusal.
const REFUSAL: Duration = Duration::from_secs(1);
/// After the system refused a socket (it has no more of them).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes connections until `stop`.
pub(crate) async fn listen(listener: TcpListener, gateway: Arc<Gateway>, tasks: TaskTracker, stop: CancellationToken) {
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
        let limits = &gateway.limits;
        match gateway.sockets.enter(address.ip(), limits.connections, limits.connections_an_address) {
            Ok(place) => {
                gateway.metrics.opened.inc();
                tasks.spawn(serve(stream, address, place, Arc::clone(&gateway), tasks.clone(), stop.clone()));
            }
            Err(crowded) => {
                gateway.metrics.refused.inc();
                tasks.spawn(timeout(REFUSAL, refuse(stream, crowded)));
            }
        }
    }
}

async fn serve(
    stream: TcpStream,
    address: SocketAddr,
    place: Place,
    gateway: Arc<Gateway>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    // A late packet costs more than a small one.
    let _best_effort = stream.set_nodelay(true);
    let (head, rate) = (gateway.limits.http_head, &gateway.limits);
    let connection = Arc::new(HttpConnection {
        rate: Mutex::new(Rate::new(rate.calls_a_second, rate.burst, Instant::now())),
        gateway: Arc::clone(&gateway),
        address: address.ip().to_canonical(),
        _place: place,
        tasks,
    });
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let connection = Arc::clone(&connection);
        async move { Ok::<_, Infallible>(connection.handle(request.map(Body::new)).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(HEAD_BYTES)
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

async fn refuse(mut stream: TcpStream, crowded: Crowded) {
    let (status, why) = match crowded {
        Crowded::Pool => {
            ("503 Service Unavailable", "this pool has as many connections as it takes; try again later\n")
        }
        Crowded::Address => ("429 Too Many Requests", "too many connections of this address; close some\n"),
    };
    let text = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{why}", why.len());
    let _gone = stream.write_all(text.as_bytes()).await;
    // Closing with unread bytes would throw the refusal away on its way.
    let _gone = stream.shutdown().await;
    let _read = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}
