use vipnode_types::{
    LeaseId, Ms,
    wire::{ConnectRequest, ErrorCode, EvictReason, LeaveReason, LeaveRequest, PoolStatus, ReportRequest},
};

use super::{
    pool::{Pool, address, chain, client, host, node, wei},
    scenario::{
        CLIENT, HOST, HOUR_MS, OTHER_SUBNET, SECOND_CLIENT, SECOND_HOST, SLOTS, THIRD_CLIENT, THIRD_HOST,
        other_clients, other_hosts,
    },
};
use crate::{CallOutcome, Command, Effect, Limits, PoolCall, Reply, Row, RowKey};

#[test]
fn leases_a_client_and_slots_a_host_are_cut() {
    let mut pool = Pool::with(Limits { leases_a_client: 1, slots_a_host: 2, ..Limits::default() });
    pool.connect(HOST, host(HOST, u32::MAX)).unwrap();
    pool.connect(SECOND_HOST, host(SECOND_HOST, 1)).unwrap();
    assert_eq!(pool.core.gauges().free_slots, 3);
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.ask(CLIENT, u32::MAX);
    let (_, call) = pool.admitting(&[HOST, SECOND_HOST]).unwrap();
    pool.done(call, CallOutcome::Done);
    assert_eq!(pool.last_ask(CLIENT).unwrap().missing, u32::MAX - 1);
    assert_eq!(pool.why(CLIENT), "the pool assigns at most 1 host to one client");
    let pool = Pool::with(Limits { slots_a_host: 5_000, ..Limits::default() }).with_host(HOST, 5_000);
    assert_eq!(pool.core.gauges().free_slots, 1_000, "so that one host's end is one step");
}

#[test]
fn an_address_block_may_always_hold_so_many_pending_offers() {
    let mut pool = Pool::with(Limits { offers_minimum: 2, ..Limits::default() });
    for agent in other_hosts(3) {
        pool.connect(agent, host(agent, 1)).unwrap();
    }
    for agent in [CLIENT, SECOND_CLIENT, THIRD_CLIENT] {
        pool.connect_from(agent, client(agent), address(CLIENT)).unwrap();
        pool.ask(agent, 1);
    }
    assert_eq!(pool.core.gauges().pending_offers, 2);
    let (_, reply) = pool.replies.last().unwrap();
    assert!(reply.as_ref().unwrap_err().is(ErrorCode::Busy));
    let mover = pool.newcomer();
    pool.connect(mover, client(mover)).unwrap();
    pool.ask(mover, 1);
    assert_eq!(pool.core.gauges().pending_offers, 3, "another block");
    // A client that moves takes its offers with it.
    pool.connect_from(mover, client(mover), address(CLIENT)).unwrap();
    pool.disconnect(CLIENT);
}

#[test]
fn avoid_is_cut() {
    let mut pool = Pool::with(Limits { avoid: 1, ..Limits::default() }).with_host(HOST, SLOTS).with_client(CLIENT);
    pool.ask_avoiding(CLIENT, 1, vec![node(SECOND_HOST), node(HOST)]);
    pool.admit(HOST);
}

#[test]
fn the_pool_remembers_so_many_nodes_and_forgets_those_long_gone_first() {
    let mut pool = Pool::with(Limits { nodes: 2, swept_a_tick: 0, ..Limits::default() })
        .with_host(HOST, SLOTS)
        .with_client(CLIENT);
    let error = pool.connect(SECOND_CLIENT, client(SECOND_CLIENT)).unwrap_err();
    assert!(error.is(ErrorCode::Busy) && error.data.unwrap().retry_ms.is_some());
    pool.disconnect(CLIENT);
    pool.now = pool.now.plus(Limits::default().prune_ms + 1);
    assert!(pool.connect(SECOND_CLIENT, client(SECOND_CLIENT)).is_err(), "not in the reconnect window");
    pool.pass(600_000);
    pool.connect(SECOND_CLIENT, client(SECOND_CLIENT)).unwrap();
    assert!(pool.rows.contains(&Row::Delete(RowKey::Node(node(CLIENT)))));
}

#[test]
fn d38_nodes_long_gone_are_forgotten() {
    let mut pool = Pool::with(Limits { prune_ms: HOUR_MS, ..Limits::default() });
    pool.join(HOST, host(HOST, SLOTS));
    pool.join(OTHER_SUBNET, client(OTHER_SUBNET));
    pool.lease_between(HOST, OTHER_SUBNET);
    pool.pass_with(120_000, &[HOST, OTHER_SUBNET]);
    pool.bye(OTHER_SUBNET);
    pool.evicted(HOST);
    pool.pass_with(3_500_000, &[HOST]);
    assert_eq!(pool.core.gauges().nodes, 2);
    pool.pass_with(200_000, &[HOST]);
    assert_eq!((pool.core.gauges().nodes, pool.core.counters().pruned), (1, 1));
    assert!(pool.connect(OTHER_SUBNET, client(OTHER_SUBNET)).is_ok());
}

pub(super) fn status(pool: &mut Pool) -> PoolStatus {
    match pool.request(Command::Status { connection: pool.connection(CLIENT), request: 1 }) {
        Some(Ok(Reply::Status(status))) => *status,
        other => panic!("{other:?}"),
    }
}

#[test]
fn chains_and_versions_are_bounded() {
    let mut pool =
        Pool::with(Limits { chains: 1, versions: 2, version_chars: 10, ..Limits::default() }).with_host(HOST, SLOTS);
    let of_another_chain = ConnectRequest { chain: chain(2), ..client(CLIENT) };
    assert!(pool.connect(CLIENT, of_another_chain).unwrap_err().is(ErrorCode::Busy));
    let of_a_long_version = ConnectRequest { client_version: "x\n".repeat(100_000), ..host(SECOND_HOST, SLOTS) };
    pool.connect(SECOND_HOST, of_a_long_version).unwrap();
    let status = status(&mut pool);
    let versions: Vec<&str> = status.active_hosts.iter().map(|host| host.node_version.as_str()).collect();
    assert_eq!(versions, ["Geth/v1.17", ""], "beyond the limit it shows as empty");
}

#[test]
fn running_leases_are_added_up_unless_there_are_too_many() {
    for (status_leases, shown) in [(1, true), (0, false)] {
        let limits = Limits { price: wei(60), status_leases, ..Limits::default() };
        let (mut pool, _) = Pool::with(limits).leased();
        pool.pass_with(30_000, &[HOST, CLIENT]);
        let stats = status(&mut pool).stats;
        assert_eq!(stats.num_running_leases, 1);
        let billed = stats.running_ms.zip(stats.running_cost);
        let (ms, cost) = billed.unwrap_or_default();
        assert_eq!(billed.is_some(), shown);
        assert_eq!(u128::from(ms / 1_000), cost.get(), "a wei a second");
        assert!(!shown || (25_000..=31_000).contains(&ms), "{ms}");
    }
}

#[test]
fn d36_status_shows_each_hosts_own_claim_and_sums_none() {
    let mut pool = Pool::with(Limits { status_hosts: 2, ..Limits::default() });
    for agent in [HOST, SECOND_HOST, THIRD_HOST] {
        pool.connect(agent, host(agent, SLOTS)).unwrap();
    }
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    let head = ReportRequest {
        seq: 1,
        full: Some(Vec::new()),
        hash: Some(Default::default()),
        head: Some(u64::MAX),
        ..Default::default()
    };
    pool.handle(Command::Report { connection: pool.connection(HOST), request: 1, report: Box::new(head) });
    let status = status(&mut pool);
    assert_eq!(status.active_hosts.len(), 2);
    assert_eq!(status.active_hosts[0].block_number, u64::MAX);
    assert_eq!(status.active_hosts[1].block_number, 0);
    assert_eq!(status.active_hosts[0].kind, "geth");
    let stats = &status.stats;
    assert_eq!((stats.num_active_hosts, stats.num_total_hosts), (3, 3));
    assert_eq!((stats.num_active_clients, stats.num_total_clients), (1, 1));
}

#[test]
fn what_is_due_at_once_is_worked_off_in_bounded_steps() {
    let mut pool = Pool::with(Limits { expiries_a_handle: 10, ..Limits::default() });
    let clients = 0..100;
    for agent in clients {
        pool.connect(agent, client(agent)).unwrap();
    }
    pool.pass(170_000);
    pool.now = pool.now.plus(9_990);
    pool.handle(Command::Tick);
    pool.now = pool.now.plus(100);
    let mut steps = 0;
    while pool.closed.len() < 100 {
        let before = pool.closed.len();
        pool.handle(Command::Tick);
        steps += 1;
        assert!(pool.closed.len() - before <= 10);
        if pool.closed.len() < 100 {
            assert!(pool.core.next_wake().unwrap() <= pool.now, "the rest is due at once");
        }
    }
    assert_eq!(steps, 10);
}

#[test]
fn waiting_clients_are_served_in_bounded_steps() {
    let mut pool = Pool::with(Limits { served_a_tick: 5, offers_minimum: 30, ..Limits::default() });
    for agent in other_clients(30) {
        pool.connect(agent, client(agent)).unwrap();
        pool.ask(agent, 1);
    }
    pool.connect(HOST, host(HOST, 100)).unwrap();
    let effects = pool.handle(Command::Tick);
    let calls = effects.iter().filter(|effect| matches!(effect, Effect::Call { .. })).count();
    assert_eq!(calls, 5);
    assert!(pool.core.next_wake().unwrap() <= pool.now);
    pool.pass(10);
    assert_eq!(pool.core.gauges().leases, 30);
}

/// The attack: clients wait on more chains than one tick serves, and the core never rests.
#[test]
fn the_core_rests_after_it_served_each_of_many_chains() {
    let mut pool = Pool::with(Limits { served_a_tick: 2, ..Limits::default() });
    for agent in other_clients(5) {
        pool.connect(agent, ConnectRequest { chain: chain(agent.into()), ..client(agent) }).unwrap();
        pool.ask(agent, 1);
    }
    pool.now = pool.now.plus(pool.core.limits.tick_ms);
    let mut ticks = 0;
    while pool.core.next_wake().unwrap() <= pool.now {
        pool.handle(Command::Tick);
        ticks += 1;
        assert!(ticks <= 3, "two chains a tick");
    }
    assert_eq!((ticks, pool.core.gauges().waiting), (3, 5));
}

/// Clients that no host suits make each search as long as it can be.
#[test]
fn searches_for_waiting_clients_take_bounded_steps() {
    let limits = Limits { steps_a_tick: 50, failed_searches: 0, retry_ms: 5_000, ..Limits::default() };
    let mut pool = Pool::with(limits);
    for agent in other_hosts(20) {
        pool.connect(agent, host(agent, SLOTS)).unwrap();
    }
    for agent in other_clients(30) {
        let mut hello = client(agent);
        if let Some(client) = &mut hello.client {
            client.required_capabilities = vec!["own/1".parse().unwrap()];
        }
        pool.connect(agent, hello).unwrap();
        pool.ask(agent, 1);
    }
    pool.now = pool.now.plus(6_000);
    let mut ticks = 0;
    let mut effects = Vec::new();
    loop {
        let steps = pool.core.handle(pool.now, Command::Tick, &mut effects).total();
        // The deadlines of the asks, the waiting clients, and the last search of each.
        assert!(steps <= 2 * (50 + 40), "{steps} steps in one tick");
        ticks += 1;
        if pool.core.next_wake().unwrap() > pool.now {
            break;
        }
    }
    assert!(ticks > 5, "{ticks} ticks");
}

#[test]
fn an_ask_tries_so_many_hosts_and_no_more() {
    let mut pool = Pool::with(Limits { tries_an_ask: 3, ..Limits::default() });
    for agent in other_hosts(10) {
        pool.connect(agent, host(agent, SLOTS)).unwrap();
    }
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.ask(CLIENT, 1);
    for _ in 0..3 {
        let (_, call, message) = pool.calls.remove(0);
        assert!(matches!(message, PoolCall::Admit(_)));
        assert_eq!(pool.last_ask(CLIENT), None);
        pool.done(call, CallOutcome::Lost);
    }
    assert_eq!(pool.last_ask(CLIENT).unwrap().missing, 1);
}

#[test]
fn an_eviction_is_sent_again_a_bounded_number_of_times_then_the_socket_is_closed() {
    for (outcome, sends) in [(CallOutcome::Expired, 4), (CallOutcome::Lost, 1)] {
        let (mut pool, lease) = Pool::exactly(Limits::default()).leased();
        pool.leave(CLIENT, lease, LeaveReason::Surplus);
        let mut sent = 0;
        while let Some((call, evict)) = pool.take_evict_call(HOST) {
            assert_eq!(evict.lease, lease);
            sent += 1;
            let effects = pool.handle(Command::CallDone { call, outcome: outcome.clone() });
            let closes = effects.iter().any(|effect| matches!(effect, Effect::Close { .. }));
            assert_eq!(closes, outcome == CallOutcome::Expired && sent == sends, "the next connect reply has the list");
        }
        assert_eq!(sent, sends);
        assert_eq!(pool.core.counters().evictions_unanswered, 1);
    }
}

#[test]
fn a_call_that_its_gateway_forgets_is_given_up() {
    let mut pool = Pool::with(Limits { commit_ms: 7_000, ..Limits::default() }).paired();
    pool.ask(CLIENT, 1);
    pool.pass(11_999);
    assert_eq!(pool.core.gauges().calls_in_flight, 1);
    pool.pass(1);
    assert_eq!(pool.core.gauges().leases, 0);
    assert_eq!(pool.evicted(HOST), Some(EvictReason::TooLate));
}

#[test]
fn a_leave_of_more_than_there_can_be_is_refused() {
    let mut pool = Pool::new().paired();
    let leases = (0..2_000).map(LeaseId::new).collect();
    let leave = Box::new(LeaveRequest { leases, reason: LeaveReason::Surplus, fault: None });
    let reply = pool.request(Command::Leave { connection: pool.connection(CLIENT), request: 4, leave });
    assert!(reply.unwrap().unwrap_err().is(ErrorCode::InvalidParams));
}

#[test]
fn presences_are_written_in_bounded_pieces() {
    let mut pool = Pool::with(Limits { expiries_a_handle: 10, flush_ms: 1_000, ..Limits::default() });
    for agent in other_clients(25) {
        pool.join(agent, client(agent));
    }
    pool.rows.clear();
    pool.now = pool.now.plus(1_000);
    for _ in 0..3 {
        pool.handle(Command::Tick);
    }
    let pieces: Vec<usize> = pool
        .rows
        .iter()
        .filter_map(|row| if let Row::LastReport(seen) = row { Some(seen.len()) } else { None })
        .collect();
    assert_eq!(pieces, [10, 10, 5]);
    assert!(pool.core.next_wake().unwrap() > pool.now);
    assert!(pool.now > Ms::ZERO);
}
