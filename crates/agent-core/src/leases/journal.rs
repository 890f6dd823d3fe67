use serde::{Deserialize, Serialize};
use vipnode_types::{Enode, LeaseId};

/// Something that the agent had its node do and that is to be undone one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeChange {
    /// The lease that it was done for.
    pub lease: LeaseId,
    /// The other node, as our node was told; removal needs the identical string on Besu.
    pub peer: Enode,
    /// What was done.
    pub kind: ChangeKind,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A client was let in; undone by evicting.
    Admitted,
    /// A host was dialed; undone by dropping.
    Dialed,
    /// A client that was connected already was let in; undone by taking the trust back, and the connection stays.
    Trusted,
}

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalEntry {
    /// The node is about to do it.
    Done(NodeChange),
    /// The node confirmed that it is undone.
    Undone {
        /// The lease that it was done for.
        lease: LeaseId,
        /// What was done.
        kind: ChangeKind,
    },
}
