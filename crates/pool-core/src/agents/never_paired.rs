//! Nodes that were never paired are forgotten soon after they leave.
//!
//! Otherwise, every node that connects once would use memory for thirty days, although creating an ID costs nothing. A
//! node that was never paired is remembered only for as long as a nonce that it used could be accepted again.

use vipnode_types::Ms;

use crate::{
    Limits,
    agents::{Agents, node::Node, node_flags::NodeFlag},
    collections::slab::Handle,
};

impl Agents {
    /// Plans to check a never-paired node at `due`, unless that is planned already.
    pub(crate) fn schedule_forget(&mut self, index: u32, due: Ms) {
        let Some(handle) = self.nodes.handle(index) else { return };
        let node = self.nodes.get_mut(index).filter(|node| !node.is_paired() && !node.has(NodeFlag::FORGET_SCHEDULED));
        let Some(node) = node else { return };
        node.set(NodeFlag::FORGET_SCHEDULED, true);
        self.never_paired.push(due.plus(1), handle);
    }

    /// Plans to check each never-paired node, after a start. A check forgets no node that is still needed.
    pub(crate) fn plan_to_forget_all(&mut self, not_before: Ms, limits: &Limits) {
        let all: Vec<(u32, Ms)> = self.iter().map(|(index, node)| (index, forget_after(node, limits))).collect();
        for (index, after) in all {
            self.schedule_forget(index, after.max(not_before));
        }
    }

    /// Returns a node that is due to be checked; no check of it is planned from here on.
    pub(crate) fn pop_never_paired(&mut self, now: Ms) -> Option<Option<u32>> {
        let handle: Handle = self.never_paired.pop_due(now)?;
        let index = self.nodes.live(handle);
        if let Some(node) = index.and_then(|index| self.nodes.get_mut(index)) {
            node.set(NodeFlag::FORGET_SCHEDULED, false);
        }
        Some(index)
    }

    /// Whether a check of a node is planned.
    pub(crate) fn is_forget_scheduled(&self, index: u32) -> bool {
        self.get(index).is_some_and(|node| node.has(NodeFlag::FORGET_SCHEDULED))
    }

    /// When the next never-paired node is checked.
    pub(crate) fn next_never_paired(&self) -> Option<Ms> {
        self.never_paired.next()
    }

    /// The nodes that the next calls of [`Self::sweep_next`] return.
    pub(crate) fn swept_next(&self, looks: u32) -> impl Iterator<Item = u32> {
        let (capacity, first) = (u64::from(self.capacity().max(1)), u64::from(self.sweep_at));
        (0..looks).map(move |look| {
            first.saturating_add(look.into()).checked_rem(capacity).and_then(|at| u32::try_from(at).ok()).unwrap_or(0)
        })
    }

    /// The number of planned checks.
    pub(crate) const fn planned_checks(&self) -> usize {
        self.never_paired.len()
    }
}

/// Returns the time after which a node without a connection and without leases is forgotten.
pub(crate) fn forget_after(node: &Node, limits: &Limits) -> Ms {
    if node.is_paired() {
        return node.seen().plus(limits.prune_ms);
    }
    // No nonce that it used is newer than that, so each is refused by its age afterward.
    node.seen().max(node.since()).plus(nonce_window_ms(limits))
}

/// How long a nonce that a node used could be accepted again, in milliseconds.
pub(crate) const fn nonce_window_ms(limits: &Limits) -> u64 {
    limits.nonce_ahead_ms.saturating_add(limits.nonce_behind_ms)
}
