//! Finds out why the two nodes of a lease are not connected, and reports it to the user and to the pool.

use vipnode_types::{
    AddressScope, DropCause, LeaseId, Ms, NodeId, PeerFact,
    wire::{EvictCall, EvictReason, Side},
};

use crate::{
    Action, Advertise, AgentCore, ConnectFailure, Notice, client::connect_failure::find_cause, leases::Lease, limits,
    pool::hello::advertised,
};

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
        if let Some(fault) = call.fault.filter(|_| !held) {
            self.announce_cause(call.lease, ConnectFailure::reported(fault), out);
            return;
        }
        // Before that, the other side left for a reason of its own.
        let waited = self.now.since(lease.since()) >= limits::EARLY_DROP_MS || connection.failing().is_some();
        if call.reason != EvictReason::NotConnected || !waited {
            return;
        }
        // A host whose client never connected knows one cause: the address that the pool gave to the client.
        let unseen = !connection.was_ever_up() && connection.failing().is_none();
        if lease.side() == Side::Host && unseen && self.advertises_loopback() {
            self.announce_cause(call.lease, ConnectFailure::Loopback, out);
        } else {
            self.announce_failure(call.lease, out);
        }
    }

    /// Whether clients are given a loopback address of this host. A pool that sees another address of the agent gives that,
    /// unless the user set one.
    fn advertises_loopback(&self) -> bool {
        let enode = self.node.facts().and_then(|facts| advertised(&self.config.advertise, facts));
        let is_given = self.config.advertise != Advertise::Node || self.session.dialed_from() < AddressScope::Public;
        is_given && enode.and_then(|enode| enode.ip()).is_some_and(|ip| ip.to_canonical().is_loopback())
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
