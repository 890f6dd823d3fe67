use std::collections::BTreeMap;

use vipnode_types::{Account, Amount};

use crate::{
    LedgerEntry, MeteredPeriod, Row, RowKey, UnpaidRow,
    ledger::{Ledger, transaction::Transaction},
    output::Output,
};

/// Costs that were not secured when their period ended, by payer and in the order of the journal.
#[derive(Debug, Default)]
pub(crate) struct UnpaidCosts {
    rows: BTreeMap<(Account, u64), UnpaidRow>,
    /// The payer of each entry.
    payers: BTreeMap<u64, Account>,
}

impl UnpaidCosts {
    pub(crate) fn restore(&mut self, row: UnpaidRow) {
        self.payers.insert(row.entry, row.payer);
        self.rows.insert((row.payer, row.entry), row);
    }

    /// Forgets a cost by its entry.
    pub(crate) fn delete(&mut self, entry: u64) {
        if let Some(payer) = self.payers.remove(&entry) {
            self.rows.remove(&(payer, entry));
        }
    }

    /// The rows by entry.
    pub(crate) fn rows(&self) -> impl Iterator<Item = UnpaidRow> {
        self.payers.iter().filter_map(|(entry, payer)| self.rows.get(&(*payer, *entry)).copied())
    }

    /// The cost of an entry.
    pub(crate) fn find(&self, entry: u64) -> Option<UnpaidRow> {
        self.rows.get(&(*self.payers.get(&entry)?, entry)).copied()
    }

    /// The oldest cost of a payer that is not fully secured.
    fn oldest(&self, payer: Account) -> Option<UnpaidRow> {
        self.rows.range((payer, 0)..=(payer, u64::MAX)).next().map(|(_, row)| *row)
    }
}

impl Ledger {
    /// Posts what a finished billing period cost, if an account pays for it. The payer's meter moves on by the cost. Returns the number of
    /// the entry.
    pub(crate) fn charge(&mut self, output: &mut Output, period: &MeteredPeriod) -> Option<u64> {
        let (payer, payee) = (period.lease.payer?, period.lease.payee?);
        let (cost, figures) = (period.total_cost(), self.payer(payer));
        self.cost_posted(payer, cost, output.now);
        // A statement shows a trial too.
        if cost == Amount::ZERO && !period.lease.trial {
            return None;
        }
        // In the order of the meter: what ended before is secured first.
        let first = self.unpaid.oldest(payer).is_none();
        let left = figures.secured().checked_sub(figures.metered).unwrap_or_default();
        let collected = if first { left.min(cost) } else { Amount::ZERO };
        let fee_bps = period.lease.fee_bps;
        let row = |entry| UnpaidRow { entry, payer, payee, fee_bps, cost, collected };
        let transaction = Transaction::Lease {
            payer,
            payee,
            lease: period.lease.id,
            row: period.lease.row,
            from: figures.metered,
            cost,
            collected,
            fee: row(0).fee(),
        };
        let LedgerEntry { number: entry, .. } = self.post(output, transaction)?;
        if collected < cost {
            self.keep_unpaid(output, row(entry));
        }
        Some(entry)
    }

    /// Collects what a payer's newer credit secures of its earlier costs, at most `most` of them; the next step collects the rest.
    pub(crate) fn collect(&mut self, output: &mut Output, payer: Account, most: u32) {
        self.collecting.remove(&payer);
        for _ in 0..most {
            if !self.collect_one(output, payer) {
                return;
            }
        }
        self.collecting.insert(payer);
    }

    /// Collects the rest of one payer, if there is any.
    pub(crate) fn collect_rest(&mut self, output: &mut Output, most: u32) {
        if let Some(payer) = self.collecting.first().copied() {
            self.collect(output, payer, most);
        }
    }

    /// Collects the secured part of the oldest cost of a payer. Returns false if nothing is left to collect.
    fn collect_one(&mut self, output: &mut Output, payer: Account) -> bool {
        let (Some(row), figures) = (self.unpaid.oldest(payer), self.payer(payer)) else { return false };
        let secured = figures.secured().checked_sub(figures.collected).unwrap_or_default();
        let left = row.cost.checked_sub(row.collected).unwrap_or_default();
        let amount = secured.min(left);
        let collected = row.collected.checked_add(amount).unwrap_or(row.cost);
        let fee = UnpaidRow { collected, ..row }.fee().checked_sub(row.fee()).unwrap_or_default();
        let UnpaidRow { entry, payee, .. } = row;
        let posted = amount > Amount::ZERO
            && self.post(output, Transaction::Collected { payer, payee, entry, amount, fee }).is_some();
        if !posted {
            return false;
        }
        if collected == row.cost {
            self.unpaid.delete(entry);
            output.persist(Row::Delete(RowKey::Unpaid(entry)));
        } else {
            self.keep_unpaid(output, UnpaidRow { collected, ..row });
        }
        true
    }

    /// The cost of an entry that is not fully secured.
    pub(crate) fn unpaid_cost(&self, entry: u64) -> Option<UnpaidRow> {
        self.unpaid.find(entry)
    }

    /// The rest of a cost was written off.
    pub(crate) fn written_off(&mut self, output: &mut Output, entry: u64) {
        self.unpaid.delete(entry);
        output.persist(Row::Delete(RowKey::Unpaid(entry)));
    }

    fn keep_unpaid(&mut self, output: &mut Output, row: UnpaidRow) {
        self.unpaid.restore(row);
        output.persist(Row::Unpaid(row));
    }
}
