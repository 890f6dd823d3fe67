use vipnode_types::{
    Failure, LeaseId, NodeId, PeerCommand, Price,
    protocol2::Call,
    wire::{AskRequest, ConnectRequest, EvictReason, LeaveRequest, ReportRequest, Side, WireError},
};

use crate::{ConnectFailure, JournalEntry, NameError};

/// The agent's name of a request or of a call it has to answer.
pub type RequestTag = u64;

/// The agent's name of something it has the node do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeTask(pub u64);

/// What the agent does because of an event, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Append to the journal; durable before the next action begins.
    Journal(JournalEntry),
    /// Have the node do something; how it ended comes back as [`crate::Event::NodeDone`].
    Node {
        /// The name that [`crate::Event::NodeDone`] gives back.
        task: NodeTask,
        /// What the node is to do.
        call: PeerCommand,
    },
    /// Read the node's list of peers, after all calls that it was given before; the list comes as
    /// [`crate::Event::Listed`]. Asked for before each call that changes peers, so that none rests on an old list.
    List {
        /// The name that [`crate::Event::Listed`] gives back.
        task: NodeTask,
    },
    /// Look at the node's peers now, and closely (every few ms, backing off) for `for_ms`, because a
    /// connection is about to come. Results come as [`crate::Event::Peers`].
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
        /// The name that [`crate::Event::PoolAnswers`] gives back.
        tag: RequestTag,
        /// What is asked for.
        request: ToPool,
    },
    /// Answer a call of the pool.
    Answer {
        /// The name under which [`crate::Event::PoolCalls`] brought the call.
        tag: RequestTag,
        /// Done, or why not.
        reply: CallReply,
    },
    /// Close the socket to the pool, if there is one, and open another in `after_ms`. The end comes as
    /// [`crate::Event::PoolOpen`] or [`crate::Event::PoolLost`]; no `PoolLost` is told for the socket
    /// closed here, and no `PoolAnswers` or `PoolCalls` of it are told any more.
    Reconnect {
        /// How long to wait.
        after_ms: u64,
    },
    /// Tell the user.
    Notice(Notice),
    /// The end; no action follows. `error` is set where the agent could not go on, or could not undo
    /// everything in time.
    Stopped {
        /// Why, and how to fix it.
        error: Option<WireError>,
    },
}

/// The answer to a call of the pool.
pub type CallReply = Result<(), WireError>;

/// A request to the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToPool {
    /// `vipnode_connect`: present the agent. The caller adds the join proof and signs.
    Connect(Box<ConnectRequest>),
    /// `vipnode_report`: which leased peers are seen.
    Report(ReportRequest),
    /// `vipnode_ask`: ask for hosts.
    Ask(AskRequest),
    /// `vipnode_leave`: end leases.
    Leave(LeaveRequest),
    /// `vipnode_bye`: end all leases and go.
    Bye,
    /// Any of these, to a pool of the original. The caller adds a nonce and has the node's key sign.
    Protocol2(Box<Call>),
}

/// Something that the user wants to know. Text and color are the command line's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The pool took the agent.
    Connected {
        /// The welcome of the pool's operator.
        welcome: Option<String>,
        /// What a slot costs; `None` where the pool does not say (protocol 2).
        price: Option<Price>,
    },
    /// The connection to the pool is lost; leases stay.
    PoolDisconnected {
        /// Why it is lost.
        why: Failure,
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
    /// The pool gave a host, which is being dialed.
    HostGiven {
        /// The lease with it.
        lease: LeaseId,
        /// Public key of the host's node.
        host: NodeId,
    },
    /// The node and a host are connected.
    HostConnected {
        /// The lease with it.
        lease: LeaseId,
        /// Public key of the host's node.
        host: NodeId,
        /// Time since the pool gave it, in milliseconds.
        after_ms: u64,
    },
    /// A host that let the node in was never connected; another is sought. Each kind of cause is announced once until
    /// a host is connected. A host that the user named is dialed on, and announced once until it is connected.
    HostNotConnected {
        /// The lease with it.
        lease: LeaseId,
        /// Public key of the host's node.
        host: NodeId,
        /// Its `web3_clientVersion`, as the pool reported it; empty where it did not.
        version: String,
        /// Why it is not connected, as far as this side sees.
        cause: ConnectFailure,
    },
    /// A client that was let in was not connected, or was gone at once. Each kind of cause is announced once until the
    /// settings change.
    ClientNotConnected {
        /// The lease with it.
        lease: LeaseId,
        /// Public key of the client's node.
        client: NodeId,
        /// Its `web3_clientVersion`, as the pool reported it; empty where it did not.
        version: String,
        /// Why it is not connected, as far as this side sees.
        cause: ConnectFailure,
    },
    /// A host disconnected; another is sought. One that the user named is dialed on.
    HostGone {
        /// The lease with it.
        lease: LeaseId,
        /// Public key of the host's node.
        host: NodeId,
    },
    /// A peer without a lease was disconnected. Announced of the first; all are counted.
    StrangerDropped {
        /// Public key of the peer.
        peer: NodeId,
    },
    /// The pool no longer knows any of the leases; they stay until it gives others.
    LastListKept {
        /// How many leases stay.
        leases: u32,
    },
    /// The node refuses to admit or dial a peer that the user named; it is retried.
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
    /// A peer that the pool gave is rejected, by what the pool reported of it or by what our node sees.
    Unsuitable {
        /// Which side of the lease this agent is.
        side: Side,
        /// Public key of the peer.
        peer: NodeId,
        /// What it lacks, as the end of a sentence.
        why: String,
    },
    /// The pool has fewer hosts than wanted.
    HostsMissing {
        /// How many hosts are missing.
        missing: u32,
        /// Why, in the pool's words.
        why: String,
    },
    /// A client was let in.
    ClientAdmitted {
        /// The lease with it.
        lease: LeaseId,
        /// Public key of the client's node.
        client: NodeId,
    },
    /// The node and a client are connected.
    ClientConnected {
        /// The lease with it.
        lease: LeaseId,
        /// Public key of the client's node.
        client: NodeId,
    },
    /// A client's lease is over and undone.
    ClientEvicted {
        /// The lease with it.
        lease: LeaseId,
        /// Public key of the client's node.
        client: NodeId,
        /// Why the lease ended.
        reason: EvictReason,
    },
    /// The node is behind the newest block that the pool knows; announced once.
    Behind {
        /// By how many blocks.
        blocks: u64,
        /// The pool's newest block.
        latest: u64,
    },
    /// The node is no longer behind.
    CaughtUp {
        /// The pool's newest block.
        latest: u64,
    },
    /// What the node's account has at a pool of the original, in wei.
    Balance {
        /// Earned minus spent.
        credit_wei: i128,
        /// The deposit in the contract.
        deposit_wei: i128,
    },
    /// What the host offers changed.
    Offering {
        /// Slots offered; 0 for none.
        slots: u32,
        /// Why none are offered.
        why: Option<String>,
    },
    /// The node's own peers are fewer than they were while slots are sold.
    OwnPeersFalling {
        /// Own peers now.
        now: u32,
        /// What the reserve keeps free for them.
        reserve: u32,
    },
}
