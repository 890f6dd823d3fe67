//! A clock that was ahead between two starts, and is right again: what was billed for time that did not pass.

use vipnode_types::{Amount, LeaseId, Ms, PaymentMode, meter::Seen};

use super::{
    funds::{credit_limits, payer, pool},
    pool::{Pool, START, client, host, node, payout},
    scenario::{CLIENT, DAY_MS, HOST, HOUR_MS, KEPT, MINUTE_MS, SECOND_HOST, SLOTS, priced},
};
use crate::{AcceptedClock, Core, Effect, LedgerEntry, Limits, MeteredPeriod, RestoredCore, Row, Transaction};

/// How far the clock was ahead.
const AHEAD_MS: u64 = 5 * DAY_MS;
/// A user ID.
const OPERATOR: u32 = 1_000;

/// A pool that has billed a pair for a minute, and was started again with a clock that is ahead.
fn ahead() -> (Pool, LeaseId) {
    let mut pool = pool(credit_limits());
    pool.credit(u128::from(100 * DAY_MS));
    let lease = pool.served(1)[0];
    passes(&mut pool, MINUTE_MS);
    pool.now = pool.now.plus(AHEAD_MS);
    pool.restart(credit_limits());
    (pool, lease)
}

/// After a start, all agents connect. The pair was connected all the time.
fn reconnect(pool: &mut Pool, lease: LeaseId) {
    let serving = pool.core.leases.get(pool.core.leases.find(lease).unwrap()).unwrap().host();
    let serving = pool.core.agents.id(serving);
    for agent in [HOST, SECOND_HOST] {
        pool.connect(agent, host(agent, SLOTS)).unwrap();
        let seen: &[_] = if Some(node(agent)) == serving { &[(lease, KEPT)] } else { &[] };
        pool.full(agent, seen);
    }
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, KEPT)]);
}

/// All agents report for some time.
fn passes(pool: &mut Pool, ms: u64) {
    pool.pass_with(ms, &[HOST, SECOND_HOST, CLIENT]);
}

fn accepted(pool: &Pool) -> AcceptedClock {
    AcceptedClock { stored: pool.now, clock: pool.now.minus(AHEAD_MS), by: Some(OPERATOR) }
}

impl Pool {
    /// The pool starts with a clock that is right again, and the operator accepts it.
    fn accept(&mut self) -> (u64, Amount) {
        let accepted = accepted(self);
        self.collected(|core, now, out| core.accept_clock(now, &accepted, out))
    }

    /// Posts what may be overbilled of the periods in the journal, as the pool reads them from its store.
    fn post_overbilled(&mut self) -> (u64, Amount) {
        let (accepted, metered) = (accepted(self), self.metered());
        let billed = self.entries().into_iter().filter_map(|entry| match entry.transaction {
            Transaction::Lease { lease, row, .. } => {
                let period = metered.iter().find(|period| (period.lease.id, period.lease.row) == (lease, row));
                Some((entry.number, period.unwrap().clone()))
            }
            _ => None,
        });
        let billed: Vec<_> = billed.collect();
        self.collected(|core, now, out| core.post_overbilled(now, &accepted, &billed, out))
    }

    fn collected<T>(&mut self, work: impl FnOnce(&mut Core, Ms, &mut Vec<Effect>) -> T) -> T {
        let mut out = Vec::new();
        let done = work(&mut self.core, self.now, &mut out);
        for effect in out {
            if let Effect::Persist(rows) = effect {
                self.rows.extend(rows);
            }
        }
        assert_eq!(self.core.check(), Ok(()));
        done
    }

    fn entries(&self) -> Vec<LedgerEntry> {
        let entry = |row: &Row| if let Row::Entry(entry) = row { Some((**entry).clone()) } else { None };
        self.rows.iter().filter_map(entry).collect()
    }

    fn overbilled(&self) -> Vec<(u64, u128)> {
        let of = |entry: LedgerEntry| match entry.transaction {
            Transaction::Overbilled { payer: by, payee, entry, amount, order } => {
                assert_eq!((by, order.by, order.key), (payer(), Some(OPERATOR), None));
                assert!([HOST, SECOND_HOST].map(payout).contains(&payee));
                assert!(order.reason.contains("for time that did not pass"), "{}", order.reason);
                Some((entry, amount.get()))
            }
            _ => None,
        };
        self.entries().into_iter().filter_map(of).collect()
    }

    fn cost(&self, number: u64) -> u128 {
        let entry = self.entries().into_iter().find(|entry| entry.number == number).unwrap();
        match entry.transaction {
            Transaction::Lease { cost, .. } => cost.get(),
            other => panic!("{other:?}"),
        }
    }

    fn accounts(&self) -> Vec<Row> {
        self.core.rows().into_iter().filter(|row| matches!(row, Row::Account(_))).collect()
    }
}

/// The lease continues, and a minute of it is billed.
fn bills_a_minute(pool: &mut Pool, lease: LeaseId) {
    let before = (pool.metered().len(), pool.overbilled());
    reconnect(pool, lease);
    passes(pool, MINUTE_MS);
    pool.accept();
    let later: Vec<u64> = pool.metered()[before.0..].iter().map(|period| period.billed_ms).collect();
    assert_eq!((later, pool.overbilled()), (vec![MINUTE_MS], before.1));
}

#[test]
fn a_running_period_with_time_that_did_not_pass_ends_and_is_posted_as_overbilled() {
    let (mut pool, lease) = ahead();
    reconnect(&mut pool, lease);
    passes(&mut pool, 4 * MINUTE_MS);
    assert!(pool.metered().is_empty(), "the reconnect window is open");
    pool.restart(credit_limits());
    assert_eq!(pool.accept(), (1, Amount::new(AHEAD_MS.into())));
    let [(entry, overbilled)] = pool.overbilled()[..] else { panic!("{:?}", pool.overbilled()) };
    assert_eq!(overbilled, AHEAD_MS.into(), "one unit a millisecond");
    let really = pool.cost(entry) - overbilled;
    assert!((u128::from(MINUTE_MS)..=u128::from(5 * MINUTE_MS)).contains(&really), "{really}");
    bills_a_minute(&mut pool, lease);
}

/// Nobody reported since the clock moved ahead, so the running period ends before that.
#[test]
fn the_next_period_contains_no_time_that_did_not_pass_either() {
    let (mut pool, lease) = ahead();
    pool.pass(4 * MINUTE_MS);
    pool.restart(credit_limits());
    assert_eq!(pool.accept(), (0, Amount::ZERO));
    bills_a_minute(&mut pool, lease);
    assert!(pool.billed_ms().iter().all(|billed| *billed <= MINUTE_MS), "{:?}", pool.billed_ms());
}

#[test]
fn a_finished_period_with_time_that_did_not_pass_is_posted_as_overbilled_and_no_balance_changes() {
    let (mut pool, lease) = ahead();
    reconnect(&mut pool, lease);
    passes(&mut pool, 2 * HOUR_MS);
    assert_eq!(pool.metered().len(), 1, "it rolled over");
    pool.restart(credit_limits());
    let before = pool.accounts();
    assert_eq!(pool.post_overbilled(), (1, Amount::new(AHEAD_MS.into())));
    assert_eq!(pool.accounts(), before);
    assert_eq!(pool.overbilled(), [(2, AHEAD_MS.into())]);
    assert_eq!(pool.accept(), (0, Amount::ZERO), "the running period began after the jump");
    assert_eq!(pool.metered().len(), 2, "it ends all the same");
    bills_a_minute(&mut pool, lease);
}

/// While pool time is ahead of the clock, it must not run backward over a restart either: two periods of a pair would overlap.
#[test]
fn pool_time_continues_after_the_newest_entry_and_the_newest_waiting_period() {
    let mut pool = pool(credit_limits());
    passes(&mut pool, MINUTE_MS);
    let posted = pool.credit(5).entry;
    let ledger = || [Row::Payment(PaymentMode::Credit), Row::Entry(Box::new(posted.clone()))];
    let mut restored = RestoredCore::new(credit_limits(), [6; 32], START);
    restored.take(ledger());
    assert_eq!(restored.floor(), posted.at);
    assert_eq!(Core::restore(credit_limits(), [6; 32], START, ledger()).now(), posted.at);

    let waiting = || {
        let period = period(MINUTE_MS, START.plus(MINUTE_MS));
        [Row::Deferred(Box::new(MeteredPeriod { ended: START.plus(2 * MINUTE_MS), ..period }))]
    };
    let mut restored = RestoredCore::new(credit_limits(), [6; 32], START);
    restored.take(waiting());
    assert_eq!(restored.floor(), START.plus(2 * MINUTE_MS));
    assert_eq!(Core::restore(credit_limits(), [6; 32], START, waiting()).now(), START.plus(2 * MINUTE_MS));
}

#[test]
fn without_payments_only_the_periods_end() {
    let mut pool = Pool::with(priced());
    pool.lease_up();
    pool.pass_with(MINUTE_MS, &[1, 2]);
    let accepted = accepted(&pool);
    let posted = pool.collected(|core, now, out| core.accept_clock(now, &accepted, out));
    assert_eq!((posted, pool.metered().len()), ((0, Amount::ZERO), 1));
    assert_eq!(pool.core.newest_entry(), None);
}

/// A period of so many milliseconds that ended then.
fn period(length_ms: u64, end: Ms) -> MeteredPeriod {
    let mut pool = Pool::with(credit_limits());
    pool.lease_up();
    pool.pass_with(MINUTE_MS, &[1, 2]);
    let accepted = accepted(&pool);
    pool.collected(|core, now, out| core.accept_clock(now, &accepted, out));
    let seen = Some(Seen { up: end.minus(length_ms), end });
    MeteredPeriod { client: seen, host: seen, billed_ms: length_ms, ..pool.metered().remove(0) }
}

#[test]
fn only_a_period_that_is_longer_than_one_without_a_downtime_is_overbilled() {
    let (rollover_ms, rollover_group_ms) = (2 * DAY_MS, HOUR_MS);
    let limits = Limits { rollover_ms, rollover_group_ms, reconnect_window_ms: HOUR_MS, ..Limits::default() };
    let (clock, stored) = (Ms::new(100 * DAY_MS), Ms::new(110 * DAY_MS));
    let accepted = AcceptedClock { stored, clock, by: None };
    let of = |length_ms, end| accepted.overbilled_ms(&period(length_ms, end), &limits);
    // The group of the rollover, the reconnect window, and the time of some restarts.
    let longest = 2 * DAY_MS + HOUR_MS + HOUR_MS + HOUR_MS;
    assert_eq!(of(longest, stored), 0);
    assert_eq!(of(longest + 1, stored), longest + 1, "the clock moved ahead in several steps");
    assert_eq!(of(10 * DAY_MS, stored), 10 * DAY_MS);
    assert_eq!(of(11 * DAY_MS, stored), 10 * DAY_MS, "no more than the clock was ahead");
    assert_eq!(of(11 * DAY_MS, clock.plus(1)), 10 * DAY_MS);
    assert_eq!(of(11 * DAY_MS, clock), 0, "it ended before the time that is right");
    let near = AcceptedClock { clock: stored.minus(DAY_MS), ..accepted };
    let of = |length_ms| near.overbilled_ms(&period(length_ms, stored), &limits);
    assert_eq!((of(DAY_MS), of(DAY_MS - 1)), (DAY_MS, 0), "as long as the clock was ahead");
}
