use vipnode_types::{
    LeaseId, Ms,
    wire::{AskRequest, ErrorCode, EvictReason, LeaveReason, LeaveRequest},
};

use super::pool::{Pool, address, chain, client, host, node};
use crate::{CallOutcome, Command, Effect, Limits, PoolCall, Reply, Row, RowKey};

fn limited(change: impl FnOnce(&mut Limits)) -> Pool {
    let mut limits = Limits::default();
    change(&mut limits);
    Pool::with(limits)
}

#[test]
fn leases_a_client_and_slots_a_host_are_cut() {
    let mut pool = limited(|limits| (limits.leases_a_client, limits.slots_a_host) = (1, 2));
    pool.connect(1, host(1, u32::MAX)).unwrap();
    pool.connect(3, host(3, 1)).unwrap();
    assert_eq!(pool.core.gauges().free_slots, 3);
    pool.connect(2, client(2)).unwrap();
    pool.ask(2, u32::MAX);
    let (_, call, _) = pool.calls.remove(0);
    pool.done(call, CallOutcome::Done);
    assert_eq!(pool.last_ask(2).unwrap().missing, 0);
    let mut pool = limited(|limits| limits.slots_a_host = 5_000);
    pool.connect(1, host(1, 5_000)).unwrap();
    assert_eq!(pool.core.gauges().free_slots, 1_000, "so that one host's end is one step");
}

#[test]
fn an_address_block_may_always_hold_so_many_pending_offers() {
    let mut pool = limited(|limits| limits.offers_minimum = 2);
    for agent in 10..13 {
        pool.connect(agent, host(agent, 1)).unwrap();
    }
    for agent in 1..=3 {
        pool.connect_from(agent, client(agent), address(1), true).unwrap();
        pool.ask(agent, 1);
    }
    assert_eq!(pool.core.gauges().pending_offers, 2);
    let (_, reply) = pool.replies.last().unwrap();
    assert!(reply.as_ref().unwrap_err().is(ErrorCode::Busy));
    pool.connect(5, client(5)).unwrap();
    pool.ask(5, 1);
    assert_eq!(pool.core.gauges().pending_offers, 3, "another block");
    // A client that moves takes its offers with it.
    pool.connect_from(5, client(5), address(1), true).unwrap();
    pool.disconnect(1);
}

#[test]
fn avoid_is_cut() {
    let mut pool = limited(|limits| limits.avoid = 1);
    pool.connect(1, host(1, 4)).unwrap();
    pool.connect(2, client(2)).unwrap();
    let ask = Box::new(AskRequest { want: 1, avoid: vec![node(9), node(1)] });
    pool.handle(Command::Ask { connection: pool.connection(2), request: 2, ask });
    pool.admit(1);
}

#[test]
fn the_pool_remembers_so_many_nodes_and_forgets_those_long_gone_first() {
    let mut pool = limited(|limits| (limits.nodes, limits.swept_a_tick) = (2, 0));
    pool.connect(1, host(1, 4)).unwrap();
    pool.connect(2, client(2)).unwrap();
    let error = pool.connect(3, client(3)).unwrap_err();
    assert!(error.is(ErrorCode::Busy) && error.data.unwrap().retry_ms.is_some());
    pool.disconnect(2);
    let month = Limits::default().prune_ms;
    pool.now = pool.now.plus(month + 1);
    assert!(pool.connect(3, client(3)).is_err(), "not in the reconnect window");
    pool.pass(600_000);
    pool.connect(3, client(3)).unwrap();
    assert!(pool.rows.contains(&Row::Delete(RowKey::Node(node(2)))));
}

#[test]
fn d38_nodes_long_gone_are_forgotten() {
    let mut pool = limited(|limits| limits.prune_ms = 3_600_000);
    pool.connect(1, host(1, 4)).unwrap();
    pool.connect(2, client(2)).unwrap();
    pool.full(1, &[]);
    pool.full(2, &[]);
    pool.ask(2, 1);
    let lease = pool.admit(1);
    pool.delta(1, &[lease], &[]);
    pool.delta(2, &[lease], &[]);
    pool.pass_with(60_000, &[1, 2]);
    pool.bye(2);
    pool.evicted(1);
    pool.pass_with(3_500_000, &[1]);
    assert_eq!(pool.core.gauges().nodes, 2);
    pool.pass_with(200_000, &[1]);
    assert_eq!((pool.core.gauges().nodes, pool.core.counters().pruned), (1, 1));
    assert!(pool.connect(2, client(2)).is_ok());
}

#[test]
fn chains_and_versions_are_bounded() {
    let mut pool = limited(|limits| (limits.chains, limits.versions, limits.version_chars) = (1, 2, 10));
    pool.connect(1, host(1, 4)).unwrap();
    let mut other = client(2);
    other.chain = chain(2);
    assert!(pool.connect(2, other).unwrap_err().is(ErrorCode::Busy));
    let mut long = host(3, 4);
    long.client_version = "x\n".repeat(100_000);
    pool.connect(3, long).unwrap();
    let status = pool.request(Command::Status { connection: pool.connection(9), request: 1 }).unwrap().unwrap();
    let Reply::Status(status) = status else { panic!("{status:?}") };
    let versions: Vec<&str> = status.active_hosts.iter().map(|host| host.node_version.as_str()).collect();
    assert_eq!(versions, ["Geth/v1.17", ""], "beyond the limit it shows as empty");
}

#[test]
fn d36_status_shows_each_hosts_own_claim_and_sums_none() {
    let mut pool = limited(|limits| limits.status_hosts = 2);
    for agent in 1..=3 {
        pool.connect(agent, host(agent, 4)).unwrap();
    }
    pool.connect(4, client(4)).unwrap();
    let head = vipnode_types::wire::ReportRequest {
        seq: 1,
        full: Some(Vec::new()),
        hash: Some(Default::default()),
        head: Some(u64::MAX),
        ..Default::default()
    };
    pool.handle(Command::Report { connection: pool.connection(1), request: 1, report: Box::new(head) });
    let Reply::Status(status) =
        pool.request(Command::Status { connection: pool.connection(9), request: 1 }).unwrap().unwrap()
    else {
        panic!("a status")
    };
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
    let mut pool = limited(|limits| limits.expiries_a_handle = 10);
    for agent in 0..100 {
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
fn hungry_clients_are_served_in_bounded_steps() {
    let mut pool = limited(|limits| limits.served_a_tick = 5);
    for agent in 10..40 {
        pool.connect(agent, client(agent)).unwrap();
        pool.ask(agent, 1);
    }
    pool.connect(1, host(1, 100)).unwrap();
    let effects = pool.handle(Command::Tick);
    let calls = effects.iter().filter(|effect| matches!(effect, Effect::Call { .. })).count();
    assert_eq!(calls, 5);
    assert!(pool.core.next_wake().unwrap() <= pool.now);
    pool.pass(10);
    assert_eq!(pool.core.gauges().leases, 30);
}

#[test]
fn an_ask_tries_so_many_hosts_and_no_more() {
    let mut pool = limited(|limits| limits.tries_an_ask = 3);
    for agent in 10..20 {
        pool.connect(agent, host(agent, 4)).unwrap();
    }
    pool.connect(2, client(2)).unwrap();
    pool.ask(2, 1);
    for _ in 0..3 {
        let (_, call, message) = pool.calls.remove(0);
        assert!(matches!(message, PoolCall::Admit(_)));
        assert_eq!(pool.last_ask(2), None);
        pool.done(call, CallOutcome::Lost);
    }
    assert_eq!(pool.last_ask(2).unwrap().missing, 1);
}

#[test]
fn an_eviction_is_sent_again_a_bounded_number_of_times_then_the_socket_is_closed() {
    for (outcome, sends) in [(CallOutcome::Expired, 4), (CallOutcome::Lost, 1)] {
        let mut pool = Pool::exactly(Limits::default());
        let lease = pool.lease_up();
        pool.leave(2, lease, LeaveReason::Surplus);
        let evict = |call: &PoolCall| if let PoolCall::Evict(evict) = call { Some(evict.lease) } else { None };
        let mut sent = 0;
        while let Some((call, id)) = pool.take_call(1, evict) {
            assert_eq!(id, lease);
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
    let mut pool = limited(|limits| limits.commit_ms = 7_000);
    pool.pair_up();
    pool.ask(2, 1);
    pool.pass(11_999);
    assert_eq!(pool.core.gauges().calls_in_flight, 1);
    pool.pass(1);
    assert_eq!(pool.core.gauges().leases, 0);
    assert_eq!(pool.evicted(1), Some(EvictReason::TooLate));
}

#[test]
fn a_leave_of_more_than_there_can_be_is_refused() {
    let mut pool = Pool::new();
    pool.pair_up();
    let leases = (0..2_000).map(LeaseId::new).collect();
    let leave = Box::new(LeaveRequest { leases, reason: LeaveReason::Surplus, fault: None });
    let reply = pool.request(Command::Leave { connection: pool.connection(2), request: 4, leave });
    assert!(reply.unwrap().unwrap_err().is(ErrorCode::InvalidParams));
}

#[test]
fn presences_are_written_in_bounded_pieces() {
    let mut pool = limited(|limits| (limits.expiries_a_handle, limits.flush_ms) = (10, 1_000));
    for agent in 0..25 {
        pool.connect(agent, client(agent)).unwrap();
        pool.full(agent, &[]);
    }
    pool.rows.clear();
    pool.now = pool.now.plus(1_000);
    for _ in 0..3 {
        pool.handle(Command::Tick);
    }
    let pieces: Vec<usize> = pool
        .rows
        .iter()
        .filter_map(|row| if let Row::Presence(seen) = row { Some(seen.len()) } else { None })
        .collect();
    assert_eq!(pieces, [10, 10, 5]);
    assert!(pool.core.next_wake().unwrap() > pool.now);
    assert!(pool.now > Ms::ZERO);
}
