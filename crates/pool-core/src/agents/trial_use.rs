//! How much of their trials clients used, and when that is checked next. A trial that runs has not been added yet.

use vipnode_types::Ms;

use crate::{
    Limits,
    agents::{Agents, node_flags::NodeFlag},
    collections::slab::Handle,
};

impl Agents {
    /// Adds to the part of its trial that a client used, in milliseconds.
    pub(crate) fn add_trial_use(&mut self, index: u32, ms: u64, limits: &Limits) {
        let counted = self.counted(index);
        if let Some(node) = self.nodes.get_mut(index) {
            node.add_trial_use(ms);
            node.count_paired(limits);
        }
        self.count_again(index, counted);
    }

    /// Plans to check the trial of a client at `due`, unless an earlier check is planned: no trial is used up faster than time
    /// passes, so that one is early enough.
    pub(crate) fn watch_trial(&mut self, index: u32, due: Ms) {
        let Some(handle) = self.nodes.handle(index) else { return };
        let Some(node) = self.nodes.get_mut(index) else { return };
        if !node.set(NodeFlag::TRIAL_WATCHED, true) {
            self.trials.push(due, handle);
        }
    }

    /// Returns a client whose trial is due to be checked, `None` in it if the node is forgotten; no check of it is planned from here
    /// on.
    pub(crate) fn pop_trial(&mut self, now: Ms) -> Option<Option<u32>> {
        let handle: Handle = self.trials.pop_due(now)?;
        let index = self.nodes.live(handle);
        if let Some(node) = index.and_then(|index| self.nodes.get_mut(index)) {
            node.set(NodeFlag::TRIAL_WATCHED, false);
        }
        Some(index)
    }

    /// When a trial is checked next.
    pub(crate) fn next_trial(&self) -> Option<Ms> {
        self.trials.next()
    }

    /// The number of planned checks of trials.
    pub(crate) const fn planned_trials(&self) -> usize {
        self.trials.len()
    }

    /// Remembers that a client was notified that its trial ends. Returns whether it was before.
    pub(crate) fn trial_notified(&mut self, index: u32) -> bool {
        self.nodes.get_mut(index).is_some_and(|node| node.set(NodeFlag::TRIAL_NOTIFIED, true))
    }

    /// Whether a client was notified that its trial ends.
    pub(crate) fn is_trial_notified(&self, index: u32) -> bool {
        self.get(index).is_some_and(|node| node.has(NodeFlag::TRIAL_NOTIFIED))
    }

    /// Whether a check of the trial of a client is planned, for checks.
    pub(crate) fn is_trial_watched(&self, index: u32) -> bool {
        self.get(index).is_some_and(|node| node.has(NodeFlag::TRIAL_WATCHED))
    }
}
