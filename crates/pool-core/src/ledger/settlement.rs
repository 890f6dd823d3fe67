use std::collections::{BTreeMap, BTreeSet};

use vipnode_types::{Account, Amount, Ms};

use crate::{PayoutRow, PayoutState, Row, RowKey, SettlementPeriodRow, ledger::Ledger, output::Output};

/// The newest settlement period, and what the operator has to pay for the newest ones.
#[derive(Debug, Default)]
pub(crate) struct Settlement {
    newest: Option<SettlementPeriodRow>,
    payouts: BTreeMap<u64, PayoutRow>,
    /// The first payout of each period.
    periods: BTreeMap<u64, u64>,
    /// The payouts that the operator has not marked.
    due: BTreeSet<u64>,
}

impl Settlement {
    pub(crate) const fn restore(&mut self, row: SettlementPeriodRow) {
        self.newest = Some(row);
    }

    pub(crate) fn restore_payout(&mut self, row: PayoutRow) {
        let first = self.periods.entry(row.period).or_insert(row.number);
        *first = row.number.min(*first);
        if row.state == PayoutState::Due {
            self.due.insert(row.number);
        } else {
            self.due.remove(&row.number);
        }
        self.payouts.insert(row.number, row);
    }

    /// Forgets a payout by its number.
    pub(crate) fn delete(&mut self, number: u64) {
        self.due.remove(&number);
        let Some(row) = self.payouts.remove(&number) else { return };
        let next = self.payouts.range(number..).next().map(|(_, row)| *row).filter(|next| next.period == row.period);
        if self.periods.get(&row.period) == Some(&number) {
            match next {
                Some(next) => self.periods.insert(row.period, next.number),
                None => self.periods.remove(&row.period),
            };
        }
    }

    /// The rows that a store holds: the newest period, and the payouts by number.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> {
        self.newest.map(Row::Period).into_iter().chain(self.payouts.values().copied().map(Row::Payout))
    }

    /// The number of the next settlement period; the first is 1.
    pub(crate) fn next_period(&self) -> u64 {
        self.newest.map_or(1, |newest| newest.number.saturating_add(1))
    }

    /// The payout with a number.
    pub(crate) fn payout(&self, number: u64) -> Option<PayoutRow> {
        self.payouts.get(&number).copied()
    }

    /// The payouts of a settlement period, by number, after a number.
    pub(crate) fn of_period(&self, period: u64, after: Option<u64>) -> impl Iterator<Item = PayoutRow> {
        let first = self.periods.get(&period).copied();
        let from = first.map(|first| first.max(after.map_or(0, |after| after.saturating_add(1))));
        let rows = from.into_iter().flat_map(|from| self.payouts.range(from..)).map(|(_, row)| *row);
        rows.take_while(move |row| row.period == period)
    }

    /// The number of payouts that the operator has not marked.
    pub(crate) fn unmarked(&self) -> usize {
        self.due.len()
    }

    /// Begins the payouts of the next settlement period, and forgets those of periods long ago. All of them are marked.
    pub(crate) fn close(&mut self, output: &mut Output, now: Ms, payable: impl Iterator<Item = (Account, Amount)>) {
        let period = SettlementPeriodRow { number: self.next_period(), closed: now };
        self.newest = Some(period);
        output.persist(Row::Period(period));
        let mut number = self.payouts.last_key_value().map_or(0, |(number, _)| *number);
        for (payee, amount) in payable {
            number = number.saturating_add(1);
            let row = PayoutRow { number, period: period.number, payee, amount, state: PayoutState::Due };
            self.set(output, row);
        }
        self.forget_old(output, period.number);
    }

    /// The payout with the largest number stays, so that no number is used again.
    fn forget_old(&mut self, output: &mut Output, newest: u64) {
        let last = self.payouts.last_key_value().map(|(number, _)| *number);
        while let Some((number, row)) = self.payouts.first_key_value()
            && row.period.saturating_add(SettlementPeriodRow::WITH_PAYOUTS) <= newest
            && row.state != PayoutState::Due
            && Some(*number) != last
        {
            let number = *number;
            self.delete(number);
            output.persist(Row::Delete(RowKey::Payout(number)));
        }
    }

    /// Stores a payout.
    pub(crate) fn set(&mut self, output: &mut Output, row: PayoutRow) {
        self.restore_payout(row);
        output.persist(Row::Payout(row));
    }
}

impl Ledger {
    /// The number of the next settlement period; the first is 1.
    pub(crate) fn next_settlement_period(&self) -> u64 {
        self.settlement.next_period()
    }

    /// The payout with a number.
    pub(crate) fn payout(&self, number: u64) -> Option<PayoutRow> {
        self.settlement.payout(number)
    }

    /// The payouts of a settlement period, by number, after a number.
    pub(crate) fn payouts_of(&self, period: u64, after: Option<u64>) -> impl Iterator<Item = PayoutRow> {
        self.settlement.of_period(period, after)
    }

    /// How many payouts the operator has not marked.
    pub(crate) fn unmarked_payouts(&self) -> usize {
        self.settlement.unmarked()
    }

    /// Stores a payout.
    pub(crate) fn set_payout(&mut self, output: &mut Output, row: PayoutRow) {
        self.settlement.set(output, row);
    }

    /// Begins the payouts of the next settlement period, and forgets those of periods long ago. All of them are marked.
    pub(crate) fn close_period(
        &mut self,
        output: &mut Output,
        now: Ms,
        payable: impl Iterator<Item = (Account, Amount)>,
    ) {
        self.settlement.close(output, now, payable);
    }
}
