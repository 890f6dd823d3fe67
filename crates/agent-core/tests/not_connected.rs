//! Why a host that let the node in was never connected: seen, told once, and another is asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod common;

use common::*;
use vipnode_agent_core::{Event, NotConnected, Notice};
use vipnode_types::{Direction, NodeId, PeerFact, wire::Grant};

fn told(bench: &Bench) -> Vec<(NodeId, NotConnected)> {
    let told = bench.notices().into_iter().filter_map(|notice| match notice {
        Notice::HostNotConnected { host, cause, .. } => Some((host, cause)),
        _ => None,
    });
    told.collect()
}

/// A client that was given a host, and whose node was told to dial it.
fn dialling(places: Vec<Grant>) -> Bench {
    let mut bench = Bench::live(client_config(1));
    bench.oblige();
    bench.give(places);
    bench.done();
    bench
}

#[test]
fn another_genesis_shows_as_a_peer_that_comes_and_goes() {
    let mut bench = dialling(vec![place(1, 9)]);
    bench.on(Event::PeerGone(node(9)));
    bench.after(20_000);
    assert_eq!(told(&bench), [(node(9), NotConnected::NoCommonProtocol)]);
    assert_eq!(bench.ask().unwrap().1.avoid, [node(9)], "another host is asked for");

    let mut bench = dialling(vec![place(1, 9)]);
    bench.on(Event::Peers(vec![PeerFact { ready: false, ..peer(9) }]));
    bench.after(20_000);
    assert_eq!(told(&bench), [(node(9), NotConnected::NoCommonProtocol)]);
}

#[test]
fn a_peer_that_begins_slowly_is_not_doomed() {
    let mut bench = dialling(vec![place(1, 9)]);
    bench.on(Event::Peers(vec![PeerFact { ready: false, ..peer(9) }]));
    bench.peers(&[9]);
    bench.after(20_000);
    assert_eq!(told(&bench), []);
}

#[test]
fn a_node_that_dials_as_many_as_it_may_has_no_place_for_a_host() {
    let dialled =
        |many: u8| (100..100 + many).map(|n| PeerFact { direction: Direction::Outbound, ..peer(n) }).collect();
    let mut bench = dialling(vec![place(1, 9)]);
    bench.on(Event::Peers(dialled(16)));
    bench.after(20_000);
    assert_eq!(told(&bench), [(node(9), NotConnected::NoDialSlot { dialled: 16 })]);

    let mut bench = dialling(vec![place(1, 9)]);
    bench.on(Event::Peers(dialled(15)));
    bench.after(20_000);
    assert_eq!(told(&bench), [(node(9), NotConnected::Silent)]);
}

#[test]
fn each_cause_is_told_once() {
    let mut bench = dialling(vec![place(1, 9)]);
    bench.after(20_000);
    assert_eq!(told(&bench).len(), 1);
    bench.give(vec![place(2, 8)]);
    bench.done();
    bench.after(20_000);
    assert!(told(&bench).is_empty() && bench.ask().is_some(), "{:?}", bench.out);
}
