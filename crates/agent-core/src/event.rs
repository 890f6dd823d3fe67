use std::net::IpAddr;

use vipnode_types::{
    DropCause, Failure, HeadFact, NodeFacts, NodeId, PeerFact, protocol2,
    wire::{
        AdmitCall, AskReply, ChannelFunds, ConnectReply, DialCall, EvictCall, NodeFunds, NoticeCall, PriceCall,
        ReportReply, WireError,
    },
};

use crate::{AgentConfig, NameError, NodeTask, action::RequestTag};

/// Something that happened outside the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The node answered a probe, for the first time or again. Reported each time that the node comes up, not at each
    /// probe: all commands are then repeated.
    NodeUp(Box<NodeFacts>),
    /// The node no longer answers.
    NodeDown {
        /// Why it does not.
        why: Failure,
    },
    /// The complete list of peers. Reported for each [`crate::Action::Watch`], and at least every 20 s while the node is
    /// up; after 60 s without it no peer counts as connected.
    Peers(Vec<PeerFact>),
    /// A peer disconnected (from `peerEvents`), with the cause if the node reports it; the next [`Event::Peers`]
    /// confirms it.
    PeerGone(NodeId, DropCause),
    /// The newest block.
    Head {
        /// Its number and time, as the node reports them.
        head: HeadFact,
        /// This machine's wall clock, in seconds since the Unix epoch, from which the block's age follows.
        wall_s: u64,
    },
    /// An [`crate::Action::Node`] ended.
    NodeDone {
        /// The task of the action.
        task: NodeTask,
        /// Done, or why not.
        result: Result<(), Failure>,
    },
    /// An [`crate::Action::List`] ended.
    Listed {
        /// The task of the action.
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
    /// The settings changed. Role, protocol, seed, and whether there is a pool stay as they were.
    Configured(Box<AgentConfig>),
    /// A socket to the pool is open, and nothing was sent on it yet. The caller opens the first one on its own, and
    /// further ones for [`crate::Action::Reconnect`].
    PoolOpen,
    /// The socket to the pool was lost, or could not be opened.
    PoolLost {
        /// What the transport or the pool reports as the cause.
        why: Failure,
    },
    /// The pool is not the one that the agent remembers, or cannot prove that it is. The socket is closed, and nothing was
    /// sent on it.
    PoolUntrusted {
        /// What the check of its ID found.
        why: Failure,
    },
    /// The address that the pool was reached at. It holds until the socket is gone.
    PoolAddress(IpAddr),
    /// The pool calls a method of the agent.
    PoolCalls {
        /// The tag for [`crate::Action::Answer`].
        tag: RequestTag,
        /// The method and its parameters.
        call: FromPool,
    },
    /// The pool answered a request.
    PoolAnswers {
        /// The tag of the [`crate::Action::Pool`].
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

/// A call from the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromPool {
    /// `vipnode_admit`: admit a client.
    Admit(AdmitCall),
    /// `vipnode_evict`: end a lease.
    Evict(EvictCall),
    /// `vipnode_dial`: dial a peer.
    Dial(DialCall),
    /// `vipnode_price`: agree to a price.
    Price(PriceCall),
    /// `vipnode_whitelist` of protocol 2: admit a client.
    Whitelist(NodeId),
    /// `vipnode_notice`: show the user something.
    Notice(NoticeCall),
}

impl FromPool {
    /// Whether it names a lease that does not belong to the pool.
    pub(crate) const fn names_direct(&self) -> bool {
        match self {
            Self::Admit(call) => call.lease.is_direct(),
            Self::Evict(call) => call.lease.is_direct(),
            Self::Dial(call) => call.lease.is_direct(),
            Self::Price(call) => call.lease.is_direct(),
            Self::Whitelist(_) | Self::Notice(_) => false,
        }
    }
}

/// What the pool returns for a request of the core; errors come separately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolAnswer {
    /// The terms of the pool, and the leases that it continues.
    Connect(Box<ConnectReply>),
    /// Whether the pool needs a full report next.
    Report(ReportReply),
    /// The hosts that the pool assigns, and how many are missing.
    Ask(AskReply),
    /// To a question about the funds.
    Funds(Box<NodeFunds>),
    /// What the pool knows of the channel once it accepted the voucher.
    Voucher(Box<ChannelFunds>),
    /// To a leave or a bye.
    Done,
    /// From an original pool, to any request.
    Protocol2(protocol2::Protocol2Reply),
}
