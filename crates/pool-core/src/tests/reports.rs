use vipnode_types::{
    LeaseId, LeaseSetHash, NodeId,
    wire::{ErrorCode, EvictReason, ReportReply, ReportRequest, UpLease},
};

use super::pool::{Pool, START, client};
use crate::{Command, Effect, Release, Reply};

fn say(pool: &mut Pool, agent: u32, report: ReportRequest) -> ReportReply {
    let command = Command::Report { connection: pool.connection(agent), request: 1, report: Box::new(report) };
    match pool.request(command).unwrap() {
        Ok(Reply::Report(reply)) => reply,
        other => panic!("{other:?}"),
    }
}

fn full(seq: u32, leases: &[LeaseId]) -> ReportRequest {
    let up = |&lease: &LeaseId| UpLease { lease, continuous: false };
    let hash = Some(LeaseSetHash::of(leases.iter().copied()));
    ReportRequest { seq, full: Some(leases.iter().map(up).collect()), hash, ..Default::default() }
}

#[test]
fn what_does_not_fit_moves_nothing() {
    let mut pool = Pool::new();
    pool.connect(1, super::pool::host(1, 4)).unwrap();
    pool.connect(2, client(2)).unwrap();
    pool.ask(2, 1);
    let lease = pool.admit(1);
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
        assert!(say(&mut pool, 2, report).resync, "the first on a socket is a sound full report");
    }
    assert!(!say(&mut pool, 2, full(1, &[])).resync);
    let seen = pool.core.agents.iter().find(|(_, node)| node.consuming()).unwrap().1.seen();
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
        assert!(say(&mut pool, 2, report.clone()).resync, "{report:?}");
    }
    let now = pool.core.agents.iter().find(|(_, node)| node.consuming()).unwrap().1.seen();
    assert_eq!(now, seen, "not even the presence");
    assert!(!say(&mut pool, 2, ReportRequest { seq: 2, up: vec![lease], hash, ..Default::default() }).resync);
}

#[test]
fn what_the_pool_does_not_know_is_to_be_taken_back_a_bounded_number_of_times() {
    let mut pool = Pool::new();
    pool.pair_up();
    let strange: Vec<LeaseId> = (100..150).map(LeaseId::new).collect();
    say(&mut pool, 2, full(2, &strange));
    assert_eq!(pool.calls.len(), 16);
    let evict = pool.take_evict(2).unwrap();
    assert_eq!((evict.lease, evict.reason), (strange[0], EvictReason::Unknown));
    assert_eq!(evict.peer, NodeId::new([0; 64]), "nobody knows whose it was");
}

#[test]
fn nobody_reports_on_a_foreign_lease() {
    let mut pool = Pool::new();
    let lease = pool.lease_up();
    pool.connect(3, client(3)).unwrap();
    say(&mut pool, 3, full(1, &[lease]));
    assert_eq!(pool.evicted(3), Some(EvictReason::Unknown));
    let down = ReportRequest { seq: 2, down: vec![lease], hash: Some(LeaseSetHash::default()), ..Default::default() };
    assert!(!say(&mut pool, 3, down).resync);
    assert_eq!(pool.core.gauges().running, 1);
}

#[test]
fn a_report_of_more_than_there_can_be_is_refused() {
    let mut pool = Pool::new();
    pool.pair_up();
    let many: Vec<LeaseId> = (0..1_065).map(LeaseId::new).collect();
    let command = Command::Report { connection: pool.connection(2), request: 1, report: Box::new(full(2, &many)) };
    assert!(pool.request(command).unwrap().unwrap_err().is(ErrorCode::InvalidParams));
}

#[test]
fn an_unchanged_report_writes_nothing_whatever_the_size_of_the_pool() {
    let mut pool = Pool::new();
    pool.pair_up();
    for agent in 10..400 {
        pool.connect(agent, client(agent)).unwrap();
    }
    pool.now = START.plus(500);
    let report = Box::new(ReportRequest { seq: 2, ..Default::default() });
    let effects = pool.handle(Command::Report { connection: pool.connection(2), request: 1, report });
    assert!(matches!(&effects[..], [Effect::Reply { reply: Ok(Reply::Report(reply)), .. }] if !reply.resync));
    assert_eq!(pool.core.gauges().dirty_presences, 2);
}

#[test]
fn a_report_that_ends_or_begins_a_row_is_answered_once_that_is_durable() {
    let mut pool = Pool::new();
    let lease = pool.lease_up();
    let mut release = |seq, down: &[LeaseId]| {
        let hash = (!down.is_empty()).then(|| LeaseSetHash::of([]));
        let report = Box::new(ReportRequest { seq, down: down.to_vec(), hash, ..Default::default() });
        let effects = pool.handle(Command::Report { connection: pool.connection(1), request: 1, report });
        effects.iter().find_map(|effect| if let Effect::Reply { release, .. } = effect { Some(*release) } else { None })
    };
    let seq = 3;
    assert_eq!(release(seq, &[]), Some(Release::Now));
    assert_eq!(
        release(seq + 1, &[lease]),
        Some(Release::AfterCommit),
        "otherwise, a crash loses what the agent was sent"
    );
}

#[test]
fn slots_follow_the_reports() {
    let mut pool = Pool::new();
    pool.pair_up();
    assert_eq!(pool.core.gauges().free_slots, 4);
    say(&mut pool, 1, ReportRequest { seq: 2, slots: Some(0), ..Default::default() });
    assert_eq!(pool.core.gauges().free_slots, 0);
    pool.ask(2, 1);
    assert_eq!(pool.last_ask(2).unwrap().missing, 1);
    say(&mut pool, 1, ReportRequest { seq: 3, slots: Some(2), ..Default::default() });
    assert_eq!(pool.core.gauges().free_slots, 2);
    pool.handle(Command::Tick);
    pool.admit(1);
}
