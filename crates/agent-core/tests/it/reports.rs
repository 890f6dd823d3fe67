//! What the agent reports about connections.

use crate::common::*;
use vipnode_agent_core::{Event, PoolAnswer};
use vipnode_types::{
    DropCause, LeaseSetHash,
    wire::{ReportReply, Side, UpLease, WireError},
};

/// A host with clients 9 (lease 1) and 10 (lease 2) connected and reported.
fn two_clients() -> Bench {
    let mut bench = Bench::live(host_config(3));
    bench.oblige();
    for (number, byte) in [(1, 9), (2, 10)] {
        bench.call(number, admit(number, byte));
        bench.done();
    }
    bench.peers(&[9, 10]);
    bench.after(61_000);
    bench.peers(&[9, 10]);
    bench.obliging = false;
    bench
}

#[test]
fn one_report_is_in_flight_and_the_rest_goes_into_the_next() {
    let mut bench = Bench::with_client(9);
    bench.call(2, admit(2, 10));
    bench.done();
    bench.peers(&[9]);
    let (tag, first) = bench.report().unwrap();
    assert_eq!(first.up, vec![lease(1)]);
    bench.peers(&[10]);
    assert_eq!(bench.report(), None);
    bench.peers(&[9, 10]);
    assert_eq!(bench.report(), None);
    bench.answer(tag, PoolAnswer::Report(ReportReply::default()));
    let next = bench.take_report();
    assert_eq!(next.seq, first.seq + 1);
    assert_eq!((next.up, next.down), (vec![lease(2), lease(1)], vec![lease(1)]), "1 went and came back meanwhile");
    assert_eq!(next.hash, Some(LeaseSetHash::of([lease(1), lease(2)])));
}

#[test]
fn d46_only_peers_of_leases_are_named() {
    let mut bench = Bench::with_client(9);
    bench.peers(&[9, 77, 78]);
    assert_eq!(bench.take_report().up, vec![lease(1)]);
    bench.peers(&[77, 78, 79]);
    let report = bench.take_report();
    assert_eq!((report.up, report.down), (vec![], vec![lease(1)]));
    assert_eq!(bench.core.view().own_peers, 3);
}

#[test]
fn an_unchanged_report_is_sent_each_interval_and_is_empty() {
    let mut bench = Bench::with_host(9);
    let mut last = bench.now;
    for seq in 3..9 {
        while bench.report().is_none() {
            bench.now = bench.core.next_wake().unwrap().min(bench.now.plus(20_000));
            bench.peers(&[9]);
        }
        let gap_ms = bench.now.since(last);
        assert!((54_000..=60_000).contains(&gap_ms), "{gap_ms}");
        last = bench.now;
        let report = bench.take_report();
        assert_eq!(report, vipnode_types::wire::ReportRequest { seq, ..Default::default() });
    }
}

#[test]
fn a_resync_is_answered_with_the_whole_set() {
    let mut bench = two_clients();
    bench.peers(&[9]);
    let (tag, _) = bench.report().unwrap();
    bench.answer(tag, PoolAnswer::Report(ReportReply { resync: true }));
    let (tag, full) = bench.report().unwrap();
    assert_eq!(full.full, Some(vec![UpLease { lease: lease(1), continuous: true }]));
    bench.answer(tag, PoolAnswer::Report(ReportReply { resync: true }));
    assert_eq!(bench.report(), None, "two that never agree do not talk without a pause");
    bench.after(1_000);
    assert!(bench.take_report().full.is_some());
}

#[test]
fn what_was_gone_is_not_kept_though_its_report_was_lost() {
    let mut bench = two_clients();
    bench.on(Event::PeerGone(node(9), DropCause::Untold));
    bench.peers(&[9, 10]);
    assert_eq!(bench.report().unwrap().1.down, vec![lease(1)]);
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(vec![view(1, Side::Host, 9), view(2, Side::Host, 10)]));
    let kept = bench.report().unwrap().1.full.unwrap().iter().map(|up| up.continuous).collect::<Vec<_>>();
    assert_eq!(kept, [false, true]);
}

#[test]
fn a_refused_report_is_sent_again_in_full_later() {
    let mut bench = two_clients();
    bench.peers(&[9]);
    let (tag, _) = bench.report().unwrap();
    bench.on(Event::PoolAnswers { tag, answer: Err(WireError::busy("later", 3_000)) });
    assert_eq!(bench.report(), None);
    bench.after(3_000);
    assert_eq!(bench.take_report().full.unwrap().len(), 1);
}

#[test]
fn what_was_not_watched_is_not_stated() {
    let mut bench = two_clients();
    bench.on(Event::NodeDown { why: "stuck".into() });
    assert_eq!(bench.take_report().slots, Some(0));
    bench.after(59_000);
    if bench.report().is_some() {
        assert_eq!(bench.take_report().down, vec![]);
    }
    bench.after(1_000);
    assert_eq!(bench.take_report().down, vec![lease(1), lease(2)]);
    bench.on(Event::NodeUp(Box::new(facts(200))));
    bench.done();
    bench.peers(&[9, 10]);
    assert_eq!(bench.take_report().up, vec![lease(1), lease(2)]);
}

#[test]
fn a_short_absence_of_the_node_keeps_what_is_there_after() {
    let mut bench = two_clients();
    bench.on(Event::NodeDown { why: "stuck".into() });
    bench.take_report();
    bench.after(30_000);
    bench.on(Event::NodeUp(Box::new(facts(200))));
    bench.done();
    bench.peers(&[9, 10]);
    assert_eq!(bench.report(), None);
}

#[test]
fn a_list_of_peers_after_a_pause_of_the_machine_keeps_nothing() {
    let mut bench = two_clients();
    bench.now = bench.now.plus(61_000);
    bench.peers(&[9, 10]);
    let report = bench.report().unwrap().1;
    assert_eq!((report.up.clone(), report.down), (report.up, vec![lease(1), lease(2)]));
}

#[test]
fn the_newest_block_rides_along_when_it_changed() {
    let mut bench = two_clients();
    bench.head(101, 1);
    assert_eq!(bench.report(), None);
    bench.peers(&[9]);
    assert_eq!(bench.take_report().head, Some(101));
    bench.head(102, 1);
    bench.peers(&[9, 10]);
    assert_eq!(bench.take_report().head, None, "reported a moment ago");
    bench.now = bench.now.plus(30_000);
    bench.peers(&[9, 10]);
    bench.after(30_000);
    assert_eq!(bench.take_report().head, Some(102));
}

#[test]
fn what_was_gone_is_not_kept_though_the_pool_asked_for_all() {
    let mut bench = two_clients();
    bench.on(Event::PeerGone(node(9), DropCause::Untold));
    bench.peers(&[9, 10]);
    let (tag, delta) = bench.report().unwrap();
    assert_eq!((delta.up, delta.down), (vec![lease(1)], vec![lease(1)]));
    bench.answer(tag, PoolAnswer::Report(ReportReply { resync: true }));
    let kept = bench.take_report().full.unwrap().iter().map(|up| up.continuous).collect::<Vec<_>>();
    assert_eq!(kept, [false, true]);
}
