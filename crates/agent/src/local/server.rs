use std::{convert::Infallible, path::Path};

use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
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
        let mut talks = JoinSet::new();
        loop {
            while talks.len() >= LOCAL_CONNECTIONS {
                let _ended = talks.join_next().await;
            }
            while talks.try_join_next().is_some() {}
            match self.listener.accept(&limits).await {
                Ok(opened) => drop(talks.spawn(talk(opened, self.source.clone()))),
                Err(error) => {
                    tracing::debug!(%error, "cannot accept connections on the local socket; retrying");
                    sleep(LOCAL_RETRY).await;
                }
            }
        }
    }
}

/// Serves one connection until it closes or stays idle for too long.
async fn talk(mut opened: OpenSession, source: StatusSource) {
    while let Ok(Some(incoming)) = timeout(LOCAL_IDLE, opened.incoming.recv()).await {
        if let Incoming::Request { method, responder, .. } = incoming {
            answer(&method, responder, &source).await;
        }
    }
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
