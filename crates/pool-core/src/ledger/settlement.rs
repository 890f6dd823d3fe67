use std::collections::BTreeMap;

use vipnode_types::{Account, Amount, Ms};

use crate::{PayoutRow, PayoutState, Row, SettlementPeriodRow, output::Output};

/// The newest settlement period, and what the operator has to pay for each.
#[derive(Debug, Default)]
pub(crate) struct Settlement {
    newest: Option<SettlementPeriodRow>,
    payouts: BTreeMap<u64, PayoutRow>,
}

impl Settlement {
    pub(crate) const fn restore(&mut self, row: SettlementPeriodRow) {
        self.newest = Some(row);
    }

    pub(crate) fn restore_payout(&mut self, row: PayoutRow) {
        self.payouts.insert(row.number, row);
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

    /// The payouts of a settlement period, by number.
    pub(crate) fn of_period(&self, period: u64) -> impl Iterator<Item = PayoutRow> {
        self.payouts.values().copied().filter(move |row| row.period == period)
    }

    /// The number of payouts that the operator has not marked.
    pub(crate) fn unmarked(&self) -> usize {
        self.payouts.values().filter(|row| row.state == PayoutState::Due).count()
    }

    /// Begins the payouts of the next settlement period.
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
    }

    /// Stores a payout.
    pub(crate) fn set(&mut self, output: &mut Output, row: PayoutRow) {
        self.restore_payout(row);
        output.persist(Row::Payout(row));
    }
}
