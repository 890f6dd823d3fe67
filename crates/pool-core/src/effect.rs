use vipnode_types::{
    protocol2,
    wire::{AskReply, ConnectReply, Done, ExplainReply, PoolStatus, ReportReply, WireError},
};

use crate::{CallId, ConnectionId, PoolCall, RequestId, Row};

/// What the pool does because of a command, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write rows, atomically with all others of the same command.
    Persist(Vec<Row>),
    /// Answer a request.
    Reply {
        /// The connection that the request came on.
        connection: ConnectionId,
        /// The request that is answered.
        request: RequestId,
        /// The result, or the error and its hint.
        reply: Result<Reply, WireError>,
        /// Whether it waits for the rows before it.
        release: Release,
    },
    /// Call an agent. Its end comes back as [`crate::Command::CallDone`].
    Call {
        /// The connection of the agent.
        connection: ConnectionId,
        /// The number under which its end comes back.
        call: CallId,
        /// What the agent is to do.
        message: PoolCall,
        /// How long an answer counts, in milliseconds from when the call leaves.
        answer_ms: u64,
        /// Whether it waits for the rows before it.
        release: Release,
    },
    /// Close a socket: it was superseded, or never said who it is.
    Close {
        /// The connection to close.
        connection: ConnectionId,
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
