use std::collections::BTreeMap;

use vipnode_types::{
    LeaseId, Ms, NodeId,
    wire::{EvictReason, PairFault, Side},
};

use crate::{
    CallId, ConnectionId,
    collections::slab::Handle,
    leases::{Leases, held_slots::HeldSlot, pricing::Pricing},
};

/// Calls to agents that have not ended. All have the same time limit, so the oldest ends first.
#[derive(Debug, Default)]
pub(crate) struct CallsInFlight {
    last: u64,
    in_flight: BTreeMap<u64, CallInFlight>,
}

/// A call that an agent has not answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallInFlight {
    pub(crate) kind: CallKind,
    /// 0 for a call that is about no lease: their numbers begin at 1.
    pub(crate) lease: LeaseId,
    pub(crate) node: Handle,
    pub(crate) connection: ConnectionId,
    /// The slot of a host that is taken while the call is in flight.
    pub(crate) slot: Option<HeldSlot>,
    /// When the core gives the call up by itself.
    pub(crate) deadline: Ms,
}

/// The purpose of a call to an agent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CallKind {
    /// Ask a host to admit this client.
    Admit(NodeId),
    /// Ask a client to dial a further host.
    DialHost,
    /// Ask a host to dial a client.
    DialClient,
    /// Ask a side whether it agrees to a price in this row.
    Price { side: Side, row: u32 },
    /// Undo a lease.
    Evict(Eviction),
    /// Show the user something.
    Notice,
}

/// The content of an eviction, in case it has to be sent again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Eviction {
    pub(crate) other: NodeId,
    pub(crate) reason: EvictReason,
    pub(crate) fault: Option<PairFault>,
    pub(crate) tries: u32,
    /// Whether the agent is the lease's host, so that the eviction holds a slot.
    pub(crate) at_host: bool,
    /// Set if the client left but the host sees it until the eviction is done.
    pub(crate) unpaired: Option<Unpaired>,
}

/// Time that only the host sees, from `since` until the eviction is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unpaired {
    pub(crate) client: Handle,
    pub(crate) since: Ms,
    /// What its lease cost.
    pub(crate) pricing: Pricing,
}

impl Eviction {
    /// Returns the first try of an eviction.
    pub(crate) const fn new(other: NodeId, reason: EvictReason) -> Self {
        Self { other, reason, fault: None, tries: 0, at_host: false, unpaired: None }
    }

    /// Returns the first try of an eviction by the lease's host.
    pub(crate) const fn at_host(other: NodeId, reason: EvictReason) -> Self {
        Self { at_host: true, ..Self::new(other, reason) }
    }

    /// Returns the next try.
    pub(crate) const fn again(self) -> Self {
        Self { tries: self.tries.saturating_add(1), ..self }
    }
}

impl Leases {
    /// Remembers a call until its end.
    pub(crate) fn begin_call(&mut self, call: CallInFlight) -> CallId {
        self.calls.last = self.calls.last.saturating_add(1);
        self.calls.in_flight.insert(self.calls.last, call);
        CallId(self.calls.last)
    }

    /// Removes a call that ended; `None` if the core gave it up or never made it.
    pub(crate) fn end_call(&mut self, call: CallId) -> Option<CallInFlight> {
        self.calls.in_flight.remove(&call.0)
    }

    /// The number of calls that have not ended.
    pub(crate) fn calls_in_flight(&self) -> usize {
        self.calls.in_flight.len()
    }

    /// When the core gives the oldest call up by itself.
    pub(crate) fn next_call_deadline(&self) -> Option<Ms> {
        self.calls.in_flight.first_key_value().map(|(_, call)| call.deadline)
    }

    /// Returns the oldest call if its gateway did not report the end in time.
    pub(crate) fn overdue_call(&self, now: Ms) -> Option<CallId> {
        let (&number, call) = self.calls.in_flight.first_key_value()?;
        (call.deadline <= now).then_some(CallId(number))
    }

    /// Whether a call asks a node to undo a lease, for checks.
    pub(crate) fn is_undoing(&self, lease: LeaseId, node: Handle) -> bool {
        let evicts = |call: &CallInFlight| matches!(call.kind, CallKind::Evict(_));
        self.calls.in_flight.values().any(|call| evicts(call) && (call.lease, call.node) == (lease, node))
    }

    /// The slots that are held by calls, for checks.
    pub(in crate::leases) fn slots_of_calls(&self) -> impl Iterator<Item = HeldSlot> {
        self.calls.in_flight.values().filter_map(|call| call.slot)
    }
}
