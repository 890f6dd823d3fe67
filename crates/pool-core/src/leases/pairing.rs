use vipnode_types::{Ms, Price, wire::Side};

use crate::leases::{
    Leases,
    lease::{FirstSeen, LeaseStage, UNSEEN},
};

/// Two sides that just came to see each other for the first time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paired {
    pub(crate) client: u32,
    pub(crate) host: u32,
    pub(crate) price: Price,
    /// Milliseconds in which the host alone saw the other.
    pub(crate) waited_ms: u64,
}

impl Leases {
    /// A side sees the other from `now` on.
    pub(crate) fn side_up(&mut self, index: u32, side: Side, now: Ms) {
        if let Some(lease) = self.table.get_mut(index) {
            lease.set_up(side, now);
        }
    }

    /// The row of a lease begins, where both sides see each other for the first time.
    pub(crate) fn pair(&mut self, index: u32) -> Option<Paired> {
        let lease = self.table.get_mut(index).filter(|lease| lease.runs() && !lease.is_running())?;
        lease.set_stage(LeaseStage::Running);
        let waited_ms = lease.both_up().since(lease.host_up());
        let (client, host, price) = (lease.client(), lease.host(), lease.price());
        self.table.row_begins(index);
        self.running = self.running.saturating_add(1);
        let price = self.prices.get(price).copied().unwrap_or_default();
        Some(Paired { client, host, price, waited_ms })
    }

    /// The host no longer sees the client since `end`. True where no deadline waits for the client's report yet.
    pub(crate) fn host_down(&mut self, index: u32, end: Ms) -> bool {
        let Some(lease) = self.table.get_mut(index) else { return false };
        lease.set_host_down(end.max(lease.host_up()));
        !lease.arm_half_down(true)
    }

    /// The deadline of a host's "gone" came. Returns when the client's report is due, where the host still does not see
    /// it; `wait` is how long that report may take, and a deadline that is yet to come is armed.
    pub(crate) fn half_down_came(&mut self, index: u32, wait: u64, now: Ms) -> Option<Ms> {
        let lease = self.table.get_mut(index)?;
        lease.arm_half_down(false);
        if lease.host_down() == UNSEEN {
            return None;
        }
        let due = lease.host_down().plus(wait);
        if due > now {
            // It came back and went again meanwhile.
            lease.arm_half_down(true);
            let id = lease.id();
            self.arm_half_down(id, due);
        }
        Some(due)
    }

    /// The next row of a lease begins, with what its sides saw, at another price where one is given.
    pub(crate) fn next_row(&mut self, index: u32, seen: FirstSeen, price: Option<Price>) {
        let price = price.and_then(|price| self.prices.acquire(price));
        let Some(lease) = self.table.get_mut(index) else { return };
        lease.next_row(seen);
        if let Some(price) = price {
            let old = lease.set_price(price);
            self.prices.release(old);
        }
        self.table.row_begins(index);
    }

    /// The host holds the client to be gone since `down`, as it did before the row that just began.
    pub(crate) fn stays_down(&mut self, index: u32, down: Ms) {
        if let Some(lease) = self.table.get_mut(index) {
            lease.set_up(Side::Host, down);
            lease.set_host_down(down);
        }
    }
}
