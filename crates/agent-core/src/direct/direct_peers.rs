use vipnode_types::LeaseId;

use super::dns_names::DnsNames;
use crate::{
    DirectConfig,
    leases::{Lease, Leases},
};

/// The state of peers that the user named, beyond their leases.
#[derive(Debug, Clone)]
pub(crate) struct DirectPeers {
    /// The leases may not match the settings.
    due: bool,
    next: u64,
    names: DnsNames,
}

impl DirectPeers {
    /// Creates the state. Lease IDs begin after those of an earlier run.
    pub(crate) fn new(config: &DirectConfig, leases: &Leases) -> Self {
        let last = leases.iter().map(Lease::id).filter(|id| id.is_direct()).map(LeaseId::get).max();
        let mut names = DnsNames::default();
        names.keep(&config.hosts);
        Self { due: true, next: last.map_or(0, |last| last.saturating_add(1)), names }
    }

    pub(crate) fn configured(&mut self, config: &DirectConfig) {
        self.names.keep(&config.hosts);
        self.due = true;
    }

    /// Compares leases with the settings again at the next chance.
    pub(crate) const fn look_again(&mut self) {
        self.due = true;
    }

    /// Records that the leases are being compared with the settings.
    pub(crate) const fn looked(&mut self) {
        self.due = false;
    }

    pub(crate) const fn is_due(&self) -> bool {
        self.due
    }

    pub(crate) const fn names(&self) -> &DnsNames {
        &self.names
    }

    pub(crate) const fn names_mut(&mut self) -> &mut DnsNames {
        &mut self.names
    }

    /// Returns the ID for a lease that no pool knows.
    pub(crate) const fn new_lease(&mut self) -> LeaseId {
        let lease = LeaseId::direct(self.next);
        self.next = self.next.saturating_add(1);
        lease
    }
}
