use vipnode_types::{Ms, wire::Side};

use crate::leases::{
    Leases,
    lease::{CountedAs, FirstSeen, UNSEEN},
    lease_progress::LeaseState,
    pricing::Pricing,
};

/// Two sides that are now connected to each other for the first time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paired {
    pub(crate) client: u32,
    pub(crate) host: u32,
    /// What the offer counted to.
    pub(crate) counted: CountedAs,
}

impl Leases {
    /// Sets that a side sees the other from `now` on.
    pub(crate) fn side_up(&mut self, index: u32, side: Side, now: Ms) {
        if let Some(lease) = self.table.get_mut(index) {
            lease.set_up(side, now);
        }
    }

    /// Begins the first row of a lease if both sides are connected to each other for the first time.
    pub(crate) fn pair(&mut self, index: u32) -> Option<Paired> {
        let lease = self.table.get_mut(index).filter(|lease| lease.runs() && !lease.is_running())?;
        lease.set_state(LeaseState::Running);
        let (client, host, counted) = (lease.client(), lease.host(), lease.counted());
        self.table.period_begins(index);
        self.running = self.running.saturating_add(1);
        Some(Paired { client, host, counted })
    }

    /// Sets that the host last saw the client at `end`. Returns true if the client's report has no deadline yet.
    pub(crate) fn host_down(&mut self, index: u32, end: Ms) -> bool {
        let Some(lease) = self.table.get_mut(index) else { return false };
        lease.set_host_down(end.max(lease.host_up()));
        !lease.arm_half_down(true)
    }

    /// Handles the deadline of a host's "gone". If the host still does not see the client, it returns when the client's
    /// report is due, and arms a deadline for that if it is in the future. `wait` is how long the report may take.
    pub(crate) fn host_gone_came(&mut self, index: u32, wait: u64, now: Ms) -> Option<Ms> {
        let lease = self.table.get_mut(index)?;
        lease.arm_half_down(false);
        if lease.host_down() == UNSEEN {
            return None;
        }
        let due = lease.host_down().plus(wait);
        if due > now {
            // The client came back in the meantime and was lost again.
            lease.arm_half_down(true);
            let id = lease.id();
            self.arm_half_down(id, due);
        }
        Some(due)
    }

    /// Begins the next row of a lease, with what its sides saw and what the row before left of the smallest unit, at another price if
    /// one is given.
    pub(crate) fn next_period(&mut self, index: u32, seen: FirstSeen, carry: u32, pricing: Option<Pricing>) {
        let old = self.get(index).and_then(|lease| self.price(lease));
        // What is left of the smallest unit is carried only at the same price.
        let carry = if pricing.is_some_and(|new| Some(new.price) != old) { 0 } else { carry };
        let price = pricing.and_then(|pricing| self.keep_price(pricing));
        let Some(lease) = self.table.get_mut(index) else { return };
        lease.next_period(seen, carry);
        if let Some(price) = price {
            let old = lease.set_price(price);
            self.prices.release(old.into());
            self.note_trial(index);
        }
        self.table.period_begins(index);
    }

    /// Keeps the host's "gone" since `down` in a row that just began.
    pub(crate) fn stays_down(&mut self, index: u32, down: Ms) {
        if let Some(lease) = self.table.get_mut(index) {
            lease.set_up(Side::Host, down);
            lease.set_host_down(down);
        }
    }
}
