use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::{Amount, LeaseId, MeterId};

/// A payment for a billing period that was posted earlier and was not fully secured then, in a
/// [`DailyStatement`](super::DailyStatement).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DailyCollected {
    /// The number of its entry in the pool's ledger.
    pub entry: u64,
    /// The number of the entry that billed the period.
    pub period: u64,
    /// ID of the lease.
    pub lease: LeaseId,
    /// The number of the billing period within the lease.
    pub row: u32,
    /// How much of the period's cost this payment secured.
    pub amount: Amount,
    /// The operator's fee on it.
    pub fee: Amount,
    /// The meter of its payer.
    pub meter: MeterId,
}

/// Totals of what was collected on a day for earlier billing periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CollectedSums {
    /// The number of payments.
    pub payments: u64,
    /// The amount that was secured.
    pub amount: Amount,
    /// The operator's fee on it.
    pub fee: Amount,
}

impl DailyCollected {
    pub(super) fn write(&self, text: &mut String) {
        let Self { entry, period, lease, row, amount, fee, meter } = self;
        let (amount, fee) = (amount.get(), fee.get());
        let _infallible = writeln!(text, "collected {entry} {period} {lease} {row} {amount} {fee} {meter}");
    }
}

impl CollectedSums {
    /// The sums of payments; `None` beyond the range of amounts.
    #[must_use]
    pub fn of<'a>(payments: impl IntoIterator<Item = &'a DailyCollected>) -> Option<Self> {
        payments.into_iter().try_fold(Self::default(), |sums, payment| sums.with(payment.amount, payment.fee))
    }

    /// The sums with a further payment; `None` beyond the range of amounts.
    #[must_use]
    pub fn with(self, amount: Amount, fee: Amount) -> Option<Self> {
        Some(Self {
            payments: self.payments.checked_add(1)?,
            amount: self.amount.checked_add(amount)?,
            fee: self.fee.checked_add(fee)?,
        })
    }

    /// Whether nothing was collected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether each sum is at most that of `all`.
    pub(super) fn is_part_of(&self, all: &Self) -> bool {
        self.payments <= all.payments && self.amount <= all.amount && self.fee <= all.fee
    }

    pub(super) fn write(&self, text: &mut String) {
        let Self { payments, amount, fee } = self;
        if !self.is_empty() {
            let _infallible = writeln!(text, "day collected {payments} amount {} fee {}", amount.get(), fee.get());
        }
    }
}
