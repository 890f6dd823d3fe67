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
}

/// A fee of this many basis points is everything.
const WHOLE_BPS: u128 = 10_000;

impl UnpaidCosts {
    pub(crate) fn restore(&mut self, row: UnpaidRow) {
        self.rows.insert((row.payer, row.entry), row);
    }

    /// Forgets a cost by its entry.
    pub(crate) fn delete(&mut self, entry: u64) {
        self.rows.retain(|(_, number), _| *number != entry);
    }

    /// The rows by entry.
    pub(crate) fn rows(&self) -> impl Iterator<Item = UnpaidRow> {
        let rows: BTreeMap<u64, UnpaidRow> = self.rows.values().map(|row| (row.entry, *row)).collect();
        rows.into_values()
    }

    /// The oldest cost of a payer that is not wholly secured.
    fn oldest(&self, payer: Account) -> Option<UnpaidRow> {
        self.rows.range((payer, 0)..=(payer, u64::MAX)).next().map(|(_, row)| *row)
    }
}

impl Ledger {
    /// Posts what a finished billing period cost, if somebody pays for it. The payer's meter moves on by the cost.
    pub(crate) fn charge(&mut self, output: &mut Output, period: &MeteredPeriod) {
        let (Some(payer), Some(payee)) = (period.lease.payer, period.lease.payee) else { return };
        let (cost, figures) = (period.total_cost(), self.payer(payer));
        self.cost_posted(payer, cost, output.now);
        if cost == Amount::ZERO {
            return;
        }
        // In the order of the meter: what ended before is secured first.
        let first = self.unpaid.oldest(payer).is_none();
        let left = figures.secured().checked_sub(figures.metered).unwrap_or_default();
        let collected = if first { left.min(cost) } else { Amount::ZERO };
        let fee_bps = period.lease.fee_bps;
        let transaction = Transaction::Lease {
            payer,
            payee,
            lease: period.lease.id,
            row: period.lease.row,
            from: figures.metered,
            cost,
            collected,
            fee: fee(collected, fee_bps),
        };
        let Some(LedgerEntry { number: entry, .. }) = self.post(output, transaction) else { return };
        if collected < cost {
            self.keep_unpaid(output, UnpaidRow { entry, payer, payee, fee_bps, cost, collected });
        }
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

    /// Collects the oldest cost of a payer, as far as it is secured. Returns false if nothing is left to collect.
    fn collect_one(&mut self, output: &mut Output, payer: Account) -> bool {
        let (Some(row), figures) = (self.unpaid.oldest(payer), self.payer(payer)) else { return false };
        let secured = figures.secured().checked_sub(figures.collected).unwrap_or_default();
        let left = row.cost.checked_sub(row.collected).unwrap_or_default();
        let amount = secured.min(left);
        let collected = row.collected.checked_add(amount).unwrap_or(row.cost);
        let before = fee(row.collected, row.fee_bps);
        let fee = fee(collected, row.fee_bps).checked_sub(before).unwrap_or_default();
        let UnpaidRow { entry, payee, .. } = row;
        let posted = amount > Amount::ZERO
            && self.post(output, Transaction::Collected { payer, payee, entry, amount, fee }).is_some();
        if !posted {
            return false;
        }
        if collected == row.cost {
            self.unpaid.rows.remove(&(payer, entry));
            output.persist(Row::Delete(RowKey::Unpaid(entry)));
        } else {
            self.keep_unpaid(output, UnpaidRow { collected, ..row });
        }
        true
    }

    fn keep_unpaid(&mut self, output: &mut Output, row: UnpaidRow) {
        self.unpaid.restore(row);
        output.persist(Row::Unpaid(row));
    }
}

/// The operator's fee on an amount, in basis points, rounded down in the host's favor: `floor(paid × bps / 10,000)`.
fn fee(paid: Amount, bps: u16) -> Amount {
    let bps = u128::from(bps).min(WHOLE_BPS);
    let (whole, rest) = (paid.get() / WHOLE_BPS, paid.get() % WHOLE_BPS);
    // Neither product is above the amount or 10^8.
    let of_rest = rest.saturating_mul(bps) / WHOLE_BPS;
    Amount::new(whole.saturating_mul(bps).saturating_add(of_rest))
}
