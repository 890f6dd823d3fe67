use vipnode_types::{
    Ms,
    wire::{EvictReason, LeaveReason},
};

use super::{
    pool::{Pool, client, host},
    scenario::{CLIENT, DAY_MS, HOST, INTERRUPTED, KEPT, SLOTS, priced},
};
use crate::{Command, Core, Limits, Row};

#[test]
fn the_pools_own_absence_ends_nothing() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(240_000, &[HOST, CLIENT]);
    pool.now = pool.now.plus(1_800_000);
    pool.restart(priced());
    pool.pass(599_000);
    assert_eq!(pool.core.gauges().leases, 1, "in the window nobody is judged");
    assert_eq!(pool.connect(HOST, host(HOST, SLOTS)).unwrap().leases.len(), 1);
    assert_eq!(pool.connect(CLIENT, client(CLIENT)).unwrap().leases.len(), 1);
    pool.full(HOST, &[(lease, KEPT)]);
    pool.full(CLIENT, &[(lease, KEPT)]);
    pool.pass_with(60_000, &[HOST, CLIENT]);
    assert!(pool.calls.is_empty());
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let rows = pool.metered();
    assert_eq!(rows.len(), 1, "it went on with its lease");
    assert_eq!(rows[0].billed_ms, 240_000 + 1_800_000 + 599_000 + 60_000);
}

#[test]
fn a_side_that_does_not_return_goes_down_where_it_was_last_seen() {
    let (mut pool, _) = Pool::priced().leased();
    let began = pool.now;
    pool.pass_with(240_000, &[HOST, CLIENT]);
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
    let limits = Limits { restored_offer_ms: 310_000, ..Limits::default() };
    let (mut pool, lease) = Pool::with(limits.clone()).offered();
    pool.restart(limits);
    pool.pass(300_000);
    assert_eq!(pool.connect(HOST, host(HOST, SLOTS)).unwrap().leases[0].lease, lease);
    assert_eq!(pool.connect(CLIENT, client(CLIENT)).unwrap().leases[0].lease, lease);
    pool.full(HOST, &[(lease, INTERRUPTED)]);
    pool.full(CLIENT, &[(lease, INTERRUPTED)]);
    assert_eq!(pool.core.gauges().running, 1);
    pool.pass_with(1_000_000, &[HOST, CLIENT]);
    assert!(pool.calls.is_empty());
}

/// The attack (found by seeds 14 and 27 of the attackers): new ids hold the only slots of hosts when the pool restarts, and never
/// come back.
#[test]
fn an_offer_from_before_a_restart_to_a_client_that_is_not_proven_ends_soon() {
    for (members_only, reported, ends) in [(false, false, true), (false, true, false), (true, false, false)] {
        let limits = Limits { restored_offer_ms: 60_000, members_only, ..Limits::default() };
        let (mut pool, lease) = Pool::with(limits.clone()).offered();
        pool.restart(limits.clone());
        pool.connect(HOST, host(HOST, SLOTS)).unwrap();
        let up = if reported { vec![(lease, INTERRUPTED)] } else { Vec::new() };
        pool.full(HOST, &up);
        pool.pass_with(limits.restored_offer_ms - 1, &[HOST]);
        assert_eq!(pool.core.gauges().leases, 1);
        pool.pass_with(limits.offer_ms + 1, &[HOST]);
        assert_eq!(pool.core.gauges().leases, u64::from(!ends), "{members_only} {reported}");
    }
}

/// The attack (found by seed 21 of the strangers): after each restart of the pool a client connects, never reports its host,
/// and is served until the reconnect window ends.
#[test]
fn an_offer_from_before_a_restart_ends_soon_once_both_are_back() {
    let back = |again_after_ms: u64| {
        let limits = Limits { restored_offer_ms: 200_000, ..Limits::default() };
        let (mut pool, lease) = Pool::with(limits.clone()).offered();
        pool.restart(limits);
        pool.pass(100_000);
        pool.connect(HOST, host(HOST, SLOTS)).unwrap();
        pool.full(HOST, &[(lease, INTERRUPTED)]);
        let began = pool.now;
        while pool.core.gauges().leases > 0 {
            assert!(pool.now.since(began) < 1_000_000, "the offer never ends");
            pool.connect(CLIENT, client(CLIENT)).unwrap();
            pool.full(CLIENT, &[]);
            pool.pass_with(again_after_ms, &[HOST]);
        }
        assert_eq!(pool.evicted(HOST), Some(EvictReason::NotConnected));
        pool.now.since(began)
    };
    let Limits { offer_ms, reconnect_window_ms, .. } = Limits::default();
    let again = 2 * offer_ms;
    assert_eq!(back(again), again, "as long as a new offer, and until the end of the round");
    let longest = back(offer_ms / 2);
    assert!(longest <= reconnect_window_ms, "{longest} ms by connecting again and again");
}

#[test]
fn a_pause_of_the_pool_is_nobodys_silence() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.pass(150_000);
    // 50 s without a tick: by itself that would be silence.
    pool.now = pool.now.plus(50_000);
    pool.handle(Command::Tick);
    pool.pass(10_000);
    assert_eq!(pool.core.gauges().leases, 1);
    pool.beat(HOST);
    pool.beat(CLIENT);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    assert_eq!(pool.metered()[0].billed_ms, 270_000);
    assert_eq!(pool.core.counters().pauses, 1);
}

#[test]
fn a_pause_bills_nothing_that_nobody_reports() {
    let (mut pool, _) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.now = pool.now.plus(3 * DAY_MS);
    pool.handle(Command::Tick);
    assert_eq!(pool.core.gauges().leases, 1, "the reconnect window");
    pool.pass(600_001);
    assert_eq!(pool.metered()[0].billed_ms, 60_000);
    assert_eq!(pool.closed.len(), 2);
}

#[test]
fn time_never_runs_backwards() {
    let (mut pool, lease) = Pool::new().leased();
    pool.pass_with(200_000, &[HOST, CLIENT]);
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
    let (mut pool, first) = Pool::new().leased();
    pool.bye(CLIENT);
    pool.restart(Limits::default());
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.ask(CLIENT, 1);
    assert!(pool.admit(HOST) > first);
}

#[test]
fn a_hosts_gone_outlives_a_restart() {
    let (mut pool, lease) = Pool::new().leased();
    pool.reports_down(HOST, lease);
    pool.restart(Limits::default());
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, KEPT)]);
    pool.pass(15_000);
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::Disconnected));
}

#[test]
fn an_offer_outlives_a_pause_of_the_pool() {
    let (mut pool, lease) = Pool::new().offered();
    pool.now = pool.now.plus(20_000);
    pool.handle(Command::Tick);
    assert_eq!(pool.core.gauges().leases, 1, "its reports wait in line");
    pool.reports_up(HOST, lease);
    pool.reports_up(CLIENT, lease);
    pool.pass(15_000);
    assert_eq!(pool.core.gauges().running, 1);
}

#[test]
fn what_was_metered_before_a_hosts_gone_outlives_a_restart() {
    let (mut pool, lease) = Pool::priced().leased();
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.reports_down(HOST, lease);
    pool.restart(priced());
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, KEPT)]);
    pool.full(HOST, &[(lease, INTERRUPTED)]);
    assert_eq!(pool.metered()[0].billed_ms, 60_000, "the row ended there, another runs");
    assert_eq!(pool.core.gauges().running, 1);
}
