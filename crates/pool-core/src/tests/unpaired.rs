use std::net::IpAddr;

use vipnode_types::{
    LeaseId,
    wire::{ErrorCode, EvictReason, LeaveReason},
};

use super::{
    pool::{Pool, address, client, host, node, wei},
    scenario::{
        CLIENT, DAY_MS, FURTHER, HOST, INTERRUPTED, OTHER_SUBNET, SECOND_CLIENT, SECOND_HOST, SLOTS, THIRD_CLIENT,
        THIRD_HOST, other_clients, other_hosts, priced,
    },
};
use crate::{CallOutcome, Limits, Reply, Row, metering::unpaired::Pair};

/// The host alone sees the client, offer after offer.
fn lone_host(pool: &mut Pool, rounds: u32) {
    for round in 0..rounds {
        // Over HTTP, so that the pool gives it nothing by itself.
        pool.connect_over_http(CLIENT, client(CLIENT), address(CLIENT)).unwrap();
        pool.ask(CLIENT, 1);
        let lease = pool.admit(HOST);
        pool.reports_up(HOST, lease);
        pool.pass(15_000);
        let Some(reason) = pool.evicted(HOST) else { panic!("round {round}") };
        assert!(matches!(reason, EvictReason::NotConnected | EvictReason::Unpaired));
        pool.reports_down(HOST, lease);
        pool.pass_with(40_000, &[HOST]);
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
    Limits { unpaired_ms_a_day: 60_000, lockout_blocks: 1, ..priced() }
}

#[test]
fn time_that_only_the_host_sees_is_counted_never_billed_and_ends_in_a_refusal() {
    let mut pool = Pool::with(short()).with_host(HOST, SLOTS).reported(HOST);
    lone_host(&mut pool, 4);
    assert!(pool.core.counters().unpaired_ms >= 60_000);
    assert!(pool.metered().iter().all(|row| row.billed_ms == 0));
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    assert!(refused(&mut pool, CLIENT));
    pool.connect_from(SECOND_CLIENT, client(SECOND_CLIENT), address(CLIENT)).unwrap();
    assert!(refused(&mut pool, SECOND_CLIENT), "nor its neighbors");
    pool.connect(THIRD_CLIENT, client(THIRD_CLIENT)).unwrap();
    assert!(!refused(&mut pool, THIRD_CLIENT));
    pool.pass_with(DAY_MS, &[HOST]);
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    assert!(!refused(&mut pool, CLIENT), "tomorrow is another day");
}

#[test]
fn nothing_is_counted_where_no_price_is_asked() {
    let mut pool = Pool::with(Limits { price: wei(0), ..short() }).with_host(HOST, SLOTS).reported(HOST);
    lone_host(&mut pool, 6);
    assert_eq!(pool.core.counters().unpaired_ms, 0);
}

#[test]
fn a_client_that_falls_silent_uses_up_its_budget() {
    let (mut pool, _) = Pool::with(short()).leased();
    pool.pass_with(30_000, &[HOST, CLIENT]);
    pool.pass_with(210_000, &[HOST]);
    assert!(pool.core.counters().unpaired_ms >= 150_000);
    assert_eq!(pool.metered()[0].billed_ms, 30_000);
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    assert!(refused(&mut pool, CLIENT));
}

#[test]
fn after_the_clients_gone_it_counts_until_the_host_evicted() {
    let (mut pool, lease) = Pool::with(short()).leased();
    pool.pass_with(30_000, &[HOST, CLIENT]);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    let (call, _) = pool.take_evict_call(HOST).unwrap();
    pool.pass(2_000);
    pool.done(call, CallOutcome::Done);
    assert_eq!(pool.core.counters().unpaired_ms, 2_000);
}

/// One round of the use of a lease.
type Ride = fn(&mut Pool, LeaseId);

/// Ways of [`CLIENT`] to use a lease of [`HOST`] that is connected for two minutes and more at a time, without being
/// billed for it.
const FREE_RIDES: [(&str, Ride); 4] = [
    ("it reports up and down at once", |pool, lease| {
        pool.pass_with(60_000, &[HOST]);
        pool.delta(CLIENT, &[lease], &[lease]);
    }),
    ("it claims at each reconnect that the lease was interrupted", |pool, lease| {
        pool.pass_with(60_000, &[HOST]);
        pool.connect(CLIENT, client(CLIENT)).unwrap();
        pool.full(CLIENT, &[(lease, INTERRUPTED)]);
    }),
    ("it is silent, then claims that it lost the host", |pool, lease| {
        pool.pass_with(140_000, &[HOST]);
        pool.leave(CLIENT, lease, LeaveReason::Lost);
    }),
    ("it falls silent", |pool, _| {
        pool.pass_with(182_000, &[HOST]);
        pool.join(CLIENT, client(CLIENT));
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
        evict_all(pool, HOST);
        pool.ask(CLIENT, 1);
        let Some((call, lease)) = pool.take_admit(HOST) else { return served };
        pool.done(call, CallOutcome::Done);
        pool.reports_up(HOST, lease);
        pool.reports_up(CLIENT, lease);
        for _ in 0..100 {
            let before = pool.now;
            round(pool, lease);
            served += pool.now.since(before);
            if pool.core.gauges().leases == 0 {
                break;
            }
        }
        assert_eq!(pool.core.gauges().leases, 0, "the lease goes on for nothing");
        pool.full(HOST, &[]);
        pool.pass_with(40_000, &[HOST, CLIENT]);
    }
    panic!("served for {served} ms, and on")
}

#[test]
fn whatever_is_served_is_billed_or_counted() {
    for (name, round) in FREE_RIDES {
        let mut pool = Pool::priced();
        let served = ride(&mut pool, round);
        let billed: u64 = pool.billed_ms().iter().sum();
        let counted = pool.core.counters().unpaired_ms;
        assert!(billed + counted + 60_000 >= served, "{name}: {served} ms, {billed} billed, {counted} counted");
        // Silence and two minutes, and what one more round takes.
        assert!(served - billed <= 300_000 + 240_000, "{name}: {} ms for nothing", served - billed);
        evict_all(&mut pool, HOST);
        pool.connect(SECOND_CLIENT, client(SECOND_CLIENT)).unwrap();
        pool.ask(SECOND_CLIENT, 1);
        pool.admit(HOST);
    }
}

#[test]
fn a_pair_is_kept_apart_until_the_next_day_and_over_a_restart() {
    let mut pool = Pool::priced();
    ride(&mut pool, FREE_RIDES[0].1);
    assert_eq!(
        pool.core.counters().ended().find(|(why, _)| *why == EvictReason::Unpaired),
        Some((EvictReason::Unpaired, 1))
    );
    let offered = |pool: &mut Pool| {
        pool.connect(HOST, host(HOST, SLOTS)).unwrap();
        pool.connect(CLIENT, client(CLIENT)).unwrap();
        evict_all(pool, HOST);
        pool.ask(CLIENT, 1);
        pool.take_admit(HOST).is_some()
    };
    pool.restart(priced());
    assert!(!offered(&mut pool));
    let reason = pool.last_ask(CLIENT).unwrap().reason.unwrap();
    assert!(
        reason.contains(
            "is not matched with your node today, because your agent, or one in your address block, did not report it"
        ),
        "{reason}"
    );
    pool.now = pool.now.plus(DAY_MS);
    assert!(offered(&mut pool));
}

#[test]
fn a_crash_bars_nobody() {
    let (mut pool, _) = Pool::priced().leased();
    pool.pass_with(30_000, &[HOST, CLIENT]);
    pool.pass_with(240_000, &[HOST]);
    assert_eq!(pool.core.gauges().leases, 0);
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    evict_all(&mut pool, HOST);
    pool.ask(CLIENT, 1);
    pool.admit(HOST);
}

#[test]
fn a_pair_may_lose_a_part_of_what_it_was_billed() {
    // Each time the host leaves, half a minute is lost that the client had yet to report.
    let mut pool = Pool::priced();
    for _ in 0..20 {
        let lease = pool.lease_up();
        pool.pass_with(20 * 60_000, &[HOST, CLIENT]);
        pool.pass_with(29_000, &[HOST]);
        pool.leave(HOST, lease, LeaveReason::Drained);
        pool.full(CLIENT, &[]);
        evict_all(&mut pool, HOST);
        pool.pass_with(40_000, &[HOST, CLIENT]);
    }
    assert_eq!(pool.core.counters().unpaired_ms, 20 * 29_000);
    pool.ask(CLIENT, 1);
    pool.admit(HOST);
    let none = Limits { unpaired_percent: 0, unpaired_pair_ms: 0, ..priced() };
    pool.core.set_limits(none);
    let index = |pool: &Pool, agent| pool.core.agents.find(&node(agent)).unwrap();
    let pair = Pair { client: index(&pool, CLIENT), host: index(&pool, HOST) };
    let Pool { core, now, .. } = &pool;
    assert!(core.metering.is_barred(pair, *now, &core.agents, &core.limits), "without them it may not");
}

/// A host reports a client as connected for as long as it can, which the client never sees.
fn lie(pool: &mut Pool, host: u32, agent: u32, agent_at: IpAddr) {
    for _ in 0..25 {
        evict_all(pool, host);
        pool.connect_over_http(agent, client(agent), agent_at).unwrap();
        pool.full(agent, &[]);
        pool.ask(agent, 1);
        let Some((call, lease)) = pool.take_admit(host) else { return };
        pool.done(call, CallOutcome::Done);
        pool.reports_up(host, lease);
        pool.pass(15_000);
        pool.reports_down(host, lease);
        pool.pass_with(40_000, &[host]);
    }
}

#[test]
fn one_hosts_word_locks_no_client_out() {
    let mut pool = Pool::priced();
    // Two hosts in two address blocks of one wide block, then two in others; one is connected at a time.
    let liars = [SECOND_HOST, THIRD_HOST, OTHER_SUBNET, FURTHER];
    let past = |pool: &Pool| pool.core.past_unpaired(pool.core.agents.find(&node(CLIENT)).unwrap());
    let mut locked = Vec::new();
    // Known as one that pays, so that its block's budget does not matter.
    let lease = pool.lease_up();
    pool.pass_with(600_000, &[HOST, CLIENT]);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    pool.disconnect(HOST);
    for liar in liars {
        pool.join(liar, host(liar, SLOTS));
        lie(&mut pool, liar, CLIENT, address(CLIENT));
        pool.disconnect(liar);
        locked.push(past(&pool));
    }
    assert_eq!(locked, [false, false, false, true], "it takes three wide blocks");
}

#[test]
fn a_blocks_budget_denies_only_those_that_are_not_known_to_pay() {
    for closed in [false, true] {
        let (mut pool, lease) = Pool::with(Limits { members_only: closed, ..priced() }).leased();
        pool.pass_with(600_000, &[HOST, CLIENT]);
        pool.leave(CLIENT, lease, LeaveReason::Surplus);
        pool.disconnect(HOST);
        pool.disconnect(CLIENT);
        // Neighbors of the client use hosts in three wide blocks for nothing, or these say so.
        for (liar, neighbor) in [SECOND_HOST, OTHER_SUBNET, FURTHER].into_iter().zip(other_clients(3)) {
            let before = pool.newcomer();
            pool.connect_from(before, client(before), address(CLIENT)).unwrap();
            assert!(!refused(&mut pool, before), "a stranger, on the word of hosts in two wide blocks");
            pool.disconnect(before);
            pool.join(liar, host(liar, SLOTS));
            lie(&mut pool, liar, neighbor, address(CLIENT));
            pool.disconnect(liar);
        }
        let stranger = pool.newcomer();
        pool.connect_from(stranger, client(stranger), address(CLIENT)).unwrap();
        assert_eq!(refused(&mut pool, stranger), !closed, "a stranger");
        pool.connect(CLIENT, client(CLIENT)).unwrap();
        assert!(!refused(&mut pool, CLIENT), "a known client in the same block");
    }
}

/// The attack: an id uses its budget, leaves until the pool has forgotten it, and is new again.
#[test]
fn a_budget_outlives_what_the_pool_forgets_and_a_restart() {
    let mut pool = Pool::with(short()).with_host(HOST, SLOTS).reported(HOST);
    lone_host(&mut pool, 4);
    pool.disconnect(CLIENT);
    pool.pass_with(30 * 60_000, &[HOST]);
    pool.restart(short());
    pool.join(HOST, host(HOST, SLOTS));
    for agent in [CLIENT, SECOND_CLIENT] {
        pool.connect_from(agent, client(agent), address(CLIENT)).unwrap();
        assert!(refused(&mut pool, agent), "{agent}");
        pool.disconnect(agent);
    }
    pool.pass_with(DAY_MS, &[HOST]);
    assert!(pool.core.agents.find(&node(CLIENT)).is_none(), "it is forgotten the next day");
}

/// The attack: each of many ids of a block is billed for a moment first.
#[test]
fn a_moment_of_billed_time_lifts_no_client_out_of_its_blocks_budget() {
    for billed_ms in [1, 60_000] {
        let mut pool = Pool::priced().with_host(HOST, SLOTS).reported(HOST);
        let (mut used, at) = (0, address(CLIENT));
        for agent in other_clients(29) {
            pool.connect_over_http(agent, client(agent), at).unwrap();
            pool.full(agent, &[]);
            evict_all(&mut pool, HOST);
            pool.ask(agent, 1);
            let Some((call, lease)) = pool.take_admit(HOST) else { break };
            pool.done(call, CallOutcome::Done);
            pool.reports_up(HOST, lease);
            pool.reports_up(agent, lease);
            pool.pass(billed_ms);
            pool.beat(HOST);
            pool.beat(agent);
            let before = pool.core.counters().unpaired_ms;
            pool.pass_with(150_000, &[HOST]);
            pool.leave(agent, lease, LeaveReason::Lost);
            used += pool.core.counters().unpaired_ms - before;
            pool.full(HOST, &[]);
            pool.disconnect(agent);
            pool.pass_with(40_000, &[HOST]);
        }
        assert!(used < 600_000 + 180_000, "{used} ms for nothing, of a block's 600,000");
    }
}

#[test]
fn the_room_for_pairs_is_bounded() {
    let mut pool = Pool::with(Limits { pairs: 1, pairs_a_client: 4, ..priced() }).with_client(CLIENT).reported(CLIENT);
    for agent in other_hosts(6) {
        pool.join(agent, host(agent, 1));
        let lease = pool.lease_between(agent, CLIENT);
        pool.pass_with(60_000, &[CLIENT, agent]);
        pool.leave(CLIENT, lease, LeaveReason::Surplus);
        pool.evicted(agent);
        pool.disconnect(agent);
    }
    let times = pool.core.rows().into_iter().find_map(|row| if let Row::Times(row) = row { Some(row) } else { None });
    let times = times.unwrap();
    assert_eq!((times.hosts.len(), times.others.billed_today()), (4, 2 * 60_000));
}
