use std::collections::BTreeMap;

use vipnode_types::{LeaseId, wire::Selection};

/// How hosts were selected, for a limited number of leases. Names of leases grow, so the first is the
/// oldest.
#[derive(Debug, Default)]
pub(crate) struct Selections(BTreeMap<LeaseId, Selection>);

impl Selections {
    pub(crate) fn remember(&mut self, lease: LeaseId, won: Selection, limit: u32) {
        self.0.insert(lease, won);
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

    /// Leases that are remembered, for checks.
    pub(crate) fn leases(&self) -> impl Iterator<Item = LeaseId> {
        self.0.keys().copied()
    }
}
