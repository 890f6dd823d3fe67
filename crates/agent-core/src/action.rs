use std::net::IpAddr;

use vipnode_types::{
    Account, Amount, EnodeHost, Failure, LeaseId, Ms, NodeId, PaymentMode, PeerCommand, PoolId, Price, QuotedPrice,
    payment::ChannelConfig,
    protocol2::Call,
    wire::{
        AskRequest, ConnectRequest, EvictReason, FundsLow, LeaveRequest, NextPrice, ReportRequest, Side, TrialEnds,
        WireError,
    },
};

use crate::{CannotPay, ConnectFailure, EvictionCause, JournalEntry, NameError, VoucherRecord};

/// What the agent does in response to an event, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Append to the journal; durable before the next action begins.
    Journal(JournalEntry),
    /// Have the node change its peers; the result comes as [`crate::Event::NodeDone`].
    Node {
        /// The task that [`crate::Event::NodeDone`] returns.
        task: NodeTask,
        /// How the node's list of peers is to change.
        call: PeerCommand,
    },
    /// Read the node's list of peers, after all earlier calls to it; the list comes as [`crate::Event::Listed`].
    /// Requested before each call that changes peers, so that no call depends on an old list.
    List {
        /// The task that [`crate::Event::Listed`] returns.
        task: NodeTask,
    },
    /// Read the node's peers now, and then often (every few ms, backing off) for `for_ms`, because a connection is
    /// expected. Results come as [`crate::Event::Peers`].
    Watch {
        /// In milliseconds.
        for_ms: u64,
    },
    /// Look up a DNS name; its addresses come as [`crate::Event::Resolved`].
    Resolve {
        /// The DNS name of a host that the user named.
        name: Box<str>,
    },
    /// Send the pool a request; the answer comes as [`crate::Event::PoolAnswers`].
    Pool {
        /// The tag that [`crate::Event::PoolAnswers`] returns.
        tag: RequestTag,
        /// The request to send.
        request: ToPool,
    },
    /// Answer a call of the pool.
    Answer {
        /// The tag with which [`crate::Event::PoolCalls`] reported the call.
        tag: RequestTag,
        /// Done, or why not.
        reply: CallReply,
    },
    /// Close the socket to the pool, if there is one, and open another in `after_ms`. The result comes as
    /// [`crate::Event::PoolOpen`] or [`crate::Event::PoolLost`]. The socket closed here causes no `PoolLost`,
    /// `PoolAnswers` or `PoolCalls` any more.
    Reconnect {
        /// How long to wait, in milliseconds.
        after_ms: u64,
    },
    /// Keep the price of the pool for further runs, each of which passes it to [`crate::AgentCore::restore_kept_price`].
    KeepPrice(Price),
    /// Keep what was signed, durable before the next action begins, for further runs, each of which passes it to
    /// [`crate::AgentCore::restore_vouchers`].
    KeepVouchers(VoucherRecord),
    /// Notify the user.
    Notice(Notice),
    /// The end; no action follows. `error` is set if the agent could not continue, or could not undo everything in
    /// time.
    Stopped {
        /// Why, and how to fix it.
        error: Option<WireError>,
    },
}

/// The agent's identifier of a request, or of a call that it has to answer.
pub type RequestTag = u64;

/// The agent's identifier of a task of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeTask(pub u64);

/// The answer to a call of the pool.
pub type CallReply = Result<(), WireError>;

/// A request to the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToPool {
    /// `vipnode_connect`: the hello. The caller adds the join proof and the payout order, and signs.
    Connect(Box<ConnectRequest>),
    /// `vipnode_report`: which leased peers are connected.
    Report(ReportRequest),
    /// `vipnode_ask`: ask for hosts.
    Ask(AskRequest),
    /// `vipnode_funds`: what the pool knows of the channel that the client pays from.
    Funds,
    /// `vipnode_voucher`: pay from the channel. The caller signs with the agent's key.
    Voucher {
        /// The payment channel that it is about.
        channel: Box<ChannelConfig>,
        /// The ID of the chain with the escrow.
        chain_id: u64,
        /// The most that may be claimed in all.
        amount: Amount,
    },
    /// `vipnode_leave`: end leases.
    Leave(LeaveRequest),
    /// `vipnode_bye`: end all leases and disconnect.
    Bye,
    /// Any of these, for an original pool. The caller adds a nonce and has the node's key sign.
    Protocol2(Box<Call>),
}

/// An event for the user. The CLI chooses text and color.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The pool accepted the agent.
    Connected {
        /// The welcome of the pool's operator.
        welcome: Option<String>,
        /// The price of a slot; `None` if the pool does not report it (protocol 2).
        price: Option<Price>,
        /// The pool's ID; `None` for a pool without one.
        pool_id: Option<PoolId>,
    },
    /// The pool's price differs from the one that the agent last knew.
    PriceChanged {
        /// The price before.
        old: Price,
        /// The price now, of new leases at once, and of others from their next billing period on.
        new: Price,
    },
    /// The client cannot pay at this pool.
    CannotPay {
        /// Why it cannot.
        why: CannotPay,
    },
    /// The client signs for no more today, because it reached its limit.
    SpendLimit {
        /// The limit that was exceeded.
        max_spend: QuotedPrice,
    },
    /// The pool announced another price, or another fee.
    PriceAnnounced {
        /// The price, and from when on it counts.
        next: NextPrice,
        /// The fee now, in basis points of the price, if the price stays and only the fee changes.
        old_fee_bps: Option<u16>,
        /// The role of this agent in which it does not accept the price; `None` if it accepts it.
        refused_by: Option<Side>,
    },
    /// The pool withdrew the price, or the fee, that it had announced.
    PriceWithdrawn {
        /// The price that was announced.
        announced: Price,
        /// The price, which stays.
        price: Price,
        /// The fee that was announced and the one that stays, in basis points of the price, if the price was to stay.
        fees_bps: Option<(u16, u16)>,
    },
    /// The pool's price is above the client's maximum, so the client gets no hosts from it.
    PriceAboveMaximum {
        /// The pool's price.
        price: Price,
        /// The client's maximum.
        most: QuotedPrice,
    },
    /// The client keeps the pool's price as its maximum, because its user set none.
    PriceKept {
        /// The price that the pool had when the client first connected.
        price: Price,
    },
    /// None of the pool's other hosts is on the chain of this host's node.
    OtherChains {
        /// Why not, as reported by the pool.
        why: String,
    },
    /// The pool does not pay this host's earnings to the account of the settings, and no order for that account waits.
    OtherPayout {
        /// The account of the settings.
        wanted: Account,
        /// The account that the pool pays; `None` for none.
        paid: Option<Account>,
    },
    /// The node key ordered another payout account, which takes effect later.
    PayoutChanges {
        /// The account that the pool pays now.
        paid: Account,
        /// The account that it pays later.
        next: Account,
        /// When that begins, by the pool's clock.
        from: Ms,
    },
    /// The node key ordered the account that the pool pays now, so the change that it ordered before is canceled.
    PayoutKept {
        /// The account that the pool pays.
        paid: Account,
        /// The account that it would have paid.
        canceled: Account,
    },
    /// The pool pays another account than before.
    PayoutChanged {
        /// The account that it pays now.
        paid: Account,
    },
    /// The clients of the pool pay, and this host names no account that is paid.
    NoPayout {
        /// What a slot costs.
        price: Price,
    },
    /// What the account that pays for the client's node has left lasts only for a short time.
    FundsLow {
        /// How clients of the pool pay.
        payment: PaymentMode,
        /// How long it lasts.
        low: FundsLow,
    },
    /// The pool ended a client's lease because nobody pays for it.
    LeaseUnpaid {
        /// How clients of the pool pay.
        payment: PaymentMode,
        /// The lease that ended.
        lease: LeaseId,
        /// Public key of the host's node.
        host: NodeId,
        /// The account without enough funds; `None` if no account pays for the node.
        account: Option<Account>,
        /// Whether the lease was a free trial, which is over.
        trial: bool,
    },
    /// A host serves the client for free, because the pool offers new clients a trial. Announced once.
    TrialBegins {
        /// How much is left of the trial, at most, in milliseconds.
        left_ms: u64,
        /// What a slot costs afterwards.
        price: Price,
    },
    /// A client's free trial ends soon.
    TrialEnds {
        /// How clients of the pool pay.
        payment: PaymentMode,
        /// When it ends.
        ends: TrialEnds,
    },
    /// Another pool answers than the one that the agent remembers. The agent signs nothing, keeps its leases, and tries
    /// again.
    PoolUntrusted {
        /// Why, and how to accept the pool.
        why: Failure,
    },
    /// The connection to the pool is lost; leases stay.
    PoolDisconnected {
        /// Why it is lost.
        why: Failure,
    },
    /// The pool cannot be reached, and the agent has not joined it since it started.
    PoolUnreachable {
        /// Why not.
        why: Failure,
        /// When the agent tries again, in milliseconds.
        retry_ms: u64,
    },
    /// Another agent uses the key of the same node: it and this one close each other's connection.
    Displaced {
        /// The other agent's address, as the pool sees it.
        address: IpAddr,
        /// How long this agent waits at least after it was disconnected, in milliseconds.
        wait_ms: u64,
    },
    /// The pool rejected a request.
    PoolRefused(WireError),
    /// The node no longer answers.
    NodeDisconnected {
        /// Why it does not.
        why: Failure,
    },
    /// The node answers again.
    NodeReconnected,
    /// The pool assigned a host, which is being dialed.
    HostAssigned {
        /// The lease under which the host serves this node.
        lease: LeaseId,
        /// Public key of the host's node.
        host: NodeId,
    },
    /// The node and a host are connected.
    HostConnected {
        /// The lease under which the host serves this node.
        lease: LeaseId,
        /// Public key of the host's node.
        host: NodeId,
        /// Time since the pool assigned it, in milliseconds; `None` if the two were connected before, as after a restart of
        /// the pool.
        after_ms: Option<u64>,
    },
    /// A host that admitted the node is not connected yet. Announced once for each lease.
    HostSlow {
        /// The lease under which the host serves this node.
        lease: LeaseId,
        /// Public key of the host's node.
        host: NodeId,
        /// How long the two nodes wait before one dials the other, in milliseconds, if the pool knows it.
        redial_ms: Option<u64>,
        /// How long the agent still waits for the host, in milliseconds.
        left_ms: u64,
        /// Why this host was not connected the last time.
        last: Option<ConnectFailure>,
    },
    /// A host that admitted the node never connected; the agent looks for another. Each kind of cause is announced once until
    /// a host is connected. The node keeps dialing a host that the user named; it is announced once until it is connected.
    HostNotConnected {
        /// The lease under which the host serves this node.
        lease: LeaseId,
        /// Public key of the host's node.
        host: NodeId,
        /// Its `web3_clientVersion`, as the pool reported it; empty where it did not.
        version: String,
        /// Why it is not connected, if this side can see the cause.
        cause: ConnectFailure,
    },
    /// A client that was admitted did not connect, or disconnected at once. Each kind of cause is announced once until
    /// the settings change.
    ClientNotConnected {
        /// The lease under which this host was to serve it.
        lease: LeaseId,
        /// Public key of the client's node.
        client: NodeId,
        /// Its `web3_clientVersion`, as the pool reported it; empty where it did not.
        version: String,
        /// Why it is not connected, if this side can see the cause.
        cause: ConnectFailure,
    },
    /// A host disconnected, or the pool ended its lease; the agent looks for another. The node keeps dialing a host that the user
    /// named.
    HostLost {
        /// The lease that ended.
        lease: LeaseId,
        /// Public key of the host's node.
        host: NodeId,
        /// Why the pool ended the lease; `None` if it did not.
        reason: Option<EvictReason>,
    },
    /// A peer without a lease was disconnected. Only the first is announced; all are counted.
    UnleasedPeerDisconnected {
        /// Public key of the peer.
        peer: NodeId,
    },
    /// The node of an evicted client connected again without a lease, as an ordinary peer. Announced once.
    ClientReturned {
        /// Public key of the client's node.
        client: NodeId,
        /// Whether the agent disconnects it: the node's peer table has no room for the slots on offer, or with
        /// `--strict-peers`.
        disconnected: bool,
    },
    /// The pool no longer knows any of the leases; they stay until it assigns others.
    LastListKept {
        /// How many leases stay.
        leases: u32,
    },
    /// The node rejected the command to admit or dial a peer that the user named; it is retried.
    DirectRefused {
        /// Which side of the lease this agent is.
        side: Side,
        /// Public key of the peer.
        peer: NodeId,
        /// The node's error.
        why: Failure,
    },
    /// The DNS name of a host that the user named cannot be resolved; its last address is used, where there was one.
    /// Announced once until it can be.
    NameUnresolved {
        /// The DNS name.
        name: Box<str>,
        /// Why it cannot be resolved.
        why: NameError,
    },
    /// A peer that the pool assigned is rejected, because of what the pool reported about it or of what our node sees.
    Unsuitable {
        /// Which side of the lease this agent is.
        side: Side,
        /// Public key of the peer.
        peer: NodeId,
        /// Why, as the end of a sentence.
        why: String,
    },
    /// The pool assigned a host at a private or loopback address, or by a host name, although the pool's own address reaches
    /// farther. The node is not made to dial it.
    PrivateAddress {
        /// Public key of the host's node.
        host: NodeId,
        /// The host's address, from its enode.
        at: EnodeHost,
    },
    /// The pool has fewer hosts than wanted.
    HostsMissing {
        /// How many hosts are missing.
        missing: u32,
        /// Why, as reported by the pool; `None` while the pool is still looking.
        why: Option<String>,
        /// Whether they have been missing for some time.
        late: bool,
        /// How long it takes until the agent accepts one of the hosts again that failed, in milliseconds.
        retry_ms: Option<u64>,
    },
    /// The node accepts a client that the pool assigned, which may dial it now.
    ClientAdmitted {
        /// The lease under which this host serves the client.
        lease: LeaseId,
        /// Public key of the client's node.
        client: NodeId,
    },
    /// The node and a client are connected.
    ClientConnected {
        /// The lease under which this host serves the client.
        lease: LeaseId,
        /// Public key of the client's node.
        client: NodeId,
    },
    /// A client's lease ended and is undone.
    ClientEvicted {
        /// The lease that ended.
        lease: LeaseId,
        /// Public key of the client's node.
        client: NodeId,
        /// Why the lease ended.
        cause: EvictionCause,
    },
    /// The node is behind the newest block that the pool knows; announced once.
    Behind {
        /// By how many blocks.
        blocks: u64,
        /// The pool's newest block.
        latest: u64,
    },
    /// The node caught up.
    CaughtUp {
        /// The pool's newest block.
        latest: u64,
    },
    /// The balance of the node's account at an original pool, in wei.
    Balance {
        /// Earned minus spent.
        credit_wei: i128,
        /// The deposit in the contract.
        deposit_wei: i128,
    },
    /// The host's offer changed.
    Offering {
        /// Slots offered; 0 for none.
        slots: u32,
        /// Why none are offered.
        why: Option<String>,
    },
    /// The node has fewer peers of its own than before while slots are sold.
    OwnPeersFalling {
        /// Own peers now.
        now: u32,
        /// Slots that the reserve keeps free for them.
        reserve: u32,
    },
}
