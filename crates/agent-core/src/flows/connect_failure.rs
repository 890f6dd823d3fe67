//! Finds out why the two nodes of a lease are not connected, and reports it to the user and to the pool.

use vipnode_types::{
    DropCause, LeaseId, Ms, NodeId, PeerFact,
    wire::{EvictCall, EvictReason, PairFault, Side},
};

use crate::{Action, AgentCore, ConnectFailure, Notice, client::connect_failure::find_cause, leases::Lease, limits};

impl AgentCore {
    /// A listed peer without a running protocol is about to be disconnected, or has just connected.
    pub(crate) fn see_failing(&mut self, peers: &[PeerFact]) {
        for lease in self.leases.iter_mut().filter(|lease| lease.runs() && !lease.connection().is_up()) {
            if peers.iter().any(|peer| peer.id == lease.peer_id() && !peer.ready) {
                lease.connection_mut().see_failing();
            }
        }
    }

    /// Handles an event that a peer disconnected, with a cause. If no protocol ran with it, or only for a moment, and a
    /// further dial cannot change that, its lease ends at once.
    pub(crate) fn came_and_went(&mut self, now: Ms, peer: NodeId, cause: DropCause, out: &mut Vec<Action>) {
        let fresh = |lease: &Lease| {
            let connection = lease.connection();
            let moment = connection.is_up_for_less(now, limits::DROPPED_BY_HOST_MS);
            lease.peer_id() == peer && !lease.is_unreleased() && (moment || !connection.is_up())
        };
        for id in self.leases.ids(fresh) {
            self.connect_failed(now, id, cause, out);
        }
    }

    fn connect_failed(&mut self, now: Ms, id: LeaseId, cause: DropCause, out: &mut Vec<Action>) {
        let Some(light) = self.leases.get(id).map(|lease| self.takes_light_slot(lease)) else { return };
        let Some(lease) = self.leases.get_mut(id) else { return };
        let lasting = ConnectFailure::lasting(cause, light);
        let (side, runs, was_seen) = (lease.side(), lease.runs(), lease.connection().is_up());
        if !was_seen || (lasting.is_some() && runs) {
            lease.connection_mut().fail(cause, lasting.is_some());
        }
        let Some(cause) = lasting.filter(|_| self.session.is_live()) else { return };
        // The node keeps dialing a host that the user named; the user is notified after a while.
        if !runs || id.is_direct() {
            return;
        }
        self.announce_failure(id, out);
        self.leave_because(id, cause.leave_reason(), cause.fault());
        if side == Side::Client {
            self.host_failed(now, id, cause.leave_reason(), true, out);
            return;
        }
        if cause == ConnectFailure::NoLightSlot {
            self.light_slots.dropped_by_host(now, id, was_seen);
        }
        self.end(id, Some(EvictReason::NotConnected), out);
    }

    /// Whether the lease needs a slot for light nodes, and those may be taken.
    fn takes_light_slot(&self, lease: &Lease) -> bool {
        match lease.side() {
            Side::Client => self.node.is_light(),
            Side::Host => lease.terms().light && self.light_slots.may_be_taken(),
        }
    }

    /// Notifies the user why a lease is given up, once for each cause.
    pub(crate) fn announce_failure(&mut self, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get(id) else { return };
        if lease.connection().was_ever_up() && lease.connection().failing().is_none() {
            return;
        }
        let Some(cause) = self.why_not_connected(lease) else { return };
        self.announce_cause(id, cause, out);
    }

    /// Handles a lease that the pool ends because its nodes did not connect: the other side reported a cause, or waited
    /// in vain.
    pub(crate) fn explain_eviction(&mut self, call: &EvictCall, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get(call.lease).filter(|lease| lease.runs()) else { return };
        let connection = lease.connection();
        let held = connection.up().is_some_and(|up| self.now.since(up) >= limits::DROPPED_BY_HOST_MS);
        if let Some(fault) = call.fault.filter(|fault| !held && *fault != PairFault::Loopback) {
            self.announce_cause(call.lease, ConnectFailure::reported(fault), out);
            return;
        }
        // Before that, the other side left for a reason of its own.
        let waited = self.now.since(lease.since()) >= limits::EARLY_DROP_MS || connection.failing().is_some();
        if call.reason != EvictReason::NotConnected || !waited {
            return;
        }
        // A host whose client never connected sees no cause. Only the pool knows which address it gave to the client.
        let unseen = !connection.was_ever_up() && connection.failing().is_none();
        match (lease.side(), call.fault) {
            (Side::Host, Some(PairFault::Loopback)) if unseen => {
                self.announce_cause(call.lease, ConnectFailure::Loopback, out);
            }
            (Side::Host, _) if unseen => self.announce_cause(call.lease, ConnectFailure::NeverConnected, out),
            _ => self.announce_failure(call.lease, out),
        }
    }

    fn announce_cause(&mut self, id: LeaseId, cause: ConnectFailure, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get(id) else { return };
        let (peer, version) = (lease.peer_id(), lease.terms().peer_version.clone());
        let notice = match lease.side() {
            Side::Client if self.failed_hosts.announce(peer, cause) => {
                Notice::HostNotConnected { lease: id, host: peer, version, cause }
            }
            Side::Host if self.hosting.announce_failure(cause) => {
                Notice::ClientNotConnected { lease: id, client: peer, version, cause }
            }
            Side::Client | Side::Host => return,
        };
        out.push(Action::Notice(notice));
    }

    pub(crate) fn why_not_connected(&self, lease: &Lease) -> Option<ConnectFailure> {
        let max_peers = self.config.host.as_ref().map_or(limits::NODE_MAX_PEERS, |host| host.node_max_peers);
        find_cause(lease, self.takes_light_slot(lease), self.node.dialed(), max_peers)
    }
}
