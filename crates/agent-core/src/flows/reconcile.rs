//! What the pool says of leases after a connect, held against those that stand here.

use std::collections::BTreeSet;

use vipnode_types::{
    LeaseId, Ms,
    wire::{EvictReason, LeaseView, LeaveReason, Side},
};

use crate::{Action, AgentCore, leases::Lease, limits};

impl AgentCore {
    /// The pool said which leases live. Those are adopted; grants beyond them are taken back; leases for which nothing
    /// stands here are left. `unconfirmed` ones go on by this side's word alone.
    pub(crate) fn reconcile(&mut self, now: Ms, views: &[LeaseView], unconfirmed: bool, out: &mut Vec<Action>) {
        let socket = self.link.socket();
        let mut live: BTreeSet<LeaseId> = BTreeSet::new();
        for view in views.iter().take(limits::REPLY_LEASES).filter(|view| !view.lease.is_direct()) {
            let same =
                |lease: &&mut Lease| lease.runs() && lease.side() == view.side && lease.peer_id() == view.peer.id;
            let Some(lease) = self.leases.get_mut(view.lease).filter(same) else {
                self.leave(view.lease, LeaveReason::Lost);
                continue;
            };
            live.insert(view.lease);
            lease.set_price(view.price);
            lease.named_on(socket);
            if lease.confirm() {
                lease.restart_clock(now);
                lease.set_unconfirmed(unconfirmed);
            }
        }
        // A call that overtook the connect reply may have made a lease on this very socket.
        let of_pool = |lease: &Lease| lease.runs() && !lease.is_direct();
        let gone = self.leases.ids(|lease| of_pool(lease) && lease.socket() != socket && !live.contains(&lease.id()));
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
            let presence = lease.presence();
            let of_pool = !lease.is_direct() && lease.side() == Side::Client && lease.runs();
            of_pool && presence.was_ever_up() && !presence.is_up()
        };
        for lease in self.leases.ids(lost) {
            self.host_failed(now, lease, LeaveReason::NotConnected, false, out);
        }
    }
}
