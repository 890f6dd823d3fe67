use std::net::IpAddr;

use vipnode_types::{
    LeaseId, NodeId, PayoutOrder,
    wire::{ConnectRequest, ErrorCode, EvictReason, HostOffer, LeaveReason},
};

use super::{
    pool::{Pool, address, client, host, node, order, payout},
    scenario::{CLIENT, FURTHER, HOST, HOUR_MS, INTERRUPTED, OTHER_SUBNET, SECOND_HOST, SLOTS, other_clients, priced},
};
use crate::{Command, Limits, MeteredPeriod, Row};

/// The client begins a row with each of so many reports, a second apart.
fn begin_rows(pool: &mut Pool, rows: u32) {
    let lease = pool.lease_up();
    for _ in 0..rows {
        begin_row(pool, CLIENT, lease, 1_000);
    }
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    while pool.evicted(HOST).is_some() {}
    pool.pass(1_000);
}

/// The client begins a row after so many milliseconds, which are billed, and ten more.
fn begin_row(pool: &mut Pool, agent: u32, lease: LeaseId, ms: u64) {
    pool.pass(ms);
    pool.beat(HOST);
    pool.beat(agent);
    pool.pass(10);
    pool.delta(agent, &[lease], &[lease]);
}

/// What the journal holds and what waits for it.
fn sums(pool: &Pool) -> (u64, u64) {
    let waiting = pool.core.rows();
    let waiting: u64 =
        waiting.iter().map(|row| if let Row::Deferred(row) = row { row.total_billed_ms() } else { 0 }).sum();
    (pool.metered().iter().map(MeteredPeriod::total_billed_ms).sum(), waiting)
}

#[test]
fn a_row_on_which_nothing_is_billed_is_not_kept() {
    let (mut pool, lease) = Pool::priced().leased();
    for _ in 0..50 {
        pool.delta(CLIENT, &[lease], &[lease]);
    }
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    assert_eq!((pool.metered().len(), pool.core.counters().metered_rows), (0, 0));
}

#[test]
fn beyond_a_nodes_hour_rows_are_added_up_and_nothing_is_lost() {
    let mut pool = Pool::with(Limits { periods_an_hour: 10, ..priced() });
    begin_rows(&mut pool, 100);
    let all = pool.core.counters().metered_ms;
    assert_eq!(pool.metered().len(), 10);
    let (written, waiting) = sums(&pool);
    assert!(written < all && written + waiting == all, "{written} + {waiting} of {all}");
    assert_eq!(pool.core.metering.planned_writes(), 1, "one check, however many rows were added");
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
fn a_row_that_is_added_to_over_hours_is_written_and_planned_once_an_hour() {
    let mut pool = Pool::with(Limits { periods_an_hour: 1, ..priced() });
    let lease = pool.lease_up();
    for _ in 0..3 * 60 {
        for _ in 0..3 {
            begin_row(&mut pool, CLIENT, lease, 19_990);
        }
        assert!(pool.core.metering.planned_writes() <= 2);
    }
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    while pool.evicted(HOST).is_some() {}
    let all = pool.core.counters().metered_ms;
    for _ in 0..4 {
        pool.pass_with(HOUR_MS / 2, &[HOST, CLIENT]);
    }
    assert_eq!((sums(&pool), pool.core.metering.planned_writes()), ((all, 0), 0));
}

#[test]
fn a_row_that_waits_is_written_once_a_second() {
    let mut pool = Pool::with(Limits { periods_an_hour: 1, ..priced() });
    let lease = pool.lease_up();
    begin_row(&mut pool, CLIENT, lease, 1_000);
    let written = |pool: &Pool| pool.rows.iter().filter(|row| matches!(row, Row::Deferred(_))).count();
    let before = written(&pool);
    for _ in 0..200 {
        begin_row(&mut pool, CLIENT, lease, 20);
    }
    let (times, seconds) = (written(&pool) - before, 6);
    assert!((5..=seconds + 1).contains(&times), "{times} times in {seconds} s");
    pool.pass(1_000);
    let sums_before = sums(&pool);
    pool.restart(pool.core.limits.clone());
    assert_eq!(sums(&pool), sums_before, "a second later, the store has everything");
}

#[test]
fn a_row_that_waits_is_written_once_a_second_if_it_changes_before_each_tick() {
    let mut pool = Pool::with(Limits { periods_an_hour: 1, ..priced() });
    let lease = pool.lease_up();
    // As at a busy pool, no tick comes in between.
    let row_after = |pool: &mut Pool, ms: u64| {
        pool.now = pool.now.plus(ms - 10);
        pool.beat(HOST);
        pool.beat(CLIENT);
        pool.now = pool.now.plus(10);
        pool.delta(CLIENT, &[lease], &[lease]);
    };
    let written = |pool: &Pool| pool.rows.iter().filter(|row| matches!(row, Row::Deferred(_))).count();
    row_after(&mut pool, 100);
    row_after(&mut pool, 100);
    assert_eq!(written(&pool), 1);
    row_after(&mut pool, 700);
    assert_eq!(written(&pool), 1, "700 ms later");
    row_after(&mut pool, 400);
    assert_eq!(written(&pool), 2, "1,100 ms later");
    row_after(&mut pool, 300);
    pool.handle(Command::Tick);
    assert_eq!(written(&pool), 2, "300 ms after the second time");
    pool.pass(1_000);
    assert_eq!(written(&pool), 3);
    pool.restart(pool.core.limits.clone());
    assert_eq!(sums(&pool).0 + sums(&pool).1, pool.core.counters().metered_ms);
}

#[test]
fn the_clients_of_one_block_leave_room_for_others_to_wait() {
    let mut pool =
        Pool::with(Limits { periods_an_hour: 1, waiting_periods: 6, ..priced() }).with_host(HOST, 20).reported(HOST);
    let neighbors = other_clients(5);
    for agent in neighbors.chain([OTHER_SUBNET]) {
        let at = if agent == OTHER_SUBNET { address(OTHER_SUBNET) } else { address(CLIENT) };
        pool.pass(40_000);
        pool.beat(HOST);
        pool.connect_from(agent, client(agent), at).unwrap();
        pool.full(agent, &[]);
        let lease = pool.lease_between(HOST, agent);
        for _ in 0..3 {
            begin_row(&mut pool, agent, lease, 1_000);
        }
    }
    let waiting = pool.core.rows();
    let waiting =
        waiting.iter().filter_map(|row| if let Row::Deferred(row) = row { Some(row.lease.client) } else { None });
    let waiting: Vec<NodeId> = waiting.collect();
    assert!(waiting.contains(&node(OTHER_SUBNET)) && waiting.len() == 3, "{waiting:?}: a block has a third");
}

#[test]
fn rows_for_another_payee_are_not_added_up() {
    let mut pool = Pool::with(Limits { periods_an_hour: 1, payout_delay_ms: 0, ..priced() });
    begin_rows(&mut pool, 5);
    let (account, other_account) = (payout(HOST), payout(SECOND_HOST));
    let payout = Some(PayoutOrder { counter: pool.now, ..order(other_account) });
    pool.join(
        HOST,
        ConnectRequest { host: Some(HostOffer { slots: SLOTS, payout, no_trials: false }), ..host(HOST, SLOTS) },
    );
    pool.join(CLIENT, client(CLIENT));
    pool.pass(40_000);
    let lease = pool.lease_between(HOST, CLIENT);
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    pool.pass(HOUR_MS);
    let payees: Vec<_> = pool.metered().iter().map(|row| row.lease.payee.unwrap()).collect();
    assert_eq!(payees, [account, account, other_account]);
}

#[test]
fn where_no_further_row_may_wait_it_is_written() {
    for members_only in [false, true] {
        let limits = |waiting_periods| Limits { periods_an_hour: 10, waiting_periods, members_only, ..priced() };
        let mut pool = Pool::with(limits(0));
        begin_rows(&mut pool, 20);
        assert_eq!(pool.metered().len() as u64, pool.core.counters().metered_rows);
        let mut pool = Pool::with(limits(6));
        begin_rows(&mut pool, 20);
        assert_eq!(pool.metered().len(), 10, "one row waits");
    }
}

/// An address of a client, all of which are in one block.
fn neighbors(number: u32) -> IpAddr {
    IpAddr::from([66, 6, 6, u8::try_from(number % 250).unwrap()])
}

/// A client that is new connects from an address, is served for a second, and leaves. Returns false if it gets no host.
fn one_row(pool: &mut Pool, with: u32, agent: u32, at: IpAddr) -> bool {
    pool.connect_from(agent, client(agent), at).unwrap();
    pool.full(agent, &[]);
    pool.replies.clear();
    pool.ask(agent, 1);
    if let Some((_, Err(error))) = pool.replies.last() {
        assert!(error.is(ErrorCode::Busy), "{error:?}");
        pool.disconnect(agent);
        return false;
    }
    let lease = pool.admit(with);
    pool.reports_up(with, lease);
    pool.reports_up(agent, lease);
    pool.pass(1_000);
    pool.beat(with);
    pool.beat(agent);
    pool.leave(agent, lease, LeaveReason::Surplus);
    while pool.evicted(with).is_some() {}
    pool.reports_down(with, lease);
    pool.disconnect(agent);
    true
}

/// So many clients end a row each, with a host and at an address by their numbers. The pool writes ten in the first hour.
fn ten_are_written(count: u32, with: impl Fn(u32) -> u32, at: impl Fn(u32) -> IpAddr) {
    let mut pool = Pool::with(Limits { periods_an_hour_of_a_block: 10, same_address_ms: 0, ..priced() });
    for number in 10..10 + count {
        // Only one of the hosts is connected, so that the client gets it.
        let other = with(number);
        pool.join(other, host(other, SLOTS));
        assert!(one_row(&mut pool, other, number, at(number)));
        pool.disconnect(other);
    }
    let all = pool.core.counters().metered_ms;
    assert_eq!((pool.metered().len(), pool.core.counters().metered_rows), (10, count.into()));
    let (written, waiting) = sums(&pool);
    assert!(waiting > 0 && written + waiting == all, "{written} + {waiting} of {all}");
    pool.pass(2 * HOUR_MS);
    assert_eq!(sums(&pool), (all, 0), "written in the next hours");
}

/// The attack: each id ends fewer rows than a node may, but ids are free.
#[test]
fn the_clients_of_an_address_block_end_so_many_rows_in_an_hour_together() {
    ten_are_written(20, |number| [HOST, OTHER_SUBNET, FURTHER][number as usize % 3], neighbors);
}

#[test]
fn the_hosts_of_an_address_block_end_so_many_rows_in_an_hour_together() {
    ten_are_written(12, |_| HOST, address);
}

/// The attack: rows of as many pairs wait as may, and each further one would be written at once.
#[test]
fn where_no_further_row_may_wait_the_clients_of_a_block_begin_none() {
    let limits = Limits { periods_an_hour_of_a_block: 10, waiting_periods: 12, same_address_ms: 0, ..priced() };
    let mut pool = Pool::with(limits);
    pool.join(HOST, host(HOST, 100));
    let honest = OTHER_SUBNET;
    pool.join(honest, client(honest));
    let honest_lease = pool.lease_between(HOST, honest);
    let running = 20;
    pool.connect_from(running, client(running), neighbors(running)).unwrap();
    pool.full(running, &[]);
    let lease = pool.lease_between(HOST, running);
    let served = (100..140).filter(|&agent| one_row(&mut pool, HOST, agent, neighbors(agent))).count();
    assert_eq!(served, 14, "ten are written, and four of twelve wait");
    assert_eq!(pool.metered().len(), 10);
    // A lease that is interrupted ends, with one more row, and so do no others.
    for agent in [running, honest] {
        pool.beat(agent);
        pool.connect_from(agent, client(agent), if agent == running { neighbors(agent) } else { address(agent) })
            .unwrap();
        pool.full(agent, &[(if agent == running { lease } else { honest_lease }, INTERRUPTED)]);
    }
    assert_eq!(pool.evicted(running), Some(EvictReason::Disconnected));
    assert_eq!(pool.evicted(honest), None);
    while pool.evicted(HOST).is_some() {}
    assert_eq!(pool.metered().len(), 11);
    assert!(!one_row(&mut pool, HOST, 150, neighbors(150)));
    assert!(one_row(&mut pool, HOST, 151, address(FURTHER)), "another block");
    let (written, waiting) = sums(&pool);
    assert_eq!(written + waiting, pool.core.counters().metered_ms);
    // In the next hour, those that waited are written, and others are served again.
    pool.pass_with(HOUR_MS, &[HOST, honest]);
    assert!(one_row(&mut pool, HOST, 152, neighbors(152)));
    assert_eq!(sums(&pool).1, 0);
}
