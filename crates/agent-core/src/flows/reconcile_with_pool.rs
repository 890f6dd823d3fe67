//! Compares the leases in the connect reply with the agent's leases.

use std::collections::BTreeSet;

use vipnode_types::{
    LeaseId, Ms,
    wire::{EvictReason, LeaseView, LeaveReason, Side},
};

use crate::{Action, AgentCore, Notice, leases::Lease, limits};

impl AgentCore {
    /// Handles the pool's list of active leases. Those on it are adopted; the agent's other leases are ended; the agent
    /// leaves listed leases that it does not have. `unconfirmed` leases stay without the pool's confirmation. `reason` is why
    /// the pool no longer lists the others.
    pub(crate) fn reconcile(
        &mut self,
        now: Ms,
        views: &[LeaseView],
        unconfirmed: bool,
        reason: EvictReason,
        out: &mut Vec<Action>,
    ) {
        let socket = self.session.socket();
        let mut live: BTreeSet<LeaseId> = BTreeSet::new();
        for view in views.iter().take(limits::REPLY_LEASES).filter(|view| !view.lease.is_direct()) {
            let same =
                |lease: &&mut Lease| lease.runs() && lease.side() == view.side && lease.peer_id() == view.peer.id;
            let Some(lease) = self.leases.get_mut(view.lease).filter(same) else {
                self.leave(view.lease, LeaveReason::Lost);
                continue;
            };
            live.insert(view.lease);
            lease.named_on(socket);
            if lease.confirm() {
                lease.restart_clock(now);
                lease.set_unconfirmed(unconfirmed);
            }
            self.meter_at(now, view.lease, view.price, out);
        }
        // A call that overtook the connect reply may have created a lease on this socket.
        let of_pool = |lease: &Lease| lease.runs() && !lease.is_direct();
        let gone = self.leases.ids(|lease| of_pool(lease) && lease.socket() != socket && !live.contains(&lease.id()));
        if self.config.strict && live.is_empty() && views.is_empty() {
            self.keep_last_list(now, &gone, out);
        } else {
            for lease in gone {
                self.announce_lost(lease, reason, out);
                self.end(lease, Some(reason), out);
            }
        }
        self.end_lost_while_disconnected(now, out);
    }

    /// Notifies a client's user that the pool ended the lease of a host. A host's user is notified of each evicted client.
    pub(crate) fn announce_lost(&self, id: LeaseId, reason: EvictReason, out: &mut Vec<Action>) {
        let was_up = |lease: &&Lease| lease.side() == Side::Client && lease.connection().was_ever_up();
        if let Some(lease) = self.leases.get(id).filter(was_up) {
            out.push(Action::Notice(Notice::HostLost { lease: id, host: lease.peer_id(), reason: Some(reason) }));
        }
    }

    /// Replaces hosts that disconnected while the pool was offline. They were kept because there was no way to get
    /// another one.
    fn end_lost_while_disconnected(&mut self, now: Ms, out: &mut Vec<Action>) {
        let lost = |lease: &Lease| {
            let connection = lease.connection();
            let of_pool = !lease.is_direct() && lease.side() == Side::Client && lease.runs();
            of_pool && connection.was_ever_up() && !connection.is_up()
        };
        for lease in self.leases.ids(lost) {
            self.host_failed(now, lease, LeaveReason::NotConnected, false, out);
        }
    }
}
