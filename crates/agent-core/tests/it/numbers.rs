//! The metrics of an agent follow what they measure.

use crate::common::*;
use vipnode_agent_core::{AdmitFailure, AgentGauges, Event};
use vipnode_types::{
    PeerFact,
    wire::{EvictReason, WireError},
};

fn gauges(bench: &Bench) -> AgentGauges {
    bench.core.gauges()
}

fn failures(bench: &Bench) -> Vec<(AdmitFailure, u64)> {
    bench.core.counters().admit_failures().filter(|(_, count)| *count > 0).collect()
}

fn trusted(byte: u8) -> PeerFact {
    PeerFact { trusted: Some(true), ..peer(byte) }
}

#[test]
fn pool_and_node_are_0_or_1() {
    let mut bench = Bench::new(host_config(2));
    assert!(!gauges(&bench).node_up && !gauges(&bench).pool_connected);
    bench.node_up();
    assert!(gauges(&bench).node_up && !gauges(&bench).pool_connected);
    bench.on(Event::PoolOpen);
    assert!(!gauges(&bench).pool_connected, "the pool has not taken it yet");
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(Vec::new()));
    assert!(gauges(&bench).pool_connected);
    assert_eq!(bench.core.counters().pool_losses, 0);
    bench.on(Event::PoolLost { why: "test".into() });
    assert!(!gauges(&bench).pool_connected);
    assert_eq!(bench.core.counters().pool_losses, 1);
    bench.on(Event::PoolLost { why: "test".into() });
    assert_eq!(bench.core.counters().pool_losses, 1, "what was not there was not lost");
    bench.on(Event::NodeDown { why: "test".into() });
    assert!(!gauges(&bench).node_up);
}

#[test]
fn a_lease_takes_a_slot_and_its_end_frees_it() {
    let mut bench = Bench::live(host_config(2));
    let before = gauges(&bench);
    assert_eq!((before.slots_offered, before.slots_sold, before.slots_free), (2, 0, 2));
    assert_eq!((before.clients_connected, before.last_client, before.reserve), (0, None, 16));
    bench.call(1, admit(LEASE, CLIENT));
    bench.done();
    assert_eq!((gauges(&bench).slots_sold, gauges(&bench).slots_free), (1, 1));
    assert_eq!(gauges(&bench).clients_connected, 0, "it was let in and is not there yet");
    bench.peers(&[CLIENT, OWN_PEER, SECOND_OWN_PEER]);
    let held = gauges(&bench);
    assert_eq!((held.clients_connected, held.own_peers, held.last_client), (1, 2, Some(bench.now)));
    assert_eq!(bench.core.counters().admits, 1);
    let came = bench.now;
    bench.after(5_000);
    bench.peers(&[OWN_PEER]);
    assert_eq!((gauges(&bench).clients_connected, gauges(&bench).own_peers), (0, 1));
    assert_eq!(gauges(&bench).last_client, Some(came));
    bench.call(2, evict(LEASE, CLIENT));
    bench.done();
    let after = gauges(&bench);
    assert_eq!((after.slots_sold, after.slots_free), (0, 2));
    let evictions: Vec<_> = bench.core.counters().evictions().filter(|(_, count)| *count > 0).collect();
    assert_eq!(evictions, [(EvictReason::Left, 1)]);
    assert_eq!(failures(&bench), []);
}

#[test]
fn slots_are_not_free_while_none_are_offered() {
    let mut bench = Bench::with_client();
    assert_eq!(gauges(&bench).slots_free, 1);
    bench.head(101, 601);
    let late = gauges(&bench);
    assert_eq!((late.slots_offered, late.slots_sold, late.slots_free), (0, 1, 0));
}

#[test]
fn the_head_is_the_one_of_the_node() {
    let mut bench = Bench::live(host_config(2));
    bench.head(123, 5);
    let head = gauges(&bench).head.unwrap();
    assert_eq!((head.number, head.timestamp_s), (123, 1_700_000_000 - 5));
    bench.on(Event::NodeDown { why: "test".into() });
    assert_eq!(gauges(&bench).head, None);
}

#[test]
fn hosts_are_counted_as_they_come_and_fail() {
    let mut bench = Bench::with_host();
    assert_eq!((gauges(&bench).hosts_wanted, gauges(&bench).hosts_connected), (1, 1));
    assert_eq!(gauges(&bench).slots_sold, 0, "a place on another host is none of ours");
    bench.peers(&[]);
    assert_eq!((gauges(&bench).hosts_connected, bench.core.counters().hosts_failed), (0, 1));
}

#[test]
fn trust_counts_once_its_lease_is_over() {
    let mut bench = Bench::with_client();
    bench.on(Event::Peers(vec![trusted(CLIENT), trusted(OWN_PEER)]));
    assert_eq!(gauges(&bench).trusted_without_lease, 0, "one has a lease, the other is its owner's");
    bench.call(2, evict(LEASE, CLIENT));
    assert_eq!(gauges(&bench).trusted_without_lease, 1, "it is not undone yet");
    bench.done();
    bench.on(Event::Peers(vec![trusted(OWN_PEER)]));
    assert_eq!(gauges(&bench).trusted_without_lease, 0);
    bench.on(Event::Peers(vec![trusted(CLIENT), trusted(OWN_PEER)]));
    assert_eq!(gauges(&bench).trusted_without_lease, 1, "the node said that it was undone, and it is not");
    bench.on(Event::Peers(vec![peer(CLIENT)]));
    assert_eq!(gauges(&bench).trusted_without_lease, 0);
}

#[test]
fn what_cannot_be_undone_stays_counted() {
    let mut bench = Bench::with_client();
    bench.call(2, evict(LEASE, CLIENT));
    bench.fail();
    assert_eq!(gauges(&bench).trusted_without_lease, 1);
    bench.after(5_000);
    bench.done();
    assert_eq!(gauges(&bench).trusted_without_lease, 0);
}

#[test]
fn each_admit_that_fails_has_one_reason() {
    let mut bench = Bench::live(client_config(1));
    bench.call(1, admit(LEASE, CLIENT));
    assert_eq!(failures(&bench), [(AdmitFailure::NoHost, 1)]);

    let mut bench = Bench::with_client();
    bench.call(2, admit(LEASE, SECOND_CLIENT));
    assert_eq!(failures(&bench), [(AdmitFailure::OtherLease, 1)]);
    bench.call(3, admit(LEASE, CLIENT));
    assert_eq!(failures(&bench).len(), 1, "a repeated admit of an active lease does not count");
    assert_eq!(bench.core.counters().admits, 1, "and no further client");
    bench.call(4, admit(SECOND_LEASE, OWN_NODE));
    assert_eq!(failures(&bench)[0], (AdmitFailure::Unsuitable, 1), "no client of itself");
    bench.call(5, admit(SECOND_LEASE, SECOND_CLIENT));
    bench.call(6, admit(THIRD_LEASE, THIRD_CLIENT));
    assert!(failures(&bench).contains(&(AdmitFailure::Full, 1)), "{:?}", failures(&bench));

    let mut bench = Bench::live(host_config(2));
    bench.head(101, 601);
    bench.call(1, admit(LEASE, CLIENT));
    assert_eq!(failures(&bench), [(AdmitFailure::NotOffering, 1)]);
    bench.on(Event::NodeDown { why: "test".into() });
    bench.call(2, admit(LEASE, CLIENT));
    assert_eq!(failures(&bench), [(AdmitFailure::NodeOffline, 1), (AdmitFailure::NotOffering, 1)]);
}

#[test]
fn an_admit_that_fails_at_the_node_is_counted_with_its_answer() {
    let mut bench = Bench::live(host_config(2));
    bench.call(1, admit(LEASE, CLIENT));
    bench.fail();
    assert!(matches!(bench.reply(1), Some(Err(WireError { .. }))));
    assert_eq!(failures(&bench), [(AdmitFailure::NodeRefused, 1)]);

    let mut bench = Bench::live(host_config(2));
    bench.call(1, admit(LEASE, CLIENT));
    bench.on(Event::NodeDown { why: "test".into() });
    assert_eq!(failures(&bench), [(AdmitFailure::NodeOffline, 1)]);

    let mut bench = Bench::live(host_config(2));
    bench.call(1, admit(LEASE, CLIENT));
    bench.call(2, evict(LEASE, CLIENT));
    assert_eq!(failures(&bench), [(AdmitFailure::Ended, 1)]);
    bench.call(3, admit(LEASE, CLIENT));
    assert_eq!(failures(&bench), [(AdmitFailure::Busy, 1), (AdmitFailure::Ended, 1)]);
    assert_eq!(bench.core.counters().admits, 0);
}

#[test]
fn a_client_that_comes_and_goes_is_remembered_once() {
    let mut bench = Bench::live(host_config(2));
    bench.oblige();
    for number in 0..300_u64 {
        let (lease, client) = (lease(number), u8::try_from(number % 100).unwrap());
        bench.call(number, admit(lease, client));
        bench.done();
        bench.call(number, evict(lease, client));
        bench.done();
    }
    bench.on(Event::Peers((0..100).map(trusted).collect()));
    assert_eq!(gauges(&bench).trusted_without_lease, 100);
}
