use vipnode_types::{LeaseSetHash, Ms};

use crate::{
    LastReport, Limits, Row,
    agents::{Agents, node::Node, node_flags::NodeFlag},
    collections::{deadlines::Deadlines, slab::Handle},
    output::Output,
    pool_clock::PoolClock,
};

/// The last reports of agents that have to be checked for silence or written.
#[derive(Debug)]
pub(crate) struct LastReports {
    /// One entry for each agent that is connected or has leases.
    silences: Deadlines<Handle>,
    dirty: Vec<Handle>,
    flush_at: Ms,
}

impl LastReports {
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
        self.nodes.get(index).is_some_and(|node| node.has(NodeFlag::WATCHED))
    }

    /// When the next deadline of silence is due.
    pub(crate) fn next_silence(&self) -> Option<Ms> {
        self.last_reports.silences.next()
    }

    /// When last reports are written next.
    pub(crate) const fn flush_at(&self) -> Ms {
        self.last_reports.flush_at
    }

    /// The number of last reports that are not written yet.
    pub(crate) const fn unwritten_reports(&self) -> usize {
        self.last_reports.dirty.len()
    }

    /// The number of deadlines of silence.
    pub(crate) const fn silences(&self) -> usize {
        self.last_reports.silences.len()
    }

    /// Returns a node whose deadline of silence is due.
    pub(crate) fn pop_silence(&mut self, now: Ms) -> Option<Handle> {
        self.last_reports.silences.pop_due(now)
    }

    /// Returns the index of a node from [`Self::pop_silence`], which has no deadline from here on.
    pub(crate) fn unwatch(&mut self, handle: Handle) -> Option<u32> {
        let index = self.nodes.live(handle)?;
        self.nodes.get_mut(index)?.set(NodeFlag::WATCHED, false);
        Some(index)
    }

    /// Gives an agent a deadline of silence if it has none.
    pub(crate) fn watch(&mut self, index: u32, clock: &PoolClock, limits: &Limits) {
        let Some(handle) = self.nodes.handle(index) else { return };
        let Some(node) = self.nodes.get_mut(index).filter(|node| !node.has(NodeFlag::WATCHED)) else { return };
        node.set(NodeFlag::WATCHED, true);
        let due = clock.silent_after(node.seen(), limits).max(clock.now()).plus(1);
        self.last_reports.silences.push(due, handle);
    }

    /// Whether an agent has not reported for too long.
    pub(crate) fn is_silent(&self, index: u32, clock: &PoolClock, limits: &Limits) -> bool {
        self.nodes.get(index).is_some_and(|node| clock.is_silent(node.seen(), limits))
    }

    /// Sets an agent's last report to now. No list depends on it.
    pub(crate) fn seen_now(&mut self, index: u32, now: Ms) {
        let Some(handle) = self.nodes.handle(index) else { return };
        let Some(node) = self.nodes.get_mut(index) else { return };
        node.presence.seen = now;
        if !node.set(NodeFlag::DIRTY, true) {
            self.last_reports.dirty.push(handle);
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

    /// Writes a bounded number of changed last reports if the next write is due.
    pub(crate) fn flush(&mut self, output: &mut Output, limits: &Limits) {
        if self.last_reports.flush_at > output.now {
            return;
        }
        let keep = self.last_reports.dirty.len().saturating_sub(limits.expiries_a_handle.max(1) as usize);
        self.write_reports(output, keep);
        if self.last_reports.dirty.is_empty() {
            self.last_reports.flush_at = output.now.plus(limits.flush_ms);
        }
    }

    /// Writes all changed last reports, at the end of the pool: a period is billed up to the last reports that are stored.
    pub(crate) fn flush_all(&mut self, output: &mut Output) {
        self.write_reports(output, 0);
    }

    /// Writes changed last reports, all but `keep` of them.
    fn write_reports(&mut self, output: &mut Output, keep: usize) {
        let mut seen = Vec::with_capacity(self.last_reports.dirty.len().saturating_sub(keep));
        for handle in self.last_reports.dirty.split_off(keep) {
            let Some(index) = self.nodes.live(handle) else { continue };
            let Some(node) = self.nodes.get_mut(index) else { continue };
            node.set(NodeFlag::DIRTY, false);
            seen.push(last_report(node));
        }
        if !seen.is_empty() {
            output.persist(Row::LastReport(seen));
        }
        output.persist(Row::Clock(output.now));
    }
}

fn last_report(node: &Node) -> LastReport {
    LastReport { id: node.id(), seen: node.seen(), nonce: node.credentials().nonce() }
}
