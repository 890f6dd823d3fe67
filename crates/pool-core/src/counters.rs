use vipnode_types::{Amount, wire::EvictReason};

use crate::MeteredPeriod;

/// Event counters since the start. They never decrease.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Connect requests that the core answered with an error.
    pub refused_connects: u64,
    /// Reports accepted.
    pub reports: u64,
    /// Reports answered with `resync`.
    pub resyncs: u64,
    /// Slots offered: admit calls.
    pub offered: u64,
    /// Offers that the host admitted.
    pub admitted: u64,
    /// Offers that the host refused or did not answer.
    pub not_admitted: u64,
    /// Leases that both sides have seen.
    pub paired: u64,
    /// Billing periods ended by their age.
    pub rollovers: u64,
    /// Agents that stopped reporting.
    pub silences: u64,
    /// Pauses of the pool itself.
    pub pauses: u64,
    /// Evictions that the agent did not confirm.
    pub evictions_unanswered: u64,
    /// Nodes forgotten.
    pub pruned: u64,
    /// Billing periods that ended.
    pub metered_rows: u64,
    /// Milliseconds billed on them.
    pub metered_ms: u64,
    /// The total cost of these rows.
    pub metered_cost: Amount,
    /// Milliseconds that only hosts saw, on leases with a price.
    pub unpaired_ms: u64,
    ended: [u64; EvictReason::ALL.len()],
}

impl Counters {
    /// Returns the number of leases that ended, by reason.
    pub fn ended(&self) -> impl Iterator<Item = (EvictReason, u64)> {
        EvictReason::ALL.into_iter().zip(self.ended)
    }

    /// Counts a billing period that ended.
    pub(crate) fn count_period(&mut self, billed_ms: u64, cost: Amount) {
        self.metered_rows = self.metered_rows.saturating_add(1);
        self.metered_ms = self.metered_ms.saturating_add(billed_ms);
        self.metered_cost = self.metered_cost.checked_add(cost).unwrap_or(Amount::MAX);
    }

    /// Counts a finished row that a store kept, and those that were merged into it.
    pub(crate) fn count_metered(&mut self, row: &MeteredPeriod) {
        self.count_period(row.total_billed_ms(), row.total_cost());
        self.metered_rows = self.metered_rows.saturating_add(row.earlier.rows.into());
    }

    pub(crate) fn count_end(&mut self, reason: EvictReason) {
        let at = EvictReason::ALL.into_iter().position(|other| other == reason);
        if let Some(count) = at.and_then(|at| self.ended.get_mut(at)) {
            *count = count.saturating_add(1);
        }
    }
}
