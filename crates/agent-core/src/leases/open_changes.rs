use std::collections::BTreeMap;

use vipnode_types::{LeaseId, PeerCommand};

use crate::{ChangeKind, JournalEntry, NodeChange};

/// The changes of a journal that were not undone, in the order of their leases.
#[derive(Debug, Clone, Default)]
pub struct OpenChanges(BTreeMap<(LeaseId, ChangeKind), NodeChange>);

impl OpenChanges {
    /// Adds the next entry of the journal.
    pub fn apply(&mut self, entry: JournalEntry) {
        match entry {
            JournalEntry::Done(change) => {
                if change.kind == ChangeKind::Admitted {
                    // Evicting removes the trust as well.
                    self.0.remove(&(change.lease, ChangeKind::Trusted));
                }
                self.0.insert((change.lease, change.kind), change);
            }
            JournalEntry::Undone { lease, kind } => {
                self.0.remove(&(lease, kind));
            }
        }
    }

    /// Returns each change, in the order of their leases.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &NodeChange> {
        self.0.values()
    }
}

/// The changes of a journal that were not undone, in the order of their leases.
#[must_use]
pub fn unreleased_changes(journal: impl IntoIterator<Item = JournalEntry>) -> Vec<NodeChange> {
    let mut open = OpenChanges::default();
    journal.into_iter().for_each(|entry| open.apply(entry));
    open.0.into_values().collect()
}

/// Returns the command of `vipnode release` that undoes each change, without a pool. A change is undone once its
/// command succeeded; then its [`JournalEntry::Undone`] is due.
#[must_use]
pub fn release(left: impl IntoIterator<Item = NodeChange>) -> Vec<(NodeChange, PeerCommand)> {
    let call = |change: &NodeChange| match change.kind {
        ChangeKind::Admitted => PeerCommand::Evict(change.peer.clone()),
        ChangeKind::Dialed => PeerCommand::Drop(change.peer.clone()),
        ChangeKind::Trusted => PeerCommand::Untrust(change.peer.clone()),
    };
    left.into_iter().map(|change| (call(&change), change)).map(|(call, change)| (change, call)).collect()
}
