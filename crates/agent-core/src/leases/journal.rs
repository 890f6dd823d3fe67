use serde::{Deserialize, Serialize};
use vipnode_types::{Enode, LeaseId};

/// Something that the agent had its node do and that is to be undone one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The lease it was done for.
    pub lease: LeaseId,
    /// The other node, as it was told to our node; removal needs the identical string on Besu.
    pub peer: Enode,
    /// What was done.
    pub kind: GrantKind,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// A client was let in; undone by evicting.
    Admitted,
    /// A host was dialled; undone by dropping.
    Dialled,
    /// A client that was connected already was let in; undone by taking the trust back, and the connection stays.
    Trusted,
}

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalEntry {
    /// About to be done.
    Done(Grant),
    /// Undone: the node said so.
    Undone {
        /// The lease it was done for.
        lease: LeaseId,
        /// What was done.
        kind: GrantKind,
    },
}
