use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use vipnode_pool_core::ConnectionId;
use vipnode_types::{NodeId, wire::WireError};

use crate::errors;

/// Nodes whose agents speak protocol 2 over HTTP: each is a connection of its own.
#[derive(Debug)]
pub(crate) struct HttpNodes {
    limit: usize,
    nodes: Mutex<BTreeMap<NodeId, (ConnectionId, Instant)>>,
}

impl HttpNodes {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, nodes: Mutex::new(BTreeMap::new()) }
    }

    /// The connection of a node that was heard just now.
    pub(crate) fn heard(&self, node: &NodeId) -> Option<ConnectionId> {
        let mut nodes = self.lock();
        let (peer, heard) = nodes.get_mut(node)?;
        *heard = Instant::now();
        Some(*peer)
    }

    /// Gives a node a connection; returns the one it had.
    pub(crate) fn set(&self, node: NodeId, peer: ConnectionId) -> Result<Option<ConnectionId>, WireError> {
        let mut nodes = self.lock();
        let full = nodes.len() >= self.limit;
        match nodes.entry(node) {
            Entry::Occupied(mut entry) => Ok(Some(entry.insert((peer, Instant::now())).0)),
            Entry::Vacant(_) if full => Err(errors::crowded(60_000)),
            Entry::Vacant(entry) => {
                entry.insert((peer, Instant::now()));
                Ok(None)
            }
        }
    }

    /// Takes a node's connection away.
    pub(crate) fn remove(&self, node: &NodeId) -> Option<ConnectionId> {
        self.lock().remove(node).map(|(peer, _)| peer)
    }

    /// Takes away the connections of nodes that were not heard for `idle`.
    pub(crate) fn expire(&self, idle: Duration) -> Vec<ConnectionId> {
        let mut left = Vec::new();
        self.lock().retain(|_, (peer, heard)| {
            let stays = heard.elapsed() < idle;
            if !stays {
                left.push(*peer);
            }
            stays
        });
        left
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, (ConnectionId, Instant)>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::wire::ErrorCode;

    use super::*;

    #[test]
    fn the_table_is_limited_and_the_silent_leave() {
        let nodes = HttpNodes::new(1);
        let (one, other) = (NodeId::new([1; 64]), NodeId::new([2; 64]));
        let peer = |connection| ConnectionId { gateway: 0, connection, generation: 0 };
        assert_eq!(nodes.set(one, peer(1)).unwrap(), None);
        assert_eq!(nodes.set(one, peer(2)).unwrap(), Some(peer(1)));
        assert!(nodes.set(other, peer(3)).unwrap_err().is(ErrorCode::Busy));
        assert_eq!(nodes.heard(&one), Some(peer(2)));
        assert_eq!(nodes.expire(Duration::from_secs(9)), []);
        assert_eq!(nodes.expire(Duration::ZERO), [peer(2)]);
        assert_eq!(nodes.heard(&one), None);
    }
}
