use std::net::IpAddr;

use vipnode_types::{
    AgentPublic, Ms, NodeId, protocol2,
    wire::{AskRequest, ConnectRequest, LeaveRequest, ReportRequest, WireError},
};

use crate::{CallId, RequestId};

/// A connection, named so that a late word of an old socket is never taken for the new one's (D32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    /// The instance that holds the socket.
    pub gateway: u16,
    /// Its number of the socket.
    pub connection: u32,
    /// How often that number was used before.
    pub generation: u32,
}

/// Who an authenticated agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The node it speaks for.
    pub node: NodeId,
    /// The agent's own key.
    pub agent: AgentPublic,
    /// The delegation's `issued_ms`; one older than the newest seen is refused.
    pub issued: Ms,
}

/// What happens to the pool. Signatures, membership and the form of messages were checked before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// An agent presented itself, by a signature that holds.
    Connect {
        /// On which connection.
        peer: ConnectionId,
        /// For the answer.
        request: RequestId,
        /// Who signed.
        identity: Identity,
        /// The address that was seen at the other end of the socket.
        address: IpAddr,
        /// Whether the pool can call it (a WebSocket), or only answers (HTTP).
        callable: bool,
        /// What it said.
        hello: Box<ConnectRequest>,
    },
    /// An agent reported.
    Report {
        /// On which connection.
        peer: ConnectionId,
        /// For the answer.
        request: RequestId,
        /// What it said.
        report: Box<ReportRequest>,
    },
    /// A client wants hosts.
    Ask {
        /// On which connection.
        peer: ConnectionId,
        /// For the answer.
        request: RequestId,
        /// What it said.
        ask: Box<AskRequest>,
    },
    /// A client wants to know why it has the hosts that it has.
    Explain {
        /// On which connection.
        peer: ConnectionId,
        /// For the answer.
        request: RequestId,
    },
    /// An agent ends leases.
    Leave {
        /// On which connection.
        peer: ConnectionId,
        /// For the answer.
        request: RequestId,
        /// What it said.
        leave: Box<LeaveRequest>,
    },
    /// An agent stops.
    Bye {
        /// On which connection.
        peer: ConnectionId,
        /// For the answer.
        request: RequestId,
    },
    /// Somebody wants to see the status.
    Status {
        /// On which connection; it need not be known.
        peer: ConnectionId,
        /// For the answer.
        request: RequestId,
    },
    /// An agent of the original calls, by a signature of the node's own key that holds.
    Protocol2 {
        /// On which connection.
        peer: ConnectionId,
        /// For the answer.
        request: RequestId,
        /// Who signed.
        node: NodeId,
        /// When it says it did, in nanoseconds since the Unix epoch; judged here.
        nonce: u64,
        /// The address that was seen at the other end of the socket.
        address: IpAddr,
        /// Whether the pool can call it (a WebSocket), or only answers (HTTP).
        callable: bool,
        /// What it said.
        call: protocol2::Call,
    },
    /// An [`crate::Effect::Call`] came to its end.
    CallDone {
        /// Which.
        call: CallId,
        /// How.
        outcome: CallOutcome,
    },
    /// A socket answered a ping.
    Latency {
        /// Which.
        peer: ConnectionId,
        /// Round trip, in microseconds.
        rtt_us: u32,
    },
    /// A socket is gone.
    Disconnected {
        /// Which.
        peer: ConnectionId,
    },
    /// Time passed. Due at [`crate::Core::next_wake`] at the latest, and at least every
    /// `Limits::tick_ms`.
    Tick,
}

/// How a call to an agent ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// It did it.
    Done,
    /// It said no.
    Refused(WireError),
    /// The socket went, or its queue was full.
    Lost,
    /// No answer by the deadline.
    Expired,
}
