use std::collections::BTreeSet;

use vipnode_types::{LeaseId, Ms};

use super::Protocol2Translation;
use crate::limits;

impl Protocol2Translation {
    /// Returns how long a client may stay disconnected, in milliseconds: two updates and a minute, which is how long a
    /// vipnode pool waits for it.
    const fn unseen_ms(&self) -> u64 {
        self.config.update_interval_ms.saturating_mul(2).saturating_add(limits::UNSEEN_MS)
    }

    /// While the node or the pool is offline, no absence counts.
    pub(crate) fn forget_unseen(&mut self) {
        self.unseen.clear();
    }

    /// Records the admitted clients that are not connected. Returns those that did not connect or reconnect in time
    /// (fault D35, docs/faults.md).
    pub(crate) fn late(&mut self, now: Ms, ids: &BTreeSet<LeaseId>) -> Vec<LeaseId> {
        self.unseen.retain(|id, _| ids.contains(id));
        for id in ids {
            self.unseen.entry(*id).or_insert(now);
        }
        let most_ms = self.unseen_ms();
        self.unseen.extract_if(.., |_, since| since.plus(most_ms) <= now).map(|(id, _)| id).collect()
    }

    /// Returns when the first of them is late.
    pub(crate) fn late_at(&self) -> Option<Ms> {
        self.unseen.values().min().map(|since| since.plus(self.unseen_ms()))
    }

    /// Returns how many clients are disconnected.
    pub(crate) fn unseen(&self) -> usize {
        self.unseen.len()
    }
}
