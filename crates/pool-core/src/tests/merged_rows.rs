use vipnode_types::wire::LeaveReason;

use super::pool::{Pool, client, host, wei};
use crate::{Limits, MeteredRow, Row};

const HOUR_MS: u64 = 3_600_000;

fn limited(limits: &Limits) -> Pool {
    Pool::with(Limits { price: wei(60_000), ..limits.clone() })
}

/// The client begins a row with each of so many reports, a second apart.
fn begin_rows(pool: &mut Pool, rows: u32) {
    let lease = pool.lease_up();
    for _ in 0..rows {
        pool.pass(1_000);
        pool.beat(1);
        pool.beat(2);
        pool.pass(10);
        pool.delta(2, &[lease], &[lease]);
    }
    pool.leave(2, lease, LeaveReason::Surplus);
    while pool.evicted(1).is_some() {}
}

/// What the journal holds and what waits for it.
fn sums(pool: &Pool) -> (u64, u64) {
    let waiting = pool.core.rows();
    let waiting: u64 =
        waiting.iter().map(|row| if let Row::Waiting(row) = row { row.total_billed_ms() } else { 0 }).sum();
    (pool.metered().iter().map(MeteredRow::total_billed_ms).sum(), waiting)
}

#[test]
fn a_row_on_which_nothing_is_billed_is_not_kept() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    for _ in 0..50 {
        pool.delta(2, &[lease], &[lease]);
    }
    pool.leave(2, lease, LeaveReason::Surplus);
    assert_eq!((pool.metered().len(), pool.core.counters().metered_rows), (0, 0));
}

#[test]
fn beyond_a_nodes_hour_rows_are_added_up_and_nothing_is_lost() {
    let mut pool = limited(&Limits { rows_an_hour: 10, ..Limits::default() });
    begin_rows(&mut pool, 100);
    let all = pool.core.counters().metered_ms;
    assert_eq!(pool.metered().len(), 10);
    let (written, waiting) = sums(&pool);
    assert!(written < all && written + waiting == all, "{written} + {waiting} of {all}");
    pool.restart(pool.core.limits.clone());
    assert_eq!((sums(&pool).1, pool.core.counters().metered_ms), (waiting, all), "a restart keeps them");
    pool.pass(HOUR_MS);
    let rows = pool.metered();
    assert_eq!((rows.len(), sums(&pool)), (11, (all, 0)), "written in the next hour");
    let last = rows.last().unwrap();
    assert_eq!(u64::from(last.earlier.rows) + rows.len() as u64, pool.core.counters().metered_rows);
    let cost: u128 = rows.iter().map(|row| row.total_cost().get()).sum();
    assert_eq!(cost, pool.core.counters().metered_cost.get());
}

#[test]
fn rows_for_another_payee_are_not_added_up() {
    let mut pool = limited(&Limits { rows_an_hour: 1, ..Limits::default() });
    begin_rows(&mut pool, 5);
    let mut other = host(1, 4);
    other.host.as_mut().unwrap().payout = Some(super::pool::payout(9));
    pool.connect(1, other).unwrap();
    pool.full(1, &[]);
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[]);
    pool.pass(40_000);
    pool.ask(2, 1);
    let lease = pool.admit(1);
    pool.delta(1, &[lease], &[]);
    pool.delta(2, &[lease], &[]);
    pool.pass_with(60_000, &[1, 2]);
    pool.leave(2, lease, LeaveReason::Surplus);
    pool.pass(HOUR_MS);
    let payees: Vec<_> = pool.metered().iter().map(|row| row.lease.payee.unwrap()).collect();
    assert_eq!(payees, [super::pool::payout(1), super::pool::payout(1), super::pool::payout(9)]);
}

#[test]
fn where_no_further_row_may_wait_it_is_written() {
    let mut pool = limited(&Limits { rows_an_hour: 10, waiting_rows: 0, ..Limits::default() });
    begin_rows(&mut pool, 20);
    assert_eq!(pool.metered().len() as u64, pool.core.counters().metered_rows);
}
