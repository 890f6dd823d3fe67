//! How a client keeps its hosts.

use crate::common::*;
use vipnode_agent_core::{Action, Event, Notice, PoolAnswer};
use vipnode_types::{
    DropCause, PeerCommand, PeerFact, Price,
    wire::{AskReply, ErrorCode, LeasedHost, LeaveReason, Side, WireError},
};

#[test]
fn connected_means_that_a_protocol_runs() {
    let mut bench = Bench::live(client_config(1));
    bench.give(vec![place(LEASE, HOST)]);
    bench.done();
    bench.on(Event::Peers(vec![PeerFact { ready: false, ..peer(HOST) }]));
    assert_eq!(bench.notices(), vec![]);
    assert_eq!(bench.core.view().leases[0].connected, None);
}

#[test]
fn a_host_that_does_not_connect_is_left_avoided_and_replaced() {
    let mut bench = Bench::live(client_config(1));
    let report = bench.report().unwrap().0;
    bench.give(vec![place(LEASE, HOST)]);
    bench.done();
    bench.answer(report, PoolAnswer::Report(Default::default()));
    bench.after(19_999);
    let slow = Notice::HostSlow { lease: LEASE, host: node(HOST), redial_ms: None, left_ms: 1, last: None };
    assert_eq!(bench.out, vec![Action::Notice(slow)]);
    bench.after(1);
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(HOST))]);
    let leave = bench.leave().unwrap();
    assert_eq!((leave.leases, leave.reason), (vec![LEASE], LeaveReason::NotConnected));
    assert_eq!(bench.ask().unwrap().1.avoid, vec![node(HOST)]);
    bench.give(vec![place(SECOND_LEASE, HOST)]);
    assert_eq!(bench.calls(), vec![], "given all the same, it is not dialed");
}

#[test]
fn missing_hosts_are_announced_with_the_time_of_the_next_try() {
    let mut bench = Bench::live(client_config(1));
    bench.oblige();
    bench.give(vec![place(LEASE, HOST)]);
    bench.done();
    bench.after(20_000);
    let (tag, _) = bench.ask().unwrap();
    bench.answer(tag, PoolAnswer::Ask(AskReply { hosts: Vec::new(), missing: 1, reason: None }));
    let missing = Notice::HostsMissing { missing: 1, why: None, late: false, retry_ms: Some(120_000) };
    assert_eq!(bench.notices(), [missing]);
}

#[test]
fn d20_a_host_that_goes_is_reported_at_once_and_replaced() {
    let mut bench = Bench::with_host();
    bench.after(15_000);
    bench.on(Event::PeerGone(node(HOST), DropCause::Unknown));
    assert!(matches!(bench.out[..], [vipnode_agent_core::Action::Watch { .. }]));
    bench.peers(&[]);
    assert!(bench.notices().contains(&Notice::HostLost { lease: LEASE, host: node(HOST), reason: None }));
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(HOST))]);
    assert_eq!(bench.report().unwrap().1.down, vec![LEASE]);
    assert_eq!(bench.ask().unwrap().1.want, 1);
    assert_eq!(bench.leave(), None, "the report contains it");
}

#[test]
fn without_a_peer_list_a_reported_loss_counts_after_a_second() {
    let mut bench = Bench::with_host();
    bench.on(Event::PeerGone(node(HOST), DropCause::Unknown));
    bench.after(999);
    assert_eq!(bench.report(), None);
    bench.after(1);
    assert_eq!(bench.report().unwrap().1.down, vec![LEASE]);
}

#[test]
fn gone_and_back_stands_in_both_lists() {
    let mut bench = Bench::with_host();
    bench.after(15_000);
    bench.on(Event::PeerGone(node(HOST), DropCause::Unknown));
    bench.peers(&[HOST]);
    let report = bench.take_report();
    assert_eq!((report.up, report.down), (vec![LEASE], vec![LEASE]));
    assert_eq!(bench.core.view().leases.len(), 1);
}

#[test]
fn thrown_out_at_once_three_times_in_a_minute_is_unstable() {
    let mut bench = Bench::with_host();
    for round in 0..3 {
        bench.now = bench.now.plus(2_000);
        bench.on(Event::PeerGone(node(HOST), DropCause::Unknown));
        bench.peers(&[HOST]);
        if round < 2 {
            bench.take_report();
        }
    }
    assert_eq!(bench.leave().unwrap().reason, LeaveReason::Unstable);
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(HOST))]);
    assert_eq!(bench.ask().unwrap().1.avoid, vec![node(HOST)]);
}

#[test]
fn a_slot_over_the_price_limit_is_left_and_never_dialed() {
    let mut config = client_config(1);
    config.max_price = Some("5 wei/minute".parse().unwrap());
    let mut bench = Bench::live(config);
    bench.oblige();
    bench.give(vec![LeasedHost { price: Price::per_minute(6), ..place(LEASE, HOST) }]);
    assert_eq!(bench.calls(), vec![]);
    assert_eq!(bench.leave().unwrap().reason, LeaveReason::Price);
    bench.after(60_000);
    assert!(bench.ask().is_some());
    bench.give(vec![LeasedHost { price: Price::per_minute(5), ..place(SECOND_LEASE, SECOND_HOST) }]);
    assert_eq!(bench.calls(), vec![PeerCommand::Dial(enode(SECOND_HOST))]);
}

#[test]
fn a_host_without_an_address_is_left() {
    let mut bench = Bench::live(client_config(1));
    bench.give(vec![LeasedHost { host: by_id(HOST), ..place(LEASE, HOST) }]);
    assert_eq!((bench.calls(), bench.leave().unwrap().reason), (vec![], LeaveReason::NotConnected));
}

#[test]
fn further_hosts_come_as_calls_and_too_many_are_left() {
    let mut bench = Bench::live(client_config(2));
    bench.give(vec![place(LEASE, HOST)]);
    for (number, further_host) in (2..10).zip(100..) {
        bench.call(number, dial(lease(number), Side::Client, further_host));
        assert_eq!(bench.reply(number), Some(Ok(())));
        assert_eq!(bench.calls().len(), 1);
    }
    bench.call(10, dial(lease(10), Side::Client, SECOND_HOST));
    assert!(bench.reply(10).unwrap().unwrap_err().is(ErrorCode::Refused));
    assert_eq!((bench.calls(), bench.leave().unwrap().reason), (vec![], LeaveReason::Surplus));
    bench.call(11, dial(LEASE, Side::Client, HOST));
    assert_eq!(bench.reply(11), Some(Ok(())), "a repeated call");
    assert_eq!(bench.core.view().leases.len(), 9);
}

#[test]
fn two_slots_on_one_host_are_one_too_many() {
    let mut bench = Bench::live(client_config(2));
    bench.give(vec![place(LEASE, HOST), place(SECOND_LEASE, HOST)]);
    assert_eq!(bench.calls(), vec![PeerCommand::Dial(enode(HOST))]);
    assert_eq!(bench.leave().unwrap().leases, vec![SECOND_LEASE]);
}

#[test]
fn while_hosts_are_missing_the_asks_grow_rare() {
    let mut bench = Bench::live(client_config(1));
    bench.oblige();
    let (mut asks, mut said) = (0, Vec::new());
    let late = |notice: &Notice| match notice {
        Notice::HostsMissing { missing: 1, late, .. } => Some(*late),
        _ => None,
    };
    for _ in 0..600 {
        if let Some((tag, _)) = bench.ask() {
            asks += 1;
            let why = Some("no host has a free place".to_owned());
            bench.answer(tag, PoolAnswer::Ask(AskReply { hosts: vec![], missing: 1, reason: why }));
            said.extend(bench.notices().iter().filter_map(late));
        }
        bench.after(1_000);
        said.extend(bench.notices().iter().filter_map(late));
    }
    assert!((10..60).contains(&asks), "{asks} asks in ten minutes");
    assert_eq!(said, [false, true], "said at once, and again when it lasts");
}

/// The pool assigns a host by itself, and the request before that was answered without one.
#[test]
fn a_host_that_is_lost_later_has_not_been_missing_since_the_first_one() {
    let mut bench = Bench::live(client_config(1));
    bench.oblige();
    let (tag, _) = bench.ask().unwrap();
    let why = Some("no host has a free slot".to_owned());
    bench.answer(tag, PoolAnswer::Ask(AskReply { hosts: vec![], missing: 1, reason: why.clone() }));
    bench.call(1, dial(LEASE, Side::Client, HOST));
    bench.done();
    for _ in 0..60 {
        bench.after(1_000);
        bench.peers(&[HOST]);
    }
    let missing = |bench: &Bench| {
        let missing = |notice: &Notice| matches!(notice, Notice::HostsMissing { .. });
        bench.notices().into_iter().filter(missing).collect::<Vec<_>>()
    };
    bench.call(2, evict(LEASE, HOST));
    assert_eq!(missing(&bench), [], "the pool's answer follows, with its reason");
    while bench.ask().is_none() {
        bench.after(100);
        assert_eq!(missing(&bench), []);
    }
    let (tag, _) = bench.ask().unwrap();
    bench.answer(tag, PoolAnswer::Ask(AskReply { hosts: vec![], missing: 1, reason: why.clone() }));
    assert_eq!(missing(&bench), [Notice::HostsMissing { missing: 1, why, late: false, retry_ms: None }]);
}

#[test]
fn a_refused_ask_waits_for_the_retry_time_of_the_pool() {
    let mut bench = Bench::live(client_config(1));
    let tag = bench.ask().unwrap().0;
    bench.take_report();
    bench.on(Event::PoolAnswers { tag, answer: Err(WireError::busy("later", 30_000)) });
    bench.after(29_999);
    assert_eq!(bench.ask(), None);
    bench.after(1);
    assert!(bench.ask().is_some());
}

#[test]
fn a_node_that_does_not_dial_is_as_a_host_that_fails() {
    let mut bench = Bench::live(client_config(1));
    bench.give(vec![place(LEASE, HOST)]);
    bench.fail();
    assert_eq!(bench.leave().unwrap().reason, LeaveReason::NotConnected);
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(HOST))]);
    bench.done();
    assert_eq!(bench.left(), vec![]);
}

#[test]
fn while_the_pool_is_unreachable_a_host_that_reconnects_is_kept() {
    let mut bench = Bench::with_host();
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.now = bench.now.plus(15_000);
    bench.peers(&[]);
    assert_eq!(bench.calls(), vec![]);
    bench.peers(&[HOST]);
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(vec![view(LEASE, Side::Client, HOST)]));
    let full = bench.report().unwrap().1.full.unwrap();
    assert_eq!((full.len(), full[0].continuous), (1, false));
}

#[test]
fn a_host_lost_while_the_pool_was_unreachable_is_replaced_after_reconnecting() {
    let mut bench = Bench::with_host();
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.now = bench.now.plus(15_000);
    bench.peers(&[]);
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(vec![view(LEASE, Side::Client, HOST)]));
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(HOST))]);
    assert_eq!(bench.leave().unwrap().leases, vec![LEASE]);
    assert!(bench.ask().is_some());
}
