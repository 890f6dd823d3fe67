use vipnode_types::{Amount, Ms};

use crate::{Limits, MeteredPeriod};

/// A wall clock behind the latest stored time that the operator accepted: the clock had been ahead before.
///
/// Pool time is monotonic while a pool runs, so the clock moved ahead between a stop and a start. A lease whose sides stayed
/// connected is metered for the pool's downtime too, so such a lease was billed for time that did not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptedClock {
    /// The latest time in the store, at which pool time continues.
    pub stored: Ms,
    /// The time of the wall clock.
    pub clock: Ms,
    /// The user ID of who accepted it, if the system reports one.
    pub by: Option<u32>,
}

/// How long restarts one after the other may delay the end of a billing period, each by the reconnect window.
const RESTARTS_MS: u64 = 60 * 60 * 1000;

impl AcceptedClock {
    /// Returns how far the clock had been ahead, in milliseconds, less the downtime before it was accepted.
    #[must_use]
    pub const fn ahead_ms(&self) -> u64 {
        self.stored.since(self.clock)
    }

    /// Returns how much of the billed time of a finished period did not pass, in milliseconds.
    ///
    /// A period that contains the downtime in which the clock moved ahead contains all of [`Self::ahead_ms`]; only the downtime before
    /// the clock was accepted is missing in it. Any other period that is longer than a rollover and the reconnect window take contains
    /// some downtime too: if the clock moved ahead in several steps, up to the whole period did not pass.
    #[must_use]
    pub fn overbilled_ms(&self, period: &MeteredPeriod, limits: &Limits) -> u64 {
        let (billed, ahead) = (period.total_billed_ms(), self.ahead_ms());
        let end = period.client.zip(period.host).map(|(client, host)| client.end.min(host.end));
        let rollover_ms = limits.rollover_ms.saturating_add(limits.rollover_group_ms);
        let longest = rollover_ms.saturating_add(limits.reconnect_window_ms).saturating_add(RESTARTS_MS);
        let spans = end.is_some_and(|end| end > self.clock) && (billed >= ahead || billed > longest);
        if spans { billed.min(ahead) } else { 0 }
    }

    /// Returns what that time cost, rounded down.
    #[must_use]
    pub fn overbilled(&self, period: &MeteredPeriod, limits: &Limits) -> Amount {
        let cost = period.lease.price.cost_from(self.overbilled_ms(period, limits), 0);
        cost.map_or(Amount::ZERO, |(cost, _)| cost).min(period.total_cost())
    }
}
