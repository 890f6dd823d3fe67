use vipnode_types::{
    Ms,
    wire::{EvictReason, Side},
};

use crate::{
    ConnectionId, Core, Effect, Presence, Row, collections::deadlines::Deadlines, collections::slab::Handle,
    leases::table::List, output::Output,
};

/// When each agent was last heard, as far as it has to be looked at or written.
#[derive(Debug)]
pub(crate) struct Presences {
    /// One entry for each agent that is connected or has leases.
    pub(crate) silences: Deadlines<Handle>,
    dirty: Vec<Handle>,
    pub(crate) flush_at: Ms,
}

impl Presences {
    pub(crate) const fn new(flush_at: Ms) -> Self {
        Self { silences: Deadlines::new(), dirty: Vec::new(), flush_at }
    }

    pub(crate) fn dirty(&self) -> usize {
        self.dirty.len()
    }

    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        self.silences.heap_bytes() + self.dirty.capacity() * size_of::<Handle>()
    }
}

impl Core {
    /// Time in which the pool itself was away is nobody's silence.
    pub(crate) fn notice_pause(&mut self, now: Ms) {
        let gap = now.since(self.now);
        if gap <= self.limits.tick_ms.saturating_mul(10) {
            return;
        }
        self.counters.pauses = self.counters.pauses.saturating_add(1);
        if gap > self.limits.silence_ms {
            // Sockets are gone too: as after a start.
            self.open_window(now);
        } else {
            self.grace = self.grace.max(now);
            self.resumed = now;
            self.offers_wait = self.offers_wait.max(now.plus(self.limits.offer_ms));
        }
    }

    /// Begins the time in which agents come back and nobody is judged.
    pub(crate) fn open_window(&mut self, now: Ms) {
        self.window_ends = now.plus(self.limits.reconnect_window_ms);
        self.resumed = now;
        self.offers_wait = self.window_ends.plus(self.limits.offer_ms);
        self.grace = self.grace.max(self.window_ends.minus(self.limits.silence_ms)).max(now);
    }

    /// Whether an agent has said nothing for too long.
    pub(crate) fn is_silent(&self, index: u32) -> bool {
        self.nodes.get(index).is_some_and(|node| self.now > self.silent_after(node.seen))
    }

    fn silent_after(&self, seen: Ms) -> Ms {
        seen.max(self.grace).plus(self.limits.silence_ms)
    }

    /// Has an agent's silence judged one day.
    pub(crate) fn watch(&mut self, index: u32) {
        let Some(handle) = self.nodes.handle(index) else { return };
        let Some(node) = self.nodes.get_mut(index) else { return };
        if !node.watched {
            node.watched = true;
            let seen = node.seen;
            let due = self.silent_after(seen).max(self.now).plus(1);
            self.presences.silences.push(due, handle);
        }
    }

    /// An agent may have fallen silent.
    pub(crate) fn silence_due(&mut self, output: &mut Output, handle: Handle) {
        let Some(index) = self.nodes.live(handle) else { return };
        let Some(node) = self.nodes.get_mut(index) else { return };
        node.watched = false;
        let (peer, leased) = (node.peer, node.leased());
        if peer.is_none() && !leased {
            return;
        }
        if !self.is_silent(index) {
            self.watch(index);
            return;
        }
        self.counters.silences = self.counters.silences.saturating_add(1);
        if let Some(peer) = peer {
            output.push(Effect::Close { peer, reason: "no report came for too long".to_owned() });
            self.detach(output, index);
        }
        self.go_down(output, index);
    }

    /// Ends every lease of an agent where it was last seen.
    pub(crate) fn go_down(&mut self, output: &mut Output, index: u32) {
        for (lease, side) in self.leases_of(index) {
            self.end_lease(output, lease, EvictReason::NoReports, Some(side), None);
        }
    }

    /// The leases of a node, with its side.
    pub(crate) fn leases_of(&self, index: u32) -> Vec<(u32, Side)> {
        let Some(node) = self.nodes.get(index) else { return Vec::new() };
        let client = self.leases.walk(List::Client, node.client_head).map(|(lease, _)| (lease, Side::Client));
        let host = self.leases.walk(List::Host, node.host_head).map(|(lease, _)| (lease, Side::Host));
        client.chain(host).collect()
    }

    /// An agent reported just now.
    pub(crate) fn seen_now(&mut self, index: u32) {
        let now = self.now;
        let Some(handle) = self.nodes.handle(index) else { return };
        let Some(node) = self.nodes.get_mut(index) else { return };
        node.seen = now;
        if !node.dirty {
            node.dirty = true;
            self.presences.dirty.push(handle);
        }
    }

    /// Writes presences that moved, a bounded number of them.
    pub(crate) fn flush(&mut self, output: &mut Output) {
        if self.presences.flush_at > output.now {
            return;
        }
        let keep = self.presences.dirty.len().saturating_sub(self.limits.expiries_a_handle.max(1) as usize);
        let mut seen = Vec::new();
        for handle in self.presences.dirty.split_off(keep) {
            let Some(index) = self.nodes.live(handle) else { continue };
            let Some(node) = self.nodes.get_mut(index) else { continue };
            node.dirty = false;
            seen.push(Presence { id: node.id, seen: node.seen, nonce: node.credentials.nonce() });
        }
        if !seen.is_empty() {
            output.persist(Row::Presence(seen));
        }
        output.persist(Row::Clock(output.now));
        if self.presences.dirty.is_empty() {
            self.presences.flush_at = output.now.plus(self.limits.flush_ms);
        }
    }

    pub(crate) fn disconnected(&mut self, output: &mut Output, peer: ConnectionId) {
        if let Some(index) = self.nodes.at_peer(peer) {
            self.detach(output, index);
        }
    }

    pub(crate) fn latency(&mut self, peer: ConnectionId, rtt_us: u32) {
        let Some(node) = self.nodes.at_peer(peer).and_then(|index| self.nodes.get_mut(index)) else { return };
        let rtt = u64::from(rtt_us.max(1));
        let smooth = match node.rtt_us {
            0 => rtt,
            old => u64::from(old).saturating_mul(3).saturating_add(rtt) / 4,
        };
        node.rtt_us = u32::try_from(smooth).unwrap_or(u32::MAX);
    }

    /// Takes a node's socket away. Its leases go on; what hung on the socket alone ends.
    pub(crate) fn detach(&mut self, output: &mut Output, index: u32) {
        self.nodes.set_peer(index, None);
        self.asks.remove(&index);
        if let Some(node) = self.nodes.get_mut(index) {
            node.want = 0;
            node.avoid = None;
            node.rtt_us = 0;
        }
        self.refresh_connected(index);
        self.refresh_open_hosts(index);
        self.refresh_waiting(index);
        self.end_unanswered(output, index);
    }

    /// Ends the leases of a node whose admit was not answered: the answer could reach nobody.
    pub(crate) fn end_unanswered(&mut self, output: &mut Output, index: u32) {
        for (lease, side) in self.leases_of(index) {
            let Some(client) = self.leases.get(lease).filter(|lease| lease.admitting).map(|lease| lease.client) else {
                continue;
            };
            self.end_lease(output, lease, EvictReason::TooLate, Some(side), None);
            if side == Side::Host {
                self.go_on_asking(output, client);
            }
        }
    }
}
