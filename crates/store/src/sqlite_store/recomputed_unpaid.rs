use std::collections::{BTreeMap, BTreeSet};

use vipnode_pool_core::UnpaidRow;
use vipnode_types::Account;

/// The costs that the entries of a ledger leave unpaid.
#[derive(Default)]
pub(super) struct RecomputedUnpaid {
    rows: BTreeMap<u64, UnpaidRow>,
    by_payer: BTreeSet<(Account, u64)>,
}

impl RecomputedUnpaid {
    /// Adds a cost, or replaces it.
    pub(super) fn set(&mut self, row: UnpaidRow) {
        self.by_payer.insert((row.payer, row.entry));
        self.rows.insert(row.entry, row);
    }

    /// Removes the cost of an entry.
    pub(super) fn take(&mut self, entry: u64) -> Option<UnpaidRow> {
        let row = self.rows.remove(&entry)?;
        self.by_payer.remove(&(row.payer, entry));
        Some(row)
    }

    /// The entry of a payer's oldest unpaid cost.
    pub(super) fn oldest(&self, payer: Account) -> Option<u64> {
        self.by_payer.range((payer, 0)..=(payer, u64::MAX)).next().map(|(_, entry)| *entry)
    }

    /// The costs by entry.
    pub(super) fn into_rows(self) -> impl Iterator<Item = UnpaidRow> {
        self.rows.into_values()
    }
}
