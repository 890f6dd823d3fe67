use vipnode_types::{
    Enode, LeaseId, NodeId, Price,
    protocol2::Call,
    wire::{AskRequest, ConnectRequest, EvictReason, LeaveRequest, ReportRequest, Side, WireError},
};

use crate::{JournalEntry, NotConnected};

/// The agent's name of a request or of a call it has to answer.
pub type RequestTag = u64;

/// The agent's name of something it has the node do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeTask(pub u64);

/// What the agent does because of an event, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Write to the journal; durable before the next action begins.
    Journal(JournalEntry),
    /// Have the node do something; its end comes back as [`crate::Event::NodeDone`].
    Node {
        /// Under which name.
        task: NodeTask,
        /// What.
        call: NodeCall,
    },
    /// Read the node's list of peers, after all calls that it was given before; the list comes as
    /// [`crate::Event::Listed`]. Asked for before each admit, dial and evict, so that none rests on an old list.
    List {
        /// Under which name.
        task: NodeTask,
    },
    /// Look at the node's peers now, and closely (every few ms, backing off) for `for_ms`, because a
    /// connection is about to come. Results come as [`crate::Event::Peers`].
    Watch {
        /// For how long.
        for_ms: u64,
    },
    /// Look a name up; its end comes as [`crate::Event::Resolved`].
    Resolve {
        /// The name.
        name: Box<str>,
    },
    /// Say something to the pool; the answer comes as [`crate::Event::PoolAnswers`].
    Pool {
        /// Under which name.
        tag: RequestTag,
        /// What.
        request: ToPool,
    },
    /// Answer a call of the pool.
    Answer {
        /// The call's name.
        tag: RequestTag,
        /// With what.
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

/// How a call of the pool is answered.
pub type CallReply = Result<(), WireError>;

/// What a node can be made to do. A driver knows how its client is told, and in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeCall {
    /// Let this node in, also past the limit of peers. Does not dial (geth, reth: `addTrustedPeer`).
    Admit(Enode),
    /// Dial this node and keep it connected (`addPeer`).
    Dial(Enode),
    /// Stop dialling and disconnect, trust untouched (`removePeer`).
    Drop(Enode),
    /// Take trust back, then stop dialling and disconnect.
    Evict(Enode),
    /// Take trust back and leave the connection alone: another lease needs it, or it was there before.
    Untrust(Enode),
}

/// A request to the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToPool {
    /// Present the agent. Whoever runs the mind adds the join proof and signs.
    Connect(Box<ConnectRequest>),
    /// Report.
    Report(ReportRequest),
    /// Ask for hosts.
    Ask(AskRequest),
    /// End leases.
    Leave(LeaveRequest),
    /// Stop.
    Bye,
    /// Any of these, to a pool of the original. Whoever runs the mind gives it a nonce and has the node's key
    /// sign it.
    Protocol2(Box<Call>),
}

/// Something that the user wants to know. Words and colour are the command line's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The pool took the agent.
    Connected {
        /// The operator's words.
        welcome: Option<String>,
        /// What a place costs; `None` where the pool does not say (protocol 2).
        price: Option<Price>,
    },
    /// The pool is away; leases go on.
    PoolAway {
        /// Why.
        why: String,
    },
    /// The pool said no to something.
    PoolRefused(WireError),
    /// The node is away.
    NodeAway {
        /// Why.
        why: String,
    },
    /// The node is back.
    NodeBack,
    /// A host was given and is being dialled.
    HostGiven {
        /// The lease.
        lease: LeaseId,
        /// The host.
        host: NodeId,
    },
    /// The node and a host see each other.
    HostConnected {
        /// The lease.
        lease: LeaseId,
        /// The host.
        host: NodeId,
        /// From the moment it was given, in milliseconds.
        after_ms: u64,
    },
    /// A host that let the node in was never connected; another is sought. Each kind of cause is told once until a
    /// host is connected. One that the user named is dialled on, and told once until it is connected.
    HostNotConnected {
        /// The lease.
        lease: LeaseId,
        /// The host.
        host: NodeId,
        /// Its `web3_clientVersion`, as the pool told it; empty where it did not.
        version: String,
        /// Why, as far as this side sees.
        cause: NotConnected,
    },
    /// A client that was let in was not connected, or was gone at once. Each kind of cause is told once until the user
    /// wants something else.
    ClientNotConnected {
        /// The lease.
        lease: LeaseId,
        /// The client.
        client: NodeId,
        /// Its `web3_clientVersion`, as the pool told it; empty where it did not.
        version: String,
        /// Why, as far as this side sees.
        cause: NotConnected,
    },
    /// A host is gone; another is sought. One that the user named is dialled on.
    HostGone {
        /// The lease.
        lease: LeaseId,
        /// The host.
        host: NodeId,
    },
    /// A peer that is on no lease was disconnected. Said of the first; all are counted.
    StrangerDropped {
        /// The peer.
        peer: NodeId,
    },
    /// The pool knows none of the leases any more; they stay until it gives others.
    LastListKept {
        /// How many.
        leases: u32,
    },
    /// The node does not do what a peer needs that the user named; it is tried again and again.
    DirectRefused {
        /// Our side.
        side: Side,
        /// The peer.
        peer: NodeId,
        /// The node's words.
        why: String,
    },
    /// A name of a host that the user named cannot be resolved; its last address is used, where there was one. Said
    /// once until it can be.
    NameUnresolved {
        /// The name.
        name: Box<str>,
        /// Why.
        why: String,
    },
    /// A peer that the pool brought is not taken: as the pool told it, or as our node saw it.
    Unsuitable {
        /// Our side of the lease.
        side: Side,
        /// The peer.
        peer: NodeId,
        /// What it does not have, as the end of a sentence.
        why: String,
    },
    /// Fewer hosts than wanted, and why.
    HostsMissing {
        /// How many are missing.
        missing: u32,
        /// The pool's words.
        why: String,
    },
    /// A client was let in.
    ClientAdmitted {
        /// The lease.
        lease: LeaseId,
        /// The client.
        client: NodeId,
    },
    /// A client and the node see each other.
    ClientConnected {
        /// The lease.
        lease: LeaseId,
        /// The client.
        client: NodeId,
    },
    /// A client's lease is over and undone.
    ClientEvicted {
        /// The lease.
        lease: LeaseId,
        /// The client.
        client: NodeId,
        /// Why.
        reason: EvictReason,
    },
    /// The node is behind what the pool takes for the newest block; said once.
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
    /// Places are offered, or no longer are, and why.
    Offering {
        /// How many, 0 for none.
        slots: u32,
        /// Why none.
        why: Option<String>,
    },
    /// The node's own peers are fewer than they were while places are sold.
    OwnPeersFalling {
        /// Own peers now.
        now: u32,
        /// What the reserve keeps free for them.
        reserve: u32,
    },
}
