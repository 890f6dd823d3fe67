use std::collections::BTreeSet;

use vipnode_types::{
    LeaseId, Ms,
    wire::{EvictReason, LeaseView, LeaveReason, Side},
};

use crate::{Action, AgentCore, leases::lease::Lease, limits};

impl AgentCore {
    /// The pool said which leases live. Those are adopted; grants beyond them are taken back; leases
    /// for which nothing stands here are left.
    pub(crate) fn reconcile(&mut self, now: Ms, views: &[LeaseView], out: &mut Vec<Action>) {
        let mut live: BTreeSet<LeaseId> = BTreeSet::new();
        let unconfirmed = self.protocol2.is_some();
        for view in views.iter().take(limits::REPLY_LEASES).filter(|view| !view.lease.is_direct()) {
            let ours = self
                .leases
                .get_mut(view.lease)
                .filter(|lease| lease.runs() && lease.side == view.side && lease.peer.id == view.peer.id);
            let Some(lease) = ours else {
                self.leave(view.lease, LeaveReason::Lost);
                continue;
            };
            live.insert(view.lease);
            lease.price = Some(view.price);
            lease.socket = self.link.socket;
            if std::mem::take(&mut lease.leftover) {
                // Trust is memory of the node only: it may have restarted while nobody looked.
                lease.applied = false;
                lease.given = now;
                lease.unconfirmed = unconfirmed;
            }
        }
        // A call that overtook the connect reply may have made a lease on this very socket.
        let socket = self.link.socket;
        let of_pool = |lease: &Lease| lease.runs() && !lease.id.is_direct();
        let gone = self.leases.ids(|lease| of_pool(lease) && lease.socket != socket && !live.contains(&lease.id));
        if self.config.strict && live.is_empty() && views.is_empty() {
            self.keep_last_list(now, &gone, out);
        } else {
            for lease in gone {
                self.end(lease, Some(EvictReason::Unknown), out);
            }
        }
        self.end_lost_while_away(now, out);
    }

    /// Hosts that went while the pool was away were kept, since no other was to be had; now one is.
    fn end_lost_while_away(&mut self, now: Ms, out: &mut Vec<Action>) {
        let lost = |lease: &Lease| {
            !lease.id.is_direct() && lease.side == Side::Client && lease.runs() && lease.ever_up && lease.up.is_none()
        };
        for lease in self.leases.ids(lost) {
            self.host_failed(now, lease, LeaveReason::NotConnected, false, out);
        }
    }
}
