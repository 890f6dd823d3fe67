use vipnode_types::{Enode, Ms};

use crate::{NodeTask, RequestTag};

/// What the node was told for a lease and has not ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    pub(crate) id: NodeTask,
    pub(crate) what: Work,
    pub(crate) since: Ms,
    /// The node's list of peers is being read for it; nothing was told yet.
    pub(crate) lists: bool,
    /// It ends the connection, where there is one.
    pub(crate) cuts: bool,
}

/// What a task is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Admit or dial.
    Apply,
    /// A host dials its client.
    HostDial,
    /// Evict, untrust or drop.
    Undo,
    /// Take back the trust of a lease that is over; what it dialed is undone later.
    Untrust,
}

/// A host's dial to its client.
#[derive(Debug, Clone)]
pub(crate) struct HostDial {
    pub(crate) peer: Enode,
    pub(crate) state: DialState,
    /// Calls of the pool that are answered once the node has done it.
    pub(crate) calls: Vec<RequestTag>,
}

/// How far a host's dial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DialState {
    /// The node is to be told, or is at it.
    Due,
    /// The node did it.
    Done,
    /// The node refused, or did not answer; what it did is not known, so it counts when all is undone.
    Failed,
}
