use std::net::IpAddr;

use vipnode_types::{
    Account, AgentPublic, Ms, NodeId, Price, protocol2,
    wire::{AskRequest, ConnectRequest, LeaveRequest, ReportRequest, VoucherRequest, WireError},
};

use crate::{AccountLink, CallId, ChainEvent, ConnectionId, LedgerChange, NewPayout, RequestId};

/// An input of the core. The caller has checked signatures, membership, and the form of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// An agent connects (`vipnode_connect`), with a valid signature.
    Connect {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The identity that signed.
        identity: Identity,
        /// The remote address of the socket.
        address: IpAddr,
        /// Whether the pool can call the agent (WebSocket) or only answer it (HTTP).
        callable: bool,
        /// The agent's description of itself and its node.
        hello: Box<ConnectRequest>,
    },
    /// A query whether a connect would be accepted (`vipnode_reach`), with a valid signature. Nothing connects.
    CheckConnect {
        /// The connection that the reply is for; no agent needs to be connected on it.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The identity that signed.
        identity: Identity,
        /// The remote address of the caller.
        address: IpAddr,
        /// The agent's description of itself and its node.
        hello: Box<ConnectRequest>,
    },
    /// An agent reports (`vipnode_report`).
    Report {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The changes since its last report, or the full list of its leases.
        report: Box<ReportRequest>,
    },
    /// A client asks for hosts (`vipnode_ask`).
    Ask {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The number of hosts that it wants, and the nodes to avoid.
        ask: Box<AskRequest>,
    },
    /// A client asks why it has the hosts that it has (`vipnode_explain`).
    Explain {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
    },
    /// An agent ends leases (`vipnode_leave`).
    Leave {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The leases and the reason.
        leave: Box<LeaveRequest>,
    },
    /// An agent stops (`vipnode_bye`).
    Bye {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
    },
    /// An agent or a visitor of the HTTP page asks for the status.
    Status {
        /// The connection that asks; no agent needs to be connected on it.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
    },
    /// An agent that speaks protocol 2 calls, with a valid signature by the node's own key.
    Protocol2 {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The node whose key signed.
        node: NodeId,
        /// The claimed time of the signature, in nanoseconds since the Unix epoch. The core checks it.
        nonce: u64,
        /// The remote address of the socket.
        address: IpAddr,
        /// Whether the pool can call the agent (WebSocket) or only answer it (HTTP).
        callable: bool,
        /// The call and its parameters.
        call: protocol2::Call,
    },
    /// An [`crate::Effect::Call`] ended.
    CallDone {
        /// The id of the call, from the effect.
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
    /// A socket closed.
    Disconnected {
        /// The connection of the socket.
        connection: ConnectionId,
    },
    /// The operator changes the ledger.
    Ledger {
        /// The connection that the reply is for; no agent needs to be connected on it.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// What the operator changes, and why.
        change: Box<LedgerChange>,
    },
    /// The operator announces a price.
    Price {
        /// The connection that the reply is for; no agent needs to be connected on it.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// What a slot will cost.
        price: Price,
        /// The fee, in basis points; `None` for the present one.
        fee_bps: Option<u16>,
    },
    /// An account pays for the leases of a client's node from now on (`vipnode_link`), or no longer (`vipnode_unlink`), with
    /// valid signatures.
    Link {
        /// The connection that the reply is for; no agent needs to be connected on it.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The remote address of the caller.
        address: IpAddr,
        /// What changes, and who agreed to it.
        link: AccountLink,
    },
    /// A query for the figures of an account (`vipnode_account`), with its valid signature.
    Account {
        /// The connection that the reply is for; no agent needs to be connected on it.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The remote address of the caller.
        address: IpAddr,
        /// The account that signed.
        account: Account,
    },
    /// A node's key orders the account that receives what the node earns (`vipnode_payout`), with its valid signature.
    Payout {
        /// The connection that the reply is for; no agent needs to be connected on it.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The remote address of the caller.
        address: IpAddr,
        /// The node whose key signed.
        node: NodeId,
        /// What it ordered.
        payout: NewPayout,
    },
    /// An agent asks what its node may spend, and what it earned (`vipnode_funds`).
    Funds {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
    },
    /// An agent passes a voucher of its payment channel (`vipnode_voucher`), with the valid signature of the channel's payer
    /// authorizer.
    Voucher {
        /// The connection it came on.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// The voucher and its channel.
        voucher: Box<VoucherRequest>,
    },
    /// Something was learned from the chain on which clients deposit.
    Chain(ChainEvent),
    /// The operator asks about the epochs in which the pool claims, or has one begin.
    Epoch {
        /// The connection that the reply is for; no agent needs to be connected on it.
        connection: ConnectionId,
        /// The request that the reply answers.
        request: RequestId,
        /// Whether an epoch is cut now.
        run: bool,
    },
    /// The operator bans a node: its connection and its leases end at once.
    Expel {
        /// The node, which need not be connected or known.
        node: NodeId,
        /// The reason, for its connection.
        reason: String,
    },
    /// Time passed. Due at [`crate::Core::next_wake`] at the latest, and at least every `Limits::tick_ms`.
    Tick,
}

/// The identity of an authenticated agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The node that it represents.
    pub node: NodeId,
    /// The agent's own key.
    pub agent: AgentPublic,
    /// The delegation's `issued_ms`. The core refuses a delegation older than the newest it has seen.
    pub issued: Ms,
}

/// How a call to an agent ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// The agent did what the call asked for.
    Done,
    /// The agent refused, with its reason.
    Refused(WireError),
    /// The socket closed, or its queue was full.
    Lost,
    /// The agent did not answer by the deadline.
    Expired,
}
