//! What the agent shows about itself.

use crate::common::*;
use vipnode_agent_core::{EndedSide, FromPool::Admit, HostSlots, PoolAnswer, PoolState};
use vipnode_types::{
    Amount,
    wire::{AdmitCall, AskReply, ReportReply, Side},
};

#[test]
fn a_host_shows_slots_leases_and_what_they_saw() {
    let mut bench = Bench::live(host_config(3));
    bench.oblige();
    let Admit(call) = admit(LEASE, CLIENT) else { panic!() };
    let price = vipnode_types::Price::per_minute(60_000);
    bench.call(1, Admit(AdmitCall { price, ..call }));
    bench.done();
    bench.peers(&[CLIENT, OWN_PEER]);
    bench.after(10_000);
    bench.peers(&[CLIENT, OWN_PEER]);
    let view = bench.core.view();
    assert_eq!((view.host, view.slots, view.own_peers), (Some(HostSlots { slots: 3, reserve: 16 }), 3, 1));
    assert_eq!((view.pool, view.joined.is_some()), (PoolState::Joined, true));
    let [held] = &view.leases[..] else { panic!("{view:?}") };
    assert_eq!((held.side, held.peer, held.seen_ms), (Side::Host, node(CLIENT), 10_000));
    // What was seen before the peer went is not forgotten.
    bench.peers(&[OWN_PEER]);
    bench.after(5_000);
    bench.peers(&[CLIENT]);
    bench.after(1_000);
    let view = bench.core.view();
    let [held] = &view.leases[..] else { panic!() };
    assert_eq!(held.seen_ms, 11_000);
    assert_eq!(bench.core.view().ended.host, EndedSide::default());
    bench.call(2, evict(LEASE, CLIENT));
    bench.done();
    let view = bench.core.view();
    assert_eq!(view.leases, []);
    assert_eq!(view.ended.host, EndedSide { leases: 1, ms: 11_000, cost: Amount::new(11_000) });
    assert_eq!(view.ended.client, EndedSide::default());
}

#[test]
fn a_client_shows_what_is_missing_and_the_pools_reason() {
    let mut bench = Bench::live(client_config(2));
    let (tag, _) = bench.ask().unwrap();
    let why = Some("no host on this chain has a free place".to_owned());
    let reply = AskReply { hosts: Vec::new(), missing: 2, reason: why.clone() };
    bench.answer(tag, PoolAnswer::Ask(reply));
    let view = bench.core.view();
    assert_eq!((view.min_peers, view.missing, view.why_missing, view.host), (2, 2, why, None));
}

#[test]
fn the_age_of_the_head_grows_with_the_clock() {
    let mut bench = Bench::live(host_config(1));
    bench.head(100, 3);
    bench.after(4_000);
    assert_eq!((bench.core.view().head, bench.core.view().head_age_ms), (Some(100), Some(7_000)));
}

#[test]
fn a_price_that_the_pool_changes_is_shown() {
    let mut bench = Bench::live(host_config(1));
    let price = vipnode_types::Price::per_minute(7_000_000_000);
    assert_ne!(bench.core.view().price, Some(price));
    let (tag, _) = bench.report().unwrap();
    bench.answer(tag, PoolAnswer::Report(ReportReply { price: Some(price), ..ReportReply::default() }));
    assert_eq!(bench.core.view().price, Some(price));
}

#[test]
fn the_reason_of_a_pool_that_is_gone_is_not_shown() {
    let mut bench = Bench::live(client_config(2));
    let (tag, _) = bench.ask().unwrap();
    let reply = AskReply { hosts: Vec::new(), missing: 2, reason: Some("no host has a free slot".to_owned()) };
    bench.answer(tag, PoolAnswer::Ask(reply));
    assert!(bench.core.view().why_missing.is_some());
    bench.on(vipnode_agent_core::Event::PoolLost { why: "gone".into() });
    assert_eq!((bench.core.view().missing, bench.core.view().why_missing), (2, None));
}
