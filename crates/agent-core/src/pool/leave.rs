use std::collections::BTreeMap;

use vipnode_types::{
    LeaseId,
    wire::{LeaveReason, LeaveRequest, PairFault},
};

use super::session::Request;
use crate::{RequestTag, ToPool, limits};

/// Leases for the agent to leave: one request in flight, the rest waits. Dropped with the socket: the next connect
/// reply lists the leases that the pool still has, and the agent leaves those again.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeaveQueue {
    queue: BTreeMap<LeaseId, (LeaveReason, Option<PairFault>)>,
    in_flight: Option<Request>,
}

impl LeaveQueue {
    /// Adds a lease. At the limit it is dropped, which is safe as described for the type.
    pub(crate) fn add(&mut self, lease: LeaseId, reason: LeaveReason, fault: Option<PairFault>) {
        if self.queue.len() < limits::REPLY_LEASES {
            self.queue.entry(lease).or_insert((reason, fault));
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) const fn in_flight(&self) -> Option<Request> {
        self.in_flight
    }

    /// Ends the request in flight. Returns whether it was `tag`.
    pub(crate) fn answered(&mut self, tag: RequestTag) -> bool {
        self.in_flight.take_if(|request| request.tag == tag).is_some()
    }

    /// Returns the next request, unless one is in flight. `say` builds it, or returns `None` if nothing has to be sent.
    pub(crate) fn next(&mut self, say: impl Fn(LeaveRequest) -> Option<ToPool>) -> Option<ToPool> {
        if self.in_flight.is_some() {
            return None;
        }
        self.take().and_then(say)
    }

    pub(crate) const fn sent(&mut self, request: Request) {
        self.in_flight = Some(request);
    }

    /// Takes leases with the reason of the first, as many as fit into one request.
    fn take(&mut self) -> Option<LeaveRequest> {
        let (reason, fault) = *self.queue.values().next()?;
        let same = self.queue.extract_if(.., |_, why| *why == (reason, fault)).map(|(lease, _)| lease);
        let leases = same.take(limits::LEAVE_LEASES).collect();
        Some(LeaveRequest { leases, reason, fault })
    }
}
