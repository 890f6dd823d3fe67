//! Checks a connected peer against the user's rules, based on what our own node reports, because the peer's agent may
//! have reported something else.

use vipnode_types::{
    LeaseId, Ms, PeerFact,
    wire::{EvictReason, LeaveReason, Side},
};

use crate::{Action, AgentCore, Notice, policy::suitability::why_unsuitable};

impl AgentCore {
    /// Checks the peer of a lease once, as soon as our node sees it. Returns whether that ended the lease.
    pub(crate) fn judge(&mut self, now: Ms, id: LeaseId, peers: &[PeerFact], out: &mut Vec<Action>) -> bool {
        let Some(lease) = self.leases.get_mut(id).filter(|lease| !lease.is_checked() && !id.is_direct()) else {
            return false;
        };
        let (side, peer) = (lease.side(), lease.peer_id());
        let Some(fact) = peers.iter().find(|fact| fact.id == peer && fact.ready) else { return false };
        lease.checked(&fact.caps);
        let Some(why) = why_unsuitable(&self.config.policy, self.node.is_light(), side, fact) else { return false };
        out.push(Action::Notice(Notice::Unsuitable { side, peer, why }));
        if side == Side::Client {
            self.host_failed(now, id, LeaveReason::Mismatch, true, out);
        } else {
            self.leave(id, LeaveReason::Mismatch);
            self.end(id, Some(EvictReason::Unsuitable), out);
        }
        true
    }
}
