//! The wall clock of the pool's machine, which moves while the pool does not run; the time of the pool; and what follows once the
//! operator accepts a clock that is right again.

use std::collections::{BTreeMap, BTreeSet};

use vipnode_pool_core::{AcceptedClock, Effect, LedgerEntry, MeteredPeriod, Row, Transaction};
use vipnode_store::Store;
use vipnode_types::{Amount, Ms};

use super::Simulation;
use crate::{EPOCH_MS, checks::Promise};

const HOUR_MS: u64 = 60 * 60_000;
/// A pool refuses to start with a clock that is further behind, unless the operator accepts it.
const MOST_BEHIND_MS: u64 = 24 * HOUR_MS;
/// The longest time between two writes of pool time, with the longest time that a pool is down, in ms.
const UNWRITTEN_MS: u64 = 30 * 60_000;

/// The time of the pool, and the clock of its machine. The clock moves ahead at most once, and is right again after that.
#[derive(Debug, Default)]
pub(super) struct PoolTime {
    /// How far pool time is ahead of virtual time, in ms.
    ahead_ms: u64,
    /// How far the clock is ahead of virtual time, in ms.
    clock_ahead_ms: u64,
    moved: bool,
    /// Whether the pool reads the clock when it starts: its process ended.
    reads_clock: bool,
    /// Billing periods that were posted as overbilled.
    pub(super) overbilled: u64,
}

impl Simulation {
    /// Pool time now.
    pub(super) fn pool_now(&self) -> Ms {
        Ms::new(EPOCH_MS + self.now + self.pool.pool_time.ahead_ms)
    }

    /// Returns the virtual time of a moment of pool time from the pool's start on.
    pub(super) fn virtual_ms(&self, at: Ms) -> u64 {
        at.since(Ms::new(EPOCH_MS + self.pool.pool_time.ahead_ms))
    }

    /// The process of the pool ends, and the clock of its machine may move.
    pub(super) fn move_clock(&mut self) {
        if !self.scenario.credit.moves_clock {
            return;
        }
        let time = &mut self.pool.pool_time;
        time.reads_clock = true;
        if time.clock_ahead_ms > 0 {
            if self.rng.chance(600) {
                time.clock_ahead_ms = 0;
            }
        } else if !time.moved && self.rng.chance(600) {
            time.moved = true;
            time.clock_ahead_ms = self.rng.range(25, 60 * 24) * HOUR_MS;
        }
        let ahead_ms = self.pool.pool_time.clock_ahead_ms;
        self.log(|| format!("the clock of the pool's machine is {ahead_ms} ms ahead"));
    }

    /// The faults end: the clock is right, and the pool starts with it.
    pub(super) fn set_clock_right(&mut self) {
        let time = &mut self.pool.pool_time;
        if std::mem::take(&mut time.clock_ahead_ms) > 0 {
            time.reads_clock = true;
            self.pool_crashes(1_000, true);
        }
    }

    /// The time that a pool which starts goes on with: that of the clock if its process ended, or else its own.
    pub(super) fn start_time(&self) -> Ms {
        let time = &self.pool.pool_time;
        let ahead_ms = if time.reads_clock { time.clock_ahead_ms } else { time.ahead_ms };
        Ms::new(EPOCH_MS + self.now + ahead_ms)
    }

    /// The pool has started with a core that was restored at this time.
    pub(super) fn pool_time_starts(&mut self, clock: Ms) {
        if !self.scenario.credit.moves_clock {
            return;
        }
        let Some(core) = &mut self.pool.core else { return };
        let stored = core.now();
        let time = &mut self.pool.pool_time;
        time.ahead_ms = stored.since(Ms::new(EPOCH_MS + self.now));
        let reads_clock = std::mem::take(&mut time.reads_clock);
        core.set_wall_clock(stored, Ms::new(EPOCH_MS + self.now + time.clock_ahead_ms));
        self.checker.clock().started(stored, self.now);
        let accepted = AcceptedClock { stored, clock, by: Some(0) };
        if reads_clock && accepted.ahead_ms() > MOST_BEHIND_MS {
            self.log(|| format!("the operator accepts the clock: {accepted:?}"));
            self.accept_clock(accepted);
        }
    }

    /// What the pool does about an accepted clock.
    fn accept_clock(&mut self, accepted: AcceptedClock) {
        let (mut entries, mut journal) = self.stored_ledger();
        let late: Vec<(u64, MeteredPeriod)> = overbillable(&entries, &journal, accepted.clock);
        let now = self.pool_now();
        let Some(core) = &mut self.pool.core else { return };
        let mut effects = Vec::new();
        core.post_overbilled(now, &accepted, &late, &mut effects);
        core.accept_clock(now, &accepted, &mut effects);
        for effect in &effects {
            let Effect::Persist(rows) = effect else { continue };
            for row in rows {
                match row {
                    Row::Entry(entry) => entries.push((**entry).clone()),
                    Row::Metered(period) => journal.push((**period).clone()),
                    _ => {}
                }
            }
        }
        effects.into_iter().for_each(|effect| self.effect(effect));
        self.check_overbilled(&entries, &journal);
    }

    /// At the end, the clock is right: whether exactly the periods with time that did not pass are overbilled.
    pub(super) fn check_clock(&mut self) {
        if self.scenario.credit.moves_clock {
            let (entries, journal) = self.stored_ledger();
            self.check_overbilled(&entries, &journal);
        }
    }

    /// Whether exactly the periods with time that did not pass are overbilled, each once and by that time.
    fn check_overbilled(&mut self, entries: &[LedgerEntry], journal: &[MeteredPeriod]) {
        let posted = |entry: &LedgerEntry| match entry.transaction {
            Transaction::Overbilled { entry, amount, .. } => Some((entry, amount)),
            _ => None,
        };
        let posted: Vec<(u64, Amount)> = entries.iter().filter_map(posted).collect();
        self.pool.pool_time.overbilled = posted.len() as u64;
        let by_entry: BTreeMap<u64, Amount> = posted.iter().copied().collect();
        if by_entry.len() < posted.len() {
            self.violation(Promise::Ledger, format!("an entry is overbilled twice: {posted:?}"));
        }
        for (number, period) in all_billed(entries, journal) {
            let (amount, false_ms) = (by_entry.get(&number).copied(), self.checker.false_ms(&period));
            let cost = |ms: u64| period.lease.price.cost_from(ms, 0).map_or(Amount::ZERO, |(cost, _)| cost);
            let range = cost(false_ms.saturating_sub(UNWRITTEN_MS))..=cost(false_ms);
            let fits = amount.map_or(cost(false_ms) == Amount::ZERO, |amount| false_ms > 0 && range.contains(&amount));
            if !fits {
                self.violation(
                    Promise::Billing,
                    format!("{false_ms} ms did not pass, but {amount:?} of {range:?} is overbilled: {period:?}"),
                );
            }
        }
    }

    fn stored_ledger(&mut self) -> (Vec<LedgerEntry>, Vec<MeteredPeriod>) {
        let (mut entries, mut journal) = (Vec::new(), Vec::new());
        let store = self.pool.store();
        let read = store.entries(0, usize::MAX, &mut |entry| entries.push(entry));
        let read = read.and_then(|()| store.metered(0, usize::MAX, &mut |_, row| journal.push(row)));
        self.require(read.map_err(|error| Promise::Durability.violation(error)));
        (entries, journal)
    }
}

/// Periods that were posted after the accepted time and about which nothing was posted yet, each with the number of its entry.
fn overbillable(entries: &[LedgerEntry], journal: &[MeteredPeriod], clock: Ms) -> Vec<(u64, MeteredPeriod)> {
    let posted: BTreeSet<u64> = entries
        .iter()
        .filter_map(|entry| match entry.transaction {
            Transaction::Overbilled { entry, .. } => Some(entry),
            _ => None,
        })
        .collect();
    let late = entries.iter().filter(|entry| entry.at > clock && !posted.contains(&entry.number)).cloned();
    all_billed(&late.collect::<Vec<_>>(), journal)
}

/// The periods that entries bill, each with the number of its entry.
fn all_billed(entries: &[LedgerEntry], journal: &[MeteredPeriod]) -> Vec<(u64, MeteredPeriod)> {
    let periods: BTreeMap<_, _> = journal.iter().map(|period| ((period.lease.id, period.lease.row), period)).collect();
    let of = |entry: &LedgerEntry| match entry.transaction {
        Transaction::Lease { lease, row, .. } => Some((entry.number, (*periods.get(&(lease, row))?).clone())),
        _ => None,
    };
    entries.iter().filter_map(of).collect()
}
