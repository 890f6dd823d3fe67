use vipnode_types::LeaseId;

use super::names::Names;
use crate::{
    DirectConfig,
    leases::{Lease, Leases},
};

/// What is remembered of peers that the user named, beyond their leases.
#[derive(Debug, Clone)]
pub(crate) struct Direct {
    /// What stands may be something else than what is wanted.
    due: bool,
    next: u64,
    names: Names,
}

impl Direct {
    /// Names of leases begin past those of an earlier run.
    pub(crate) fn new(config: &DirectConfig, leases: &Leases) -> Self {
        let last = leases.iter().map(Lease::id).filter(|id| id.is_direct()).map(LeaseId::get).max();
        let mut names = Names::default();
        names.keep(&config.hosts);
        Self { due: true, next: last.map_or(0, |last| last.saturating_add(1)), names }
    }

    pub(crate) fn configured(&mut self, config: &DirectConfig) {
        self.names.keep(&config.hosts);
        self.due = true;
    }

    /// Something that was in the way of what is wanted may be gone.
    pub(crate) const fn look_again(&mut self) {
        self.due = true;
    }

    /// What stands is being held against what is wanted.
    pub(crate) const fn looked(&mut self) {
        self.due = false;
    }

    pub(crate) const fn is_due(&self) -> bool {
        self.due
    }

    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) const fn names_mut(&mut self) -> &mut Names {
        &mut self.names
    }

    /// A name for a lease that no pool knows.
    pub(crate) const fn new_lease(&mut self) -> LeaseId {
        let lease = LeaseId::direct(self.next);
        self.next = self.next.saturating_add(1);
        lease
    }
}
