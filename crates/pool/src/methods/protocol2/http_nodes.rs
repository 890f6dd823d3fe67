use std::{
    collections::{BTreeMap, btree_map},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use vipnode_pool_core::Peer;
use vipnode_types::{NodeId, wire::WireError};

use crate::{engine::connections::Entry, error};

/// Nodes whose agents speak protocol 2 over HTTP: each is a connection of its own.
#[derive(Debug)]
pub(crate) struct HttpNodes {
    limit: usize,
    nodes: Mutex<BTreeMap<NodeId, (Entry, Instant)>>,
}

impl HttpNodes {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, nodes: Mutex::new(BTreeMap::new()) }
    }

    /// The connection of a node that was heard just now.
    pub(crate) fn heard(&self, node: &NodeId) -> Option<ConnectionId> {
        let mut nodes = self.lock();
        let (entry, heard) = nodes.get_mut(node)?;
        *heard = Instant::now();
        Some(entry.peer())
    }

    /// Gives a node a connection; returns the one it had.
    pub(crate) fn set(&self, node: NodeId, own: Entry) -> Result<Option<Entry>, WireError> {
        let mut nodes = self.lock();
        let full = nodes.len() >= self.limit;
        match nodes.entry(node) {
            btree_map::Entry::Occupied(mut entry) => Ok(Some(entry.insert((own, Instant::now())).0)),
            btree_map::Entry::Vacant(_) if full => Err(error::crowded(60_000)),
            btree_map::Entry::Vacant(entry) => {
                entry.insert((own, Instant::now()));
                Ok(None)
            }
        }
    }

    /// Takes a node's connection away, if it is this one.
    pub(crate) fn remove(&self, node: &NodeId, peer: ConnectionId) -> Option<Entry> {
        let mut nodes = self.lock();
        nodes.get(node).filter(|(entry, _)| entry.peer() == peer)?;
        nodes.remove(node).map(|(entry, _)| entry)
    }

    /// Takes away the connections of nodes that were not heard for `idle`.
    pub(crate) fn expire(&self, idle: Duration) -> Vec<Entry> {
        let mut nodes = self.lock();
        nodes.extract_if(.., |_, (_, heard)| heard.elapsed() >= idle).map(|(_, (entry, _))| entry).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, (Entry, Instant)>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vipnode_types::wire::ErrorCode;

    use super::*;
    use crate::engine::connections::{Line, Sockets};

    #[test]
    fn the_table_is_limited_and_the_silent_leave() {
        let nodes = HttpNodes::new(1);
        let (one, other) = (NodeId::new([1; 64]), NodeId::new([2; 64]));
        let (inbox, _items) = crate::engine::inbox::inbox(vipnode_metrics::Gauge::default());
        let sockets = Arc::new(Sockets::new(inbox));
        let (first, second) = (sockets.add(Line::Http), sockets.add(Line::Http));
        let (old, new) = (first.peer(), second.peer());
        assert!(nodes.set(one, first).unwrap().is_none());
        assert_eq!(nodes.set(one, second).unwrap().map(|entry| entry.peer()), Some(old));
        assert!(nodes.set(other, sockets.add(Line::Http)).unwrap_err().is(ErrorCode::Busy));
        assert_eq!(nodes.heard(&one), Some(new));
        let expired = |idle| nodes.expire(idle).iter().map(Entry::peer).collect::<Vec<_>>();
        assert_eq!(expired(Duration::from_secs(9)), []);
        assert_eq!(expired(Duration::ZERO), [new]);
        assert_eq!(nodes.heard(&one), None);
        assert_eq!(sockets.peers(), [], "nothing is left");
    }
}
