use std::{collections::BTreeMap, sync::Arc};

use vipnode_pool_core::{ConnectionId, Reply, RequestId};
use vipnode_types::{NodeId, protocol2, wire::WireError};

use crate::{
    auth::AccessControl,
    engine::{
        connections::Connections,
        inbox::{CoreAnswer, ReplyTo},
    },
    metrics::Metrics,
};

/// Requests that the core has not answered, and the additions of the pool to its answers.
pub(super) struct Replies {
    waiting: BTreeMap<RequestId, ReplyTo>,
    access: Arc<AccessControl>,
    connections: Arc<Connections>,
    metrics: Arc<Metrics>,
}

impl Replies {
    pub(super) const fn new(access: Arc<AccessControl>, connections: Arc<Connections>, metrics: Arc<Metrics>) -> Self {
        Self { waiting: BTreeMap::new(), access, connections, metrics }
    }

    /// Remembers the receiver of the answer to a request.
    pub(super) fn expect(&mut self, request: RequestId, reply_to: ReplyTo) {
        self.waiting.insert(request, reply_to);
    }

    /// Forgets requests whose callers no longer wait.
    pub(super) fn forget_closed(&mut self) {
        self.waiting.retain(|_, reply| !reply.is_closed());
    }

    /// Refuses all pending requests.
    pub(super) fn refuse_all(&mut self, error: &WireError) {
        for (_, waiting) in std::mem::take(&mut self.waiting) {
            waiting.send(Err(error.clone()));
        }
    }

    /// Sends the core's answer to a request of `node` on `connection`. The answer to a connect gets the welcome message.
    pub(super) fn answer(
        &mut self,
        connection: ConnectionId,
        node: Option<NodeId>,
        request: RequestId,
        mut answer: CoreAnswer,
    ) {
        let Some(waiting) = self.waiting.remove(&request) else { return };
        match &mut answer {
            Ok(Reply::Connect(connect)) => {
                connect.welcome = self.access.welcome(node);
                connect.pool_id = self.access.pool_id();
                self.connections.confirm(connection);
            }
            Ok(Reply::Protocol2(reply)) => {
                let message = match &mut **reply {
                    protocol2::Protocol2Reply::Connect(reply) => Some(&mut reply.message),
                    protocol2::Protocol2Reply::Client(reply) => Some(&mut reply.message),
                    protocol2::Protocol2Reply::Host(_) => None,
                    protocol2::Protocol2Reply::Update(_) | protocol2::Protocol2Reply::Peer(_) => {
                        return waiting.send(answer);
                    }
                };
                if let (Some(message), Some(welcome)) = (message, self.access.welcome(node)) {
                    *message = welcome;
                }
                self.connections.confirm(connection);
            }
            Ok(Reply::Status(status)) => status.pool_id = self.access.pool_id(),
            Ok(_) => {}
            Err(error) => self.metrics.count_error(error),
        }
        waiting.send(answer);
    }
}
