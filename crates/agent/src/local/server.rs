use std::{
    convert::Infallible,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, timeout},
};
use vipnode_rpc::{Incoming, IpcListener, OpenSession, Responder, RpcLimits};
use vipnode_types::NodeId;

use super::{StatusSource, method, status_client};
use crate::{
    AgentError,
    limits::{LOCAL_CONNECTIONS, LOCAL_IDLE, LOCAL_REQUEST_BYTES, LOCAL_REQUESTS, LOCAL_RETRY},
    request_error::RequestError,
    state::StateDir,
};

/// Answers status queries on this machine.
#[derive(Debug)]
pub(crate) struct LocalServer {
    listener: IpcListener,
    source: StatusSource,
}

impl LocalServer {
    /// Listens. The caller holds the node's state directory, so whatever listened there before is gone.
    pub(crate) fn open(root: &Path, node: &NodeId, source: StatusSource) -> Result<Self, AgentError> {
        let folder = StateDir::agents(root)?;
        let path = folder.join(status_client::socket_of(node));
        match status_client::listen(&path) {
            Ok(listener) => Ok(Self { listener, source }),
            Err(why) => Err(AgentError::File { doing: "listening for `vipnode status` at", path, why }),
        }
    }

    /// Runs until it is dropped; connections end with it.
    pub(crate) async fn run(self) -> Infallible {
        let limits = RpcLimits {
            frame_bytes: LOCAL_REQUEST_BYTES,
            served: LOCAL_REQUESTS,
            incoming: LOCAL_REQUESTS,
            outbound: LOCAL_REQUESTS,
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
                    while talks.len() >= LOCAL_CONNECTIONS {
                        // One that asks nothing makes room; one with a question is answered first.
                        if let Some(idle) = longest_idle(&open) {
                            idle.abort();
                        }
                        let _ended = timeout(LOCAL_RETRY, talks.join_next()).await;
                        open.retain(|(talk, _)| !talk.is_finished());
                    }
                    let idle = Idle::new(start);
                    open.push((talks.spawn(talk(opened, self.source.clone(), idle.clone())), idle));
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot accept connections on the local socket; retrying");
                    sleep(LOCAL_RETRY).await;
                }
            }
        }
    }
}

/// Serves one connection until it closes or stays idle for too long.
async fn talk(mut opened: OpenSession, source: StatusSource, idle: Idle) {
    while let Ok(Some(incoming)) = timeout(LOCAL_IDLE, opened.incoming.recv()).await {
        if let Incoming::Request { method, responder, .. } = incoming {
            idle.ends();
            answer(&method, responder, &source).await;
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
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.since.store(now, Ordering::Relaxed);
    }

    fn ends(&self) {
        self.since.store(u64::MAX, Ordering::Relaxed);
    }

    fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed)
    }
}

fn longest_idle(open: &[(AbortHandle, Idle)]) -> Option<&AbortHandle> {
    let idle = open.iter().filter(|(_, idle)| idle.since() != u64::MAX);
    idle.min_by_key(|(_, idle)| idle.since()).map(|(talk, _)| talk)
}

async fn answer(method: &str, responder: Responder, source: &StatusSource) {
    match method {
        method::STATUS => responder.respond(source.status_soon().await),
        method::EXPLAIN => responder.respond(source.explain().await),
        method::POOL => responder.respond(source.pool().await),
        other => {
            let name = other.chars().take(64).collect();
            responder.respond::<()>(Err(RequestError::NoLocalMethod { name }.into()));
        }
    }
}
