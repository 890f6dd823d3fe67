//! Who is connected: "connected" means that a sub-protocol runs.

use vipnode_types::{
    DropCause, LeaseId, Ms, NodeId, PeerFact,
    wire::{LeaveReason, Side},
};

use crate::{Action, AgentCore, NodeTask, Notice, client::connect_failure::SaidCauses, leases::lease::Lease, limits};

impl AgentCore {
    pub(crate) fn see_peers(&mut self, now: Ms, peers: &[PeerFact], out: &mut Vec<Action>) {
        if self.node.up {
            let gap = self.take_list(now, peers);
            self.see_leased(now, peers, gap, out);
        }
    }

    /// The list was read for leases whose turn at the node has come.
    pub(crate) fn listed(
        &mut self,
        now: Ms,
        task: NodeTask,
        result: Result<Vec<PeerFact>, String>,
        out: &mut Vec<Action>,
    ) {
        let ids = self.leases.ids(|lease| lease.task.is_some_and(|running| running.id == task && running.lists));
        let peers = match result {
            Ok(peers) => peers,
            Err(why) => {
                return ids.into_iter().for_each(|_| self.node_done(now, task, Err(why.clone()), out));
            }
        };
        if ids.is_empty() || !self.node.up {
            return;
        }
        let gap = self.take_list(now, &peers);
        for id in ids {
            self.learn_link(id, out);
        }
        self.see_leased(now, &peers, gap, out);
    }

    /// Remembers the list; says whether nobody had looked for long.
    fn take_list(&mut self, now: Ms, peers: &[PeerFact]) -> bool {
        self.see_doomed(peers);
        self.light_places.see_peers(peers);
        let gap = now.since(self.node.watched) > limits::UNWATCHED_MS;
        self.node.see_peers(now, peers);
        gap
    }

    fn see_leased(&mut self, now: Ms, peers: &[PeerFact], gap: bool, out: &mut Vec<Action>) {
        for id in self.leases.ids(|lease| lease.runs() && (lease.applied || lease.nodes_own || lease.up.is_some())) {
            let Some(lease) = self.leases.get_mut(id) else { continue };
            let (up, seen) = (lease.up, self.node.peers.contains_key(&lease.peer.id));
            if seen && self.judge(now, id, peers, out) {
                continue;
            }
            let Some(lease) = self.leases.get_mut(id) else { continue };
            match (up, seen) {
                (None, true) => self.came_up(now, id, out),
                (Some(_), true) => self.still_up(now, id, gap, out),
                (Some(_), false) if lease.returning => lease.blinked = true,
                (Some(_), false) => self.went_down(now, id, out),
                (None, false) => {}
            }
        }
        if self.leases.connected(Side::Host) > 0 {
            self.last_client = Some(now);
        }
        self.watch_own_peers(out);
        self.drop_strangers(now, peers, out);
    }

    /// The next list of peers decides; it is fetched at once.
    pub(crate) fn suspect_gone(&mut self, now: Ms, peer: NodeId, cause: DropCause, out: &mut Vec<Action>) {
        self.came_and_went(now, peer, cause, out);
        let mut any = false;
        for lease in self.leases.iter_mut().filter(|lease| lease.peer.id == peer && lease.up.is_some()) {
            lease.suspect.get_or_insert(now);
            any = true;
        }
        if any {
            out.push(Action::Watch { for_ms: limits::SUSPECT_MS });
        }
    }

    pub(crate) fn came_up(&mut self, now: Ms, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id) else { return };
        lease.mark_up(now);
        lease.doomed = None;
        lease.missing_said = false;
        if lease.side == Side::Client {
            self.not_connected_said = SaidCauses::default();
        }
        let Some(lease) = self.leases.get_mut(id) else { return };
        if std::mem::replace(&mut lease.ever_up, true) {
            return;
        }
        let peer = lease.peer.id;
        out.push(Action::Notice(match lease.side {
            Side::Client => Notice::HostConnected { lease: id, host: peer, after_ms: now.since(lease.given) },
            Side::Host => Notice::ClientConnected { lease: id, client: peer },
        }));
    }

    fn still_up(&mut self, now: Ms, id: LeaseId, gap: bool, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id) else { return };
        lease.blinked |= gap;
        if std::mem::take(&mut lease.returning) && lease.blinked {
            lease.mark_up(now);
        }
        if lease.suspect.take().is_none() {
            return;
        }
        // Gone and back.
        lease.blinked = true;
        lease.linked_before = false;
        let at_once = lease.mark_up(now).is_some_and(|up| now.since(up) < limits::AT_ONCE_MS);
        if lease.side == Side::Client && at_once && !id.is_direct() && self.avoid.gone_at_once(lease.peer.id, now) {
            self.host_failed(now, id, LeaveReason::Unstable, true, out);
        }
    }

    fn went_down(&mut self, now: Ms, id: LeaseId, out: &mut Vec<Action>) {
        let Some(lease) = self.leases.get_mut(id) else { return };
        let at_once = lease.up.is_some_and(|up| now.since(up) < limits::AT_ONCE_MS);
        lease.mark_down(now);
        lease.linked_before = false;
        if id.is_direct() {
            self.direct_went_down(now, id, out);
            return;
        }
        if lease.side == Side::Host || lease.leftover {
            return;
        }
        let host = lease.peer.id;
        if at_once && self.avoid.gone_at_once(host, now) {
            self.host_failed(now, id, LeaveReason::Unstable, true, out);
        } else if self.link.is_live() {
            self.host_failed(now, id, LeaveReason::NotConnected, false, out);
        }
        // While the pool is away no other host is to be had, and this one may come back.
    }

    /// What the clock alone says of connections.
    pub(crate) fn watch_expire(&mut self, now: Ms, out: &mut Vec<Action>) {
        let unwatched = now.since(self.node.watched) >= limits::UNWATCHED_MS;
        for id in
            self.leases.ids(|lease| lease.up.is_some() && (unwatched || gone_due(lease).is_some_and(|at| at <= now)))
        {
            self.went_down(now, id, out);
        }
        self.direct_expire(now, out);
        if self.waits_for_hosts() {
            let most_ms = self.connect_ms();
            for id in self.leases.ids(|lease| connect_due(lease, most_ms).is_some_and(|at| at <= now)) {
                self.say_not_connected(id, out);
                self.host_failed(now, id, LeaveReason::NotConnected, true, out);
            }
        }
    }

    /// When the clock says something of a connection.
    pub(crate) fn watch_due(&self) -> impl Iterator<Item = Ms> {
        let watched = self.node.watched.plus(limits::UNWATCHED_MS);
        let seen = self.leases.iter().any(|lease| lease.up.is_some());
        let waits = self.waits_for_hosts();
        let most_ms = self.connect_ms();
        let connect = move |lease: &Lease| connect_due(lease, most_ms).filter(|_| waits);
        let due = self.leases.iter().filter_map(gone_due).chain(self.leases.iter().filter_map(connect));
        due.chain(seen.then_some(watched))
    }

    /// How long a host has to be connected.
    const fn connect_ms(&self) -> u64 {
        if self.protocol2.is_some() { limits::CONNECT_ALONE_MS } else { limits::CONNECT_MS }
    }

    fn waits_for_hosts(&self) -> bool {
        self.node.up && self.link.is_live()
    }
}

/// When a peer that was seen counts as gone, unless it is seen again before.
fn gone_due(lease: &Lease) -> Option<Ms> {
    lease.up?;
    let suspect = lease.suspect.map(|since| since.plus(limits::SUSPECT_MS));
    let returning = lease.returning.then(|| lease.given.plus(limits::CONNECT_MS));
    suspect.into_iter().chain(returning).min()
}

/// When a host that was never seen counts as failed.
fn connect_due(lease: &Lease, most_ms: u64) -> Option<Ms> {
    let waits = lease.side == Side::Client && lease.runs() && !lease.leftover && lease.up.is_none();
    let waits = waits && !lease.id.is_direct();
    waits.then(|| lease.given.plus(most_ms))
}
