use std::collections::BTreeMap;

use vipnode_types::{
    LeaseId, Ms, NodeId, Price,
    wire::{EvictReason, PairFault},
};

use crate::{CallId, ConnectionId, collections::slab::Handle, leases::Leases};

/// Calls to agents that have not come to their end. All have the same time to be answered, so the
/// oldest ends first.
#[derive(Debug, Default)]
pub(crate) struct AgentCalls {
    last: u64,
    in_flight: BTreeMap<u64, CallInFlight>,
}

/// A call that an agent has not answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallInFlight {
    pub(crate) kind: CallKind,
    pub(crate) lease: LeaseId,
    pub(crate) node: Handle,
    pub(crate) connection: ConnectionId,
    /// When the core gives up on it by itself.
    pub(crate) deadline: Ms,
}

/// What an agent was called to do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CallKind {
    /// A host is to let this client in.
    Admit(NodeId),
    /// A client is to dial a further host.
    DialHost,
    /// A host is to dial a client.
    DialClient,
    /// Undo a lease.
    Evict(Eviction),
}

/// What an eviction is about, in case it has to be sent again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Eviction {
    pub(crate) other: NodeId,
    pub(crate) reason: EvictReason,
    pub(crate) fault: Option<PairFault>,
    pub(crate) tries: u32,
    /// The client said that it left, but the host sees it until this is done: since when, at what price.
    pub(crate) unpaired: Option<Unpaired>,
}

/// Time that only the host sees, from a moment until its eviction is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unpaired {
    pub(crate) client: Handle,
    pub(crate) since: Ms,
    pub(crate) price: Price,
}

impl Eviction {
    /// The first try of one.
    pub(crate) const fn new(other: NodeId, reason: EvictReason) -> Self {
        Self { other, reason, fault: None, tries: 0, unpaired: None }
    }
}

impl Leases {
    /// Remembers a call until its end.
    pub(crate) fn begin_call(&mut self, call: CallInFlight) -> CallId {
        self.calls.last = self.calls.last.saturating_add(1);
        self.calls.in_flight.insert(self.calls.last, call);
        CallId(self.calls.last)
    }

    /// A call that came to its end; `None` for one that was given up or never made.
    pub(crate) fn end_call(&mut self, call: CallId) -> Option<CallInFlight> {
        self.calls.in_flight.remove(&call.0)
    }

    /// Calls that have not come to their end.
    pub(crate) fn calls_in_flight(&self) -> usize {
        self.calls.in_flight.len()
    }

    /// When the core gives up on the oldest call by itself.
    pub(crate) fn next_call_deadline(&self) -> Option<Ms> {
        self.calls.in_flight.first_key_value().map(|(_, call)| call.deadline)
    }

    /// The oldest call, where its gateway forgot it.
    pub(crate) fn overdue_call(&self, now: Ms) -> Option<CallId> {
        let (&number, call) = self.calls.in_flight.first_key_value()?;
        (call.deadline <= now).then_some(CallId(number))
    }
}
