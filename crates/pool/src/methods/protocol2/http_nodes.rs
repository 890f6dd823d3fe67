use std::{
    collections::{BTreeMap, btree_map},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use vipnode_pool_core::ConnectionId;
use vipnode_types::{NodeId, wire::WireError};

use crate::{engine::connections::ConnectionEntry, error};

/// Nodes whose agents speak protocol 2 over HTTP: each is a connection of its own.
#[derive(Debug)]
pub(crate) struct HttpNodes {
    limit: usize,
    nodes: Mutex<BTreeMap<NodeId, (ConnectionEntry, Instant)>>,
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
    pub(crate) fn set(&self, node: NodeId, own: ConnectionEntry) -> Result<Option<ConnectionEntry>, WireError> {
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
    pub(crate) fn remove(&self, node: &NodeId, peer: ConnectionId) -> Option<ConnectionEntry> {
        let mut nodes = self.lock();
        nodes.get(node).filter(|(entry, _)| entry.peer() == peer)?;
        nodes.remove(node).map(|(entry, _)| entry)
    }

    /// Takes away the connections of nodes that were not heard for `idle`.
    pub(crate) fn expire(&self, idle: Duration) -> Vec<ConnectionEntry> {
        let mut nodes = self.lock();
        nodes.extract_if(.., |_, (_, heard)| heard.elapsed() >= idle).map(|(_, (entry, _))| entry).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, (ConnectionEntry, Instant)>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vipnode_types::wire::ErrorCode;

    use super::*;
    use crate::engine::connections::{Connections, Transport};

    #[test]
    fn the_table_is_limited_and_the_silent_leave() {
        let nodes = HttpNodes::new(1);
        let (one, other) = (NodeId::new([1; 64]), NodeId::new([2; 64]));
        let (inbox, _items) = crate::engine::inbox::inbox(vipnode_metrics::Gauge::default());
        let connections = Arc::new(Connections::new(inbox));
        let (first, second) = (connections.add(Transport::Http), connections.add(Transport::Http));
        let (old, new) = (first.peer(), second.peer());
        assert!(nodes.set(one, first).unwrap().is_none());
        assert_eq!(nodes.set(one, second).unwrap().map(|entry| entry.peer()), Some(old));
        assert!(nodes.set(other, connections.add(Transport::Http)).unwrap_err().is(ErrorCode::Busy));
        assert_eq!(nodes.heard(&one), Some(new));
        let expired = |idle| nodes.expire(idle).iter().map(ConnectionEntry::peer).collect::<Vec<_>>();
        assert_eq!(expired(Duration::from_secs(9)), []);
        assert_eq!(expired(Duration::ZERO), [new]);
        assert_eq!(nodes.heard(&one), None);
        assert_eq!(connections.peers(), [], "nothing is left");
    }
}
