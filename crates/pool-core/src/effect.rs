use vipnode_types::{
    protocol2,
    wire::{
        AccountView, AskReply, ChannelFunds, ConnectReply, Done, ExplainReply, HostSupply, LinkReply, NodeFunds,
        PayoutView, PoolStatus, ReportReply, WireError,
    },
};

use crate::{CallId, ChainRequest, ConnectionId, EpochView, LedgerChangeReply, PoolCall, PricingRow, RequestId, Row};

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
    /// Ask the chain on which clients deposit. The answer is a [`crate::Command::Chain`].
    Chain(ChainRequest),
    /// Close a socket: a newer one replaced it, or its agent is silent or does not answer.
    Close {
        /// The connection to close.
        connection: ConnectionId,
        /// The reason that goes into the close frame.
        reason: String,
        /// Whether it stays open until the rows before it are durable, for calls before it that wait for them.
        when: SendWhen,
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
    /// The terms of the pool, and the leases that continue.
    Connect(Box<ConnectReply>),
    /// To a check of a connect, which would be accepted: which hosts the pool has for the node.
    Checked(Box<HostSupply>),
    /// Whether the pool needs a full report next.
    Report(ReportReply),
    /// The hosts that are assigned, and how many are missing.
    Ask(AskReply),
    /// How the agent's hosts were selected, and why others were not.
    Explain(Box<ExplainReply>),
    /// To a leave, a bye, or the end of a link.
    Done(Done),
    /// To a link of a node and an account.
    Linked(Box<LinkReply>),
    /// The public figures of the pool.
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
    /// What is known of the channel once the voucher is accepted.
    Voucher(Box<ChannelFunds>),
    /// To the operator who asks about the epochs.
    Epoch(Box<EpochView>),
    /// To a call of protocol 2.
    Protocol2(Box<protocol2::Protocol2Reply>),
}
