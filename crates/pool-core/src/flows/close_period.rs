use vipnode_types::{Ms, wire::Side};

use crate::{
    Core, LeaseRow, MeteredPeriod, Row,
    agents::node::Node,
    leases::{
        lease::{Lease, UNSEEN},
        pricing::Pricing,
    },
    metering::{
        billed_period::{Ends, freeze, running_ms, side_end},
        period_merger::{EndedPeriod, PeriodShare},
        stored_times::TimesChange,
        unpaired::{EndedTime, Pair},
    },
    output::Output,
};

impl Core {
    /// Writes the row that a lease runs as over, with both ends frozen, unless nothing is billed on it. Counts the time that
    /// its sides were paired, and the time until `host_until` that the host saw the client and that is not billed. Returns
    /// what the lease's cost leaves of the smallest unit for the next row at this price.
    ///
    /// What the pool lost by its own restart counts against nobody: a client's last report is stored now and then only, so a
    /// client that cannot say whether it was connected all the time, as over protocol 2, would pay for each restart.
    pub(crate) fn close_period(&mut self, output: &mut Output, index: u32, ends: Ends, host_until: Ms) -> u32 {
        self.end_charges(index);
        let Some(lease) = self.leases.get(index) else { return 0 };
        let pair = Pair { client: lease.client(), host: lease.host() };
        // A host that reported the client as gone did not see it after that, even if the client has returned before the host.
        let host_until = if lease.host_down() == UNSEEN { host_until } else { host_until.min(lease.host_down()) };
        let host_saw_ms = if lease.host_up() == UNSEEN { 0 } else { host_until.since(lease.host_up()) };
        let lost_ms = self.lost_ms(lease, ends, host_until);
        let trial_ms = if self.leases.is_trial(lease) { self.trial_row_ms(lease, ends, host_until) } else { 0 };
        let Some(row) = self.lease_row(lease) else { return 0 };
        let carry = self.write_period(output, pair, (row, ends), host_saw_ms.saturating_sub(lost_ms));
        self.add_trial_use(output, pair.client, trial_ms);
        carry
    }

    /// Writes a row as over, unless nothing is billed on it, and counts the time of its pair. The host saw the client for `saw_ms`.
    /// Returns what its cost leaves of the smallest unit.
    pub(crate) fn write_period(
        &mut self,
        output: &mut Output,
        pair: Pair,
        (row, ends): (LeaseRow, Ends),
        saw_ms: u64,
    ) -> u32 {
        let (price, carry) = (row.price, row.carry);
        let (metered, carry) = freeze(row, ends, output.now).map_or((None, carry), |(row, carry)| (Some(row), carry));
        let billed_ms = metered.as_ref().map_or(0, |row| row.billed_ms);
        if let Some(row) = metered {
            self.counters.count_period(billed_ms, row.cost);
            self.cost_waits(&row, output.now);
            let share = |node| PeriodShare::of(node, &self.agents, &self.limits);
            let (client, host) = (share(pair.client), share(pair.host));
            self.metering.period_ended(output, EndedPeriod { pair, client, host, row }, &self.limits);
        }
        let unpaired_ms = saw_ms.saturating_sub(billed_ms);
        let running_ms = self.running_with_other_hosts(pair);
        self.add_time(pair, EndedTime { price, billed_ms, unpaired_ms, running_ms });
        let pair = [pair.client, pair.host];
        let changed = self.agents.add_paired(pair, billed_ms, &self.limits);
        for (node, _) in pair.into_iter().zip(changed).filter(|(_, changed)| *changed) {
            if let Some(row) = self.agents.row(node) {
                output.persist(Row::Node(Box::new(row)));
            }
        }
        carry
    }

    /// Whether a client is to begin no further billing periods in this hour.
    pub(crate) fn lacks_periods(&self, client: u32) -> bool {
        self.metering.lacks_periods(client, self.clock.now(), &self.agents, &self.limits)
    }

    /// Counts what a finished period cost to what its payer has spent, until it is posted.
    pub(crate) fn cost_waits(&mut self, period: &MeteredPeriod, now: Ms) {
        if let (Some(ledger), Some(payer), Some(_)) = (&mut self.ledger, period.lease.payer, period.lease.payee) {
            ledger.cost_waits(payer, period.total_cost(), now);
        }
    }

    /// Returns the row to store for a lease.
    pub(crate) fn lease_row(&self, lease: &Lease) -> Option<LeaseRow> {
        let client = self.agents.id(lease.client())?;
        let payer = self.ledger.as_ref().and_then(|ledger| ledger.payer_of(&client));
        self.leases.row(lease, &self.agents, payer)
    }

    /// Writes the current state of a lease.
    pub(crate) fn persist_lease(&self, output: &mut Output, index: u32) {
        if let Some(row) = self.leases.get(index).and_then(|lease| self.lease_row(lease)) {
            output.persist(Row::Lease(Box::new(row)));
        }
    }

    /// The time of a row, in milliseconds, of which the pool does not know because of its own restart or pause: of the time since it
    /// last wrote that it had heard of the client.
    pub(crate) fn lost_ms(&self, lease: &Lease, ends: Ends, host_until: Ms) -> u64 {
        // A client that never reported the host may have been about to when the pool stopped, whatever else it has reported since.
        let heard = if lease.client_up() == UNSEEN { lease.host_up() } else { ends.client };
        self.clock.lost_ms(heard.max(lease.host_up()), host_until)
    }

    /// From when the host of a lease, which it saw last at `end`, sees the client in the row that begins now because the client
    /// returned: from `end` on, less the time that the pool lost by its own restart or pause, because no row before has that.
    ///
    /// After a start, `end` is what the store has, which may be minutes old, and the host may not have reported since.
    pub(crate) fn host_goes_on_from(&self, lease: &Lease, end: Ms) -> Ms {
        if !lease.sees(Side::Host) {
            return end;
        }
        end.plus(self.clock.lost_ms(end, self.clock.now()))
    }

    /// Until when the host of a lease that ends saw the client: a connected host still sees what it last reported, for as
    /// long as its next report takes.
    pub(crate) fn host_saw_until(&self, lease: &Lease) -> Ms {
        let host = lease.host();
        let end = side_end(lease, Side::Host, &self.agents);
        let there = self.agents.get(host).is_some_and(Node::is_connected) && !self.is_silent(host);
        if there && lease.sees(Side::Host) { self.sees_until(host).max(end) } else { end }
    }

    /// Counts time after a lease's end in which only the host saw the client, because its eviction took that long.
    pub(crate) fn add_unpaired(&mut self, output: &mut Output, pair: Pair, pricing: Pricing, unpaired_ms: u64) {
        if pricing.trial {
            return self.add_trial_use(output, pair.client, unpaired_ms);
        }
        let running_ms = self.running_with_other_hosts(pair);
        self.add_time(pair, EndedTime { price: pricing.price, billed_ms: 0, unpaired_ms, running_ms });
    }

    /// How long the client of a pair is billed by now on running periods with other hosts, in milliseconds.
    fn running_with_other_hosts(&self, pair: Pair) -> u64 {
        running_ms(pair.client, Some(pair.host), &self.leases, &self.agents)
    }

    fn add_time(&mut self, pair: Pair, spent: EndedTime) {
        let Self { metering, clock, agents, limits, counters, .. } = self;
        metering.add_time(pair, spent, clock.now(), agents, limits, counters);
    }

    /// Whether a client must not use a host for the rest of the day: it used too much time that it was not billed for.
    pub(crate) fn is_used_up(&self, pair: Pair) -> bool {
        let barred = self.metering.is_barred(pair, self.clock.now(), &self.agents, &self.limits);
        barred || self.past_unpaired(pair.client)
    }

    /// Writes the times of clients that changed.
    pub(crate) fn persist_times(&mut self, output: &mut Output) {
        while let Some(client) = self.metering.pop_dirty() {
            match self.metering.written(client, &self.agents) {
                Some(TimesChange::Keep(row)) => output.persist(Row::Times(row)),
                Some(TimesChange::Forget(id)) => output.persist(Row::Delete(crate::RowKey::Times(id))),
                None => {}
            }
        }
    }
}
