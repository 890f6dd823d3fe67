use std::net::IpAddr;

use vipnode_types::{
    DropCause, Failure, HeadFact, NodeFacts, NodeId, PeerFact, protocol2,
    wire::{AdmitCall, AskReply, ConnectReply, DialCall, EvictCall, ReportReply, WireError},
};

use crate::{AgentConfig, NameError, NodeTask, action::RequestTag};

/// Something that happened outside of the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The node answered a probe: it is there, for the first time or again. Reported once each time it
    /// (re)appears, not at each probe: everything granted is then told to it again.
    NodeUp(Box<NodeFacts>),
    /// The node no longer answers.
    NodeDown {
        /// Why it does not.
        why: Failure,
    },
    /// The whole list of peers; reported at each [`crate::Action::Watch`] look, and at least every 20 s while
    /// the node is up (60 s without it count as not watched, and nothing is stated as seen).
    Peers(Vec<PeerFact>),
    /// A single peer is known to be gone (from `peerEvents`); the next [`Event::Peers`] confirms it.
    /// Why it went is as far as the node says.
    PeerGone(NodeId, DropCause),
    /// The newest block.
    Head {
        /// Its number and time, as the node reports them.
        head: HeadFact,
        /// This machine's wall clock, in seconds since the Unix epoch: a head has an age.
        wall_s: u64,
    },
    /// An [`crate::Action::Node`] ended.
    NodeDone {
        /// The name that the action gave.
        task: NodeTask,
        /// Done, or why not.
        result: Result<(), Failure>,
    },
    /// An [`crate::Action::List`] ended.
    Listed {
        /// The name that the action gave.
        task: NodeTask,
        /// The whole list of peers, or why there is none.
        result: Result<Vec<PeerFact>, Failure>,
    },
    /// An [`crate::Action::Resolve`] ended.
    Resolved {
        /// The DNS name.
        name: Box<str>,
        /// Its addresses, the best first; or why there are none.
        result: Result<Vec<IpAddr>, NameError>,
    },
    /// The settings changed. The role, the protocol, the seed and whether there is a pool stay as they were.
    Configured(Box<AgentConfig>),
    /// A socket to the pool is open, nothing was sent on it yet. The caller opens the first by itself;
    /// each further one is asked for by [`crate::Action::Reconnect`].
    PoolOpen,
    /// The socket to the pool is gone, or could not be opened.
    PoolLost {
        /// Why it is gone, for the user.
        why: Failure,
    },
    /// The pool calls a method of the agent.
    PoolCalls {
        /// A name for [`crate::Action::Answer`].
        tag: RequestTag,
        /// The method and its parameters.
        call: FromPool,
    },
    /// The pool answered a request.
    PoolAnswers {
        /// The name that [`crate::Action::Pool`] gave.
        tag: RequestTag,
        /// The result, or the pool's error.
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
    /// `vipnode_admit`: let a client in.
    Admit(AdmitCall),
    /// `vipnode_evict`: end a lease.
    Evict(EvictCall),
    /// `vipnode_dial`: dial a peer.
    Dial(DialCall),
    /// `vipnode_whitelist` of protocol 2: let a client in.
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
    /// Of a pool of the original, to any request.
    Protocol2(protocol2::Reply),
}
