use vipnode_types::{
    Ms,
    wire::{EvictReason, LeaveReason},
};

use super::pool::{Pool, client, host};
use crate::{Command, Core, Limits, Row};

fn priced() -> Limits {
    Limits { price: super::pool::wei(60_000), ..Limits::default() }
}

#[test]
fn the_pools_own_absence_ends_nothing() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    pool.pass_with(240_000, &[1, 2]);
    pool.now = pool.now.plus(1_800_000);
    pool.restart(priced());
    pool.pass(599_000);
    assert_eq!(pool.core.gauges().leases, 1, "in the window nobody is judged");
    assert_eq!(pool.connect(1, host(1, 4)).unwrap().leases.len(), 1);
    assert_eq!(pool.connect(2, client(2)).unwrap().leases.len(), 1);
    pool.full(1, &[(lease, true)]);
    pool.full(2, &[(lease, true)]);
    pool.pass_with(60_000, &[1, 2]);
    assert!(pool.calls.is_empty());
    pool.leave(2, lease, LeaveReason::Surplus);
    let rows = pool.metered();
    assert_eq!(rows.len(), 1, "it went on with its lease");
    assert_eq!(rows[0].billed_ms, 240_000 + 1_800_000 + 599_000 + 60_000);
}

#[test]
fn a_side_that_does_not_return_goes_down_where_it_was_last_seen() {
    let mut pool = Pool::priced();
    pool.lease_up();
    let began = pool.now;
    pool.pass_with(240_000, &[1, 2]);
    let flushed =
        pool.rows.iter().rev().find_map(|row| if let Row::Clock(at) = row { Some(*at) } else { None }).unwrap();
    pool.restart(priced());
    pool.pass(600_001);
    assert_eq!(pool.core.gauges().leases, 0);
    let billed = pool.metered()[0].billed_ms;
    assert!(billed <= flushed.since(began) && flushed.since(began) - billed <= 30_000, "{billed}");
}

#[test]
fn an_offer_from_before_a_restart_waits_for_both_to_come_back() {
    let mut pool = Pool::new();
    pool.pair_up();
    pool.ask(2, 1);
    let lease = pool.admit(1);
    pool.restart(Limits::default());
    pool.pass(300_000);
    assert_eq!(pool.connect(1, host(1, 4)).unwrap().leases[0].lease, lease);
    assert_eq!(pool.connect(2, client(2)).unwrap().leases[0].lease, lease);
    pool.full(1, &[(lease, false)]);
    pool.full(2, &[(lease, false)]);
    assert_eq!(pool.core.gauges().running, 1);
    pool.pass_with(1_000_000, &[1, 2]);
    assert!(pool.calls.is_empty());
}

#[test]
fn a_pause_of_the_pool_is_nobodys_silence() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    pool.pass_with(60_000, &[1, 2]);
    pool.pass(150_000);
    // 50 s without a tick: by itself that would be silence.
    pool.now = pool.now.plus(50_000);
    pool.handle(Command::Tick);
    pool.pass(10_000);
    assert_eq!(pool.core.gauges().leases, 1);
    pool.beat(1);
    pool.beat(2);
    pool.leave(2, lease, LeaveReason::Surplus);
    assert_eq!(pool.metered()[0].billed_ms, 270_000);
    assert_eq!(pool.core.counters().pauses, 1);
}

#[test]
fn a_pause_bills_nothing_that_nobody_reports() {
    let mut pool = Pool::priced();
    pool.lease_up();
    pool.pass_with(60_000, &[1, 2]);
    pool.now = pool.now.plus(72 * 3_600_000);
    pool.handle(Command::Tick);
    assert_eq!(pool.core.gauges().leases, 1, "the reconnect window");
    pool.pass(600_001);
    assert_eq!(pool.metered()[0].billed_ms, 60_000);
    assert_eq!(pool.closed.len(), 2);
}

#[test]
fn time_never_runs_backwards() {
    let mut pool = Pool::new();
    let lease = pool.lease_up();
    pool.pass_with(200_000, &[1, 2]);
    let then = pool.now;
    let core = Core::restore(Limits::default(), [1; 32], Ms::new(5), pool.rows.clone());
    assert!(core.now() >= then.minus(20_000), "the floor is what was written");
    let at = core.now();
    pool.core = core;
    pool.now = Ms::new(5);
    pool.handle(Command::Tick);
    assert_eq!(pool.core.now(), at);
    assert!(pool.core.rows().iter().any(|row| matches!(row, Row::Lease(row) if row.id == lease)));
}

#[test]
fn lease_numbers_are_never_used_twice() {
    let mut pool = Pool::new();
    let first = pool.lease_up();
    pool.bye(2);
    pool.restart(Limits::default());
    pool.connect(1, host(1, 4)).unwrap();
    pool.connect(2, client(2)).unwrap();
    pool.ask(2, 1);
    assert!(pool.admit(1) > first);
}

#[test]
fn a_hosts_gone_outlives_a_restart() {
    let mut pool = Pool::new();
    let lease = pool.lease_up();
    pool.delta(1, &[], &[lease]);
    pool.restart(Limits::default());
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[(lease, true)]);
    pool.pass(15_000);
    assert_eq!(pool.evicted(2), Some(EvictReason::Disconnected));
}

#[test]
fn an_offer_outlives_a_pause_of_the_pool() {
    let mut pool = Pool::new();
    pool.pair_up();
    pool.ask(2, 1);
    let lease = pool.admit(1);
    pool.now = pool.now.plus(20_000);
    pool.handle(Command::Tick);
    assert_eq!(pool.core.gauges().leases, 1, "its reports wait in line");
    pool.delta(1, &[lease], &[]);
    pool.delta(2, &[lease], &[]);
    pool.pass(15_000);
    assert_eq!(pool.core.gauges().running, 1);
}

#[test]
fn what_was_metered_before_a_hosts_gone_outlives_a_restart() {
    let mut pool = Pool::priced();
    let lease = pool.lease_up();
    pool.pass_with(60_000, &[1, 2]);
    pool.delta(1, &[], &[lease]);
    pool.restart(priced());
    pool.connect(1, host(1, 4)).unwrap();
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[(lease, true)]);
    pool.full(1, &[(lease, false)]);
    assert_eq!(pool.metered()[0].billed_ms, 60_000, "the row ended there, another runs");
    assert_eq!(pool.core.gauges().running, 1);
}
