//! `--strict-peers`: every peer of the node that is on no lease is disconnected. It may come back; what closes a node
//! are flags of its own.
//!
//! Nothing is disconnected before a pool has taken the agent and told its leases, or where there is no pool. While the
//! pool is offline its last list stays (D33), and also where it then knows none of the leases, as after a start of its
//! own without its data: a client keeps its hosts until it was given as many others, a host its clients for a while.

use std::collections::BTreeMap;

use vipnode_types::{Ms, NodeId};

use crate::{NodeTask, limits};

/// What is remembered of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Strict {
    /// Whom the node is told to disconnect, and since when.
    dropping: BTreeMap<NodeTask, (NodeId, Ms)>,
    /// Not before then are others disconnected.
    next: Ms,
    /// The user knows that strangers are disconnected.
    announced: bool,
    /// Since when leases stand that the pool does not know any more.
    last_list: Option<Ms>,
}

impl Strict {
    /// Whether leases stand that the pool does not know any more.
    pub(crate) const fn has_last_list(&self) -> bool {
        self.last_list.is_some()
    }

    pub(crate) fn is_dropping(&self, peer: NodeId) -> bool {
        self.dropping.values().any(|(other, _)| *other == peer)
    }

    pub(crate) fn dropped_peers(&self) -> impl Iterator<Item = NodeId> {
        self.dropping.values().map(|(peer, _)| *peer)
    }

    /// What the node was told before it went is void.
    pub(crate) fn node_down(&mut self) {
        self.dropping.clear();
    }

    pub(crate) fn dropping(&self) -> usize {
        self.dropping.len()
    }

    /// How many further peers may be disconnected now.
    pub(crate) fn room(&self, now: Ms) -> usize {
        if now < self.next { 0 } else { limits::STRANGERS.saturating_sub(self.dropping.len()) }
    }

    /// The node is told to disconnect the peer.
    pub(crate) fn drops(&mut self, now: Ms, task: NodeTask, peer: NodeId) {
        self.next = now.plus(limits::STRANGERS_MS);
        self.dropping.insert(task, (peer, now));
    }

    /// The peer that a task was to disconnect.
    pub(crate) fn done(&mut self, task: NodeTask) -> Option<NodeId> {
        self.dropping.remove(&task).map(|(peer, _)| peer)
    }

    /// The user is told of the first peer that was disconnected; whether this is it.
    pub(crate) const fn announce(&mut self) -> bool {
        !std::mem::replace(&mut self.announced, true)
    }

    /// Leases stand from now on that the pool does not know; whether none did.
    pub(crate) fn keep_last_list(&mut self, now: Ms) -> bool {
        let first = self.last_list.is_none();
        self.last_list.get_or_insert(now);
        first
    }

    /// Since when leases stand that the pool does not know.
    pub(crate) const fn last_list(&self) -> Option<Ms> {
        self.last_list
    }

    /// None of them stands any more.
    pub(crate) const fn end_last_list(&mut self) {
        self.last_list = None;
    }

    /// Peers that the node did not disconnect in time are given up.
    pub(crate) fn expire(&mut self, now: Ms) {
        self.dropping.retain(|_, (_, since)| since.plus(limits::NODE_TASK_MS) > now);
    }

    /// When the next of them is given up.
    pub(crate) fn due(&self) -> impl Iterator<Item = Ms> {
        self.dropping.values().map(|(_, since)| since.plus(limits::NODE_TASK_MS))
    }
}
