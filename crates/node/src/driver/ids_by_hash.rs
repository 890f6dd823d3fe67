use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use vipnode_types::{Hash256, NodeId};

use crate::limits::MAX_NAMES;

/// Which key belongs to a hash: peer events name a peer by the keccak hash of its key only.
///
/// Holds the last [`MAX_NAMES`] ids that were seen; the oldest is forgotten first.
#[derive(Debug, Default)]
pub(crate) struct IdsByHash(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    by_hash: BTreeMap<Hash256, NodeId>,
    by_id: BTreeMap<NodeId, Hash256>,
    order: VecDeque<NodeId>,
}

impl IdsByHash {
    pub(crate) fn learn(&self, id: NodeId) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if book.by_id.contains_key(&id) {
            return;
        }
        let hash = id.devp2p_hash();
        book.by_id.insert(id, hash);
        book.by_hash.insert(hash, id);
        book.order.push_back(id);
        if book.order.len() > MAX_NAMES
            && let Some(oldest) = book.order.pop_front()
            && let Some(hash) = book.by_id.remove(&oldest)
        {
            book.by_hash.remove(&hash);
        }
    }

    pub(crate) fn find(&self, hash: &Hash256) -> Option<NodeId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_hash.get(hash).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_name_goes_first() {
        let names = IdsByHash::default();
        let id = |n: usize| {
            let mut bytes = [0; 64];
            bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
            NodeId::new(bytes)
        };
        for n in 0..=MAX_NAMES {
            names.learn(id(n));
        }
        assert_eq!(names.find(&id(0).devp2p_hash()), None);
        assert_eq!(names.find(&id(1).devp2p_hash()), Some(id(1)));
        assert_eq!(names.find(&id(MAX_NAMES).devp2p_hash()), Some(id(MAX_NAMES)));
    }
}
