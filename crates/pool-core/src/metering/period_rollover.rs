use vipnode_types::{Ms, Price, wire::EvictReason};

use crate::{
    Limits,
    agents::Agents,
    leases::{
        Leases,
        lease::{Lease, UNSEEN},
    },
    metering::billed_period::Ends,
    pool_clock::PoolClock,
};

/// The outcome for a lease whose row is old enough to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rollover {
    /// The lease ends too.
    End(EvictReason),
    /// The next row begins at `at`, at another price if one is given.
    Next {
        /// The end of the old row and the beginning of the new.
        at: Ms,
        /// The price of the new row.
        price: Option<Price>,
    },
}

/// Returns when the oldest running period rolls over.
pub(crate) fn next_rollover(leases: &Leases, agents: &Agents, clock: &PoolClock, limits: &Limits) -> Option<Ms> {
    let lease = leases.get(leases.oldest()?)?;
    let due = of_group(lease.both_up().plus(limits.rollover_ms), limits.rollover_group_ms).max(clock.window_ends());
    // A host's "gone" is settled first.
    let settled = match lease.host_down() {
        UNSEEN => Ms::ZERO,
        down => {
            let wait = agents.dialect(lease.client()).host_gone_wait_ms(limits);
            down.plus(wait).plus(limits.tick_ms)
        }
    };
    Some(due.max(settled))
}

/// Returns when the periods end that are due since the group before.
fn of_group(due: Ms, group_ms: u64) -> Ms {
    Ms::new(due.get().div_ceil(group_ms.max(1)).saturating_mul(group_ms.max(1)))
}

impl Rollover {
    /// Returns the outcome for a lease. The price of the limits counts for rows that begin at `since` or later.
    pub(crate) fn of(lease: &Lease, leases: &Leases, agents: &Agents, (limits, since): (&Limits, Ms)) -> Self {
        let end = Ends::of(lease, agents).common();
        let down = lease.host_down() != UNSEEN;
        if down || end <= lease.both_up() {
            // The row has no common time: one of the sides has long been silent.
            return Self::End(if down { EvictReason::Disconnected } else { EvictReason::NoReports });
        }
        if leases.is_trial(lease) {
            // It stays free until its end.
            return Self::Next { at: end, price: None };
        }
        // A client's maximum price is known only while it is connected; until then, the old price stays.
        let client = agents.get(lease.client()).filter(|node| node.is_connected() && node.is_client());
        let counts = end >= since;
        let dearer = counts && leases.price(lease).is_some_and(|old| limits.price.exceeds(old));
        if dearer && client.is_some_and(|node| !node.accepts(limits.price)) {
            return Self::End(EvictReason::Price);
        }
        Self::Next { at: end, price: client.filter(|_| counts).map(|_| limits.price) }
    }
}
