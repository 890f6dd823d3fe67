use std::net::IpAddr;

use vipnode_types::{
    DropCause, HeadFact, NodeFacts, NodeId, PeerFact, protocol2,
    wire::{AdmitCall, AskReply, ConnectReply, DialCall, EvictCall, ReportReply, WireError},
};

use crate::{AgentConfig, NodeTask, action::RequestTag};

/// What happens to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The node answered a probe: it is there, for the first time or again. Told once each time it
    /// (re)appears, not at each probe: everything granted is then told to it anew.
    NodeUp(Box<NodeFacts>),
    /// The node does not answer.
    NodeDown {
        /// Why, for the user.
        why: String,
    },
    /// The whole list of peers; told at each [`crate::Action::Watch`] look, and at least every 20 s while
    /// the node is up (60 s without it count as not watched, and nothing is stated as seen).
    Peers(Vec<PeerFact>),
    /// A single peer is known to be gone (from `peerEvents`); the next [`Event::Peers`] confirms it.
    /// Why it went is as far as the node tells.
    PeerGone(NodeId, DropCause),
    /// The newest block.
    Head {
        /// What the node said.
        head: HeadFact,
        /// This machine's wall clock, in seconds since the Unix epoch: a head has an age.
        wall_s: u64,
    },
    /// An [`crate::Action::Node`] ended.
    NodeDone {
        /// Which.
        task: NodeTask,
        /// How; an error says why, for the user.
        result: Result<(), String>,
    },
    /// An [`crate::Action::List`] ended.
    Listed {
        /// Which.
        task: NodeTask,
        /// The whole list of peers; an error says why there is none, for the user.
        result: Result<Vec<PeerFact>, String>,
    },
    /// An [`crate::Action::Resolve`] ended.
    Resolved {
        /// The name.
        name: Box<str>,
        /// Its addresses, the best first; or why there are none, for the user.
        result: Result<Vec<IpAddr>, String>,
    },
    /// The user wants something else. The role, the protocol, the seed and whether there is a pool stay as they were.
    Configured(Box<AgentConfig>),
    /// A socket to the pool is open, nothing was said on it yet. Whoever runs the mind opens the first
    /// by itself; each further one is asked for by [`crate::Action::Reconnect`].
    PoolOpen,
    /// The socket to the pool is gone, or could not be opened.
    PoolLost {
        /// Why, for the user.
        why: String,
    },
    /// The pool calls.
    PoolCalls {
        /// For the answer.
        tag: RequestTag,
        /// What it wants.
        call: FromPool,
    },
    /// The pool answered.
    PoolAnswers {
        /// The request.
        tag: RequestTag,
        /// The answer.
        answer: Result<PoolAnswer, WireError>,
    },
    /// The user stops the agent.
    Stop(StopCause),
    /// Time passed; due at [`crate::AgentCore::next_wake`].
    Tick,
}

/// Why an agent stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopCause {
    /// Ctrl-C or SIGTERM.
    Signal,
}

/// A call of the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromPool {
    /// Let a client in.
    Admit(AdmitCall),
    /// Undo a lease.
    Evict(EvictCall),
    /// Dial a peer.
    Dial(DialCall),
    /// Let a client in, as a pool of the original says it.
    Whitelist(NodeId),
}

impl FromPool {
    /// Whether it speaks of a lease that is none of the pool's.
    pub(crate) const fn names_direct(&self) -> bool {
        match self {
            Self::Admit(call) => call.lease.is_direct(),
            Self::Evict(call) => call.lease.is_direct(),
            Self::Dial(call) => call.lease.is_direct(),
            Self::Whitelist(_) => false,
        }
    }
}

/// An answer of the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolAnswer {
    /// To a connect.
    Connect(Box<ConnectReply>),
    /// To a report.
    Report(ReportReply),
    /// To an ask.
    Ask(AskReply),
    /// To a leave or a bye.
    Done,
    /// Of a pool of the original, to whatever was said.
    Protocol2(protocol2::Reply),
}
