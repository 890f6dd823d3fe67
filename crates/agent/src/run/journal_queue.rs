use std::collections::BTreeSet;

use vipnode_agent_core::JournalEntry;
use vipnode_types::{Failure, NodeId};

use crate::{AgentError, AgentNotice, notifier::Notifier, state::Journal};

/// Calls [`Journal::append`], which writes to the disk, on a blocking thread, so that nothing else waits for the disk.
pub(super) struct JournalQueue {
    /// Taken out only while an entry is written.
    journal: Option<Journal>,
    /// Peers whose change could not be written, so that the node must not be called for them. At most one for each lease.
    unwritten: BTreeSet<NodeId>,
}

impl JournalQueue {
    pub(super) const fn new(journal: Journal) -> Self {
        Self { journal: Some(journal), unwritten: BTreeSet::new() }
    }

    /// Writes an entry. It is durable when this returns, or its peer [is unwritten](Self::is_unwritten) and the user
    /// notified.
    ///
    /// # Errors
    /// A fault: the writing thread failed.
    pub(super) async fn write(&mut self, entry: JournalEntry, notifier: &Notifier) -> Result<(), AgentError> {
        let fault = |why: &str| AgentError::internal(format_args!("the journal: {why}"));
        let mut journal = self.journal.take().ok_or_else(|| fault("it is being written already"))?;
        let peer = match &entry {
            JournalEntry::Done(change) => Some(change.peer.id),
            JournalEntry::Undone { .. } => None,
        };
        let written = tokio::task::spawn_blocking(move || {
            let result = journal.append(&entry);
            (journal, result)
        });
        let (journal, result) = written.await.map_err(|error| fault(&error.to_string()))?;
        self.journal = Some(journal);
        match (result, peer) {
            (Ok(()), Some(peer)) => {
                self.unwritten.remove(&peer);
            }
            (Ok(()), None) => {}
            (Err(error), peer) => {
                self.unwritten.extend(peer);
                notifier.notify(AgentNotice::Fault(Failure::of(&error)));
                tracing::error!("{error}");
            }
        }
        Ok(())
    }

    /// Whether the last change of this peer could not be written.
    pub(super) fn is_unwritten(&self, peer: NodeId) -> bool {
        self.unwritten.contains(&peer)
    }

    /// How many changes are not undone.
    pub(super) fn left(&self) -> usize {
        self.journal.as_ref().map_or(0, |journal| journal.alive().len())
    }
}
