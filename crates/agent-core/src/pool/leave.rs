use std::collections::BTreeMap;

use vipnode_types::{
    LeaseId, Ms,
    wire::{LeaveReason, LeaveRequest, PairFault},
};

use crate::{Action, AgentCore, RequestTag, ToPool, limits, pool::link::Request};

/// Leases to be left at the pool: one request in flight, the rest waits. Lost with the socket: the
/// next connect reply lists what the pool still holds, and that is then left anew.
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

    /// Those that wait for the reason of the first, as many as one request holds.
    fn take(&mut self) -> Option<LeaveRequest> {
        let (reason, fault) = *self.queue.values().next()?;
        let same = self.queue.extract_if(.., |_, why| *why == (reason, fault)).map(|(lease, _)| lease);
        let leases = same.take(limits::LEAVE_LEASES).collect();
        Some(LeaveRequest { leases, reason, fault })
    }
}

impl AgentCore {
    pub(crate) fn say_leave(&mut self, now: Ms, out: &mut Vec<Action>) {
        if self.leaving.in_flight.is_some() {
            return;
        }
        let Some(request) = self.leaving.take() else { return };
        let tag = self.new_tag();
        self.leaving.in_flight = Some(Request { tag, sent: now });
        out.push(Action::Pool { tag, request: ToPool::Leave(request) });
    }
}
