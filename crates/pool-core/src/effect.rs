use vipnode_types::{
    protocol2,
    wire::{
        AccountView, AskReply, ConnectReply, Done, ExplainReply, HostSupply, LinkReply, NodeFunds, PayoutView,
        PoolStatus, ReportReply, WireError,
    },
};

use crate::{CallId, ConnectionId, LedgerChangeReply, PoolCall, PricingRow, RequestId, Row};

/// An output of the core. The effects of a command are carried out in order.
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
        /// Whether the reply waits until the rows before it are durable.
        when: SendWhen,
    },
    /// Call an agent. The caller reports the end of the call as [`crate::Command::CallDone`].
    Call {
        /// The connection of the agent.
        connection: ConnectionId,
        /// The id under which the end of the call is reported.
        call: CallId,
        /// The request to the agent.
        message: PoolCall,
        /// The time limit for an answer, in milliseconds from when the call is sent.
        answer_ms: u64,
        /// Whether the call waits until the rows before it are durable.
        when: SendWhen,
    },
    /// Close a socket: a newer one replaced it, or its agent is silent or does not answer.
    Close {
        /// The connection to close.
        connection: ConnectionId,
        /// The reason that goes into the close frame.
        reason: String,
    },
}

/// Whether an effect may be carried out before the rows that it depends on are durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendWhen {
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
    /// To a check of a connect, which would be accepted: which hosts the pool has for the node.
    Checked(Box<HostSupply>),
    /// To a report.
    Report(ReportReply),
    /// To an ask.
    Ask(AskReply),
    /// To an explain.
    Explain(Box<ExplainReply>),
    /// To a leave, a bye, or the end of a link.
    Done(Done),
    /// To a link of a node and an account.
    Linked(Box<LinkReply>),
    /// To a status.
    Status(Box<PoolStatus>),
    /// To a change of the ledger.
    Ledger(Box<LedgerChangeReply>),
    /// To a query of an account's figures.
    Account(Box<AccountView>),
    /// To the announcement of a price: what counts now, and what was announced.
    Pricing(Box<PricingRow>),
    /// To an order of a payout account.
    Payout(PayoutView),
    /// To an agent that asks for its node's funds.
    Funds(Box<NodeFunds>),
    /// To a call of protocol 2.
    Protocol2(Box<protocol2::Protocol2Reply>),
}
