use vipnode_types::wire::{DialCall, EvictReason, LeaveReason, ReportRequest, Side};

use super::{
    pool::{Pool, address, client, host, node},
    scenario::{CLIENT, HOST, SECOND_HOST, THIRD_HOST},
};
use crate::{CallOutcome, Command, Effect, Limits, PoolCall, Reply, Row, SendWhen};

#[test]
fn ask_admit_reply_report_leave() {
    let mut pool = Pool::new().paired();
    pool.ask(CLIENT, 1);
    assert_eq!(pool.last_ask(CLIENT), None, "the client learns of a host only once that said yes");
    let lease = pool.admit(HOST);
    let reply = pool.last_ask(CLIENT).unwrap();
    assert_eq!((reply.hosts.len(), reply.missing, reply.reason), (1, 0, None));
    let enode = &reply.hosts[0].host;
    assert_eq!((enode.id, enode.ip(), enode.port), (node(HOST), Some(address(HOST)), 30303), "where it was observed");
    pool.reports_up(HOST, lease);
    assert_eq!(pool.core.gauges().running, 0);
    pool.reports_up(CLIENT, lease);
    assert_eq!(pool.core.gauges().running, 1);
    pool.pass_with(60_000, &[HOST, CLIENT]);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    assert_eq!(pool.evicted(HOST), Some(EvictReason::Left));
    assert_eq!(pool.evicted(CLIENT), None, "it knows");
    assert_eq!(pool.metered().len(), 1);
    assert_eq!(pool.metered()[0].billed_ms, 60_000);
    assert_eq!(pool.core.gauges().leases, 0);
    assert_eq!(pool.core.gauges().free_slots, 4);
}

#[test]
fn what_rests_on_rows_waits_for_them() {
    let mut pool = Pool::new().paired();
    let ask = pool.ask(CLIENT, 1);
    assert!(matches!(&ask[0], Effect::Persist(rows) if rows.iter().any(|row| matches!(row, Row::Lease(_)))));
    assert!(matches!(&ask[1], Effect::Call { when: SendWhen::AfterCommit, message: PoolCall::Admit(_), .. }));
    let (call, lease) = pool.take_admit(HOST).unwrap();
    let effects = pool.handle(Command::CallDone { call, outcome: CallOutcome::Done });
    assert!(matches!(&effects[0], Effect::Reply { when: SendWhen::Now, reply: Ok(Reply::Ask(_)), .. }));
    pool.reports_up(HOST, lease);
    pool.reports_up(CLIENT, lease);
    pool.pass(1000);
    let beat = Box::new(ReportRequest { seq: 3, ..Default::default() });
    let effects = pool.handle(Command::Report { connection: pool.connection(CLIENT), request: 9, report: beat });
    assert!(matches!(&effects[..], [Effect::Reply { when: SendWhen::Now, .. }]), "a number moved, nothing else");
}

#[test]
fn a_pair_that_does_not_meet_is_helped_once_and_then_ended() {
    let (mut pool, lease) = Pool::new().offered();
    pool.pass(1_999);
    assert!(pool.take_dial(HOST).is_none());
    pool.pass(1);
    let (_, DialCall { side, peer, .. }) = pool.take_dial(HOST).unwrap();
    assert_eq!((side, peer.id, peer.ip()), (Side::Host, node(CLIENT), Some(address(CLIENT))));
    pool.pass(12_999);
    assert!(pool.take_dial(HOST).is_none(), "once");
    assert_eq!(pool.core.gauges().leases, 1);
    pool.pass(1);
    assert_eq!(pool.evicted(HOST), Some(EvictReason::NotConnected));
    let evict = pool.take_evict(CLIENT).unwrap();
    assert_eq!((evict.lease, evict.reason), (lease, EvictReason::NotConnected));
    assert!(pool.metered().is_empty(), "nobody saw anything");
}

#[test]
fn further_slots_come_by_dial_calls() {
    let hosts = [HOST, SECOND_HOST, THIRD_HOST];
    let mut pool = Pool::new();
    for agent in hosts {
        pool.connect(agent, host(agent, 2)).unwrap();
    }
    pool.join(CLIENT, client(CLIENT));
    pool.ask(CLIENT, 3);
    let mut found = Vec::new();
    for round in 0..3 {
        let asked = pool.asked(hosts).unwrap();
        found.push(pool.admit(asked));
        assert_eq!(pool.last_ask(CLIENT).unwrap().missing, 2, "answered with the first");
        pool.reports_up(CLIENT, found[round]);
        pool.pass(1_000);
    }
    let dials = pool.calls.iter().filter(|(to, _, call)| {
        *to == pool.connection(CLIENT) && matches!(call, PoolCall::Dial(dial) if dial.side == Side::Client)
    });
    assert_eq!(dials.count(), 2);
    pool.pass(1_000);
    assert_eq!(pool.asked(hosts), None, "want is reached");
}

#[test]
fn a_refusal_moves_on_to_the_next_host() {
    let mut pool = Pool::new().with_host(HOST, 2).with_host(SECOND_HOST, 2).with_client(CLIENT);
    pool.ask(CLIENT, 1);
    let first = pool.asked([HOST, SECOND_HOST]).unwrap();
    let second = if first == HOST { SECOND_HOST } else { HOST };
    let (call, _) = pool.take_admit(first).unwrap();
    pool.done(call, CallOutcome::Expired);
    let evict = pool.take_evict(first).unwrap();
    assert_eq!((evict.peer, evict.reason), (node(CLIENT), EvictReason::TooLate), "it may still have let the client in");
    let lease = pool.admit(second);
    assert_eq!(pool.last_ask(CLIENT).unwrap().hosts[0].host.id, node(second));
    for agent in [second, CLIENT] {
        pool.full(agent, &[(lease, false)]);
    }
    assert_eq!(pool.core.gauges().free_slots, 1, "the one that did not answer rests");
    pool.pass(2_000);
    assert_eq!(pool.core.gauges().free_slots, 3, "for a while");
}

#[test]
fn an_ask_that_a_bye_overtakes_says_so() {
    let mut pool = Pool::new().paired();
    pool.ask(CLIENT, 1);
    assert!(pool.take_admit(HOST).is_some());
    let connection = pool.connection(CLIENT);
    pool.handle(Command::Bye { connection, request: 5 });
    assert_eq!(pool.last_ask(CLIENT).unwrap().reason.as_deref(), Some("the agent left before a host admitted it"));
}

#[test]
fn without_hosts_the_answer_is_at_once_and_a_new_host_serves() {
    let mut pool = Pool::new().with_client(CLIENT);
    pool.ask(CLIENT, 1);
    let reply = pool.last_ask(CLIENT).unwrap();
    assert_eq!((reply.hosts.len(), reply.missing), (0, 1));
    assert_eq!(reply.reason.unwrap(), "no host is connected to the pool");
    pool.pass(10_000);
    pool.connect(HOST, host(HOST, 2)).unwrap();
    assert_eq!(pool.core.next_wake(), Some(pool.now), "at once");
    pool.handle(Command::Tick);
    pool.admit(HOST);
    assert_eq!(pool.take_dial(CLIENT).unwrap().1.side, Side::Client);
}

#[test]
fn an_ask_is_answered_at_its_deadline_and_a_late_yes_is_used_or_evicted() {
    let limits = Limits { admit_deadline_ms: 8_000, ..Limits::default() };
    for callable in [true, false] {
        let mut pool = Pool::with(limits.clone()).with_host(HOST, 2);
        pool.connect_as(CLIENT, client(CLIENT), address(CLIENT), callable).unwrap();
        pool.ask(CLIENT, 1);
        pool.pass(4_999);
        assert_eq!(pool.last_ask(CLIENT), None);
        pool.pass(1);
        assert_eq!(pool.last_ask(CLIENT).unwrap().missing, 1);
        pool.admit(HOST);
        assert_eq!(pool.take_dial(CLIENT).is_some(), callable);
        assert_eq!(pool.evicted(HOST), (!callable).then_some(EvictReason::TooLate));
    }
}
