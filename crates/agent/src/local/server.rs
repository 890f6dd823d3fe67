use std::{convert::Infallible, path::Path};

use serde_json::value::RawValue;
use vipnode_rpc::{IpcServer, IpcServerLimits, IpcService, Responder};
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
    server: IpcServer,
    source: StatusSource,
}

impl LocalServer {
    /// Listens. The caller holds the node's state directory, so whatever listened there before is gone.
    pub(crate) fn open(root: &Path, node: &NodeId, source: StatusSource) -> Result<Self, AgentError> {
        let folder = StateDir::agents(root)?;
        let path = folder.join(status_client::socket_of(node));
        let limits = IpcServerLimits {
            connections: LOCAL_CONNECTIONS,
            request_bytes: LOCAL_REQUEST_BYTES,
            requests: LOCAL_REQUESTS,
            idle: LOCAL_IDLE,
            retry: LOCAL_RETRY,
        };
        match status_client::listen(&path) {
            Ok(listener) => Ok(Self { server: IpcServer::new(listener, limits), source }),
            Err(why) => Err(AgentError::File { doing: "listening for `vipnode status` at", path, why }),
        }
    }

    /// Runs until it is dropped; connections end with it.
    pub(crate) async fn run(self) -> Infallible {
        self.server.run(self.source).await
    }
}

impl IpcService for StatusSource {
    async fn answer(&self, method: &str, _params: &RawValue, responder: Responder) {
        match method {
            method::STATUS => responder.respond(self.status_soon().await),
            method::EXPLAIN => responder.respond(self.explain().await),
            method::POOL => responder.respond(self.pool().await),
            other => {
                let name = other.chars().take(64).collect();
                responder.respond::<()>(Err(RequestError::NoLocalMethod { name }.into()));
            }
        }
    }
}
