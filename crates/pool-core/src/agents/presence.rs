use vipnode_types::{LeaseSetHash, Ms};

use crate::{
    Limits, Presence, Row,
    agents::{Agents, node::Node},
    collections::{deadlines::Deadlines, slab::Handle},
    output::Output,
    pool_clock::PoolClock,
};

/// The presences of agents that have to be checked for silence or written.
#[derive(Debug)]
pub(crate) struct Presences {
    /// One entry for each agent that is connected or has leases.
    silences: Deadlines<Handle>,
    dirty: Vec<Handle>,
    flush_at: Ms,
}

impl Presences {
    pub(crate) const fn new(flush_at: Ms) -> Self {
        Self { silences: Deadlines::new(), dirty: Vec::new(), flush_at }
    }

    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        self.silences.heap_bytes() + self.dirty.capacity() * size_of::<Handle>()
    }
}

impl Agents {
    /// Whether an agent has a deadline of silence, for checks.
    pub(crate) fn is_watched(&self, index: u32) -> bool {
        self.nodes.get(index).is_some_and(|node| node.watched)
    }

    /// When the next deadline of silence is due.
    pub(crate) fn next_silence(&self) -> Option<Ms> {
        self.presences.silences.next()
    }

    /// When presences are written next.
    pub(crate) const fn flush_at(&self) -> Ms {
        self.presences.flush_at
    }

    /// The number of presences that are not written yet.
    pub(crate) const fn unwritten_presences(&self) -> usize {
        self.presences.dirty.len()
    }

    /// The number of deadlines of silence.
    pub(crate) const fn silences(&self) -> usize {
        self.presences.silences.len()
    }

    /// Returns a node whose deadline of silence is due.
    pub(crate) fn pop_silence(&mut self, now: Ms) -> Option<Handle> {
        self.presences.silences.pop_due(now)
    }

    /// Returns the index of a node from [`Self::pop_silence`], which has no deadline from here on.
    pub(crate) fn unwatch(&mut self, handle: Handle) -> Option<u32> {
        let index = self.nodes.live(handle)?;
        self.nodes.get_mut(index)?.watched = false;
        Some(index)
    }

    /// Gives an agent a deadline of silence if it has none.
    pub(crate) fn watch(&mut self, index: u32, clock: &PoolClock, limits: &Limits) {
        let Some(handle) = self.nodes.handle(index) else { return };
        let Some(node) = self.nodes.get_mut(index).filter(|node| !node.watched) else { return };
        node.watched = true;
        let due = clock.silent_after(node.seen, limits).max(clock.now()).plus(1);
        self.presences.silences.push(due, handle);
    }

    /// Whether an agent has not reported for too long.
    pub(crate) fn is_silent(&self, index: u32, clock: &PoolClock, limits: &Limits) -> bool {
        self.nodes.get(index).is_some_and(|node| clock.is_silent(node.seen, limits))
    }

    /// Sets an agent's presence to now. No list depends on it.
    pub(crate) fn seen_now(&mut self, index: u32, now: Ms) {
        let Some(handle) = self.nodes.handle(index) else { return };
        let Some(node) = self.nodes.get_mut(index) else { return };
        node.seen = now;
        if !std::mem::replace(&mut node.dirty, true) {
            self.presences.dirty.push(handle);
        }
    }

    /// Stores the other fields of a report.
    pub(crate) fn take_report(&mut self, index: u32, seq: u32, hash: LeaseSetHash, head: Option<u64>) {
        if let Some(node) = self.nodes.get_mut(index) {
            node.take_report(seq, hash, head);
        }
    }

    /// Stores the newest block, all that an update of protocol 2 carries of a report.
    pub(crate) fn set_head(&mut self, index: u32, head: u64) {
        if let Some(node) = self.nodes.get_mut(index) {
            node.take_report(node.seq(), node.hash(), Some(head));
        }
    }

    /// Writes a bounded number of changed presences if the next write is due.
    pub(crate) fn flush(&mut self, output: &mut Output, limits: &Limits) {
        if self.presences.flush_at > output.now {
            return;
        }
        let keep = self.presences.dirty.len().saturating_sub(limits.expiries_a_handle.max(1) as usize);
        let mut seen = Vec::new();
        for handle in self.presences.dirty.split_off(keep) {
            let Some(index) = self.nodes.live(handle) else { continue };
            let Some(node) = self.nodes.get_mut(index) else { continue };
            node.dirty = false;
            seen.push(presence(node));
        }
        if !seen.is_empty() {
            output.persist(Row::Presence(seen));
        }
        output.persist(Row::Clock(output.now));
        if self.presences.dirty.is_empty() {
            self.presences.flush_at = output.now.plus(limits.flush_ms);
        }
    }
}

fn presence(node: &Node) -> Presence {
    Presence { id: node.id(), seen: node.seen(), nonce: node.credentials().nonce() }
}
