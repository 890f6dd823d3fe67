use std::collections::BTreeMap;

use crate::LedgerEntry;

/// The newest entry of the ledger, and those with an idempotency key. The others are only in the store.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    newest: Option<LedgerEntry>,
    keyed: BTreeMap<String, LedgerEntry>,
}

impl Entries {
    /// The number of the next entry; the first is 1.
    pub(crate) fn next(&self) -> u64 {
        self.newest.as_ref().map_or(1, |entry| entry.number.saturating_add(1))
    }

    /// Takes in an entry.
    pub(crate) fn take(&mut self, entry: LedgerEntry) {
        if let Some(key) = entry.transaction.order().and_then(|order| order.key.clone()) {
            self.keyed.insert(key, entry.clone());
        }
        if entry.number >= self.next() {
            self.newest = Some(entry);
        }
    }

    /// The entry with an idempotency key.
    pub(crate) fn keyed(&self, key: &str) -> Option<&LedgerEntry> {
        self.keyed.get(key)
    }

    /// The entries that a store returns when it is loaded, by number.
    pub(crate) fn kept(&self) -> impl Iterator<Item = LedgerEntry> {
        let kept = self.keyed.values().chain(&self.newest);
        let by_number: BTreeMap<u64, LedgerEntry> = kept.map(|entry| (entry.number, entry.clone())).collect();
        by_number.into_values()
    }
}
