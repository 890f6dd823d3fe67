//! Tracks which peers are connected, which means that a sub-protocol runs.

use std::collections::BTreeMap;

use vipnode_types::{
    DropCause, LeaseId, Ms, NodeId, PeerFact, Price,
    wire::{LeaveReason, Side},
};

use crate::{Action, AgentCore, Notice, leases::Lease, limits, node::own_peers::OwnPeers};

impl AgentCore {
    pub(crate) fn see_peers(&mut self, now: Ms, peers: &[PeerFact], out: &mut Vec<Action>) {
        if self.node.is_up() {
            if self.awaits_protocol(peers) {
                // The list that shows it as ready may otherwise be read seconds later.
                out.push(Action::Watch { for_ms: limits::SUSPECT_MS });
            }
            let gap = self.take_list(now, peers);
            self.see_leased(now, peers, gap, out);
        }
    }

    /// Records the list. Returns whether the last one is too old to rule out that a peer came and went.
    pub(crate) fn take_list(&mut self, now: Ms, peers: &[PeerFact]) -> bool {
        self.see_failing(peers);
        self.light_slots.see_peers(peers);
        self.node.see_peers(now, peers)
    }

    /// Updates leases from the list.
    pub(crate) fn see_leased(&mut self, now: Ms, peers: &[PeerFact], gap: bool, out: &mut Vec<Action>) {
        self.recognize(peers);
        for id in self.leases.ids(|lease| lease.runs() && (lease.is_in_effect() || lease.connection().is_up())) {
            let Some(lease) = self.leases.get(id) else { continue };
            let (up, seen) = (lease.connection().is_up(), self.node.is_connected(lease.peer_id()));
            if seen && self.judge(now, id, peers, out) {
                continue;
            }
            let Some(lease) = self.leases.get_mut(id) else { continue };
            match (up, seen) {
                (false, true) => self.came_up(now, id, out),
                (true, true) => self.still_up(now, id, gap, out),
                (true, false) if lease.connection().is_returning() => lease.connection_mut().set_flapped(true),
                (true, false) => self.went_down(now, id, out),
                (false, false) => {}
            }
        }
        if self.leases.connected(Side::Host) > 0 {
            self.hosting.client_seen(now);
        }
        if let Some(host) = &self.config.host {
            let own = OwnPeers::count(&self.node, &self.leases);
            out.extend(self.own_peers.watch(own, host.reserve, &self.leases).map(Action::Notice));
        }
        self.see_former_clients(now, peers, out);
        self.disconnect_unleased(now, peers, out);
    }

    /// Whether the peer of a lease has connected for the first time, and no protocol runs yet.
    fn awaits_protocol(&self, peers: &[PeerFact]) -> bool {
        let is_new = |lease: &Lease| !lease.connection().is_up() && lease.connection().failing().is_none();
        let connects = |peer: NodeId| peers.iter().any(|fact| fact.id == peer && !fact.ready);
        self.leases.iter().any(|lease| lease.runs() && is_new(lease) && connects(lease.peer_id()))
    }

    /// Records who the leased peers are.
    fn recognize(&mut self, peers: &[PeerFact]) {
        let ready: BTreeMap<NodeId, &PeerFact> =
            peers.iter().filter(|fact| fact.ready).take(limits::PEERS).map(|fact| (fact.id, fact)).collect();
        for lease in self.leases.iter_mut() {
            if let Some(fact) = ready.get(&lease.peer_id()) {
                lease.saw(fact);
            }
        }
    }

    /// Handles an event that a peer disconnected: the next list of peers decides, and is read at once.
    pub(crate) fn suspect_gone(&mut self, now: Ms, peer: NodeId, cause: DropCause, out: &mut Vec<Action>) {
        self.came_and_went(now, peer, cause, out);
        let mut any = false;
        for lease in self.leases.iter_mut().filter(|lease| lease.peer_id() == peer && lease.connection().is_up()) {
            lease.connection_mut().doubt(now);
            any = true;
        }
        if any {
            out.push(Action::Watch { for_ms: limits::SUSPECT_MS });
        }
    }

    fn came_up(&mut self, now: Ms, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id) else { return };
        let first = lease.came(now);
        let (side, peer, since) = (lease.side(), lease.peer_id(), lease.since());
        let after_ms = (!self.node.was_connected(peer, since)).then(|| now.since(since));
        if side == Side::Client {
            self.failed_hosts.host_connected(peer);
        }
        if first {
            if let Some(after_ms) = after_ms.filter(|_| side == Side::Client && !id.is_direct()) {
                self.counters.host_connected(after_ms);
            }
            out.push(Action::Notice(match side {
                Side::Client => Notice::HostConnected { lease: id, host: peer, after_ms },
                Side::Host => Notice::ClientConnected { lease: id, client: peer },
            }));
            self.announce_trial(out);
        }
    }

    /// Notifies the user once that a host serves the client in its free trial.
    fn announce_trial(&mut self, out: &mut Vec<Action>) {
        let Some((left_ms, price)) = self.trial_left_ms().zip(self.session.price()) else { return };
        if self.session.announce_trial() {
            out.push(Action::Notice(Notice::TrialBegins { left_ms, price }));
        }
    }

    /// Returns how much is left of the client's free trial, at most, in milliseconds; `None` while no host serves it for free at a
    /// pool that charges. What an earlier run used is not known before the pool reports it.
    pub(crate) fn trial_left_ms(&self) -> Option<u64> {
        let is_free = |price: Option<Price>| price.is_some_and(Price::is_free);
        let trial_ms = self.session.terms()?.trial_ms?;
        let mut hosts = self.leases.iter().filter(|lease| lease.side() == Side::Client && !lease.is_direct());
        let lease = hosts.find(|lease| lease.runs() && is_free(lease.terms().price))?;
        if self.session.price().is_none_or(Price::is_free) {
            return None;
        }
        let left_ms = trial_ms.saturating_sub(lease.connection().seen_ms(self.now));
        Some(self.session.trial_ends().map_or(left_ms, |ends| left_ms.min(ends.since(self.now))))
    }

    fn still_up(&mut self, now: Ms, id: LeaseId, gap: bool, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id) else { return };
        let connection = lease.connection_mut();
        if gap {
            connection.set_flapped(true);
        }
        connection.returned(now);
        if !connection.clear_doubt() {
            return;
        }
        // Disconnected and reconnected.
        connection.set_flapped(true);
        let at_once = connection.mark_up(now).is_some_and(|up| now.since(up) < limits::EARLY_DROP_MS);
        lease.first_connection_ended();
        let (host, is_client) = (lease.peer_id(), lease.side() == Side::Client);
        if is_client && at_once && !id.is_direct() && self.failed_hosts.dropped_early(host, now) {
            self.host_failed(now, id, LeaveReason::Unstable, true, out);
        }
    }

    fn went_down(&mut self, now: Ms, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id) else { return };
        let at_once = lease.connection().is_up_for_less(now, limits::EARLY_DROP_MS);
        lease.connection_mut().mark_down(now);
        lease.first_connection_ended();
        if id.is_direct() {
            self.direct_went_down(now, id, out);
            return;
        }
        if lease.side() == Side::Host || lease.is_unreleased() {
            return;
        }
        let host = lease.peer_id();
        if at_once && self.failed_hosts.dropped_early(host, now) {
            self.host_failed(now, id, LeaveReason::Unstable, true, out);
        } else if self.session.is_live() {
            self.host_failed(now, id, LeaveReason::NotConnected, false, out);
        }
        // While the pool is offline there is no other host, and this one may come back.
    }

    /// Handles deadlines of connections.
    pub(crate) fn watch_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        let unwatched = now >= self.node.unwatched_at();
        let gone = |lease: &Lease| gone_due(lease).is_some_and(|at| at <= now);
        for id in self.leases.ids(|lease| lease.connection().is_up() && (unwatched || gone(lease))) {
            self.went_down(now, id, out);
        }
        self.direct_expire(now, out);
        self.announce_slow(now, out);
        if self.waits_for_hosts() {
            let most_ms = self.dialect.connect_ms();
            for id in self.leases.ids(|lease| connect_due(lease, most_ms).is_some_and(|at| at <= now)) {
                self.announce_failure(id, out);
                self.host_failed(now, id, LeaveReason::NotConnected, true, out);
            }
        }
    }

    /// Returns the next deadline of a connection.
    pub(crate) fn watch_due(&self) -> impl Iterator<Item = Ms> {
        let seen = self.leases.iter().any(|lease| lease.connection().is_up());
        let waits = self.waits_for_hosts();
        let most_ms = self.dialect.connect_ms();
        let connect = move |lease: &Lease| connect_due(lease, most_ms).filter(|_| waits);
        let due = self.leases.iter().filter_map(gone_due).chain(self.leases.iter().filter_map(connect));
        let due = due.chain(self.leases.iter().filter_map(slow_due));
        due.chain(seen.then_some(self.node.unwatched_at()))
    }

    /// Notifies the user of hosts that are not connected yet, because a node may wait before it dials again.
    fn announce_slow(&mut self, now: Ms, out: &mut Vec<Action>) {
        let most_ms = self.dialect.connect_ms();
        for id in self.leases.ids(|lease| slow_due(lease).is_some_and(|at| at <= now)) {
            let Some(lease) = self.leases.get_mut(id) else { continue };
            lease.announce_missing();
            let (host, dials_from) = (lease.peer_id(), lease.dials_from());
            let redial_ms = Some(dials_from.since(now)).filter(|ms| *ms > 0);
            let left_ms = dials_from.plus(most_ms).since(now);
            let last = self.failed_hosts.last_cause(host);
            out.push(Action::Notice(Notice::HostSlow { lease: id, host, redial_ms, left_ms, last }));
        }
    }

    const fn waits_for_hosts(&self) -> bool {
        self.node.is_up() && self.session.is_live()
    }
}

/// Returns when a disconnected peer counts as gone, unless it connects before.
fn gone_due(lease: &Lease) -> Option<Ms> {
    lease.connection().gone_due(lease.since())
}

/// Returns when the user is notified that a host that the node dials is not connected yet.
fn slow_due(lease: &Lease) -> Option<Ms> {
    let waits = lease.side() == Side::Client && lease.is_applied() && !lease.is_unreleased() && !lease.is_direct();
    let first = !lease.connection().is_up() && !lease.connection().was_ever_up() && !lease.is_missing_announced();
    // A peer that connects and disconnects has another cause, which is announced at the end.
    let unseen = lease.connection().failing().is_none();
    let from = lease.since();
    // A wait that the pool knows is announced at once.
    let known = lease.dials_from().since(from) > limits::SLOW_CONNECT_MS;
    (waits && first && unseen).then(|| if known { from } else { from.plus(limits::SLOW_CONNECT_MS) })
}

/// Returns when a host that never connected counts as failed.
fn connect_due(lease: &Lease, most_ms: u64) -> Option<Ms> {
    let waits = lease.side() == Side::Client && lease.runs() && !lease.is_unreleased() && !lease.connection().is_up();
    let waits = waits && !lease.is_direct();
    waits.then(|| lease.dials_from().plus(most_ms))
}
