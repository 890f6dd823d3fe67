//! State for `--strict-peers`: the agent disconnects every peer of the node that has no lease. The peer may come back;
//! closing a node to new peers takes flags of the node itself.
//!
//! With a pool, the agent disconnects nothing before the pool has accepted it and listed its leases. While the pool is
//! offline, its last list stays valid (fault D33, docs/faults.md). It also stays valid if the pool comes back without
//! knowing any of the leases, for example because it lost its data: a client keeps its hosts until it was assigned as
//! many others, and a host keeps its clients for a while.

use std::collections::BTreeMap;

use vipnode_types::{Ms, NodeId};

use crate::{NodeTask, limits};

/// The state of `--strict-peers`.
#[derive(Debug, Clone, Default)]
pub(crate) struct StrictPeers {
    /// Peers that the node is disconnecting, each with its task and start.
    dropping: BTreeMap<NodeTask, (NodeId, Ms)>,
    /// When further peers may be disconnected.
    next: Ms,
    /// The user was notified that unleased peers are disconnected.
    announced: bool,
    /// Since when there are leases that the pool no longer knows.
    last_list: Option<Ms>,
}

impl StrictPeers {
    /// Whether there are leases that the pool no longer knows.
    pub(crate) const fn has_last_list(&self) -> bool {
        self.last_list.is_some()
    }

    pub(crate) fn is_dropping(&self, peer: NodeId) -> bool {
        self.dropping.values().any(|(other, _)| *other == peer)
    }

    pub(crate) fn dropped_peers(&self) -> impl Iterator<Item = NodeId> {
        self.dropping.values().map(|(peer, _)| *peer)
    }

    /// Drops pending tasks, which ended with the node's connection.
    pub(crate) fn node_down(&mut self) {
        self.dropping.clear();
    }

    pub(crate) fn dropping(&self) -> usize {
        self.dropping.len()
    }

    /// Returns how many further peers may be disconnected now.
    pub(crate) fn room(&self, now: Ms) -> usize {
        if now < self.next { 0 } else { limits::UNLEASED_PEERS.saturating_sub(self.dropping.len()) }
    }

    /// Records that the node is disconnecting the peer.
    pub(crate) fn drops(&mut self, now: Ms, task: NodeTask, peer: NodeId) {
        self.next = now.plus(limits::UNLEASED_PEERS_MS);
        self.dropping.insert(task, (peer, now));
    }

    /// Ends a task and returns the peer that it disconnects.
    pub(crate) fn done(&mut self, task: NodeTask) -> Option<NodeId> {
        self.dropping.remove(&task).map(|(peer, _)| peer)
    }

    /// Returns whether to notify the user, which is only for the first peer that was disconnected.
    pub(crate) const fn announce(&mut self) -> bool {
        !std::mem::replace(&mut self.announced, true)
    }

    /// Records that there are leases that the pool does not know. Returns whether there were none before.
    pub(crate) fn keep_last_list(&mut self, now: Ms) -> bool {
        let first = self.last_list.is_none();
        self.last_list.get_or_insert(now);
        first
    }

    /// Returns since when there are leases that the pool does not know.
    pub(crate) const fn last_list(&self) -> Option<Ms> {
        self.last_list
    }

    /// Records that the last of them has ended.
    pub(crate) const fn end_last_list(&mut self) {
        self.last_list = None;
    }

    /// Gives up peers that the node did not disconnect in time.
    pub(crate) fn expire(&mut self, now: Ms) {
        self.dropping.retain(|_, (_, since)| since.plus(limits::NODE_TASK_MS) > now);
    }

    /// Returns when the next of them is given up.
    pub(crate) fn due(&self) -> impl Iterator<Item = Ms> {
        self.dropping.values().map(|(_, since)| since.plus(limits::NODE_TASK_MS))
    }
}
