use std::{convert::Infallible, path::Path, sync::Arc};

use serde_json::value::RawValue;
use vipnode_node::Node;
use vipnode_rpc::{IpcPeer, IpcServer, IpcServerLimits, IpcService, Responder};
use vipnode_types::{NodeId, wire::WireError};

use super::{AgentStatus, StatusSource, latencies::Latencies, method, status_client};
use crate::{
    AgentError,
    limits::{LOCAL_CONNECTIONS, LOCAL_IDLE, LOCAL_REQUEST_BYTES, LOCAL_REQUESTS, LOCAL_RETRY, LOCAL_SETTLE},
    request_error::RequestError,
    state::StateDir,
};

/// Answers status queries on this machine.
#[derive(Debug)]
pub(crate) struct LocalServer {
    server: IpcServer,
    service: StatusService,
}

impl LocalServer {
    /// Listens. The caller holds the node's state directory, so whatever listened there before is gone.
    pub(crate) fn open(
        root: &Path,
        id: &NodeId,
        node: Arc<dyn Node>,
        source: StatusSource,
    ) -> Result<Self, AgentError> {
        let folder = StateDir::agents(root)?;
        let path = folder.join(status_client::socket_of(id));
        let service = StatusService { source, latencies: Latencies(node) };
        let limits = IpcServerLimits {
            connections: LOCAL_CONNECTIONS,
            request_bytes: LOCAL_REQUEST_BYTES,
            requests: LOCAL_REQUESTS,
            idle: LOCAL_IDLE,
            settle: LOCAL_SETTLE,
            retry: LOCAL_RETRY,
        };
        match status_client::listen(&path) {
            Ok(listener) => Ok(Self { server: IpcServer::new(listener, limits), service }),
            Err(why) => Err(AgentError::File { doing: "listening for `vipnode status` at", path, why }),
        }
    }

    /// Runs until it is dropped; connections end with it.
    pub(crate) async fn run(self) -> Infallible {
        self.server.run(self.service).await
    }
}

/// Answers the methods of the local socket.
#[derive(Debug, Clone)]
struct StatusService {
    source: StatusSource,
    latencies: Latencies,
}

impl StatusService {
    async fn status(&self) -> Result<AgentStatus, WireError> {
        let mut status = self.source.status_soon().await?;
        self.latencies.fill(&mut status).await;
        Ok(status)
    }
}

impl IpcService for StatusService {
    async fn answer(&self, _peer: IpcPeer, method: &str, _params: &RawValue, responder: Responder) {
        match method {
            method::STATUS => responder.respond(self.status().await),
            method::EXPLAIN => responder.respond(self.source.explain().await),
            method::POOL => responder.respond(self.source.pool().await),
            method::FUNDS => responder.respond(self.source.funds().await),
            other => {
                let name = other.chars().take(64).collect();
                responder.respond::<()>(Err(RequestError::NoLocalMethod { name }.into()));
            }
        }
    }
}
