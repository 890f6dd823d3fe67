//! The end of a lease: its calls are answered, and it is removed once nothing is left of it on the node.

use vipnode_types::{
    LeaseId, TypedError,
    wire::{EvictReason, Side, WireError},
};

use crate::{
    Action, AdmitFailure, AgentCore, ChangeKind, EvictionCause, JournalEntry, Notice, Refusal, RequestTag,
    leases::Lease,
};

impl AgentCore {
    /// Ends a lease: everything that was done for it is undone.
    pub(crate) fn end(&mut self, id: LeaseId, reason: Option<EvictReason>, out: &mut Vec<Action>) {
        self.end_because(id, reason.map(EvictionCause::Ended), out);
    }

    /// As [`Self::end`], with what the host's user reads.
    pub(crate) fn end_because(&mut self, id: LeaseId, cause: Option<EvictionCause>, out: &mut Vec<Action>) {
        let now = self.now;
        let Some(lease) = self.leases.get_mut(id).filter(|lease| lease.runs()) else { return };
        lease.end(now, cause);
        let ended = Err(Refusal::EndedBefore.to_wire());
        let calls = lease.take_calls();
        self.counters.admits_failed(AdmitFailure::Ended, calls.len());
        answer(calls, &ended, out);
        answer(lease.take_dial_calls(), &ended, out);
    }

    /// Removes an ended lease for which nothing was done at the node. Returns whether it was one.
    pub(crate) fn forget_unbegun(&mut self, id: LeaseId, out: &mut Vec<Action>) -> bool {
        let unbegun = |lease: &Lease| !lease.runs() && !lease.is_journaled() && lease.task().is_none();
        let unbegun = self.leases.get(id).is_some_and(unbegun);
        if unbegun {
            self.undone(id, out);
        }
        unbegun
    }

    /// Removes a lease of which nothing is left at the node.
    pub(super) fn undone(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(mut lease) = self.leases.remove(id) else { return };
        let (side, peer, since) = (lease.side(), lease.peer_id(), lease.since());
        if id.is_direct() {
            self.direct.look_again();
        } else {
            self.ended.add(side, lease.connection().seen_ms(self.now), lease.cost(self.now).unwrap_or_default());
        }
        if let Some(kind) = lease.journaled() {
            out.push(Action::Journal(JournalEntry::Undone { lease: id, kind }));
            if side == Side::Host {
                let evicted = (kind == ChangeKind::Admitted).then_some(self.now);
                self.former_clients.add(peer, since, evicted);
            }
        }
        let Some(undoing) = lease.undoing_mut() else { return };
        answer(undoing.take_calls(), &Ok(()), out);
        if let (Side::Host, Some(cause)) = (side, undoing.cause()) {
            self.counters.evicted(cause.reason());
            out.push(Action::Notice(Notice::ClientEvicted { lease: id, client: peer, cause }));
        }
    }
}

/// Answers calls of the pool.
pub(super) fn answer(calls: Vec<RequestTag>, reply: &Result<(), WireError>, out: &mut Vec<Action>) {
    out.extend(calls.into_iter().map(|tag| Action::Answer { tag, reply: reply.clone() }));
}
