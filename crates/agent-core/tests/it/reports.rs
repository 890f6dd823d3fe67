//! What the agent reports about connections.

use crate::common::*;
use vipnode_agent_core::{Event, PoolAnswer};
use vipnode_types::{
    DropCause, LeaseSetHash,
    wire::{ReportReply, ReportRequest, Side, UpLease, WireError},
};

/// A host with [`CLIENT`] ([`LEASE`]) and [`SECOND_CLIENT`] ([`SECOND_LEASE`]) connected and reported.
fn two_clients() -> Bench {
    let mut bench = Bench::live(host_config(3));
    bench.oblige();
    for (tag, lease, client) in [(1, LEASE, CLIENT), (2, SECOND_LEASE, SECOND_CLIENT)] {
        bench.call(tag, admit(lease, client));
        bench.done();
    }
    bench.peers(&[CLIENT, SECOND_CLIENT]);
    bench.after(61_000);
    bench.peers(&[CLIENT, SECOND_CLIENT]);
    bench.obliging = false;
    bench
}

#[test]
fn one_report_is_in_flight_and_the_rest_goes_into_the_next() {
    let mut bench = Bench::with_client();
    bench.call(2, admit(SECOND_LEASE, SECOND_CLIENT));
    bench.done();
    bench.peers(&[CLIENT]);
    let (tag, first) = bench.report().unwrap();
    assert_eq!(first.up, vec![LEASE]);
    bench.peers(&[SECOND_CLIENT]);
    assert_eq!(bench.report(), None);
    bench.peers(&[CLIENT, SECOND_CLIENT]);
    assert_eq!(bench.report(), None);
    bench.answer(tag, PoolAnswer::Report(ReportReply::default()));
    let next = bench.take_report();
    assert_eq!(next.seq, first.seq + 1);
    assert_eq!(
        (next.up, next.down),
        (vec![SECOND_LEASE, LEASE], vec![LEASE]),
        "the first went and came back meanwhile"
    );
    assert_eq!(next.hash, Some(LeaseSetHash::of([LEASE, SECOND_LEASE])));
}

#[test]
fn d46_only_peers_of_leases_are_named() {
    let mut bench = Bench::with_client();
    bench.peers(&[CLIENT, OWN_PEER, SECOND_OWN_PEER]);
    assert_eq!(bench.take_report().up, vec![LEASE]);
    bench.peers(&[OWN_PEER, SECOND_OWN_PEER, THIRD_OWN_PEER]);
    let report = bench.take_report();
    assert_eq!((report.up, report.down), (vec![], vec![LEASE]));
    assert_eq!(bench.core.view().own_peers, 3);
}

#[test]
fn an_unchanged_report_is_sent_each_interval_and_is_empty() {
    let mut bench = Bench::with_host();
    let mut last = bench.now;
    for seq in 3..9 {
        while bench.report().is_none() {
            bench.now = bench.core.next_wake().unwrap().min(bench.now.plus(20_000));
            bench.peers(&[HOST]);
        }
        let gap_ms = bench.now.since(last);
        assert!((54_000..=60_000).contains(&gap_ms), "{gap_ms}");
        last = bench.now;
        let report = bench.take_report();
        assert_eq!(report, ReportRequest { seq, ..Default::default() });
    }
}

#[test]
fn a_resync_is_answered_with_the_whole_set() {
    let mut bench = two_clients();
    bench.peers(&[CLIENT]);
    let (tag, _) = bench.report().unwrap();
    bench.answer(tag, PoolAnswer::Report(ReportReply { resync: true, ..ReportReply::default() }));
    let (tag, full) = bench.report().unwrap();
    assert_eq!(full.full, Some(vec![UpLease { lease: LEASE, continuous: true }]));
    bench.answer(tag, PoolAnswer::Report(ReportReply { resync: true, ..ReportReply::default() }));
    assert_eq!(bench.report(), None, "two that never agree do not talk without a pause");
    bench.after(1_000);
    assert!(bench.take_report().full.is_some());
}

#[test]
fn what_was_gone_is_not_kept_though_its_report_was_lost() {
    let mut bench = two_clients();
    bench.on(Event::PeerGone(node(CLIENT), DropCause::Unknown));
    bench.peers(&[CLIENT, SECOND_CLIENT]);
    assert_eq!(bench.report().unwrap().1.down, vec![LEASE]);
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(vec![view(LEASE, Side::Host, CLIENT), view(SECOND_LEASE, Side::Host, SECOND_CLIENT)]));
    let kept = bench.report().unwrap().1.full.unwrap().iter().map(|up| up.continuous).collect::<Vec<_>>();
    assert_eq!(kept, [false, true]);
}

#[test]
fn a_refused_report_is_sent_again_in_full_later() {
    let mut bench = two_clients();
    bench.peers(&[CLIENT]);
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
    assert_eq!(bench.take_report().down, vec![LEASE, SECOND_LEASE]);
    bench.on(Event::NodeUp(Box::new(facts(OWN_NODE))));
    bench.done();
    bench.peers(&[CLIENT, SECOND_CLIENT]);
    assert_eq!(bench.take_report().up, vec![LEASE, SECOND_LEASE]);
}

#[test]
fn a_short_absence_of_the_node_keeps_what_is_there_after() {
    let mut bench = two_clients();
    bench.on(Event::NodeDown { why: "stuck".into() });
    bench.take_report();
    bench.after(30_000);
    bench.on(Event::NodeUp(Box::new(facts(OWN_NODE))));
    bench.done();
    bench.peers(&[CLIENT, SECOND_CLIENT]);
    assert_eq!(bench.report(), None);
}

#[test]
fn a_list_of_peers_after_a_pause_of_the_machine_keeps_nothing() {
    let mut bench = two_clients();
    bench.now = bench.now.plus(61_000);
    bench.peers(&[CLIENT, SECOND_CLIENT]);
    let report = bench.report().unwrap().1;
    assert_eq!((report.up.clone(), report.down), (report.up, vec![LEASE, SECOND_LEASE]));
}

#[test]
fn the_newest_block_rides_along_when_it_changed() {
    let mut bench = two_clients();
    bench.head(101, 1);
    assert_eq!(bench.report(), None);
    bench.peers(&[CLIENT]);
    assert_eq!(bench.take_report().head, Some(101));
    bench.head(102, 1);
    bench.peers(&[CLIENT, SECOND_CLIENT]);
    assert_eq!(bench.take_report().head, None, "reported a moment ago");
    bench.now = bench.now.plus(30_000);
    bench.peers(&[CLIENT, SECOND_CLIENT]);
    bench.after(30_000);
    assert_eq!(bench.take_report().head, Some(102));
}

#[test]
fn what_was_gone_is_not_kept_though_the_pool_asked_for_all() {
    let mut bench = two_clients();
    bench.on(Event::PeerGone(node(CLIENT), DropCause::Unknown));
    bench.peers(&[CLIENT, SECOND_CLIENT]);
    let (tag, delta) = bench.report().unwrap();
    assert_eq!((delta.up, delta.down), (vec![LEASE], vec![LEASE]));
    bench.answer(tag, PoolAnswer::Report(ReportReply { resync: true, ..ReportReply::default() }));
    let kept = bench.take_report().full.unwrap().iter().map(|up| up.continuous).collect::<Vec<_>>();
    assert_eq!(kept, [false, true]);
}
