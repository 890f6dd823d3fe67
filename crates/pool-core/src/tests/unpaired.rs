use vipnode_types::{
    LeaseId,
    wire::{ErrorCode, EvictReason, LeaveReason},
};

use super::pool::{Pool, client, host, wei};
use crate::{CallOutcome, Limits, PoolCall, Reply, Row, metering::unpaired::Pair};

/// The host alone sees the client, offer after offer.
fn lone_host(pool: &mut Pool, rounds: u32) {
    for round in 0..rounds {
        // Over HTTP, so that the pool gives it nothing by itself.
        pool.connect_from(2, client(2), super::pool::address(2), false).unwrap();
        pool.ask(2, 1);
        let lease = pool.admit(1);
        pool.delta(1, &[lease], &[]);
        pool.pass(15_000);
        let Some(reason) = pool.evicted(1) else { panic!("round {round}") };
        assert!(matches!(reason, EvictReason::NotConnected | EvictReason::Unpaired));
        pool.delta(1, &[], &[lease]);
        pool.pass_with(40_000, &[1]);
    }
}

fn refused(pool: &mut Pool, agent: u32) -> bool {
    pool.ask(agent, 1);
    let connection = pool.connection(agent);
    let last = pool.replies.iter().rev().find(|(to, _)| *to == connection).unwrap();
    match &last.1 {
        Err(error) => {
            assert!(error.is(ErrorCode::Unpaired) && error.message.contains("today"));
            true
        }
        Ok(Reply::Ask(_) | Reply::Connect(_) | Reply::Report(_)) => false,
        other => panic!("{other:?}"),
    }
}

fn short() -> Limits {
    Limits { price: wei(60_000), unpaired_ms_a_day: 60_000, lockout_blocks: 1, ..Limits::default() }
}

#[test]
fn time_that_only_the_host_sees_is_counted_never_billed_and_ends_in_a_refusal() {
    let mut pool = Pool::with(short());
    pool.connect(1, host(1, 4)).unwrap();
    pool.full(1, &[]);
    lone_host(&mut pool, 4);
    assert!(pool.core.counters().unpaired_ms >= 60_000);
    assert!(pool.metered().iter().all(|row| row.billed_ms == 0));
    pool.connect(2, client(2)).unwrap();
    assert!(refused(&mut pool, 2));
    pool.connect_from(3, client(3), super::pool::address(2), true).unwrap();
    assert!(refused(&mut pool, 3), "nor its neighbors");
    pool.connect(4, client(4)).unwrap();
    assert!(!refused(&mut pool, 4));
    pool.pass_with(24 * 3_600_000, &[1]);
    pool.connect(2, client(2)).unwrap();
    assert!(!refused(&mut pool, 2), "tomorrow is another day");
}

#[test]
fn nothing_is_counted_where_no_price_is_asked() {
    let mut pool = Pool::with(Limits { price: wei(0), ..short() });
    pool.connect(1, host(1, 4)).unwrap();
    pool.full(1, &[]);
    lone_host(&mut pool, 6);
    assert_eq!(pool.core.counters().unpaired_ms, 0);
}

#[test]
fn a_client_that_falls_silent_uses_up_its_budget() {
    let mut pool = Pool::with(short());
    pool.lease_up();
    pool.pass_with(30_000, &[1, 2]);
    pool.pass_with(210_000, &[1]);
    assert!(pool.core.counters().unpaired_ms >= 150_000);
    assert_eq!(pool.metered()[0].billed_ms, 30_000);
    pool.connect(2, client(2)).unwrap();
    assert!(refused(&mut pool, 2));
}

#[test]
fn after_the_clients_gone_it_counts_until_the_host_evicted() {
    let mut pool = Pool::with(short());
    let lease = pool.lease_up();
    pool.pass_with(30_000, &[1, 2]);
    pool.leave(2, lease, LeaveReason::Surplus);
    let evict = |call: &PoolCall| if let PoolCall::Evict(evict) = call { Some(evict.lease) } else { None };
    let (call, _) = pool.take_call(1, evict).unwrap();
    pool.pass(2_000);
    pool.done(call, CallOutcome::Done);
    assert_eq!(pool.core.counters().unpaired_ms, 2_000);
}

/// Limits of a pool that charges.
fn priced() -> Limits {
    Limits { price: wei(60_000), ..Limits::default() }
}

/// One round of the use of a lease.
type Ride = fn(&mut Pool, LeaseId);

/// Ways of a client (2) to use a lease of a host (1) that is connected for two minutes and more at a time, without being
/// billed for it.
const FREE_RIDES: [(&str, Ride); 4] = [
    ("it reports up and down at once", |pool, lease| {
        pool.pass_with(60_000, &[1]);
        pool.delta(2, &[lease], &[lease]);
    }),
    ("it claims at each reconnect that the lease was interrupted", |pool, lease| {
        pool.pass_with(60_000, &[1]);
        pool.connect(2, client(2)).unwrap();
        pool.full(2, &[(lease, false)]);
    }),
    ("it is silent, then claims that it lost the host", |pool, lease| {
        pool.pass_with(140_000, &[1]);
        pool.leave(2, lease, LeaveReason::Lost);
    }),
    ("it falls silent", |pool, _| {
        pool.pass_with(182_000, &[1]);
        pool.connect(2, client(2)).unwrap();
        pool.full(2, &[]);
    }),
];

/// The host does what it was last called to do, so that its slots are free.
fn evict_all(pool: &mut Pool, host: u32) {
    while pool.evicted(host).is_some() {}
    pool.calls.clear();
}

/// Has the client take one lease after the other until it gets none; returns how long the host saw it, in milliseconds.
fn ride(pool: &mut Pool, round: Ride) -> u64 {
    let mut served = 0;
    pool.pair_up();
    for _ in 0..100 {
        evict_all(pool, 1);
        pool.ask(2, 1);
        let Some((call, lease)) = pool.take_admit(1) else { return served };
        pool.done(call, CallOutcome::Done);
        pool.delta(1, &[lease], &[]);
        pool.delta(2, &[lease], &[]);
        for _ in 0..100 {
            let before = pool.now;
            round(pool, lease);
            served += pool.now.since(before);
            if pool.core.gauges().leases == 0 {
                break;
            }
        }
        assert_eq!(pool.core.gauges().leases, 0, "the lease goes on for nothing");
        pool.full(1, &[]);
        pool.pass_with(40_000, &[1, 2]);
    }
    panic!("served for {served} ms, and on")
}

#[test]
fn whatever_is_served_is_billed_or_counted() {
    for (name, round) in FREE_RIDES {
        let mut pool = Pool::with(priced());
        let served = ride(&mut pool, round);
        let billed: u64 = pool.metered().iter().map(|row| row.billed_ms).sum();
        let counted = pool.core.counters().unpaired_ms;
        assert!(billed + counted + 60_000 >= served, "{name}: {served} ms, {billed} billed, {counted} counted");
        // Silence and two minutes, and what one more round takes.
        assert!(served - billed <= 300_000 + 240_000, "{name}: {} ms for nothing", served - billed);
        evict_all(&mut pool, 1);
        pool.connect_from(9, client(9), super::pool::address(9), true).unwrap();
        pool.ask(9, 1);
        pool.admit(1);
    }
}

#[test]
fn a_pair_is_kept_apart_until_the_next_day_and_over_a_restart() {
    let mut pool = Pool::with(priced());
    ride(&mut pool, FREE_RIDES[0].1);
    assert_eq!(
        pool.core.counters().ended().find(|(why, _)| *why == EvictReason::Unpaired),
        Some((EvictReason::Unpaired, 1))
    );
    let offered = |pool: &mut Pool| {
        pool.connect(1, host(1, 4)).unwrap();
        pool.connect(2, client(2)).unwrap();
        evict_all(pool, 1);
        pool.ask(2, 1);
        pool.take_admit(1).is_some()
    };
    pool.restart(priced());
    assert!(!offered(&mut pool));
    let reason = pool.last_ask(2).unwrap().reason.unwrap();
    assert!(reason.contains("does not assign it to you again today"), "{reason}");
    pool.now = pool.now.plus(24 * 3_600_000);
    assert!(offered(&mut pool));
}

#[test]
fn a_crash_bars_nobody() {
    let mut pool = Pool::with(priced());
    pool.lease_up();
    pool.pass_with(30_000, &[1, 2]);
    pool.pass_with(240_000, &[1]);
    assert_eq!(pool.core.gauges().leases, 0);
    pool.connect(2, client(2)).unwrap();
    evict_all(&mut pool, 1);
    pool.ask(2, 1);
    pool.admit(1);
}

#[test]
fn a_pair_may_lose_a_part_of_what_it_was_billed() {
    // Each time the host leaves, half a minute is lost that the client had yet to report.
    let mut pool = Pool::with(priced());
    for _ in 0..20 {
        let lease = pool.lease_up();
        pool.pass_with(20 * 60_000, &[1, 2]);
        pool.pass_with(29_000, &[1]);
        pool.leave(1, lease, LeaveReason::Drained);
        pool.full(2, &[]);
        evict_all(&mut pool, 1);
        pool.pass_with(40_000, &[1, 2]);
    }
    assert_eq!(pool.core.counters().unpaired_ms, 20 * 29_000);
    pool.ask(2, 1);
    pool.admit(1);
    let none = Limits { unpaired_percent: 0, unpaired_pair_ms: 0, ..priced() };
    pool.core.set_limits(none);
    let pair = |pool: &Pool, agent| pool.core.agents.find(&super::pool::node(agent)).unwrap();
    let pair = Pair { client: pair(&pool, 2), host: pair(&pool, 1) };
    let Pool { core, now, .. } = &pool;
    assert!(core.metering.is_barred(pair, *now, &core.agents, &core.limits), "without them it may not");
}

/// A host reports a client as connected for as long as it can, which the client never sees.
fn lie(pool: &mut Pool, host: u32, agent: u32) {
    for _ in 0..25 {
        evict_all(pool, host);
        pool.connect_from(agent, client(agent), super::pool::address(agent), false).unwrap();
        pool.full(agent, &[]);
        pool.ask(agent, 1);
        let Some((call, lease)) = pool.take_admit(host) else { return };
        pool.done(call, CallOutcome::Done);
        pool.delta(host, &[lease], &[]);
        pool.pass(15_000);
        pool.delta(host, &[], &[lease]);
        pool.pass_with(40_000, &[host]);
    }
}

#[test]
fn one_hosts_word_locks_no_client_out() {
    let mut pool = Pool::with(priced());
    // Two hosts in two address blocks of one wide block, then two in others; one is connected at a time.
    let at = [(101, 101), (102, 102), (103, 256 + 103), (104, 512 + 104)];
    let past = |pool: &Pool| pool.core.past_unpaired(pool.core.agents.find(&super::pool::node(2)).unwrap());
    let mut locked = Vec::new();
    // Known as one that pays, so that its block's budget does not matter.
    let lease = pool.lease_up();
    pool.pass_with(600_000, &[1, 2]);
    pool.leave(2, lease, LeaveReason::Surplus);
    pool.disconnect(1);
    for (agent, block) in at {
        pool.connect_from(agent, host(agent, 4), super::pool::address(block), true).unwrap();
        pool.full(agent, &[]);
        lie(&mut pool, agent, 2);
        pool.disconnect(agent);
        locked.push(past(&pool));
    }
    assert_eq!(locked, [false, false, false, true], "it takes three wide blocks");
}

#[test]
fn a_blocks_budget_denies_only_those_that_are_not_known_to_pay() {
    for closed in [false, true] {
        let mut pool = Pool::with(Limits { closed, ..priced() });
        let lease = pool.lease_up();
        pool.pass_with(600_000, &[1, 2]);
        pool.leave(2, lease, LeaveReason::Surplus);
        pool.disconnect(1);
        pool.disconnect(2);
        pool.connect(101, host(101, 4)).unwrap();
        pool.full(101, &[]);
        for agent in [11, 12, 13] {
            let at = super::pool::address(2);
            for _ in 0..25 {
                evict_all(&mut pool, 101);
                pool.connect_from(agent, client(agent), at, false).unwrap();
                pool.full(agent, &[]);
                pool.ask(agent, 1);
                let Some((call, lease)) = pool.take_admit(101) else { break };
                pool.done(call, CallOutcome::Done);
                pool.delta(101, &[lease], &[]);
                pool.pass(15_000);
                pool.delta(101, &[], &[lease]);
                pool.pass_with(40_000, &[101]);
            }
        }
        pool.connect_from(14, client(14), super::pool::address(2), true).unwrap();
        assert_eq!(refused(&mut pool, 14), !closed, "a stranger");
        pool.connect(2, client(2)).unwrap();
        assert!(!refused(&mut pool, 2), "a known client in the same block");
    }
}

/// The attack: each of many ids of a block is billed for a moment first.
#[test]
fn a_moment_of_billed_time_lifts_no_client_out_of_its_blocks_budget() {
    for billed_ms in [1, 60_000] {
        let mut pool = Pool::with(priced());
        pool.connect(1, host(1, 4)).unwrap();
        pool.full(1, &[]);
        let (mut used, at) = (0, super::pool::address(2));
        for agent in 11..40 {
            pool.connect_from(agent, client(agent), at, false).unwrap();
            pool.full(agent, &[]);
            evict_all(&mut pool, 1);
            pool.ask(agent, 1);
            let Some((call, lease)) = pool.take_admit(1) else { break };
            pool.done(call, CallOutcome::Done);
            pool.delta(1, &[lease], &[]);
            pool.delta(agent, &[lease], &[]);
            pool.pass(billed_ms);
            pool.beat(1);
            pool.beat(agent);
            let before = pool.core.counters().unpaired_ms;
            pool.pass_with(150_000, &[1]);
            pool.leave(agent, lease, LeaveReason::Lost);
            used += pool.core.counters().unpaired_ms - before;
            pool.full(1, &[]);
            pool.disconnect(agent);
            pool.pass_with(40_000, &[1]);
        }
        assert!(used < 600_000 + 180_000, "{used} ms for nothing, of a block's 600,000");
    }
}

#[test]
fn the_room_for_pairs_is_bounded() {
    let mut pool = Pool::with(Limits { pairs: 1, pairs_a_client: 4, ..priced() });
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[]);
    for agent in 101..107 {
        pool.connect(agent, host(agent, 1)).unwrap();
        pool.full(agent, &[]);
        pool.ask(2, 1);
        let lease = pool.admit(agent);
        pool.delta(agent, &[lease], &[]);
        pool.delta(2, &[lease], &[]);
        pool.pass_with(60_000, &[2, agent]);
        pool.leave(2, lease, LeaveReason::Surplus);
        pool.evicted(agent);
        pool.disconnect(agent);
    }
    let times = pool.core.rows().into_iter().find_map(|row| if let Row::Times(row) = row { Some(row) } else { None });
    let times = times.unwrap();
    assert_eq!((times.hosts.len(), times.others.billed_today()), (4, 2 * 60_000));
}
