use std::hash::Hash;

use hashbrown::HashTable;

use crate::collections::{
    seeded_rng::Keys,
    slab::{Handle, Slab},
};

/// Values that many rows share, stored once with a use count; a value without a use is forgotten.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    entries: Slab<(T, u32)>,
    index: HashTable<u32>,
    keys: Keys,
    limit: usize,
}

impl<T: Eq + Hash> Interner<T> {
    pub(crate) const fn new(keys: Keys, limit: usize) -> Self {
        Self { entries: Slab::new(), index: HashTable::new(), keys, limit }
    }

    /// Returns the number of a value and counts one more use. `None` if the limit of different values is reached.
    pub(crate) fn acquire(&mut self, value: T) -> Option<u32> {
        self.acquire_within(value, self.limit)
    }

    /// As [`Self::acquire`], without the limit, for values accepted under a larger one.
    pub(crate) fn acquire_past_limit(&mut self, value: T) -> Option<u32> {
        self.acquire_within(value, usize::MAX)
    }

    fn acquire_within(&mut self, value: T, limit: usize) -> Option<u32> {
        let hash = self.keys.hash(&value);
        if let Some(number) = self.find(hash, &value) {
            let (_, uses) = self.entries.get_mut(number)?;
            *uses = uses.saturating_add(1);
            return Some(number);
        }
        if self.entries.len() >= limit {
            return None;
        }
        let number = self.entries.insert((value, 1))?.index;
        let (entries, keys) = (&self.entries, self.keys);
        self.index.insert_unique(hash, number, |&n| entries.get(n).map_or(0, |(value, _)| keys.hash(value)));
        Some(number)
    }

    /// Counts one more use of a number that is in use.
    pub(crate) fn share(&mut self, number: u32) {
        if let Some((_, uses)) = self.entries.get_mut(number) {
            *uses = uses.saturating_add(1);
        }
    }

    /// The handle of a number in use: it never names another value.
    pub(crate) fn handle(&self, number: u32) -> Option<Handle> {
        self.entries.handle(number)
    }

    /// Returns the number of a value that is in use.
    pub(crate) fn number(&self, value: &T) -> Option<u32> {
        self.find(self.keys.hash(value), value)
    }

    /// Removes a use that [`Self::acquire`] counted. Returns true if it was the last one.
    pub(crate) fn release(&mut self, number: u32) -> bool {
        let Some((value, uses)) = self.entries.get_mut(number) else { return false };
        *uses = uses.saturating_sub(1);
        if *uses > 0 {
            return false;
        }
        let hash = self.keys.hash(value);
        if let Ok(entry) = self.index.find_entry(hash, |&n| n == number) {
            entry.remove();
        }
        self.entries.remove(number);
        true
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.entries.get(number).map(|(value, _)| value)
    }

    /// The use count of each number, for checks.
    pub(crate) fn uses(&self) -> std::collections::BTreeMap<u32, u32> {
        self.entries.iter().map(|(number, (_, uses))| (number, *uses)).collect()
    }

    fn find(&self, hash: u64, value: &T) -> Option<u32> {
        self.index.find(hash, |&n| self.entries.get(n).is_some_and(|(other, _)| other == value)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collections::seeded_rng::SeededRng;

    #[test]
    fn equal_values_share_a_number_until_the_last_is_gone() {
        let mut interner = Interner::new(SeededRng::new([0; 32]).keys(), 2);
        let a = interner.acquire("a").unwrap();
        assert_eq!(interner.acquire("a"), Some(a));
        let b = interner.acquire("b").unwrap();
        assert_eq!(interner.acquire("c"), None, "the limit holds");
        interner.share(a);
        assert!(!interner.release(a));
        assert!(!interner.release(a));
        assert!(interner.release(a));
        assert_eq!(interner.get(a), None);
        assert_eq!((interner.get(b), interner.number(&"b"), interner.number(&"a")), (Some(&"b"), Some(b), None));
        assert!(interner.acquire("c").is_some());
    }
}
