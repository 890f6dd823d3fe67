use std::collections::BTreeMap;

use vipnode_types::LeaseId;

use crate::{Grant, GrantKind, JournalEntry, NodeCall};

/// The grants of a journal that were not undone, in the order of their leases.
#[derive(Debug, Clone, Default)]
pub struct OpenGrants(BTreeMap<(LeaseId, GrantKind), Grant>);

impl OpenGrants {
    /// Takes in the journal's next entry.
    pub fn apply(&mut self, entry: JournalEntry) {
        match entry {
            JournalEntry::Done(grant) => {
                if grant.kind == GrantKind::Admitted {
                    // To evict undoes the trust too.
                    self.0.remove(&(grant.lease, GrantKind::Trusted));
                }
                self.0.insert((grant.lease, grant.kind), grant);
            }
            JournalEntry::Undone { lease, kind } => {
                self.0.remove(&(lease, kind));
            }
        }
    }

    /// Each grant, in the order of their leases.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Grant> {
        self.0.values()
    }
}

/// The grants of a journal that were not undone, in the order of their leases.
#[must_use]
pub fn left_undone(journal: impl IntoIterator<Item = JournalEntry>) -> Vec<Grant> {
    let mut open = OpenGrants::default();
    journal.into_iter().for_each(|entry| open.apply(entry));
    open.0.into_values().collect()
}

/// What `vipnode release` has the node do for each grant, without a pool. A grant is undone once its
/// call ended well; then its [`JournalEntry::Undone`] is due.
#[must_use]
pub fn release(left: impl IntoIterator<Item = Grant>) -> Vec<(Grant, NodeCall)> {
    let call = |grant: &Grant| match grant.kind {
        GrantKind::Admitted => NodeCall::Evict(grant.peer.clone()),
        GrantKind::Dialed => NodeCall::Drop(grant.peer.clone()),
        GrantKind::Trusted => NodeCall::Untrust(grant.peer.clone()),
    };
    left.into_iter().map(|grant| (call(&grant), grant)).map(|(call, grant)| (grant, call)).collect()
}
