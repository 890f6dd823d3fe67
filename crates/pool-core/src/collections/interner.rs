use std::hash::Hash;

use hashbrown::HashTable;

use crate::collections::{
    address_block::AddressBlock,
    block_shares::BlockShares,
    seeded_rng::Keys,
    slab::{Handle, Slab},
};

/// Values that many rows share, stored once with a reference count; a value without a reference is forgotten.
///
/// A limit applies to the different values that are in use. Strangers choose these values, so address blocks share the
/// limit: the block that begins the use of a value pays for it until nobody uses it. One block can therefore not fill the
/// table, and what it filled is free again as soon as it leaves.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    entries: Slab<InternedValue<T>>,
    index: HashTable<u32>,
    keys: Keys,
    limit: u32,
    /// Values that are in use.
    in_use: u32,
    shares: BlockShares,
}

#[derive(Debug)]
struct InternedValue<T> {
    value: T,
    references: u32,
    /// References that count as uses.
    users: u32,
    /// The block that pays for it while it is in use.
    charged_to: Option<AddressBlock>,
}

/// Values that a block may always have in use while the table is not full, within [`BlockShares`]. In the rules
/// of `chains`, `versions`, and `profiles`.
const BLOCK_MINIMUM: u32 = 4;

impl<T: Eq + Hash> Interner<T> {
    pub(crate) const fn new(keys: Keys, limit: u32) -> Self {
        let shares = BlockShares::new(BLOCK_MINIMUM);
        Self { entries: Slab::new(), index: HashTable::new(), keys, limit, in_use: 0, shares }
    }

    /// Returns the number of a value and counts one more reference to it that does not count as a use.
    pub(crate) fn keep(&mut self, value: T) -> Option<u32> {
        let hash = self.keys.hash(&value);
        if let Some(number) = self.find(hash, &value) {
            let entry = self.entries.get_mut(number)?;
            entry.references = entry.references.saturating_add(1);
            return Some(number);
        }
        let number = self.entries.insert(InternedValue { value, references: 1, users: 0, charged_to: None })?.index;
        let (entries, keys) = (&self.entries, self.keys);
        self.index.insert_unique(hash, number, |&n| entries.get(n).map_or(0, |entry| keys.hash(&entry.value)));
        Some(number)
    }

    /// Removes a reference. Returns true if it was the last one.
    pub(crate) fn release(&mut self, number: u32) -> bool {
        let Some(entry) = self.entries.get_mut(number) else { return false };
        entry.references = entry.references.saturating_sub(1);
        if entry.references > 0 {
            return false;
        }
        let hash = self.keys.hash(&entry.value);
        if let Ok(entry) = self.index.find_entry(hash, |&n| n == number) {
            entry.remove();
        }
        self.entries.remove(number);
        true
    }

    /// Whether one more may use a value: it is in use, or the table has room for `charged_to`, which is `None` for nodes that no
    /// share limits.
    pub(crate) fn may_use(&self, value: &T, charged_to: Option<AddressBlock>) -> bool {
        let known = self.find(self.keys.hash(value), value).and_then(|number| self.entries.get(number));
        if known.is_some_and(|entry| entry.users > 0) {
            return true;
        }
        let free = self.limit.saturating_sub(self.in_use);
        charged_to.map_or(free > 0, |block| self.shares.may_take(block, free))
    }

    /// Counts a reference as a use.
    pub(crate) fn begin_use(&mut self, number: u32, charged_to: Option<AddressBlock>) {
        let Some(entry) = self.entries.get_mut(number) else { return };
        entry.users = entry.users.saturating_add(1);
        if entry.users == 1 {
            entry.charged_to = charged_to;
            self.in_use = self.in_use.saturating_add(1);
            charged_to.into_iter().for_each(|block| self.shares.take(block));
        }
    }

    /// Counts a reference as a use no longer.
    pub(crate) fn end_use(&mut self, number: u32) {
        let Some(entry) = self.entries.get_mut(number).filter(|entry| entry.users > 0) else { return };
        entry.users = entry.users.saturating_sub(1);
        if entry.users == 0 {
            self.in_use = self.in_use.saturating_sub(1);
            entry.charged_to.take().into_iter().for_each(|block| self.shares.give_back(block));
        }
    }

    /// Returns the number of a value and counts one more reference that is a use. `None` if [`Self::may_use`] is false.
    pub(crate) fn acquire(&mut self, value: T, charged_to: Option<AddressBlock>) -> Option<u32> {
        if !self.may_use(&value, charged_to) {
            return None;
        }
        let number = self.keep(value)?;
        self.begin_use(number, charged_to);
        Some(number)
    }

    /// Counts one more use of a number that is in use.
    pub(crate) fn share(&mut self, number: u32) {
        if let Some(entry) = self.entries.get_mut(number) {
            entry.references = entry.references.saturating_add(1);
            entry.users = entry.users.saturating_add(1);
        }
    }

    /// Removes a use that [`Self::acquire`] or [`Self::share`] counted.
    pub(crate) fn give_back(&mut self, number: u32) {
        self.end_use(number);
        self.release(number);
    }

    /// The handle of a known number: it never names another value.
    pub(crate) fn handle(&self, number: u32) -> Option<Handle> {
        self.entries.handle(number)
    }

    /// Returns the number of a known value.
    pub(crate) fn number(&self, value: &T) -> Option<u32> {
        self.find(self.keys.hash(value), value)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.entries.get(number).map(|entry| &entry.value)
    }

    /// Whether the table is full.
    pub(crate) const fn is_full(&self) -> bool {
        self.in_use >= self.limit
    }

    /// The number of references to each number, for checks.
    pub(crate) fn references(&self) -> std::collections::BTreeMap<u32, u32> {
        self.entries.iter().map(|(number, entry)| (number, entry.references)).collect()
    }

    /// The number of users of each number that has any, for checks.
    pub(crate) fn users(&self) -> std::collections::BTreeMap<u32, u32> {
        let users = self.entries.iter().map(|(number, entry)| (number, entry.users));
        users.filter(|(_, users)| *users > 0).collect()
    }

    fn find(&self, hash: u64, value: &T) -> Option<u32> {
        self.index.find(hash, |&n| self.entries.get(n).is_some_and(|entry| entry.value == *value)).copied()
    }
}

#[cfg(test)]
impl<T> Interner<T> {
    /// Bytes on the heap, not counting what the values point at.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.entries.heap_bytes() + self.index.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collections::seeded_rng::SeededRng;

    fn interner(limit: u32) -> Interner<&'static str> {
        Interner::new(SeededRng::new([0; 32]).keys(), limit)
    }

    #[test]
    fn equal_values_share_a_number_until_the_last_is_gone() {
        let mut interner = interner(2);
        let a = interner.acquire("a", None).unwrap();
        assert_eq!(interner.acquire("a", None), Some(a));
        let b = interner.acquire("b", None).unwrap();
        assert_eq!(interner.acquire("c", None), None, "the limit holds");
        interner.share(a);
        interner.give_back(a);
        interner.give_back(a);
        assert_eq!(interner.get(a), Some(&"a"));
        interner.give_back(a);
        assert_eq!(interner.get(a), None);
        assert_eq!(interner.get(b), Some(&"b"));
        assert!(interner.acquire("c", None).is_some());
    }

    #[test]
    fn a_value_that_is_only_kept_takes_no_room() {
        let mut interner = interner(1);
        let a = interner.acquire("a", None).unwrap();
        assert_eq!(interner.keep("a"), Some(a));
        interner.give_back(a);
        assert!(!interner.is_full() && interner.number(&"a").is_some());
        let b = interner.acquire("b", None).unwrap();
        assert!(!interner.may_use(&"a", None), "to use it again takes room again");
        interner.give_back(b);
        interner.begin_use(a, None);
        assert!(interner.may_use(&"a", None) && !interner.may_use(&"b", None));
        interner.end_use(a);
        assert!(interner.release(a) && interner.number(&"a").is_none());
    }

    #[test]
    fn blocks_share_the_room() {
        let names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let names: Vec<&'static str> = names.into_iter().map(|name| &*name.leak()).collect();
        let mut interner = interner(90);
        let block = |text: &str| Some(AddressBlock::of(text.parse().unwrap()));
        let used: Vec<u32> = names.iter().filter_map(|name| interner.acquire(name, block("8.8.8.8"))).collect();
        assert_eq!(used.len(), 30, "a block that is alone has a third");
        assert!(interner.acquire("new", block("9.9.9.9")).is_some());
        let first = *used.first().unwrap();
        interner.share(first);
        used.into_iter().for_each(|number| interner.give_back(number));
        assert!(interner.may_use(&"of the flood", block("8.8.8.8")));
        assert_eq!(interner.users().len(), 2);
    }
}
