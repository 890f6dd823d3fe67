use hashbrown::HashTable;
use vipnode_types::NodeId;

use crate::{
    ConnectionId,
    agents::node::Node,
    collections::seeded_rng::Keys,
    collections::slab::{Handle, Slab},
};

/// All nodes, indexed by id and by connection. Ids are stored only in the nodes.
#[derive(Debug)]
pub(crate) struct Registry {
    nodes: Slab<Node>,
    by_id: HashTable<u32>,
    by_connection: HashTable<u32>,
    keys: Keys,
}

impl Registry {
    pub(crate) const fn new(keys: Keys) -> Self {
        Self { nodes: Slab::new(), by_id: HashTable::new(), by_connection: HashTable::new(), keys }
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

    pub(in crate::agents) fn get_mut(&mut self, index: u32) -> Option<&mut Node> {
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
        let same = |&index: &u32| self.nodes.get(index).is_some_and(|node| node.id() == *id);
        self.by_id.find(self.keys.hash(id), same).copied()
    }

    /// As [`Self::find`] for each of them. A lookup mostly waits for memory, and these wait together: none depends on another.
    pub(crate) fn find_all(&self, ids: &[NodeId]) -> Vec<Option<u32>> {
        let hashes: Vec<u64> = ids.iter().map(|id| self.keys.hash(id)).collect();
        // The first entry with the same bits of its hash is nearly always the node.
        let found: Vec<Option<u32>> = hashes.iter().map(|hash| self.by_id.find(*hash, |_| true).copied()).collect();
        let is_same = |index: u32, id: &NodeId| self.nodes.get(index).is_some_and(|node| node.id() == *id);
        let all = ids.iter().zip(found);
        all.map(|(id, index)| index.filter(|index| is_same(*index, id)).or_else(|| self.find(id))).collect()
    }

    pub(crate) fn at_connection(&self, connection: ConnectionId) -> Option<u32> {
        let same = |&index: &u32| self.nodes.get(index).is_some_and(|node| node.connection() == Some(connection));
        self.by_connection.find(self.keys.hash(&connection), same).copied()
    }

    pub(crate) fn insert(&mut self, node: Node) -> Option<u32> {
        let hash = self.keys.hash(&node.id());
        let index = self.nodes.insert(node)?.index;
        let (nodes, keys) = (&self.nodes, self.keys);
        self.by_id.insert_unique(hash, index, |&i| nodes.get(i).map_or(0, |node| keys.hash(&node.id())));
        Some(index)
    }

    /// Adds the node of a stored row, which is not found before [`Self::index_restored`].
    pub(in crate::agents) fn restore(&mut self, node: Node) -> Option<u32> {
        Some(self.nodes.insert(node)?.index)
    }

    /// Makes restored nodes found, before any node is removed. An index that grows hashes all of its nodes again, so it grows at
    /// most once.
    pub(in crate::agents) fn index_restored(&mut self) {
        let (nodes, keys) = (&self.nodes, self.keys);
        let hash_of = |index: u32| nodes.get(index).map_or(0, |node| keys.hash(&node.id()));
        self.by_id.reserve(nodes.len().saturating_sub(self.by_id.len()), |&index| hash_of(index));
        // Nodes have their indexes in the order in which they came.
        for index in u32::try_from(self.by_id.len()).unwrap_or(u32::MAX)..nodes.capacity() {
            self.by_id.insert_unique(hash_of(index), index, |&index| hash_of(index));
        }
    }

    pub(crate) fn remove(&mut self, index: u32) -> Option<Node> {
        self.set_connection(index, None);
        let id = self.nodes.get(index)?.id();
        if let Ok(entry) = self.by_id.find_entry(self.keys.hash(&id), |&i| i == index) {
            entry.remove();
        }
        self.nodes.remove(index)
    }

    /// Sets or removes a node's connection.
    pub(crate) fn set_connection(&mut self, index: u32, connection: Option<ConnectionId>) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        let old = node.set_connection(connection);
        if let Some(old) = old
            && let Ok(entry) = self.by_connection.find_entry(self.keys.hash(&old), |&i| i == index)
        {
            entry.remove();
        }
        if let Some(connection) = connection {
            let (nodes, keys) = (&self.nodes, self.keys);
            let hash = keys.hash(&connection);
            self.by_connection.insert_unique(hash, index, |&i| {
                nodes.get(i).and_then(Node::connection).map_or(0, |connection| keys.hash(&connection))
            });
        }
    }

    /// The number of entries in the index of connections.
    pub(crate) fn connections(&self) -> usize {
        self.by_connection.len()
    }
}

#[cfg(test)]
impl Registry {
    pub(crate) fn heap_bytes(&self) -> usize {
        self.nodes.heap_bytes() + self.by_id.allocation_size() + self.by_connection.allocation_size()
    }
}
