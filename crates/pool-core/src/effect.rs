use vipnode_types::{
    NodeId, protocol2,
    wire::{
        AdmitCall, AskReply, ConnectReply, DialCall, Done, EvictCall, ExplainReply, PoolStatus, ReportReply, WireError,
    },
};

use crate::{ConnectionId, Row};

/// The gateway's name of a request it waits to answer.
pub type RequestId = u64;

/// The core's name of a call it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// What the pool does because of a command, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write rows, atomically with all others of the same command.
    Persist(Vec<Row>),
    /// Answer a request.
    Reply {
        /// To whom.
        peer: ConnectionId,
        /// Which request.
        request: RequestId,
        /// With what.
        reply: Result<Reply, WireError>,
        /// When.
        release: Release,
    },
    /// Call an agent. Its end comes back as [`crate::Command::CallDone`].
    Call {
        /// Whom.
        peer: ConnectionId,
        /// The name under which the end is told.
        call: CallId,
        /// What to do.
        message: PoolCall,
        /// How long an answer counts, from when the call leaves.
        answer_ms: u64,
        /// When.
        release: Release,
    },
    /// Close a socket: it was superseded, or never said who it is.
    Close {
        /// Which.
        peer: ConnectionId,
        /// The reason that goes into the close frame.
        reason: String,
    },
}

/// Whether an effect may leave before the rows that it rests on are durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// At once.
    Now,
    /// Once everything persisted up to here is durable.
    AfterCommit,
}

/// An answer to an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To a connect.
    Connect(Box<ConnectReply>),
    /// To a report.
    Report(ReportReply),
    /// To an ask.
    Ask(AskReply),
    /// To an explain.
    Explain(Box<ExplainReply>),
    /// To a leave or a bye.
    Done(Done),
    /// To a status.
    Status(Box<PoolStatus>),
    /// To a call of protocol 2.
    Protocol2(Box<protocol2::Reply>),
}

/// A call to an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolCall {
    /// Let a client in.
    Admit(AdmitCall),
    /// Undo a lease.
    Evict(EvictCall),
    /// Dial a peer.
    Dial(DialCall),
    /// Let a client in, in the words of protocol 2.
    Whitelist(NodeId),
}
