use hashbrown::HashTable;
use vipnode_types::NodeId;

use crate::{
    ConnectionId,
    agents::node::Node,
    collections::seeded_rng::Keys,
    collections::slab::{Handle, Slab},
};

/// All nodes, found by id and by the socket of their agent. Ids are stored in the nodes alone.
#[derive(Debug)]
pub(crate) struct Registry {
    nodes: Slab<Node>,
    by_id: HashTable<u32>,
    by_peer: HashTable<u32>,
    keys: Keys,
}

impl Registry {
    pub(crate) const fn new(keys: Keys) -> Self {
        Self { nodes: Slab::new(), by_id: HashTable::new(), by_peer: HashTable::new(), keys }
    }

    pub(crate) const fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) const fn capacity(&self) -> u32 {
        self.nodes.capacity()
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Node> {
        self.nodes.get(index)
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut Node> {
        self.nodes.get_mut(index)
    }

    pub(crate) fn handle(&self, index: u32) -> Option<Handle> {
        self.nodes.handle(index)
    }

    pub(crate) fn live(&self, handle: Handle) -> Option<u32> {
        self.nodes.live(handle)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Node)> {
        self.nodes.iter()
    }

    pub(crate) fn find(&self, id: &NodeId) -> Option<u32> {
        let same = |&index: &u32| self.nodes.get(index).is_some_and(|node| node.id == *id);
        self.by_id.find(self.keys.hash(id), same).copied()
    }

    pub(crate) fn at_peer(&self, peer: ConnectionId) -> Option<u32> {
        let same = |&index: &u32| self.nodes.get(index).is_some_and(|node| node.peer == Some(peer));
        self.by_peer.find(self.keys.hash(&peer), same).copied()
    }

    pub(crate) fn insert(&mut self, node: Node) -> Option<u32> {
        let hash = self.keys.hash(&node.id);
        let index = self.nodes.insert(node)?.index;
        let (nodes, keys) = (&self.nodes, self.keys);
        self.by_id.insert_unique(hash, index, |&i| nodes.get(i).map_or(0, |node| keys.hash(&node.id)));
        Some(index)
    }

    pub(crate) fn remove(&mut self, index: u32) -> Option<Node> {
        self.set_peer(index, None);
        let id = self.nodes.get(index)?.id;
        if let Ok(entry) = self.by_id.find_entry(self.keys.hash(&id), |&i| i == index) {
            entry.remove();
        }
        self.nodes.remove(index)
    }

    /// Gives a node another socket, or none.
    pub(crate) fn set_peer(&mut self, index: u32, peer: Option<ConnectionId>) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        let old = std::mem::replace(&mut node.peer, peer);
        if let Some(old) = old
            && let Ok(entry) = self.by_peer.find_entry(self.keys.hash(&old), |&i| i == index)
        {
            entry.remove();
        }
        if let Some(peer) = peer {
            let (nodes, keys) = (&self.nodes, self.keys);
            let hash = keys.hash(&peer);
            self.by_peer.insert_unique(hash, index, |&i| {
                nodes.get(i).and_then(|node| node.peer).map_or(0, |peer| keys.hash(&peer))
            });
        }
    }

    /// Entries in the index of sockets, for checks.
    pub(crate) fn sockets(&self) -> usize {
        self.by_peer.len()
    }
}

#[cfg(test)]
impl Registry {
    pub(crate) fn heap_bytes(&self) -> usize {
        self.nodes.heap_bytes() + self.by_id.allocation_size() + self.by_peer.allocation_size()
    }
}
