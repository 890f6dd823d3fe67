use hashbrown::HashTable;
use vipnode_types::LeaseId;

use crate::{
    collections::seeded_rng::Keys,
    collections::slab::{NIL, Slab},
    leases::lease::{Lease, ListLink},
};

/// All leases, indexed by id, listed by node, and ordered by the start of their rows.
#[derive(Debug)]
pub(crate) struct LeaseTable {
    leases: Slab<Lease>,
    index: HashTable<u32>,
    keys: Keys,
    oldest: u32,
    youngest: u32,
}

/// The lists that link the leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// The leases of a client.
    Client,
    /// The leases of a host.
    Host,
    /// The leases with a running period, by its start.
    Age,
}

impl LeaseTable {
    pub(crate) const fn new(keys: Keys) -> Self {
        Self { leases: Slab::new(), index: HashTable::new(), keys, oldest: NIL, youngest: NIL }
    }

    pub(crate) const fn len(&self) -> usize {
        self.leases.len()
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Lease> {
        self.leases.get(index)
    }

    pub(in crate::leases) fn get_mut(&mut self, index: u32) -> Option<&mut Lease> {
        self.leases.get_mut(index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Lease)> {
        self.leases.iter()
    }

    pub(crate) fn find(&self, id: LeaseId) -> Option<u32> {
        let same = |&index: &u32| self.leases.get(index).is_some_and(|lease| lease.id() == id);
        self.index.find(self.keys.hash(&id), same).copied()
    }

    /// Adds a lease; the caller links it.
    pub(in crate::leases) fn insert(&mut self, lease: Lease) -> Option<u32> {
        let hash = self.keys.hash(&lease.id());
        let index = self.leases.insert(lease)?.index;
        let (leases, keys) = (&self.leases, self.keys);
        self.index.insert_unique(hash, index, |&i| leases.get(i).map_or(0, |lease| keys.hash(&lease.id())));
        Some(index)
    }

    /// Adds the lease of a stored row, which is not found before [`Self::index_restored`]; the caller links it.
    pub(in crate::leases) fn restore(&mut self, lease: Lease) -> Option<u32> {
        Some(self.leases.insert(lease)?.index)
    }

    /// Makes restored leases found, before any lease is removed. An index that grows hashes all of its leases again, so it grows
    /// at most once.
    pub(in crate::leases) fn index_restored(&mut self) {
        let (leases, keys) = (&self.leases, self.keys);
        let hash_of = |index: u32| leases.get(index).map_or(0, |lease| keys.hash(&lease.id()));
        self.index.reserve(leases.len().saturating_sub(self.index.len()), |&index| hash_of(index));
        // Leases have their indexes in the order in which they came.
        for index in u32::try_from(self.index.len()).unwrap_or(u32::MAX)..leases.capacity() {
            self.index.insert_unique(hash_of(index), index, |&index| hash_of(index));
        }
    }

    /// Removes a lease; the caller has unlinked it.
    pub(in crate::leases) fn remove(&mut self, index: u32) -> Option<Lease> {
        let id = self.leases.get(index)?.id();
        if let Ok(entry) = self.index.find_entry(self.keys.hash(&id), |&i| i == index) {
            entry.remove();
        }
        self.leases.remove(index)
    }

    /// Links a lease in front of the list that begins at `head`. Returns the new head.
    pub(in crate::leases) fn link(&mut self, list: List, head: u32, index: u32) -> u32 {
        self.set_link(list, index, ListLink { prev: NIL, next: head });
        self.set_prev(list, head, index);
        index
    }

    /// Unlinks a lease from the list that begins at `head`. Returns the new head.
    pub(in crate::leases) fn unlink(&mut self, list: List, head: u32, index: u32) -> u32 {
        let Some(ListLink { prev, next }) = self.link_of(list, index) else { return head };
        self.set_next(list, prev, next);
        self.set_prev(list, next, prev);
        self.set_link(list, index, ListLink::NONE);
        if head == index { next } else { head }
    }

    /// Iterates over the list that begins at `head`.
    pub(crate) fn walk(&self, list: List, head: u32) -> impl Iterator<Item = (u32, &Lease)> {
        let mut at = head;
        std::iter::from_fn(move || {
            let lease = self.leases.get(at)?;
            let here = at;
            at = self.link_of(list, here).map_or(NIL, |link| link.next);
            Some((here, lease))
        })
    }

    /// The lease with the oldest running period.
    pub(crate) fn oldest(&self) -> Option<u32> {
        (self.oldest != NIL).then_some(self.oldest)
    }

    /// Makes a lease's row the youngest.
    pub(in crate::leases) fn period_begins(&mut self, index: u32) {
        self.period_ends(index);
        let last = self.youngest;
        self.set_link(List::Age, index, ListLink { prev: last, next: NIL });
        self.set_next(List::Age, last, index);
        self.youngest = index;
        if self.oldest == NIL {
            self.oldest = index;
        }
    }

    /// Removes a lease from the order of rows, if it is there.
    pub(in crate::leases) fn period_ends(&mut self, index: u32) {
        if self.youngest == index {
            self.youngest = self.link_of(List::Age, index).map_or(NIL, |link| link.prev);
        }
        self.oldest = self.unlink(List::Age, self.oldest, index);
    }

    fn link_of(&self, list: List, index: u32) -> Option<ListLink> {
        let lease = self.leases.get(index)?;
        Some(match list {
            List::Client => lease.client_link,
            List::Host => lease.host_link,
            List::Age => lease.age_link,
        })
    }

    fn set_link(&mut self, list: List, index: u32, link: ListLink) {
        let Some(lease) = self.leases.get_mut(index) else { return };
        match list {
            List::Client => lease.client_link = link,
            List::Host => lease.host_link = link,
            List::Age => lease.age_link = link,
        }
    }

    fn set_prev(&mut self, list: List, index: u32, prev: u32) {
        if let Some(link) = self.link_of(list, index) {
            self.set_link(list, index, ListLink { prev, ..link });
        }
    }

    fn set_next(&mut self, list: List, index: u32, next: u32) {
        if let Some(link) = self.link_of(list, index) {
            self.set_link(list, index, ListLink { next, ..link });
        }
    }
}

#[cfg(test)]
impl LeaseTable {
    pub(crate) fn heap_bytes(&self) -> usize {
        self.leases.heap_bytes() + self.index.allocation_size()
    }
}
