use std::collections::BTreeMap;

use crate::LedgerEntry;

/// The newest entry of the ledger, and those with an idempotency key. The others are only in the store.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    newest: Option<LedgerEntry>,
    /// By number.
    keyed: BTreeMap<u64, LedgerEntry>,
    /// The number of the newest entry with each key.
    numbers: BTreeMap<String, u64>,
}

impl Entries {
    /// The number of the next entry; the first is 1.
    pub(crate) fn next(&self) -> u64 {
        self.newest.as_ref().map_or(1, |entry| entry.number.saturating_add(1))
    }

    /// Takes in an entry.
    pub(crate) fn take(&mut self, entry: LedgerEntry) {
        if let Some(key) = key(&entry) {
            self.numbers.insert(key.to_owned(), entry.number);
            self.keyed.insert(entry.number, entry.clone());
        }
        if entry.number >= self.next() {
            self.newest = Some(entry);
        }
    }

    /// The entry with an idempotency key.
    pub(crate) fn keyed(&self, key: &str) -> Option<&LedgerEntry> {
        self.numbers.get(key).and_then(|number| self.keyed.get(number))
    }

    /// The number of entries with an idempotency key.
    pub(crate) fn keys(&self) -> usize {
        self.keyed.len()
    }

    /// Forgets the keys of the entries up to a number.
    pub(crate) fn forget(&mut self, last: u64) {
        while let Some(entry) = self.keyed.first_entry().filter(|entry| *entry.key() <= last) {
            let (number, entry) = entry.remove_entry();
            if let Some(key) = key(&entry).filter(|key| self.numbers.get(*key) == Some(&number)) {
                self.numbers.remove(key);
            }
        }
    }

    /// The entries that a store returns when it is loaded, by number.
    pub(crate) fn kept(&self) -> impl Iterator<Item = LedgerEntry> {
        let newest = self.newest.iter().filter(|newest| !self.keyed.contains_key(&newest.number));
        self.keyed.values().chain(newest).cloned()
    }
}

fn key(entry: &LedgerEntry) -> Option<&str> {
    entry.transaction.order()?.key.as_deref()
}
