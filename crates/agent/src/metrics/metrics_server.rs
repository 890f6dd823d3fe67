use std::{collections::VecDeque, convert::Infallible, io, net::SocketAddr};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use crate::{
    AgentMetrics,
    limits::{METRICS_ACCEPT_PAUSE, MetricsLimits},
};

/// Answers `GET /metrics`, and nothing else. It ends when dropped.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl MetricsServer {
    /// Listens there. Anyone who can reach the address can read the metrics; the caller decides whether that is wanted.
    ///
    /// # Errors
    /// The address cannot be used.
    pub async fn bind(address: SocketAddr, metrics: AgentMetrics, limits: MetricsLimits) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(serve(listener, metrics, limits)) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, metrics: AgentMetrics, limits: MetricsLimits) {
    let mut connections = JoinSet::new();
    let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    while connections.try_join_next().is_some() {}
                    oldest.retain(|connection| !connection.is_finished());
                    while connections.len() >= limits.metrics_connections {
                        // An answer takes a moment, so the oldest is one that asks nothing.
                        if let Some(connection) = oldest.pop_front() {
                            connection.abort();
                        }
                        let _ended = connections.join_next().await;
                    }
                    let answering = answer_one(stream, metrics.clone(), limits.clone());
                    oldest.push_back(connections.spawn(timeout(limits.metrics_answer, answering)));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections to the metrics endpoint");
                    sleep(METRICS_ACCEPT_PAUSE).await;
                }
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// One request; the connection ends with its answer.
async fn answer_one(stream: TcpStream, metrics: AgentMetrics, limits: MetricsLimits) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(&request, &metrics);
        async move { Ok::<_, Infallible>(response) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.metrics_answer)
        .max_buf_size(limits.metrics_head_bytes)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a metrics client disconnected");
    }
}

fn answer(request: &Request<Incoming>, metrics: &AgentMetrics) -> Response<Full<Bytes>> {
    let said = |text: String| Response::new(Full::new(Bytes::from(text)));
    // For HEAD, hyper leaves out the body.
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = said("only GET and HEAD are supported".to_owned());
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if request.uri().path() != "/metrics" {
        let mut response = said("This is a vipnode agent; see /metrics.\n".to_owned());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    let mut response = said(metrics.text());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(vipnode_metrics::CONTENT_TYPE));
    response
}
