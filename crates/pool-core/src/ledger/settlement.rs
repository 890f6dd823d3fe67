use std::collections::BTreeMap;

use crate::{PayoutRow, Row, SettlementPeriodRow};

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
}
