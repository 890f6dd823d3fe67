use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::value::RawValue;
use tokio::{
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, timeout},
};

use super::{ipc_listener::IpcListener, ipc_peer::IpcPeer};
use crate::{Incoming, OpenSession, Responder, RpcLimits};

/// Answers calls on a local socket that only its owner reaches: the status of an agent, the administration of a pool.
///
/// Other programs of the same user may hold connections and ask nothing. Those make room for one that asks, so that they
/// cannot keep the operator out.
#[derive(Debug)]
pub struct IpcServer {
    listener: IpcListener,
    limits: IpcServerLimits,
}

/// The limits of an [`IpcServer`].
#[derive(Debug, Clone, Copy)]
pub struct IpcServerLimits {
    /// Open connections; for a further one, the one that was idle for longest is closed. A further one waits while none was
    /// idle for `settle`.
    pub connections: usize,
    /// Bytes of one request; a larger one is refused, and one beyond 64 times this closes the connection.
    pub request_bytes: usize,
    /// Requests of one connection that wait; a further one is answered "busy".
    pub requests: usize,
    /// A connection without a request is closed after this time.
    pub idle: Duration,
    /// A connection does not make room for another one for this time after it opened, and after each answer: its first
    /// request, or the rest of its answer, may be under way.
    pub settle: Duration,
    /// The pause after the system failed to accept a connection, and between two attempts to make room.
    pub retry: Duration,
}

/// Answers the calls of an [`IpcServer`].
pub trait IpcService: Clone + Send + 'static {
    /// Answers one call of a peer. The next one of the same connection waits for it.
    fn answer(
        &self,
        peer: IpcPeer,
        method: &str,
        params: &RawValue,
        responder: Responder,
    ) -> impl Future<Output = ()> + Send;
}

impl IpcServer {
    /// Serves these connections.
    #[must_use]
    pub const fn new(listener: IpcListener, limits: IpcServerLimits) -> Self {
        Self { listener, limits }
    }

    /// Runs until it is dropped; connections end with it.
    pub async fn run(self, service: impl IpcService) -> Infallible {
        let IpcServerLimits { connections, request_bytes, requests, idle, settle, retry } = self.limits;
        let limits = RpcLimits {
            frame_bytes: request_bytes,
            served: requests,
            incoming: requests,
            outbound: requests,
            ..RpcLimits::default()
        };
        let start = Instant::now();
        let mut talks = JoinSet::new();
        let mut open: Vec<(AbortHandle, Idle)> = Vec::new();
        loop {
            match self.listener.accept(&limits).await {
                Ok(opened) => {
                    while talks.try_join_next().is_some() {}
                    open.retain(|(talk, _)| !talk.is_finished());
                    while talks.len() >= connections {
                        // One that asks nothing makes room; one with a question is answered first.
                        let latest = millis(start.elapsed()).checked_sub(millis(settle));
                        if let Some(idle) = latest.and_then(|latest| longest_idle(&open, latest)) {
                            idle.abort();
                        }
                        let _ended = timeout(retry, talks.join_next()).await;
                        open.retain(|(talk, _)| !talk.is_finished());
                    }
                    let since = Idle::new(start);
                    open.push((talks.spawn(talk(opened, service.clone(), idle, since.clone())), since));
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot accept connections on the local socket; retrying");
                    sleep(retry).await;
                }
            }
        }
    }
}

/// Serves one connection until it closes or stays idle for too long.
async fn talk((mut opened, peer): (OpenSession, IpcPeer), service: impl IpcService, most: Duration, idle: Idle) {
    while let Ok(Some(incoming)) = timeout(most, opened.incoming.recv()).await {
        if let Incoming::Request { method, params, responder } = incoming {
            idle.ends();
            service.answer(peer, &method, &params, responder).await;
            idle.begins();
        }
    }
}

/// Since when a connection has had no question.
#[derive(Debug, Clone)]
struct Idle {
    start: Instant,
    /// In milliseconds since `start`; the maximum while a question is being answered.
    since: Arc<AtomicU64>,
}

impl Idle {
    fn new(start: Instant) -> Self {
        let idle = Self { start, since: Arc::default() };
        idle.begins();
        idle
    }

    fn begins(&self) {
        self.since.store(millis(self.start.elapsed()), Ordering::Relaxed);
    }

    fn ends(&self) {
        self.since.store(u64::MAX, Ordering::Relaxed);
    }

    fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX - 1)
}

/// The connection that has been idle for longest, of those that have been since `latest` or before.
fn longest_idle(open: &[(AbortHandle, Idle)], latest: u64) -> Option<&AbortHandle> {
    let idle = open.iter().filter(|(_, idle)| idle.since() <= latest);
    idle.min_by_key(|(_, idle)| idle.since()).map(|(talk, _)| talk)
}
