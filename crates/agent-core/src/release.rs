use std::collections::BTreeMap;

use vipnode_types::LeaseId;

use crate::{Grant, GrantKind, JournalEntry, NodeCall};

/// The grants of a journal that were not undone, in the order of their leases.
#[must_use]
pub fn left_undone(journal: impl IntoIterator<Item = JournalEntry>) -> Vec<Grant> {
    let mut left: BTreeMap<(LeaseId, GrantKind), Grant> = BTreeMap::new();
    for entry in journal {
        match entry {
            JournalEntry::Done(grant) => {
                left.insert((grant.lease, grant.kind), grant);
            }
            JournalEntry::Undone { lease, kind } => {
                left.remove(&(lease, kind));
            }
        }
    }
    left.into_values().collect()
}

/// What `vipnode release` has the node do for each grant, without a pool. A grant is undone once its
/// call ended well; then its [`JournalEntry::Undone`] is due.
#[must_use]
pub fn release(left: impl IntoIterator<Item = Grant>) -> Vec<(Grant, NodeCall)> {
    let call = |grant: &Grant| match grant.kind {
        GrantKind::Admitted => NodeCall::Evict(grant.peer.clone()),
        GrantKind::Dialled => NodeCall::Drop(grant.peer.clone()),
    };
    left.into_iter().map(|grant| (call(&grant), grant)).map(|(call, grant)| (grant, call)).collect()
}
