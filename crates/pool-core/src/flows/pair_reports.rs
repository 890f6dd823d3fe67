use vipnode_types::{
    Ms,
    wire::{EvictReason, Side},
};

use crate::{
    Core,
    leases::lease::{FirstSeen, UNSEEN},
    metering::{billed_period::Ends, unpaired::Pair},
    output::Output,
};

impl Core {
    /// Handles a side that sees the other, as of now.
    pub(crate) fn side_up(&mut self, output: &mut Output, index: u32, side: Side) {
        let Some(lease) = self.leases.get(index) else { return };
        if lease.sees(side) {
            return;
        }
        if lease.up(side) != UNSEEN && lease.is_running() {
            // Only a host's "gone" waits; the client is back in time.
            let end = lease.host_down();
            self.returned(output, index, side, end);
            return;
        }
        self.first_up(output, index, side);
    }

    fn first_up(&mut self, output: &mut Output, index: u32, side: Side) {
        self.leases.side_up(index, side, output.now);
        let paired = self.pair(index);
        self.persist_lease(output, index);
        if let Some(client) = paired {
            self.paid_instead(output, index);
            self.end_extra_offers(output, client);
        }
    }

    /// Handles a side that lost the other and sees it again: a new row begins, without admit or evict. `end` is when the
    /// side last saw it before.
    pub(crate) fn returned(&mut self, output: &mut Output, index: u32, side: Side, end: Ms) {
        let Some(lease) = self.leases.get(index) else { return };
        if !lease.is_running() {
            // No row is running; the side sees the other from now on.
            self.first_up(output, index, side);
            return;
        }
        let (ends, now) = (Ends::of(lease, &self.agents), output.now);
        let (ends, client_up, host_up) = match side {
            Side::Client => (Ends { client: end, ..ends }, now, self.host_goes_on_from(lease, ends.host)),
            Side::Host => (Ends { host: end, ..ends }, ends.client, now),
        };
        let (down, pair) = (lease.host_down(), Pair { client: lease.client(), host: lease.host() });
        let carry = self.close_period(output, index, ends, ends.host);
        self.leases.next_period(index, FirstSeen { client_up, host_up, host_down: UNSEEN }, carry, None);
        self.persist_lease(output, index);
        if side == Side::Client && down != UNSEEN {
            // The host still reports it as gone, and the deadline of that stays.
            self.leases.stays_down(index, down);
            self.persist_lease(output, index);
        }
        self.begin_charges(index);
        if self.is_used_up(pair) {
            // Else a client that begins a row with each report would have the slot for nothing.
            self.end_lease(output, index, EvictReason::Unpaired, None, None);
        } else if self.metering.lacks_periods_with(pair, output.now, &self.agents, &self.limits) {
            // Else each interruption would write a row to the journal.
            self.end_lease(output, index, EvictReason::Disconnected, None, None);
        } else {
            self.ask_price(output, index);
        }
    }

    /// Handles a side that no longer sees the other; it last did at `end`.
    pub(crate) fn side_down(&mut self, output: &mut Output, index: u32, side: Side, end: Ms) {
        let Some(lease) = self.leases.get(index).filter(|lease| lease.sees(side)) else { return };
        match side {
            Side::Client => {
                let cut = Some((Side::Client, end));
                self.end_lease(output, index, EvictReason::Disconnected, Some(Side::Client), cut);
            }
            Side::Host => {
                let (id, wait) = (lease.id(), self.host_gone_wait_ms(lease.client()));
                if self.leases.host_down(index, end) {
                    self.leases.arm_half_down(id, output.now.plus(wait));
                }
                self.persist_lease(output, index);
            }
        }
    }

    /// Returns how long a host's "gone" waits for the client's report, in milliseconds.
    pub(crate) fn host_gone_wait_ms(&self, client: u32) -> u64 {
        self.agents.dialect(client).host_gone_wait_ms(&self.limits)
    }

    /// Handles the deadline for the client's report on a host's "gone".
    pub(crate) fn host_gone_due(&mut self, output: &mut Output, index: u32) {
        let Some(lease) = self.leases.get(index) else { return };
        let wait = self.host_gone_wait_ms(lease.client());
        let due = self.leases.host_gone_came(index, wait, output.now);
        if due.is_some_and(|due| due <= output.now) {
            self.end_lease(output, index, EvictReason::Disconnected, None, None);
        }
    }

    /// Starts the meter if both sides are now connected to each other for the first time. Returns the client then.
    fn pair(&mut self, index: u32) -> Option<u32> {
        let paired = self.leases.pair(index)?;
        self.begin_charges(index);
        self.watch_trial(paired.client);
        let lease = self.leases.get(index)?.id();
        self.matching.new_host_settled(lease);
        self.agents.observation_paired(paired.host, lease, &self.limits);
        self.counters.paired = self.counters.paired.saturating_add(1);
        let share = self.share_of((paired.client, paired.host), paired.counted);
        let (matching, context) = self.matching();
        matching.offer_settled(paired.client, share, context);
        matching.host_paired(paired.host, paired.client, context);
        matching.refresh_open_hosts(paired.host, context);
        matching.refresh_waiting(paired.client, context);
        self.schedule_proof(paired.client);
        self.schedule_proof(paired.host);
        Some(paired.client)
    }
}
