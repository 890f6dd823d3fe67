use std::{collections::BTreeMap, sync::Arc};

use vipnode_pool_core::{Command, ConnectionId, Reply, RequestId};
use vipnode_types::{
    NodeId,
    protocol2::{self, Call, PeerReply, Protocol2Reply},
    wire::WireError,
};

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
    waiting: BTreeMap<RequestId, WaitingReply>,
    access: Arc<AccessControl>,
    connections: Arc<Connections>,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct WaitingReply {
    reply_to: ReplyTo,
    refused_as: RefusedAs,
}

/// How a request is refused that the pool cannot serve now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusedAs {
    /// With an error of protocol 3.
    Busy,
    /// With an error of protocol 3. The agent signed, so its socket stays open, and it can connect later.
    ConnectBusy(ConnectionId),
    /// With an error of protocol 2.
    Protocol2Busy,
    /// With an empty list of hosts, because the original's agent ends at an error.
    NoHosts,
}

impl RefusedAs {
    /// How a command is refused.
    pub(super) const fn of(command: &Command) -> Self {
        match command {
            Command::Connect { connection, .. } => Self::ConnectBusy(*connection),
            Command::Protocol2 { call: Call::Peer(_), .. } => Self::NoHosts,
            Command::Protocol2 { .. } => Self::Protocol2Busy,
            _ => Self::Busy,
        }
    }
}

impl Replies {
    pub(super) const fn new(access: Arc<AccessControl>, connections: Arc<Connections>, metrics: Arc<Metrics>) -> Self {
        Self { waiting: BTreeMap::new(), access, connections, metrics }
    }

    /// Remembers the receiver of the answer to a request.
    pub(super) fn expect(&mut self, request: RequestId, reply_to: ReplyTo, refused_as: RefusedAs) {
        self.waiting.insert(request, WaitingReply { reply_to, refused_as });
    }

    /// Returns the receiver of the answer to a request, which is expected no more.
    pub(super) fn withdraw(&mut self, request: RequestId) -> Option<ReplyTo> {
        self.waiting.remove(&request).map(|waiting| waiting.reply_to)
    }

    /// Forgets requests whose callers no longer wait.
    pub(super) fn forget_closed(&mut self) {
        self.waiting.retain(|_, waiting| !waiting.reply_to.is_closed());
    }

    /// Refuses all pending requests.
    pub(super) fn refuse_all(&mut self, error: &WireError) {
        for request in self.waiting.keys().copied().collect::<Vec<_>>() {
            self.refuse(request, error.clone());
        }
    }

    /// Refuses a pending request.
    pub(super) fn refuse(&mut self, request: RequestId, error: WireError) {
        let Some(WaitingReply { reply_to, refused_as }) = self.waiting.remove(&request) else { return };
        reply_to.send(match refused_as {
            RefusedAs::Busy => Err(error),
            RefusedAs::ConnectBusy(connection) => {
                self.connections.put_off(connection);
                Err(error)
            }
            RefusedAs::Protocol2Busy => Err(error.for_protocol2()),
            RefusedAs::NoHosts => Ok(Reply::Protocol2(Box::new(Protocol2Reply::Peer(PeerReply { peers: Vec::new() })))),
        });
    }

    /// Sends the core's answer to a request of `node` on `connection`. The answer to a connect gets the welcome message.
    pub(super) fn answer(
        &mut self,
        connection: ConnectionId,
        node: Option<NodeId>,
        request: RequestId,
        mut answer: CoreAnswer,
    ) {
        let Some(WaitingReply { reply_to, .. }) = self.waiting.remove(&request) else { return };
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
                        return reply_to.send(answer);
                    }
                };
                if let (Some(message), Some(welcome)) = (message, self.access.welcome(node)) {
                    // After the operator's words, what the core has to say.
                    *message = [welcome, std::mem::take(message)].join("\n").trim_end().to_owned();
                }
                self.connections.confirm(connection);
            }
            Ok(Reply::Status(status)) => status.pool_id = self.access.pool_id(),
            Ok(_) => {}
            Err(error) => self.metrics.count_error(error),
        }
        reply_to.send(answer);
    }
}
