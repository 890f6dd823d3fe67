//! Limits of the core, each set to what no default is, and reached.

use vipnode_types::{
    LeaseId,
    wire::{AskRequest, EvictReason, LeaveReason},
};

use super::pool::{Pool, address, client, host, node, wei};
use crate::{CallOutcome, Command, Limits, PoolCall, Row};

fn limited(change: impl FnOnce(&mut Limits)) -> Pool {
    let mut limits = Limits { price: wei(60_000), ..Limits::default() };
    change(&mut limits);
    Pool::exactly(limits)
}

/// A host that was offered a client and said yes; neither has seen the other.
fn offered(pool: &mut Pool) -> LeaseId {
    pool.pair_up();
    pool.ask(2, 1);
    pool.admit(1)
}

fn dialed(pool: &mut Pool, agent: u32) -> bool {
    pool.take_call(agent, |call| matches!(call, PoolCall::Dial(_)).then_some(())).is_some()
}

#[test]
fn a_gap_of_ten_ticks_is_bridged_and_a_longer_one_is_a_pause() {
    for (gap, pauses) in [(2_000, 0), (2_001, 1)] {
        let mut pool = limited(|limits| limits.tick_ms = 200);
        pool.handle(Command::Tick);
        pool.now = pool.now.plus(gap);
        pool.handle(Command::Tick);
        assert_eq!(pool.core.counters().pauses, pauses);
    }
}

#[test]
fn agents_are_told_when_reports_are_due() {
    let mut pool = limited(|limits| limits.report_interval_ms = 7_000);
    assert_eq!(pool.connect(1, host(1, 4)).unwrap().report_interval_ms, 7_000);
}

#[test]
fn a_side_that_is_silent_for_longer_goes_down() {
    let mut pool = limited(|limits| limits.silence_ms = 20_000);
    pool.lease_up();
    pool.pass(20_000);
    assert_eq!(pool.core.gauges().connected, 2);
    pool.pass(1);
    assert_eq!((pool.core.gauges().connected, pool.core.gauges().leases), (0, 0));
}

#[test]
fn nobody_is_judged_in_the_reconnect_window() {
    let mut pool = limited(|limits| limits.reconnect_window_ms = 5_000);
    pool.lease_up();
    pool.now = pool.now.plus(3_600_000);
    pool.restart(Limits { reconnect_window_ms: 300_000, ..Limits::default() });
    pool.pass(300_000);
    assert_eq!(pool.core.gauges().leases, 1);
    pool.pass(1);
    assert_eq!(pool.core.gauges().leases, 0);
}

#[test]
fn an_ask_an_offer_and_a_dial_have_their_times() {
    let mut pool = limited(|limits| limits.ask_deadline_ms = 900);
    pool.pair_up();
    pool.ask(2, 1);
    pool.pass(899);
    assert_eq!(pool.last_ask(2), None);
    pool.pass(1);
    assert_eq!(pool.last_ask(2).unwrap().missing, 1);

    let mut pool = limited(|limits| (limits.offer_ms, limits.dial_after_ms) = (40_000, 700));
    offered(&mut pool);
    pool.pass(699);
    assert!(!dialed(&mut pool, 1));
    pool.pass(1);
    assert!(dialed(&mut pool, 1), "the host is asked to dial");
    pool.pass_with(39_299, &[1, 2]);
    assert_eq!(pool.evicted(1), None);
    pool.pass(1);
    assert_eq!(pool.evicted(1), Some(EvictReason::NotConnected));
}

#[test]
fn a_hosts_gone_waits_for_the_clients_word_and_rows_end_by_age() {
    let mut pool = limited(|limits| (limits.half_down_ms, limits.rollover_ms) = (4_000, 120_000));
    let lease = pool.lease_up();
    pool.pass_with(130_000, &[1, 2]);
    assert_eq!(pool.core.counters().rollovers, 1);
    pool.delta(1, &[], &[lease]);
    pool.pass(3_999);
    assert_eq!(pool.evicted(2), None);
    pool.pass(1);
    assert_eq!(pool.evicted(2), Some(EvictReason::Disconnected));
}

#[test]
fn unpaired_time_of_further_blocks_counts_by_node_alone() {
    let mut pool = limited(|limits| {
        (limits.unpaired_ms_a_day, limits.unpaired_blocks, limits.lockout_blocks) = (1_000, 1, 1);
    });
    pool.connect(1, host(1, 4)).unwrap();
    pool.full(1, &[]);
    for agent in [2, 3] {
        pool.connect(agent, client(agent)).unwrap();
        pool.full(agent, &[]);
        pool.ask(agent, 1);
        let lease = pool.admit(1);
        pool.delta(1, &[lease], &[]);
        pool.pass(5_000);
        pool.leave(agent, lease, LeaveReason::Surplus);
        pool.evicted(1).unwrap();
        pool.delta(1, &[], &[lease]);
    }
    let mut refused = |agent: u32, at: u32| {
        pool.connect_from(agent, client(agent), address(at), true).unwrap();
        pool.replies.clear();
        pool.ask(agent, 1);
        pool.replies.iter().any(|(_, reply)| reply.is_err())
    };
    assert!(refused(2, 2) && refused(3, 3), "by node");
    assert!(refused(4, 2) && !refused(5, 3), "the block of the second was one too many");
}

#[test]
fn so_many_candidates_are_looked_at() {
    // A search over all hosts finds the best of all; a search over one host takes that one.
    let found = |candidates: u32| {
        let mut pool = limited(|limits| limits.candidates = candidates);
        for agent in 10..30 {
            pool.connect(agent, host(agent, 4)).unwrap();
            let rtt_us = if agent == 17 { 1_000 } else { 900_000 };
            pool.handle(Command::Latency { connection: pool.connection(agent), rtt_us });
        }
        (40..60)
            .filter(|&agent| {
                pool.connect(agent, client(agent)).unwrap();
                pool.ask(agent, 1);
                let best = pool.take_admit(17);
                if let Some((call, _)) = best {
                    pool.done(call, CallOutcome::Done);
                    return true;
                }
                false
            })
            .count()
    };
    assert!(found(20) >= 1);
    assert!(found(1) < 5);
}

#[test]
fn so_many_are_looked_at_where_the_first_do_not_fit() {
    // One of twenty fits: a search over all finds it, a search over two only by luck.
    let found = |looks: u32| {
        let mut pool = limited(|limits| (limits.candidates, limits.looks) = (1, looks));
        for agent in 10..30 {
            pool.connect(agent, host(agent, 20)).unwrap();
        }
        (40..60)
            .filter(|&agent| {
                pool.connect(agent, client(agent)).unwrap();
                let avoid = (10..30).filter(|&other| other != 17).map(node).collect();
                let ask = Box::new(AskRequest { want: 1, avoid });
                pool.handle(Command::Ask { connection: pool.connection(agent), request: agent.into(), ask });
                let found = pool.take_admit(17);
                pool.disconnect(agent);
                found.is_some()
            })
            .count()
    };
    assert_eq!(found(20), 20);
    assert!(found(2) < 10);
}

#[test]
fn a_report_names_so_many_unknown_leases() {
    let mut pool = limited(|limits| limits.unknown_a_report = 2);
    pool.connect(1, host(1, 4)).unwrap();
    pool.full(1, &[(LeaseId::new(7), true), (LeaseId::new(8), true), (LeaseId::new(9), true)]);
    let evicted: Vec<bool> = (0..3).map(|_| pool.evicted(1).is_some()).collect();
    assert_eq!(evicted, [true, true, false]);
}

#[test]
fn a_failing_host_rests_and_a_hungry_client_is_tried_again() {
    let limits = |limits: &mut Limits| (limits.rest_ms, limits.max_rest_ms, limits.retry_ms) = (5_000, 8_000, 500);
    let mut pool = limited(limits);
    pool.pair_up();
    pool.ask(2, 1);
    let mut gaps = Vec::new();
    for _ in 0..3 {
        let (call, _) = pool.take_admit(1).unwrap();
        let at = pool.now;
        pool.done(call, CallOutcome::Lost);
        while pool.calls.is_empty() {
            pool.pass_with(100, &[1, 2]);
        }
        gaps.push(pool.now.since(at));
    }
    let about = |gap: u64, rest: u64| (rest..=rest + 1_700).contains(&gap);
    assert!(about(gaps[0], 5_000) && about(gaps[1], 8_000) && about(gaps[2], 8_000), "{gaps:?}");
}

#[test]
fn an_eviction_is_tried_so_often() {
    let mut pool = limited(|limits| limits.evict_tries = 0);
    let lease = pool.lease_up();
    pool.leave(2, lease, LeaveReason::Surplus);
    let evict = |call: &PoolCall| matches!(call, PoolCall::Evict(_)).then_some(());
    let (call, ()) = pool.take_call(1, evict).unwrap();
    pool.done(call, CallOutcome::Expired);
    assert_eq!(pool.closed, [pool.connection(1)], "at once");
}

#[test]
fn grants_beyond_the_limit_are_forgotten_early() {
    // One client of a public address was given the host; another of that address gets it only where that
    // is forgotten.
    for (recent_pairs, given) in [(100, false), (1, true)] {
        let mut pool = limited(|limits| limits.recent_pairs = recent_pairs);
        pool.connect(1, host(1, 9)).unwrap();
        for (agent, at) in [(2, 2), (3, 3), (4, 2)] {
            pool.connect_from(agent, client(agent), address(at), true).unwrap();
            pool.ask(agent, 1);
            assert_eq!(pool.take_admit(1).is_some(), agent != 4 || given);
        }
    }
}

#[test]
fn the_prune_and_flush_times_hold() {
    let mut pool = limited(|limits| limits.flush_ms = 2_000);
    pool.connect(1, host(1, 4)).unwrap();
    pool.rows.clear();
    pool.full(1, &[]);
    pool.pass(1_999);
    let flushed = |pool: &Pool| pool.rows.iter().any(|row| matches!(row, Row::Presence(_)));
    assert!(!flushed(&pool));
    pool.pass(1);
    assert!(flushed(&pool));
}
