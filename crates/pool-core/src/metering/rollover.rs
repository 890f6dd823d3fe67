use vipnode_types::{Account, Ms, wire::EvictReason};

use crate::{Core, LeaseRow, leases::lease::UNSEEN, leases::table::List, metering::row::Ends, output::Output};

impl Core {
    /// When the oldest running row is to roll over.
    pub(crate) fn next_rollover(&self) -> Option<Ms> {
        let lease = self.leases.get(self.leases.oldest()?)?;
        let due = lease.client_up.max(lease.host_up).plus(self.limits.rollover_ms).max(self.window_ends);
        // A host's "gone" is settled first.
        let settled = match lease.host_down {
            UNSEEN => Ms::ZERO,
            down => down.plus(self.half_down_wait(lease.client)).plus(self.limits.tick_ms),
        };
        Some(due.max(settled))
    }

    /// Rolls the oldest row over, if it is due; false where none is.
    pub(crate) fn roll_over(&mut self, output: &mut Output) -> bool {
        if self.next_rollover().is_none_or(|due| due > output.now) {
            return false;
        }
        let Some(index) = self.leases.oldest() else { return false };
        let Some(lease) = self.leases.get(index) else { return false };
        let (client, old) = (lease.client, lease.price);
        let end = self.common_end(lease);
        if lease.host_down != UNSEEN || end <= lease.client_up.max(lease.host_up) {
            // Nobody saw anything for the whole row: one of the sides has long been silent.
            let gone = lease.host_down != UNSEEN;
            self.end_lease(
                output,
                index,
                if gone { EvictReason::Disconnected } else { EvictReason::NoReports },
                None,
                None,
            );
            return true;
        }
        // What a client takes is known while it is connected; until then the old price goes on.
        let known = self.nodes.get(client).is_some_and(|node| node.peer.is_some() && node.consuming);
        let price = self.limits.price;
        if known && !self.takes(client, price) && self.prices.get(old).is_some_and(|old| price > *old) {
            self.end_lease(output, index, EvictReason::Price, None, None);
            return true;
        }
        let next = if known { self.prices.acquire(price) } else { None };
        self.counters.rollovers = self.counters.rollovers.saturating_add(1);
        self.roll_at(output, index, end, next);
        true
    }

    /// Ends the row of a lease at a moment and begins the next there, at another price if one is given.
    fn roll_at(&mut self, output: &mut Output, index: u32, end: Ms, price: Option<u32>) {
        let Some(row) = self.leases.get(index).and_then(|lease| self.lease_row(lease)) else { return };
        self.freeze(output, &row, Ends { client: end, host: end });
        self.begin_row(index, end, price);
        self.persist_lease(output, index);
    }

    fn begin_row(&mut self, index: u32, at: Ms, price: Option<u32>) {
        let Some(lease) = self.leases.get_mut(index) else { return };
        lease.row = lease.row.saturating_add(1);
        (lease.client_up, lease.host_up) = (at, at);
        if let Some(price) = price {
            let old = std::mem::replace(&mut lease.price, price);
            self.prices.release(old);
        }
        self.leases.row_begins(index);
    }

    /// Gives a host another payout account: its rows end first, and the next ones are for the new.
    pub(crate) fn change_payout(&mut self, output: &mut Output, host: u32, payout: Option<Account>) {
        let Some(node) = self.nodes.get(host).filter(|node| node.payout != payout) else { return };
        let leases: Vec<u32> = self.leases.walk(List::Host, node.host_head).map(|(index, _)| index).collect();
        for &index in &leases {
            let Some(lease) = self.leases.get(index) else { continue };
            let (row, end): (Option<LeaseRow>, Ms) = (self.lease_row(lease), self.common_end(lease));
            let (paired, down) = (lease.paired, lease.host_down);
            if let Some(row) = row.filter(|_| paired) {
                let end = end.max(lease.client_up.max(lease.host_up));
                self.freeze(output, &row, Ends { client: end, host: end });
                self.begin_row(index, end, None);
                if let Some(lease) = self.leases.get_mut(index).filter(|_| down != UNSEEN) {
                    lease.host_down = down.max(end);
                }
            }
        }
        if let Some(node) = self.nodes.get_mut(host) {
            node.payout = payout;
        }
        for index in leases {
            self.persist_lease(output, index);
        }
    }
}
