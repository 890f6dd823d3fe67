use std::net::IpAddr;

use vipnode_types::{
    AgentPublic, Ms, NodeId, protocol2,
    wire::{AskRequest, ConnectRequest, LeaveRequest, ReportRequest, WireError},
};

use crate::{CallId, ConnectionId, RequestId};

/// The identity of an authenticated agent.
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
    /// An agent presented itself, with a valid signature.
    Connect {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The identity that signed.
        identity: Identity,
        /// The address that was seen at the other end of the socket.
        address: IpAddr,
        /// Whether the pool can call it (a WebSocket), or only answers (HTTP).
        callable: bool,
        /// What the agent says of itself and its node.
        hello: Box<ConnectRequest>,
    },
    /// An agent reported.
    Report {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// What changed since its last report, or everything it sees.
        report: Box<ReportRequest>,
    },
    /// A client wants hosts.
    Ask {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// How many hosts it wants, and which nodes it does not want.
        ask: Box<AskRequest>,
    },
    /// A client wants to know why it has the hosts that it has.
    Explain {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
    },
    /// An agent ends leases.
    Leave {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The leases and the reason.
        leave: Box<LeaveRequest>,
    },
    /// An agent stops.
    Bye {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
    },
    /// A client of the HTTP page or an agent wants the status.
    Status {
        /// The connection that asks; it need not be known.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
    },
    /// An agent of the original calls, with a valid signature of the node's own key.
    Protocol2 {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The node whose key signed.
        node: NodeId,
        /// The moment at which it claims to have signed, in nanoseconds since the Unix epoch. The core judges it.
        nonce: u64,
        /// The address that was seen at the other end of the socket.
        address: IpAddr,
        /// Whether the pool can call it (a WebSocket), or only answers (HTTP).
        callable: bool,
        /// The call and its parameters.
        call: protocol2::Call,
    },
    /// An [`crate::Effect::Call`] came to its end.
    CallDone {
        /// The call, as the effect named it.
        call: CallId,
        /// How it ended.
        outcome: CallOutcome,
    },
    /// A socket answered a ping.
    Latency {
        /// The connection that was pinged.
        connection: ConnectionId,
        /// Round trip, in microseconds.
        rtt_us: u32,
    },
    /// A socket is gone.
    Disconnected {
        /// The connection that is gone.
        connection: ConnectionId,
    },
    /// Time passed. Due at [`crate::Core::next_wake`] at the latest, and at least every
    /// `Limits::tick_ms`.
    Tick,
}

/// How a call to an agent ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// The agent did what it was called to do.
    Done,
    /// The agent refused, and why.
    Refused(WireError),
    /// The socket closed, or its queue was full.
    Lost,
    /// The agent did not answer by the deadline.
    Expired,
}
