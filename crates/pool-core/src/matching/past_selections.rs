use std::collections::BTreeMap;

use vipnode_types::{LeaseId, wire::Selection};

/// How hosts were selected, for a limited number of leases. Lease ids grow, so the first is the oldest.
#[derive(Debug, Default)]
pub(crate) struct PastSelections(BTreeMap<LeaseId, Selection>);

impl PastSelections {
    pub(crate) fn remember(&mut self, lease: LeaseId, selection: Selection, limit: u32) {
        self.0.insert(lease, selection);
        while self.0.len() > limit as usize {
            self.0.pop_first();
        }
    }

    pub(crate) fn forget(&mut self, lease: LeaseId) {
        self.0.remove(&lease);
    }

    pub(crate) fn get(&self, lease: LeaseId) -> Option<Selection> {
        self.0.get(&lease).copied()
    }

    /// The remembered leases, for checks.
    pub(crate) fn leases(&self) -> impl Iterator<Item = LeaseId> {
        self.0.keys().copied()
    }
}
