use std::collections::BTreeMap;

use vipnode_types::{
    LeaseId,
    wire::{LeaveReason, LeaveRequest, PairFault},
};

use super::link::Request;
use crate::{RequestTag, ToPool, limits};

/// Leases to be left at the pool: one request in flight, the rest waits. Lost with the socket: the
/// next connect reply lists what the pool still holds, and that is left again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leaving {
    queue: BTreeMap<LeaseId, (LeaveReason, Option<PairFault>)>,
    in_flight: Option<Request>,
}

impl Leaving {
    /// Beyond the limit of leases the rest is dropped; see the type.
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

    /// Whether `tag` was the one in flight; then it is no longer.
    pub(crate) fn answered(&mut self, tag: RequestTag) -> bool {
        self.in_flight.take_if(|request| request.tag == tag).is_some()
    }

    /// The next request, unless one is in flight; `say` puts it into words, or leaves it unsaid.
    pub(crate) fn next(&mut self, say: impl Fn(LeaveRequest) -> Option<ToPool>) -> Option<ToPool> {
        if self.in_flight.is_some() {
            return None;
        }
        self.take().and_then(say)
    }

    pub(crate) const fn sent(&mut self, request: Request) {
        self.in_flight = Some(request);
    }

    /// Those that wait for the reason of the first, as many as one request holds.
    fn take(&mut self) -> Option<LeaveRequest> {
        let (reason, fault) = *self.queue.values().next()?;
        let same = self.queue.extract_if(.., |_, why| *why == (reason, fault)).map(|(lease, _)| lease);
        let leases = same.take(limits::LEAVE_LEASES).collect();
        Some(LeaveRequest { leases, reason, fault })
    }
}
