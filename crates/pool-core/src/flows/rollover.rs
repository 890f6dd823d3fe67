use vipnode_types::{Ms, wire::EvictReason};

use crate::{
    Core,
    leases::{
        lease::{FirstSeen, UNSEEN},
        pricing::Pricing,
    },
    metering::{
        billed_period::Ends,
        period_rollover::{Rollover, next_rollover},
    },
    output::Output,
};

impl Core {
    /// Rolls the oldest row over if it is due. Returns false if none is.
    pub(crate) fn roll_over(&mut self, output: &mut Output) -> bool {
        let due = next_rollover(&self.leases, &self.agents, &self.clock, &self.limits);
        if due.is_none_or(|due| due > output.now) {
            return false;
        }
        let Some(index) = self.leases.oldest() else { return false };
        let Some(lease) = self.leases.get(index) else { return false };
        // Where clients pay, a row that begins before the price counts is at the old one.
        let since = self.ledger.as_ref().map_or(Ms::ZERO, |_| self.prices.since);
        match Rollover::of(lease, &self.leases, &self.agents, (&self.limits, since)) {
            Rollover::End(reason) => self.end_lease(output, index, reason, None, None),
            Rollover::Next { price, .. } if self.lacks_payer(lease, price) => {
                self.end_lease(output, index, EvictReason::NoPayer, None, None);
            }
            Rollover::Next { at, price } => {
                // Where clients pay, both sides agree first.
                let price = price.filter(|_| self.ledger.is_none());
                let pricing = price.map(|price| Pricing::new(price, self.limits.fee_bps));
                self.counters.rollovers = self.counters.rollovers.saturating_add(1);
                self.roll_at(output, index, at, UNSEEN, pricing);
                self.begin_charges(index);
                self.persist_lease(output, index);
                self.ask_price(output, index);
            }
        }
        true
    }

    /// Ends the row of a lease at `at` and begins the next one there, at another price if one is given.
    fn roll_at(&mut self, output: &mut Output, index: u32, at: Ms, host_down: Ms, pricing: Option<Pricing>) {
        let carry = self.close_period(output, index, Ends::at(at), at);
        self.leases.next_period(index, FirstSeen { client_up: at, host_up: at, host_down }, carry, pricing);
    }

    /// Ends the row of a running lease at the last time that both sides were connected to each other, and begins the
    /// next one there. The caller calls [`Self::begin_charges`] once it has changed who pays or earns.
    pub(crate) fn end_row(&mut self, output: &mut Output, index: u32) {
        self.end_row_at(output, index, None);
    }

    /// As [`Self::end_row`]; the next row is at this price, if one is given.
    pub(crate) fn end_row_at(&mut self, output: &mut Output, index: u32, pricing: Option<Pricing>) {
        let Some(lease) = self.leases.get(index).filter(|lease| lease.is_running()) else { return };
        let end = Ends::of(lease, &self.agents).common().max(lease.both_up());
        let down = if lease.host_down() == UNSEEN { UNSEEN } else { lease.host_down().max(end) };
        self.roll_at(output, index, end, down, pricing);
    }
}
