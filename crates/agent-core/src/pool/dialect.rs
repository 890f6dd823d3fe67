use std::net::IpAddr;

use vipnode_types::{
    LeaseId, NodeFacts, NodeId, PoolId, Price, TypedError,
    protocol2::UpdateReply,
    wire::{
        AskReply, AskRequest, ConnectReply, ConnectRequest, ErrorCode, LeaseView, LeaveRequest, NextPrice,
        PaymentTerms, PayoutView, ReportReply, ReportRequest, WireError,
    },
};

use super::protocol2::Protocol2Translation;
use crate::{AgentConfig, FromPool, PoolAnswer, Protocol2Config, Refusal, ToPool, limits};

/// The protocol between the agent and its pool. The agent's core uses the messages of protocol 3; the dialect
/// translates them to and from the calls of its protocol.
#[derive(Debug, Clone)]
pub(crate) enum PoolProtocol {
    Protocol3,
    Protocol2(Protocol2Translation),
}

/// The welcome of a pool that accepted the agent.
#[derive(Debug)]
pub(crate) struct ConnectAccepted {
    pub(crate) text: Option<String>,
    /// The report interval that the pool requests, in milliseconds; not clamped yet.
    pub(crate) report_interval_ms: u64,
    /// The price of a slot; `None` if the pool does not report it.
    pub(crate) price: Option<Price>,
    /// The pool's fee, in basis points of the price.
    pub(crate) fee_bps: u16,
    /// How clients of the pool pay; `None` if the pool does not report it.
    pub(crate) terms: Option<PaymentTerms>,
    /// The pool's ID; `None` for a pool without one.
    pub(crate) pool_id: Option<PoolId>,
    /// The active leases.
    pub(crate) leases: Vec<LeaseView>,
    /// The address of an open connection of the same node that this one replaced.
    pub(crate) replaced: Option<IpAddr>,
    /// Why none of the pool's other hosts is on the node's chain; `None` if that is not so.
    pub(crate) no_hosts: Option<String>,
    /// The price that the pool announced.
    pub(crate) next_price: Option<NextPrice>,
    /// The account that receives what a host earns.
    pub(crate) payout: Option<PayoutView>,
    /// The pool does not list leases: the agent keeps its leases until the pool names their peers.
    pub(crate) unconfirmed: bool,
}

/// The answer of a pool to a report.
#[derive(Debug)]
pub(crate) struct Reported {
    pub(crate) reply: ReportReply,
    /// What else an original pool returns.
    pub(crate) update: Option<UpdateReply>,
}

/// The content of a report.
#[derive(Debug)]
pub(crate) struct ReportOf {
    pub(crate) report: ReportRequest,
    /// Every connected leased peer, once, in order.
    pub(crate) peers: Vec<NodeId>,
    /// Number of the newest block; 0 if unknown.
    pub(crate) block: u64,
}

impl PoolProtocol {
    /// Creates the dialect. IDs that the agent assigns to leases begin after those of an earlier run.
    pub(crate) fn new(config: Option<Protocol2Config>, leases: impl Iterator<Item = LeaseId>) -> Self {
        config.map_or(Self::Protocol3, |config| Self::Protocol2(Protocol2Translation::new(config, leases)))
    }

    pub(crate) fn connect(&self, hello: ConnectRequest, config: &AgentConfig, facts: &NodeFacts) -> ToPool {
        match self {
            Self::Protocol3 => ToPool::Connect(Box::new(hello)),
            Self::Protocol2(_) => super::protocol2::hello::connect(config, facts),
        }
    }

    /// Returns the answer to an admit that is refused. Protocol 2 has no codes for a host without a free slot, or for a node
    /// that rejects a client.
    pub(crate) fn admit_refusal(&self, why: &Refusal) -> WireError {
        let error = why.to_wire();
        match self {
            Self::Protocol2(_)
                if [ErrorCode::Full, ErrorCode::LightFull, ErrorCode::NotAdmitted]
                    .iter()
                    .any(|code| error.is(*code)) =>
            {
                WireError { code: ErrorCode::Refused as i32, ..error }
            }
            Self::Protocol3 | Self::Protocol2(_) => error,
        }
    }

    pub(crate) fn report(&self, of: ReportOf) -> ToPool {
        match self {
            Self::Protocol3 => ToPool::Report(of.report),
            Self::Protocol2(_) => super::protocol2::update(of.peers, of.block),
        }
    }

    pub(crate) fn ask(&self, ask: AskRequest, missing: u32, facts: Option<&NodeFacts>) -> ToPool {
        match self {
            Self::Protocol3 => ToPool::Ask(ask),
            Self::Protocol2(_) => super::protocol2::peer_request(missing, ask.avoid.len(), facts),
        }
    }

    /// Returns the request to leave; `None` if the next report contains it.
    pub(crate) fn leave(&self, leave: LeaveRequest) -> Option<ToPool> {
        match self {
            Self::Protocol3 => Some(ToPool::Leave(leave)),
            Self::Protocol2(_) => None,
        }
    }

    pub(crate) fn bye(&self, block: u64) -> ToPool {
        match self {
            Self::Protocol3 => ToPool::Bye,
            // A last update that names no peer.
            Self::Protocol2(_) => super::protocol2::update(Vec::new(), block),
        }
    }

    /// Reads the answer to a connect. `current_leases` returns the agent's current leases.
    pub(crate) fn connect_reply(
        &self,
        answer: PoolAnswer,
        current_leases: impl FnOnce() -> Vec<LeaseView>,
    ) -> Result<ConnectAccepted, WireError> {
        match (self, answer) {
            (Self::Protocol3, PoolAnswer::Connect(reply)) => {
                let ConnectReply {
                    welcome: text,
                    report_interval_ms,
                    price,
                    fee_bps,
                    terms,
                    pool_id,
                    leases,
                    replaced,
                    no_hosts,
                    payout,
                    next_price,
                    ..
                } = *reply;
                Ok(ConnectAccepted {
                    text,
                    report_interval_ms,
                    price: Some(price),
                    fee_bps,
                    terms: Some(terms),
                    pool_id,
                    leases,
                    replaced,
                    no_hosts,
                    payout,
                    next_price,
                    unconfirmed: false,
                })
            }
            (Self::Protocol2(protocol2), PoolAnswer::Protocol2(reply)) => {
                protocol2.connect_reply(reply, current_leases)
            }
            _ => Err(unexpected()),
        }
    }

    pub(crate) fn report_reply(&self, answer: PoolAnswer) -> Result<Reported, WireError> {
        match (self, answer) {
            (Self::Protocol3, PoolAnswer::Report(reply)) => Ok(Reported { reply, update: None }),
            (Self::Protocol2(_), PoolAnswer::Protocol2(reply)) => super::protocol2::answers::report_reply(reply),
            _ => Err(unexpected()),
        }
    }

    /// Reads the answer to an ask. `avoided` returns whether to reject a host.
    pub(crate) fn ask_reply(
        &mut self,
        answer: Result<PoolAnswer, WireError>,
        missing: u32,
        avoided: impl Fn(NodeId) -> bool,
    ) -> Result<AskReply, WireError> {
        match (self, answer) {
            (Self::Protocol3, Ok(PoolAnswer::Ask(reply))) => Ok(reply),
            (Self::Protocol3, answer) => Err(answer.err().unwrap_or_else(unexpected)),
            (Self::Protocol2(protocol2), answer) => protocol2.ask_reply(answer, missing, avoided),
        }
    }

    /// Whether a call of the pool belongs to this protocol.
    pub(crate) fn check_call(&self, call: &FromPool) -> Result<(), WireError> {
        match (self, call) {
            (Self::Protocol2(_), FromPool::Whitelist(_))
            | (
                Self::Protocol3,
                FromPool::Admit(_) | FromPool::Evict(_) | FromPool::Dial(_) | FromPool::Notice(_) | FromPool::Price(_),
            ) => Ok(()),
            (Self::Protocol2(_), _) | (Self::Protocol3, FromPool::Whitelist(_)) => {
                Err(Refusal::OtherProtocol.to_wire())
            }
        }
    }

    /// Returns the refusal of a connect with a suitable hint, and whether it is permanent.
    pub(crate) fn refusal(&self, error: WireError) -> (WireError, bool) {
        let lasting = [ErrorCode::Unauthorized, ErrorCode::NotMember, ErrorCode::Unsuitable];
        // A vipnode pool has no code for it over protocol 2, but sends a hint and no retry time.
        let hinted = error.data.as_ref().is_some_and(|data| data.retry_ms.is_none());
        let lasts = (error.is(ErrorCode::Server) && hinted) || lasting.into_iter().any(|code| error.is(code));
        match self {
            Self::Protocol2(_) if error.is(ErrorCode::MethodNotFound) => (super::protocol2::not_spoken(&error), true),
            Self::Protocol2(_) | Self::Protocol3 => (error, lasts),
        }
    }

    /// Whether an error in response to a report means that the pool no longer knows the node.
    pub(crate) const fn is_forgotten(&self, retry_ms: Option<u64>) -> bool {
        match self {
            Self::Protocol3 => false,
            // An original pool that was restarted.
            Self::Protocol2(_) => retry_ms.is_none(),
        }
    }

    /// Returns the minimum time between two reports, in milliseconds.
    pub(crate) fn report_pause_ms(&self, interval_ms: u64) -> u64 {
        match self {
            Self::Protocol3 => 0,
            Self::Protocol2(_) => limits::UPDATE_LEAST_MS.min(interval_ms),
        }
    }

    /// Returns how long a host may take to connect, in milliseconds.
    pub(crate) const fn connect_ms(&self) -> u64 {
        match self {
            Self::Protocol3 => limits::CONNECT_MS,
            Self::Protocol2(_) => limits::CONNECT_ALONE_MS,
        }
    }

    /// Returns the price of a lease, if the pool sets one.
    pub(crate) fn price(&self, price: Option<Price>) -> Option<Price> {
        match self {
            Self::Protocol3 => price,
            Self::Protocol2(_) => None,
        }
    }

    /// Returns the state of protocol 2, if that is in use.
    pub(crate) const fn protocol2(&self) -> Option<&Protocol2Translation> {
        match self {
            Self::Protocol3 => None,
            Self::Protocol2(protocol2) => Some(protocol2),
        }
    }

    /// The state of protocol 2, where that is spoken.
    pub(crate) const fn protocol2_mut(&mut self) -> Option<&mut Protocol2Translation> {
        match self {
            Self::Protocol3 => None,
            Self::Protocol2(protocol2) => Some(protocol2),
        }
    }
}

/// The error for an answer of an unexpected kind.
pub(crate) fn unexpected() -> WireError {
    WireError::new(ErrorCode::Internal, "the pool answered something else than was asked", "")
}
