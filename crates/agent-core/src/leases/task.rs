use vipnode_types::{Enode, Ms};

use crate::{NodeTask, RequestTag};

/// A command for a lease that the node has not finished.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    pub(crate) id: NodeTask,
    pub(crate) kind: TaskKind,
    pub(crate) since: Ms,
    /// The node's list of peers is being read; the command follows.
    pub(crate) lists: bool,
    /// It ends the connection, if there is one.
    pub(crate) cuts: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskKind {
    /// Admit or dial.
    Apply,
    /// A host dials its client.
    HostDial,
    /// Evict, untrust or drop.
    Undo,
    /// Remove the trust of an ended lease; what it dialed is undone later.
    Untrust,
}

/// A host's dial to its client.
#[derive(Debug, Clone)]
pub(crate) struct HostDial {
    pub(crate) peer: Enode,
    pub(crate) state: DialState,
    /// Calls of the pool that are answered once the node dialed.
    pub(crate) calls: Vec<RequestTag>,
}

/// The state of a host's dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DialState {
    /// The command is due or in progress.
    Due,
    /// The node dialed.
    Done,
    /// The node rejected the command or did not answer. It may have dialed all the same, so the dial is undone at the
    /// end.
    Failed,
}
