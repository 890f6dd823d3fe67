use vipnode_types::{
    LeaseId, LeaseSetHash, NodeId, Price,
    wire::{ErrorCode, EvictReason, ReportReply, ReportRequest, UpLease},
};

use super::{
    pool::{Pool, START, client},
    scenario::{CLIENT, HOST, SECOND_CLIENT, SLOTS},
};
use crate::{Command, Effect, Reply, SendWhen};

/// Sends a report as it is.
fn say(pool: &mut Pool, agent: u32, report: ReportRequest) -> ReportReply {
    let command = Command::Report { connection: pool.connection(agent), request: 1, report: Box::new(report) };
    match pool.request(command).unwrap() {
        Ok(Reply::Report(reply)) => reply,
        other => panic!("{other:?}"),
    }
}

/// A full report of leases.
fn full(seq: u32, leases: &[LeaseId]) -> ReportRequest {
    let up = |&lease: &LeaseId| UpLease { lease, continuous: false };
    let hash = Some(LeaseSetHash::of(leases.iter().copied()));
    ReportRequest { seq, full: Some(leases.iter().map(up).collect()), hash, ..Default::default() }
}

#[test]
fn an_agent_that_was_connected_learns_a_new_price() {
    let mut pool = Pool::new().with_host(HOST, SLOTS);
    pool.pass(1_000);
    assert_eq!(say(&mut pool, HOST, full(1, &[])).price, None);
    let price = Price::per_minute(7_000_000_000);
    let limits = crate::Limits { price, ..pool.core.limits.clone() };
    pool.core.set_limits(limits);
    pool.pass(1_000);
    let quiet = ReportRequest { seq: 2, ..Default::default() };
    assert_eq!(say(&mut pool, HOST, quiet).price, Some(price));
    let mut pool = pool.with_client(CLIENT);
    assert_eq!(say(&mut pool, CLIENT, full(1, &[])).price, None, "its connect reply had it");
}

#[test]
fn what_does_not_fit_moves_nothing() {
    let mut pool = Pool::new().with_host(HOST, SLOTS).with_client(CLIENT);
    pool.ask(CLIENT, 1);
    let lease = pool.admit(HOST);
    pool.pass(1_000);
    let hash = Some(LeaseSetHash::of([lease]));
    let wrong = Some(LeaseSetHash::of([LeaseId::new(9)]));
    let resyncs = [
        ReportRequest { seq: 1, ..Default::default() },
        ReportRequest { seq: 1, up: vec![lease], hash, ..Default::default() },
        ReportRequest { hash: wrong, ..full(1, &[lease]) },
        ReportRequest { hash: None, ..full(1, &[lease]) },
    ];
    for report in resyncs {
        assert!(say(&mut pool, CLIENT, report).resync, "the first on a socket is a sound full report");
    }
    assert!(!say(&mut pool, CLIENT, full(1, &[])).resync);
    let seen = pool.core.agents.iter().find(|(_, node)| node.is_client()).unwrap().1.seen();
    pool.pass(1_000);
    let resyncs = [
        ReportRequest { seq: 3, up: vec![lease], hash, ..Default::default() },
        ReportRequest { seq: 2, up: vec![lease], hash: wrong, ..Default::default() },
        ReportRequest { seq: 2, up: vec![lease], hash: None, ..Default::default() },
        ReportRequest { seq: 2, hash: wrong, ..Default::default() },
        ReportRequest { seq: 1, ..Default::default() },
        full(1, &[lease]),
    ];
    for report in resyncs {
        assert!(say(&mut pool, CLIENT, report.clone()).resync, "{report:?}");
    }
    let now = pool.core.agents.iter().find(|(_, node)| node.is_client()).unwrap().1.seen();
    assert_eq!(now, seen, "not even the presence");
    assert!(!say(&mut pool, CLIENT, ReportRequest { seq: 2, up: vec![lease], hash, ..Default::default() }).resync);
}

#[test]
fn what_the_pool_does_not_know_is_to_be_taken_back_a_bounded_number_of_times() {
    let mut pool = Pool::new().paired();
    let strange: Vec<LeaseId> = (100..150).map(LeaseId::new).collect();
    say(&mut pool, CLIENT, full(2, &strange));
    assert_eq!(pool.calls.len(), 16);
    let evict = pool.take_evict(CLIENT).unwrap();
    assert_eq!((evict.lease, evict.reason), (strange[0], EvictReason::Unknown));
    assert_eq!(evict.peer, NodeId::new([0; 64]), "nobody knows whose it was");
}

#[test]
fn nobody_reports_on_a_foreign_lease() {
    let (mut pool, lease) = Pool::new().leased();
    pool.connect(SECOND_CLIENT, client(SECOND_CLIENT)).unwrap();
    say(&mut pool, SECOND_CLIENT, full(1, &[lease]));
    assert_eq!(pool.evicted(SECOND_CLIENT), Some(EvictReason::Unknown));
    let down = ReportRequest { seq: 2, down: vec![lease], hash: Some(LeaseSetHash::default()), ..Default::default() };
    assert!(!say(&mut pool, SECOND_CLIENT, down).resync);
    assert_eq!(pool.core.gauges().running, 1);
}

#[test]
fn a_report_of_more_than_there_can_be_is_refused() {
    let mut pool = Pool::new().paired();
    let many: Vec<LeaseId> = (0..1_065).map(LeaseId::new).collect();
    let command = Command::Report { connection: pool.connection(CLIENT), request: 1, report: Box::new(full(2, &many)) };
    assert!(pool.request(command).unwrap().unwrap_err().is(ErrorCode::InvalidParams));
}

#[test]
fn an_unchanged_report_writes_nothing_whatever_the_size_of_the_pool() {
    let mut pool = Pool::new().paired();
    let others = 10..400;
    for agent in others {
        pool.connect(agent, client(agent)).unwrap();
    }
    pool.now = START.plus(500);
    let report = Box::new(ReportRequest { seq: 2, ..Default::default() });
    let effects = pool.handle(Command::Report { connection: pool.connection(CLIENT), request: 1, report });
    assert!(matches!(&effects[..], [Effect::Reply { reply: Ok(Reply::Report(reply)), .. }] if !reply.resync));
    assert_eq!(pool.core.gauges().unwritten_reports, 2);
}

#[test]
fn a_report_that_ends_or_begins_a_row_is_answered_once_that_is_durable() {
    let (mut pool, lease) = Pool::new().leased();
    let mut release = |seq, down: &[LeaseId]| {
        let hash = (!down.is_empty()).then(|| LeaseSetHash::of([]));
        let report = Box::new(ReportRequest { seq, down: down.to_vec(), hash, ..Default::default() });
        let effects = pool.handle(Command::Report { connection: pool.connection(HOST), request: 1, report });
        effects
            .iter()
            .find_map(|effect| if let Effect::Reply { when: release, .. } = effect { Some(*release) } else { None })
    };
    let seq = 3;
    assert_eq!(release(seq, &[]), Some(SendWhen::Now));
    assert_eq!(
        release(seq + 1, &[lease]),
        Some(SendWhen::AfterCommit),
        "otherwise, a crash loses what the agent was sent"
    );
}

#[test]
fn slots_follow_the_reports() {
    let mut pool = Pool::new().paired();
    assert_eq!(pool.core.gauges().free_slots, u64::from(SLOTS));
    say(&mut pool, HOST, ReportRequest { seq: 2, slots: Some(0), ..Default::default() });
    assert_eq!(pool.core.gauges().free_slots, 0);
    pool.ask(CLIENT, 1);
    assert_eq!(pool.last_ask(CLIENT).unwrap().missing, 1);
    say(&mut pool, HOST, ReportRequest { seq: 3, slots: Some(2), ..Default::default() });
    assert_eq!(pool.core.gauges().free_slots, 2);
    pool.handle(Command::Tick);
    pool.admit(HOST);
}
