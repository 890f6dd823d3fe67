use std::collections::BTreeMap;

use vipnode_types::{Amount, LeaseId, Ms, NodeId, PaymentMode};

use crate::{
    AccountRow, Core, Counters, DelegationRow, LastReport, LeaseRow, LedgerAccount, Limits, MeteredPeriod, NodeRow,
    PayoutState, PricingRow, RestoreRow, Row, RowKey, TimesRow, leases::lease::UNSEEN, ledger::Ledger,
    pool_clock::PoolClock,
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
    restored: Option<RestoreRow>,
    payment: PaymentMode,
    pricing: Option<PricingRow>,
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
                self.clock = self.clock.max(row.ended);
                self.waiting.insert((row.lease.client, row.lease.host), *row);
            }
            Row::Delegation(row) => {
                self.delegations.insert(row.id, row);
            }
            Row::Clock(clock) => self.clock = self.clock.max(clock),
            Row::NextLease(next) => self.next_lease = self.next_lease.max(next),
            Row::Restore(row) => self.restored = Some(row),
            // The role has compared it with the price.
            Row::Asset(_) => {}
            Row::Payment(mode) => self.payment = mode,
            Row::Pricing(row) => self.pricing = Some(*row),
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
            // The rows of the ledger.
            row => {
                if let Row::Entry(entry) = &row {
                    self.clock = self.clock.max(entry.at);
                }
                self.ledger.restore(row);
            }
        }
    }

    /// Returns the latest time among `now` and the rows.
    fn latest(&self, now: Ms) -> Ms {
        let floor = self.nodes.values().map(|node| node.seen).chain(self.seen.values().map(|(seen, _)| *seen));
        floor.chain(self.leases.values().map(latest_of)).fold(now.max(self.clock), Ms::max)
    }
}

/// A core that is built from the rows of a store, one after the other, so that a large store is never in memory twice.
#[derive(Debug)]
pub struct RestoredCore {
    core: Core,
    /// The latest time in the rows.
    floor: Ms,
    /// Whether there was a row.
    any: bool,
    /// Whether the number of the next lease was stored.
    numbered: bool,
    /// Leases that do not run. Those that run come first: they show which hosts have served a client.
    offered: Vec<OfferedLease>,
}

/// A lease that does not run, and its nodes.
#[derive(Debug)]
struct OfferedLease {
    row: LeaseRow,
    client: u32,
    host: u32,
}

impl RestoredCore {
    /// Begins a core as [`Core::restore`] does.
    #[must_use]
    pub fn new(limits: Limits, seed: [u8; 32], now: Ms) -> Self {
        let clock = PoolClock::restarted(now, &limits);
        let core = Core::at(limits, seed, clock);
        let mut restored = Self { core, floor: Ms::ZERO, any: false, numbered: false, offered: Vec::new() };
        restored.pays_by(PaymentMode::None, Ledger::default());
        restored
    }

    fn pays_by(&mut self, mode: PaymentMode, ledger: Ledger) {
        let core = &mut self.core;
        core.payment = mode;
        (core.ledger, core.unused_ledger) = match (mode, core.limits.payment) {
            (PaymentMode::None, PaymentMode::None) => (None, None),
            (PaymentMode::None, _) => (None, Some(Box::new(ledger))),
            _ => (Some(Box::new(ledger)), None),
        };
    }

    /// Takes rows as a store lists them: the newest value of each key, first how clients pay, then the ledger, then nodes,
    /// then what names them. A lease whose nodes are unknown is skipped.
    pub fn take(&mut self, rows: impl IntoIterator<Item = Row>) {
        let mut leases = Vec::new();
        for row in rows {
            match row {
                Row::Lease(lease) => leases.push(*lease),
                row => {
                    self.take_leases(std::mem::take(&mut leases));
                    self.take_row(row);
                }
            }
        }
        self.take_leases(leases);
    }

    /// Takes leases that come one after the other: their nodes are found faster together.
    fn take_leases(&mut self, rows: Vec<LeaseRow>) {
        if rows.is_empty() {
            return;
        }
        self.any = true;
        self.core.agents.index_restored();
        let ids: Vec<NodeId> = rows.iter().flat_map(|row| [row.client, row.host]).collect();
        let nodes = self.core.agents.find_all(&ids);
        for (row, nodes) in rows.into_iter().zip(nodes.chunks_exact(2)) {
            self.floor = latest_of(&row).max(self.floor);
            self.core.leases.number_from(row.id.get().saturating_add(1));
            let &[Some(client), Some(host)] = nodes else { continue };
            if row.is_running() {
                self.core.restore_lease(&row, client, host);
            } else {
                self.offered.push(OfferedLease { row, client, host });
            }
        }
    }

    fn take_row(&mut self, row: Row) {
        let Self { core, floor, .. } = self;
        self.any = true;
        if !matches!(row, Row::Node(_)) {
            core.agents.index_restored();
        }
        match row {
            Row::Clock(clock) => *floor = clock.max(*floor),
            Row::NextLease(next) => {
                self.numbered = true;
                core.leases.number_from(next);
            }
            Row::Restore(row) => core.restored = Some(row),
            Row::Node(row) => {
                *floor = row.seen.max(*floor);
                core.agents.restore(&row, &core.limits);
            }
            Row::Lease(row) => self.take_leases(vec![*row]),
            Row::Times(row) => core.metering.restore(&row, core.clock.now(), &core.agents, &core.limits),
            Row::Deferred(row) => {
                *floor = row.ended.max(*floor);
                core.counters.count_metered(&row);
                core.cost_waits(&row, core.clock.now());
                core.metering.restore_deferred(*row);
            }
            Row::Delegation(row) => core.agents.restore_delegations(std::iter::once(row)),
            // The role has compared it with the price.
            Row::Asset(_) => {}
            // A store does not list these.
            Row::Metered(_) | Row::LastReport(_) | Row::Delete(_) => {}
            Row::Payment(mode) => self.pays_by(mode, Ledger::default()),
            // While nobody pays, and goes on to pay nothing, the price is that of the settings.
            Row::Pricing(_) if core.ledger.is_none() && core.unused_ledger.is_none() => {}
            Row::Pricing(row) => {
                // Until something cost something, the operator may choose another asset.
                let row = row.in_asset(core.limits.price.asset());
                core.prices.restore(&row);
                (core.limits.price, core.limits.fee_bps) = (row.current.price, row.current.fee_bps);
            }
            row @ (Row::Entry(_)
            | Row::Account(_)
            | Row::Link(_)
            | Row::LinkCounter(..)
            | Row::Channel(_)
            | Row::Unpaid(_)
            | Row::Period(_)
            | Row::Payout(_)
            | Row::Epoch(_)
            | Row::EpochClaim(_)
            | Row::ChainTransaction(_)) => {
                if let Row::Entry(entry) = &row {
                    *floor = entry.at.max(*floor);
                }
                core.ledger_held_funds |= holds_funds(&row);
                if let Some(ledger) = core.ledger.as_mut().or(core.unused_ledger.as_mut()) {
                    ledger.restore(row);
                }
            }
        }
    }

    /// Returns the latest time in the rows so far; zero if there was none.
    #[must_use]
    pub const fn floor(&self) -> Ms {
        self.floor
    }

    /// Returns the core, which continues at the latest time in the rows if that is later than `now`. Without any row, it is
    /// that of a new pool. Leases are numbered from `unnumbered` on if no number was stored.
    #[must_use]
    pub fn finish_or_number_from(self, unnumbered: u64) -> Core {
        let (any, numbered) = (self.any, self.numbered);
        let mut core = self.finish();
        if !any {
            core.clock = PoolClock::new(core.clock.now());
        }
        if !numbered {
            core.leases.number_from(unnumbered);
        }
        core
    }

    fn finish(mut self) -> Core {
        let core = &mut self.core;
        core.agents.index_restored();
        core.leases.index_restored();
        if self.floor > core.clock.now() {
            // Deadlines that were set meanwhile are due too early, which only makes that they are set again.
            core.clock = PoolClock::restarted(self.floor, &core.limits);
        }
        self.offered.iter().for_each(|lease| core.restore_lease(&lease.row, lease.client, lease.host));
        core.leases.index_restored();
        core.agents.plan_to_forget_all(core.clock.window_ends(), &core.limits);
        self.core
    }
}

/// Whether a row of the ledger is a balance of a payer, or something to pay to a host.
fn holds_funds(row: &Row) -> bool {
    match row {
        Row::Account(AccountRow { account: LedgerAccount::Payer(_), figures }) => figures.balance() > Amount::ZERO,
        Row::Account(AccountRow { account: LedgerAccount::Payee(_), figures }) => figures.payable() > Amount::ZERO,
        Row::Payout(payout) => payout.state == PayoutState::Due,
        _ => false,
    }
}

fn latest_of(row: &LeaseRow) -> Ms {
    let seen = |side: Option<(Ms, Option<Ms>)>| side.map_or(Ms::ZERO, |(up, down)| up.max(down.unwrap_or(up)));
    row.offered.max(seen(row.client_seen)).max(seen(row.host_seen))
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
        let mut restored = RestoredCore::new(limits, seed, read.latest(now));
        restored.core.counters = counters;
        restored.core.restored = read.restored;
        restored.pays_by(read.payment, read.ledger);
        restored.take(read.pricing.into_iter().map(|row| Row::Pricing(Box::new(row))));
        for mut row in read.nodes.into_values() {
            let (seen, nonce) = read.seen.get(&row.id).copied().unwrap_or_default();
            row.seen = row.seen.max(seen);
            row.credentials.raise_nonce(nonce);
            restored.take([Row::Node(Box::new(row))]);
        }
        restored.take([Row::NextLease(read.next_lease)]);
        restored.take(read.times.into_values().map(|row| Row::Times(Box::new(row))));
        restored.take(read.waiting.into_values().map(|row| Row::Deferred(Box::new(row))));
        restored.take(read.leases.into_values().map(|row| Row::Lease(Box::new(row))));
        restored.take(read.delegations.into_values().map(Row::Delegation));
        restored.finish()
    }

    fn restore_lease(&mut self, row: &LeaseRow, client: u32, host: u32) {
        let limited = self.agents.is_limited(client, &self.limits);
        let counted = self.counted_as(host, limited && self.matching.has_served(host, self.context()));
        let Some(index) = self.leases.restore(row, client, host, counted) else { return };
        // No host is connected, so none has a slot to offer.
        self.watch_sides(client, host);
        let Some(lease) = self.leases.get(index) else { return };
        let (id, running, down) = (lease.id(), lease.is_running(), lease.host_down() != UNSEEN);
        if running {
            self.begin_charges(index);
            self.watch_trial(client);
            let (matching, context) = self.matching();
            matching.host_paired(host, client, context);
            self.schedule_proof(client);
            self.schedule_proof(host);
        } else {
            self.matching.offer_restored();
            self.leases.arm_offer(id, self.clock.resumed().plus(self.limits.offer_ms));
            // A restored offer waits long for both sides. Once its client is connected, it gets further hosts meanwhile.
            self.await_pair(client, id);
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
        rows.extend(self.restored.map(Row::Restore));
        rows.extend(Some(self.payment).filter(|mode| !mode.is_none()).map(Row::Payment));
        rows.extend(self.ledger.as_ref().map(|_| Row::Pricing(Box::new(self.prices.row(self.pricing())))));
        rows.extend(nodes.into_iter().map(|row| Row::Node(Box::new(row))));
        rows.extend(leases.into_iter().map(|row| Row::Lease(Box::new(row))));
        rows.extend(times.into_iter().map(|row| Row::Times(Box::new(row))));
        rows.extend(self.agents.delegations().map(Row::Delegation));
        rows.extend(self.metering.deferred().map(|row| Row::Deferred(Box::new(row.clone()))));
        rows.extend(self.ledger.iter().flat_map(|ledger| ledger.rows()));
        rows
    }
}
