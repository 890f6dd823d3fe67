use std::collections::BTreeMap;

use vipnode_types::{LeaseId, Ms, NodeId, PaymentMode};

use crate::{
    Core, Counters, DelegationRow, LastReport, LeaseRow, Limits, MeteredPeriod, NodeRow, Row, RowKey, TimesRow,
    leases::lease::UNSEEN, ledger::Ledger, pool_clock::PoolClock,
};

/// The rows read, the newest of each key.
#[derive(Debug, Default)]
struct Rows {
    nodes: BTreeMap<NodeId, NodeRow>,
    leases: BTreeMap<LeaseId, LeaseRow>,
    seen: BTreeMap<NodeId, (Ms, u64)>,
    times: BTreeMap<NodeId, TimesRow>,
    waiting: BTreeMap<(NodeId, NodeId), MeteredPeriod>,
    delegations: BTreeMap<NodeId, DelegationRow>,
    clock: Ms,
    next_lease: u64,
    payment: PaymentMode,
    ledger: Ledger,
}

impl Rows {
    fn take(&mut self, row: Row, counters: &mut Counters) {
        match row {
            Row::Node(node) => {
                self.nodes.insert(node.id, *node);
            }
            Row::Lease(lease) => {
                self.leases.insert(lease.id, *lease);
            }
            Row::Metered(row) => {
                counters.count_metered(&row);
            }
            Row::LastReport(seen) => {
                for LastReport { id, seen, nonce } in seen {
                    let newest = self.seen.entry(id).or_default();
                    *newest = (seen.max(newest.0), nonce.max(newest.1));
                }
            }
            Row::Times(times) => {
                self.times.insert(times.client, *times);
            }
            Row::Deferred(row) => {
                self.waiting.insert((row.lease.client, row.lease.host), *row);
            }
            Row::Delegation(row) => {
                self.delegations.insert(row.id, row);
            }
            Row::Clock(clock) => self.clock = self.clock.max(clock),
            Row::NextLease(next) => self.next_lease = self.next_lease.max(next),
            // The role has compared it with the price.
            Row::Asset(_) => {}
            Row::Payment(mode) => self.payment = mode,
            Row::Delete(RowKey::Node(id)) => {
                self.nodes.remove(&id);
                self.seen.remove(&id);
            }
            Row::Delete(RowKey::Lease(id)) => {
                self.leases.remove(&id);
            }
            Row::Delete(RowKey::Times(id)) => {
                self.times.remove(&id);
            }
            Row::Delete(RowKey::Deferred(client, host)) => {
                self.waiting.remove(&(client, host));
            }
            Row::Delete(RowKey::Delegation(id)) => {
                self.delegations.remove(&id);
            }
            row @ (Row::Entry(_)
            | Row::Account(_)
            | Row::Link(_)
            | Row::LinkCounter(..)
            | Row::Unpaid(_)
            | Row::Period(_)
            | Row::Payout(_)
            | Row::Delete(RowKey::Link(_) | RowKey::Unpaid(_))) => self.ledger.restore(row),
        }
    }

    /// Returns the latest time among `now` and the rows.
    fn latest(&self, now: Ms) -> Ms {
        let floor = self.nodes.values().map(|node| node.seen).chain(self.seen.values().map(|(seen, _)| *seen));
        let seen = |side: Option<(Ms, Option<Ms>)>| side.map_or(Ms::ZERO, |(up, down)| up.max(down.unwrap_or(up)));
        let ups = self.leases.values().map(|row| row.offered.max(seen(row.client_seen)).max(seen(row.host_seen)));
        floor.chain(ups).fold(now.max(self.clock), Ms::max)
    }
}

impl Core {
    /// Returns the core of a pool that continues from the rows of a store. It starts with the reconnect window, in which
    /// agents reconnect and none counts as silent.
    ///
    /// Rows may be passed in the order in which they were written or as a store lists them. A lease whose nodes are
    /// unknown is skipped.
    #[must_use]
    pub fn restore(limits: Limits, seed: [u8; 32], now: Ms, rows: impl IntoIterator<Item = Row>) -> Self {
        let mut read = Rows::default();
        let mut counters = Counters::default();
        for row in rows {
            read.take(row, &mut counters);
        }
        let clock = PoolClock::restarted(read.latest(now), &limits);
        let mut core = Self::at(limits, seed, clock);
        core.counters = counters;
        core.payment = read.payment;
        match (read.payment, core.limits.payment) {
            (PaymentMode::None, PaymentMode::None) => {}
            (PaymentMode::None, _) => core.unused_ledger = Some(Box::new(read.ledger)),
            _ => core.ledger = Some(Box::new(read.ledger)),
        }
        for mut row in read.nodes.into_values() {
            let (seen, nonce) = read.seen.get(&row.id).copied().unwrap_or_default();
            row.seen = row.seen.max(seen);
            row.credentials.raise_nonce(nonce);
            core.agents.restore(&row);
        }
        let last = read.leases.last_key_value().map_or(0, |(id, _)| id.get());
        core.leases.number_from(read.next_lease.max(last.saturating_add(1)));
        for row in read.times.values() {
            core.metering.restore(row, core.clock.now(), &core.agents, &core.limits);
        }
        for row in read.waiting.into_values() {
            core.counters.count_metered(&row);
            core.cost_waits(&row, core.clock.now());
            core.metering.rows.restore(row);
        }
        // Those that run first: they show which hosts have served a client.
        let (running, offered): (Vec<_>, Vec<_>) = read.leases.into_values().partition(LeaseRow::is_running);
        for row in running.into_iter().chain(offered) {
            core.restore_lease(&row);
        }
        core.agents.restore_delegations(read.delegations.into_values());
        core.agents.plan_to_forget_all(core.clock.window_ends(), &core.limits);
        core
    }

    fn restore_lease(&mut self, row: &LeaseRow) {
        let (Some(client), Some(host)) = (self.agents.find(&row.client), self.agents.find(&row.host)) else { return };
        let limited = self.agents.is_limited(client, &self.limits);
        let shared = limited && self.matching.has_served(host, self.context());
        let Some(index) = self.leases.restore(row, client, host, shared) else { return };
        self.watch_pair(client, host);
        let Some(lease) = self.leases.get(index) else { return };
        let (id, running, down) = (lease.id(), lease.is_running(), lease.host_down() != UNSEEN);
        if running {
            self.begin_charges(index);
            let (matching, context) = self.matching();
            matching.host_paired(host, client, context);
            self.schedule_proof(client);
            self.schedule_proof(host);
        } else {
            self.matching.offer_restored();
            self.leases.arm_offer(id, self.clock.resumed().plus(self.limits.offer_ms));
            // A restored offer waits long for both sides. Once its client is connected, it gets further hosts meanwhile.
            self.matching.await_pair(id, self.clock.now().plus(self.limits.extra_host_ms));
        }
        if down {
            let wait = self.host_gone_wait_ms(client);
            self.leases.arm_half_down(id, self.clock.now().plus(wait));
        }
    }

    /// Returns the durable state, as a store holds it once all last reports are written. `restore` of these rows returns the
    /// same state.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let nodes = self.agents.iter().filter_map(|(index, _)| self.agents.row(index));
        let mut nodes: Vec<NodeRow> = nodes.collect();
        nodes.sort_by_key(|row| row.id);
        let mut leases: Vec<LeaseRow> = self.leases.iter().filter_map(|(_, lease)| self.lease_row(lease)).collect();
        leases.sort_by_key(|row| row.id);
        let times = self.agents.iter().filter_map(|(index, _)| self.metering.row(index, &self.agents));
        let mut times: Vec<TimesRow> = times.collect();
        times.sort_by_key(|row| row.client);
        let mut rows = vec![Row::Clock(self.clock.now()), Row::NextLease(self.leases.numbers().1)];
        rows.extend(Some(self.payment).filter(|mode| !mode.is_none()).map(Row::Payment));
        rows.extend(nodes.into_iter().map(|row| Row::Node(Box::new(row))));
        rows.extend(leases.into_iter().map(|row| Row::Lease(Box::new(row))));
        rows.extend(times.into_iter().map(|row| Row::Times(Box::new(row))));
        rows.extend(self.agents.delegations().map(Row::Delegation));
        rows.extend(self.metering.rows.deferred().map(|row| Row::Deferred(Box::new(row.clone()))));
        rows.extend(self.ledger.iter().flat_map(|ledger| ledger.rows()));
        rows
    }
}
