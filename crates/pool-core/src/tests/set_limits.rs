//! Limits of the core, each set to a value other than its default, and reached.

use vipnode_types::{
    LeaseId, Ms,
    wire::{ClientCriteria, ConnectRequest, EvictReason, LeaveReason},
};

use super::{
    pool::{Pool, address, client, host, node},
    scenario::{CLIENT, HOST, HOUR_MS, KEPT, SECOND_CLIENT, SLOTS, other_clients, other_hosts, priced},
};
use crate::{CallOutcome, Command, Limits, Row};

#[test]
fn a_gap_of_ten_ticks_is_bridged_and_a_longer_one_is_a_pause() {
    for (gap, pauses) in [(2_000, 0), (2_001, 1)] {
        let mut pool = Pool::exactly(Limits { tick_ms: 200, ..priced() });
        pool.handle(Command::Tick);
        pool.now = pool.now.plus(gap);
        pool.handle(Command::Tick);
        assert_eq!(pool.core.counters().pauses, pauses);
    }
}

#[test]
fn agents_learn_when_reports_are_due() {
    let mut pool = Pool::exactly(Limits { report_interval_ms: 7_000, ..priced() });
    assert_eq!(pool.connect(HOST, host(HOST, SLOTS)).unwrap().report_interval_ms, 7_000);
}

#[test]
fn a_side_that_is_silent_for_longer_goes_down() {
    let (mut pool, _) = Pool::exactly(Limits { silence_ms: 20_000, ..priced() }).leased();
    pool.pass(20_000);
    assert_eq!(pool.core.gauges().connected, 2);
    pool.pass(1);
    assert_eq!((pool.core.gauges().connected, pool.core.gauges().leases), (0, 0));
}

#[test]
fn nobody_is_judged_in_the_reconnect_window() {
    let (mut pool, _) = Pool::exactly(Limits { reconnect_window_ms: 5_000, ..priced() }).leased();
    pool.now = pool.now.plus(HOUR_MS);
    pool.restart(Limits { reconnect_window_ms: 300_000, ..Limits::default() });
    pool.pass(300_000);
    assert_eq!(pool.core.gauges().leases, 1);
    pool.pass(1);
    assert_eq!(pool.core.gauges().leases, 0);
}

#[test]
fn an_ask_an_offer_and_a_dial_have_their_times() {
    let mut pool = Pool::exactly(Limits { ask_deadline_ms: 900, ..priced() }).paired();
    pool.ask(CLIENT, 1);
    pool.pass(899);
    assert_eq!(pool.last_ask(CLIENT), None);
    pool.pass(1);
    assert_eq!(pool.last_ask(CLIENT).unwrap().missing, 1);

    let (mut pool, _) = Pool::exactly(Limits { offer_ms: 40_000, dial_after_ms: 700, ..priced() }).offered();
    pool.pass(699);
    assert!(pool.take_dial(HOST).is_none());
    pool.pass(1);
    assert!(pool.take_dial(HOST).is_some(), "the host is asked to dial");
    pool.pass_with(39_299, &[HOST, CLIENT]);
    assert_eq!(pool.evicted(HOST), None);
    pool.pass(1);
    assert_eq!(pool.evicted(HOST), Some(EvictReason::NotConnected));
}

/// reth dials seconds after the call.
#[test]
fn the_host_is_asked_at_once_to_dial_a_client_whose_node_dials_late() {
    let mut pool = Pool::new().with_host(HOST, 1);
    let late = ClientCriteria { dials_late: true, ..ClientCriteria::default() };
    pool.connect(CLIENT, ConnectRequest { client: Some(late), ..client(CLIENT) }).unwrap();
    pool.ask(CLIENT, 1);
    pool.admit(HOST);
    pool.pass(1);
    assert!(pool.take_dial(HOST).is_some());
}

#[test]
fn a_hosts_gone_waits_for_the_clients_word_and_rows_end_by_age() {
    let rollover = Limits { rollover_ms: 120_000, rollover_group_ms: 1, ..priced() };
    let (mut pool, lease) = Pool::exactly(Limits { host_gone_wait_ms: 4_000, ..rollover }).leased();
    pool.pass_with(130_000, &[HOST, CLIENT]);
    assert_eq!(pool.core.counters().rollovers, 1);
    pool.reports_down(HOST, lease);
    pool.pass(3_999);
    assert_eq!(pool.evicted(CLIENT), None);
    pool.pass(1);
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::Disconnected));
}

#[test]
fn periods_that_end_since_the_last_group_end_together() {
    const GROUP_MS: u64 = 300_000;
    let limits = Limits { rollover_ms: 600_000, rollover_group_ms: GROUP_MS, ..priced() };
    let (mut pool, _) = Pool::exactly(limits).leased();
    for rollovers in 1..=3 {
        let due = Ms::new(pool.now.plus(600_000).get().next_multiple_of(GROUP_MS));
        pool.pass_with(due.since(pool.now) - 1, &[HOST, CLIENT]);
        assert_eq!(pool.core.counters().rollovers, rollovers - 1, "{due:?}");
        pool.pass(1);
        assert_eq!(pool.core.counters().rollovers, rollovers, "{due:?}");
    }
}

#[test]
fn unpaired_time_of_further_blocks_counts_by_node_alone() {
    let mut pool =
        Pool::exactly(Limits { unpaired_ms_a_day: 1_000, unpaired_blocks: 1, lockout_blocks: 1, ..priced() });
    pool.join(HOST, host(HOST, SLOTS));
    for agent in [CLIENT, SECOND_CLIENT] {
        pool.join(agent, client(agent));
        pool.ask(agent, 1);
        let lease = pool.admit(HOST);
        pool.reports_up(HOST, lease);
        pool.pass(1_500);
        pool.leave(agent, lease, LeaveReason::Surplus);
        pool.evicted(HOST).unwrap();
        pool.reports_down(HOST, lease);
    }
    let refused = |pool: &mut Pool, agent: u32, neighbor_of: u32| {
        pool.connect_from(agent, client(agent), address(neighbor_of)).unwrap();
        pool.replies.clear();
        pool.ask(agent, 1);
        pool.replies.iter().any(|(_, reply)| reply.is_err())
    };
    assert!(refused(&mut pool, CLIENT, CLIENT) && refused(&mut pool, SECOND_CLIENT, SECOND_CLIENT), "by node");
    let (neighbor, other_neighbor) = (pool.newcomer(), pool.newcomer());
    assert!(refused(&mut pool, neighbor, CLIENT));
    assert!(!refused(&mut pool, other_neighbor, SECOND_CLIENT), "the block of the second was one too many");
}

#[test]
fn so_many_candidates_are_looked_at_and_compared() {
    // A search over all hosts finds the best of all; a search over one host, or until one fits, takes that one.
    let found = |candidates: u32, compared_hosts: u32| {
        let mut pool = Pool::exactly(Limits { candidates, compared_hosts, ..priced() });
        let best = other_hosts(20).nth(7).unwrap();
        for agent in other_hosts(20) {
            pool.connect(agent, host(agent, SLOTS)).unwrap();
            pool.latency(agent, if agent == best { 1_000 } else { 900_000 });
        }
        other_clients(20)
            .filter(|&agent| {
                pool.connect(agent, client(agent)).unwrap();
                pool.ask(agent, 1);
                if let Some((call, _)) = pool.take_admit(best) {
                    pool.done(call, CallOutcome::Done);
                    return true;
                }
                false
            })
            .count()
    };
    assert!(found(20, 20) >= 1);
    assert!(found(1, 20) < 5 && found(20, 1) < 5);
}

#[test]
fn so_many_are_looked_at_where_the_first_do_not_fit() {
    // One of twenty fits: a search over all finds it, a search over two only by luck.
    let found = |examined_hosts: u32| {
        let mut pool = Pool::exactly(Limits { candidates: 1, examined_hosts, ..priced() });
        let fits = other_hosts(20).nth(7).unwrap();
        for agent in other_hosts(20) {
            pool.connect(agent, host(agent, 20)).unwrap();
        }
        other_clients(20)
            .filter(|&agent| {
                pool.connect(agent, client(agent)).unwrap();
                pool.ask_avoiding(agent, 1, other_hosts(20).filter(|&other| other != fits).map(node).collect());
                let found = pool.take_admit(fits);
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
    let mut pool = Pool::exactly(Limits { unknown_a_report: 2, ..priced() }).with_host(HOST, SLOTS);
    pool.full(HOST, &[7, 8, 9].map(|unknown| (LeaseId::new(unknown), KEPT)));
    let evicted: Vec<bool> = (0..3).map(|_| pool.evicted(HOST).is_some()).collect();
    assert_eq!(evicted, [true, true, false]);
}

#[test]
fn a_failing_host_rests_and_a_waiting_client_is_tried_again() {
    let mut pool =
        Pool::exactly(Limits { host_backoff_ms: 5_000, max_host_backoff_ms: 8_000, retry_ms: 500, ..priced() })
            .paired();
    pool.ask(CLIENT, 1);
    let mut gaps = Vec::new();
    for _ in 0..3 {
        let (call, _) = pool.take_admit(HOST).unwrap();
        let at = pool.now;
        pool.done(call, CallOutcome::Lost);
        while pool.calls.is_empty() {
            pool.pass_with(100, &[HOST, CLIENT]);
        }
        gaps.push(pool.now.since(at));
    }
    let about = |gap: u64, rest: u64| (rest..=rest + 1_700).contains(&gap);
    assert!(about(gaps[0], 5_000) && about(gaps[1], 8_000) && about(gaps[2], 8_000), "{gaps:?}");
}

#[test]
fn an_eviction_is_tried_so_often() {
    let (mut pool, lease) = Pool::exactly(Limits { evict_tries: 0, ..priced() }).leased();
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let (call, _) = pool.take_evict_call(HOST).unwrap();
    pool.done(call, CallOutcome::Expired);
    assert_eq!(pool.closed, [pool.connection(HOST)], "at once");
}

#[test]
fn leases_beyond_the_limit_are_forgotten_early() {
    // One client of a public address was given the host; another of that address gets it only where that
    // is forgotten.
    for (recent_pairs, given) in [(100, false), (1, true)] {
        let mut pool = Pool::exactly(Limits { recent_pairs, ..priced() }).with_host(HOST, 9);
        let neighbor = pool.newcomer();
        for (agent, at) in [(CLIENT, CLIENT), (SECOND_CLIENT, SECOND_CLIENT), (neighbor, CLIENT)] {
            pool.connect_from(agent, client(agent), address(at)).unwrap();
            pool.ask(agent, 1);
            assert_eq!(pool.take_admit(HOST).is_some(), agent != neighbor || given);
        }
    }
}

#[test]
fn the_prune_and_flush_times_hold() {
    let mut pool = Pool::exactly(Limits { flush_ms: 2_000, ..priced() }).with_host(HOST, SLOTS);
    pool.rows.clear();
    pool.full(HOST, &[]);
    pool.pass(1_999);
    let flushed = |pool: &Pool| pool.rows.iter().any(|row| matches!(row, Row::LastReport(_)));
    assert!(!flushed(&pool));
    pool.pass(1);
    assert!(flushed(&pool));
}
