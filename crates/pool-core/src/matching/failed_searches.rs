use std::collections::BTreeMap;

use crate::{
    Limits,
    agents::node_class::LastingClass,
    collections::{address_block::AddressBlock, shared_queue::SharedQueue},
    matching::compatibility::Incompatibilities,
};

/// How far searches for clients of a class have come in the classes of hosts of a chain, where no class is compatible so
/// far.
///
/// A search looks at few classes, and the next one goes on where it ended. Each class of clients takes room, so address
/// blocks share it; beyond its share, a block loses its own oldest entry.
#[derive(Debug)]
pub(crate) struct FailedSearches {
    clients: BTreeMap<LastingClass, FailedSearch>,
    /// The same classes, the oldest first.
    order: SharedQueue<LastingClass>,
}

/// A search in which no class of hosts was compatible.
#[derive(Debug, Clone, Default)]
pub(crate) struct FailedSearch {
    /// All classes of hosts with lower numbers are incompatible.
    pub(crate) checked: u64,
    pub(crate) why: Incompatibilities,
}

impl FailedSearches {
    /// How far searches for a class of clients came, if they are remembered.
    pub(crate) fn get(&self, class: LastingClass) -> Option<&FailedSearch> {
        self.clients.get(&class)
    }

    /// Remembers how far a search came for a client in a block.
    pub(crate) fn remember(&mut self, class: LastingClass, search: FailedSearch, block: AddressBlock, limits: &Limits) {
        if let Some(known) = self.clients.get_mut(&class) {
            *known = search;
            return;
        }
        let most = limits.failed_searches;
        if most == 0 {
            return;
        }
        let (_, lost) = self.order.push(block, class, most, limits);
        self.clients.insert(class, search);
        if let Some(lost) = lost {
            self.clients.remove(&lost);
        }
    }
}

impl Default for FailedSearches {
    fn default() -> Self {
        Self { clients: BTreeMap::new(), order: SharedQueue::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collections::slab::Handle;

    fn class(number: u32) -> LastingClass {
        LastingClass::of_handles(Some(Handle { index: number, generation: 0 }), None)
    }

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    #[test]
    fn the_classes_of_one_block_push_out_nobody_elses() {
        let limits = Limits { failed_searches: 30, ..Limits::default() };
        let mut searches = FailedSearches::default();
        let add = |searches: &mut FailedSearches, number: u32, address: &str| {
            let search = FailedSearch { checked: number.into(), ..FailedSearch::default() };
            searches.remember(class(number), search, block(address), &limits);
        };
        add(&mut searches, 1_000, "9.9.9.9");
        for number in 0..100 {
            add(&mut searches, number, "8.8.8.8");
        }
        assert!(searches.get(class(1_000)).is_some() && searches.get(class(0)).is_none());
        assert_eq!(searches.get(class(99)).map(|search| search.checked), Some(99));
        assert!(searches.clients.len() <= 11, "a third");
        for number in 200..300 {
            add(&mut searches, number, &format!("{number}.1.1.1", number = number - 190));
        }
        assert!(searches.clients.len() <= 30 && searches.get(class(299)).is_some());
        assert_eq!(searches.clients.len(), searches.order.len());
        let none = Limits { failed_searches: 0, ..limits };
        let mut searches = FailedSearches::default();
        searches.remember(class(1), FailedSearch::default(), block("9.9.9.9"), &none);
        assert!(searches.clients.is_empty());
    }
}
