use serde::{Deserialize, Serialize};
use vipnode_types::{Enode, LeaseId};

/// A change that the agent made at its node and that has to be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeChange {
    /// The lease that it was made for.
    pub lease: LeaseId,
    /// The other node, exactly as passed to our node; Besu removes a peer only by the identical string.
    pub peer: Enode,
    /// The kind of change.
    pub kind: ChangeKind,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A client was admitted; undone by evicting it.
    Admitted,
    /// A host was dialed; undone by dropping it.
    Dialed,
    /// A client that was already connected was admitted. Undone by removing trust; the connection stays.
    Trusted,
}

/// A line of the journal, from which a later start knows what to undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalEntry {
    /// The node is about to make the change.
    Done(NodeChange),
    /// The node confirmed that the change is undone.
    Undone {
        /// The lease that it was done for.
        lease: LeaseId,
        /// What was done.
        kind: ChangeKind,
    },
}
