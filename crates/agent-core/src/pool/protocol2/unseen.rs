use std::collections::BTreeSet;

use vipnode_types::{LeaseId, Ms};

use super::Protocol2;
use crate::limits;

impl Protocol2 {
    /// How long a client may stay unseen, in milliseconds: two updates and a minute, which is how long a pool of ours
    /// waits for it.
    const fn unseen_ms(&self) -> u64 {
        self.config.update_interval_ms.saturating_mul(2).saturating_add(limits::UNSEEN_MS)
    }

    /// While the node or the pool is offline, no absence counts.
    pub(crate) fn forget_unseen(&mut self) {
        self.unseen.clear();
    }

    /// These clients were let in and are not seen now; returns those that did not come, or did not come back, in time
    /// (D35).
    pub(crate) fn late(&mut self, now: Ms, ids: &BTreeSet<LeaseId>) -> Vec<LeaseId> {
        self.unseen.retain(|id, _| ids.contains(id));
        for id in ids {
            self.unseen.entry(*id).or_insert(now);
        }
        let most_ms = self.unseen_ms();
        self.unseen.extract_if(.., |_, since| since.plus(most_ms) <= now).map(|(id, _)| id).collect()
    }

    /// When the first of them is late.
    pub(crate) fn late_at(&self) -> Option<Ms> {
        self.unseen.values().min().map(|since| since.plus(self.unseen_ms()))
    }

    /// How many clients are unseen.
    pub(crate) fn unseen(&self) -> usize {
        self.unseen.len()
    }
}
