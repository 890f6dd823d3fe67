//! Further hosts for clients whose host stays silent.

use std::{collections::BTreeSet, net::IpAddr, ops::Range};

use vipnode_types::{
    LeaseId,
    wire::{EvictReason, LeaveReason},
};

use super::{
    offers::knowing,
    pool::{Pool, address, client, host, node},
    scenario::{CLIENT, HOST, KEPT, OTHER_SUBNET, SECOND_CLIENT, SECOND_HOST, SLOTS, STRANGER, THIRD_HOST},
};
use crate::{CallOutcome, Limits};

const HOSTS: Range<u32> = 10..40;

/// A client among hosts that each have a block of their own.
fn among_hosts(limits: Limits) -> Pool {
    let mut pool = Pool::with(limits);
    for agent in HOSTS {
        pool = pool.with_host(agent, 4).reported(agent);
    }
    pool.with_client(CLIENT).reported(CLIENT)
}

/// Has all hosts that were asked admit, and returns them.
fn admitted(pool: &mut Pool) -> BTreeSet<u32> {
    let mut hosts = BTreeSet::new();
    for host in HOSTS {
        while let Some((call, _)) = pool.take_admit(host) {
            pool.done(call, CallOutcome::Done);
            hosts.insert(host);
        }
    }
    hosts
}

/// A client and its hosts report each other as connected.
fn pair_all(pool: &mut Pool, agent: u32) {
    let index = pool.core.agents.find(&node(agent)).unwrap();
    let pending = pool.core.leases.of_client(index).filter(|(_, lease)| !lease.is_running() && !lease.is_admitting());
    let pending: Vec<_> = pending.map(|(_, lease)| (lease.id(), lease.host())).collect();
    for (lease, host) in pending {
        let id = pool.core.agents.id(host).unwrap();
        let host = HOSTS.into_iter().find(|&host| node(host) == id).unwrap();
        pool.reports_up(host, lease);
        pool.reports_up(agent, lease);
    }
}

#[test]
fn a_client_of_silent_hosts_gets_further_ones_each_second_up_to_a_limit() {
    let mut pool = among_hosts(Limits { extra_offers: 7, ..Limits::default() });
    pool.ask(CLIENT, 1);
    let mut hosts = admitted(&mut pool);
    for (further, all) in [(2, 3), (4, 7), (1, 8), (0, 8)] {
        pool.pass(1_000);
        let more = admitted(&mut pool);
        assert_eq!(more.len(), further);
        hosts.extend(more);
        assert_eq!(hosts.len(), all, "each host once");
    }
    // One of them pairs: the others end.
    let good = *hosts.last().unwrap();
    let index = pool.core.agents.find(&super::pool::node(good)).unwrap();
    let lease = pool.core.leases.of_host(index).next().unwrap().1.id();
    pool.delta(good, &[lease], &[]);
    pool.delta(CLIENT, &[lease], &[]);
    assert_eq!(pool.core.gauges().leases, 1);
    let others = hosts.iter().filter(|&&host| host != good);
    assert!(others.copied().all(|host| pool.evicted(host) == Some(EvictReason::TooLate)));
    pool.pass(5_000);
    assert_eq!(pool.core.gauges().leases, 1, "nothing more is offered");
}

#[test]
fn a_client_whose_node_is_connected_gets_no_further_host() {
    let mut pool = among_hosts(Limits::default());
    pool.ask(CLIENT, 1);
    let first = pool.asked(HOSTS).unwrap();
    let lease = pool.admit(first);
    // The host reports it late, as one of protocol 2 does.
    pool.delta(CLIENT, &[lease], &[]);
    pool.pass(10_000);
    assert_eq!(pool.core.gauges().leases, 1);
}

/// The attack: a host connects with its client and never reports it, and the client waits for its other, silent host.
#[test]
fn a_client_that_is_connected_with_some_of_its_hosts_gets_further_ones_for_the_rest() {
    let mut pool = among_hosts(Limits { extra_host_ms: 2_000, ..Limits::default() });
    pool.ask(CLIENT, 2);
    let mut hosts = admitted(&mut pool);
    pool.pass(1_000);
    hosts.append(&mut admitted(&mut pool));
    assert_eq!(hosts.len(), 2);
    let index = pool.core.agents.find(&node(CLIENT)).unwrap();
    let lease = pool.core.leases.of_client(index).next().unwrap().1.id();
    pool.reports_up(CLIENT, lease);
    assert!(admitted(&mut pool).is_empty());
    pool.pass(1_100);
    assert!(admitted(&mut pool).difference(&hosts).count() >= 2);
}

#[test]
fn free_ids_of_a_block_share_the_further_hosts_of_one_client() {
    let mut pool = among_hosts(Limits::default());
    let near = IpAddr::from([66, 6, 6, 1]);
    for agent in 100..110 {
        pool.connect_from(agent, client(agent), near).unwrap();
        pool.full(agent, &[]);
        pool.ask(agent, 1);
        admitted(&mut pool);
    }
    pool.pass(5_000);
    let of_block = pool.core.gauges().leases;
    assert!(of_block <= 10, "{of_block} offers");
    // A client elsewhere gets them.
    assert_ne!(near, address(CLIENT));
    pool.ask(CLIENT, 1);
    for _ in 0..4 {
        admitted(&mut pool);
        pool.pass(1_000);
    }
    assert_eq!(pool.core.gauges().leases, of_block + 8);
}

/// The attack: the silent hosts of one provider are in many of its blocks.
#[test]
fn a_further_host_is_in_another_wide_block_as_long_as_there_is_one() {
    for seed in 0..10 {
        let mut pool = Pool::new();
        pool.pass(seed);
        for agent in HOSTS {
            let at = if agent == 39 { [8, 8, 8, 8] } else { [77, 7, u8::try_from(agent).unwrap(), 1] };
            pool.connect_from(agent, host(agent, 4), at.into()).unwrap();
            pool.full(agent, &[]);
        }
        let agent = 100 + u32::try_from(seed).unwrap();
        pool.join(agent, client(agent));
        pool.ask(agent, 1);
        let mut hosts = admitted(&mut pool);
        pool.pass(1_000);
        hosts.append(&mut admitted(&mut pool));
        assert!(hosts.contains(&39) && hosts.len() == 3, "{hosts:?}");
    }
}

/// A host with one slot, which a client elsewhere holds. Returns that lease.
fn with_full_host() -> (Pool, LeaseId) {
    let mut pool = Pool::new().with_host(HOST, 1).reported(HOST);
    pool.join(SECOND_CLIENT, client(SECOND_CLIENT));
    let lease = pool.lease_between(HOST, SECOND_CLIENT);
    (pool, lease)
}

/// The slot of that host is free again.
fn frees(pool: &mut Pool, lease: LeaseId) {
    pool.ask(SECOND_CLIENT, 0);
    pool.leave(SECOND_CLIENT, lease, LeaveReason::Surplus);
    pool.evicted(HOST).unwrap();
    pool.pass(10);
}

/// The attack: clients that ask all the time get each slot as it becomes free, and those that wait never one.
#[test]
fn a_slot_that_is_free_again_is_offered_to_a_client_that_found_none() {
    let (mut pool, lease) = with_full_host();
    pool.connect(SECOND_HOST, host(SECOND_HOST, SLOTS)).unwrap();
    pool.join(CLIENT, client(CLIENT));
    pool.ask_avoiding(CLIENT, 1, vec![node(SECOND_HOST)]);
    pool.pass(1_000);
    assert_eq!(pool.core.gauges().waiting, 0, "its search is suspended");
    frees(&mut pool, lease);
    assert_eq!(pool.take_admit_call(HOST).unwrap().1.client, node(CLIENT));
}

#[test]
fn a_slot_that_is_free_again_is_offered_to_a_client_whose_host_stays_silent() {
    let (mut pool, lease) = with_full_host();
    pool.connect(SECOND_HOST, host(SECOND_HOST, SLOTS)).unwrap();
    pool.join(CLIENT, client(CLIENT));
    pool.ask(CLIENT, 1);
    pool.admit(SECOND_HOST);
    pool.pass(1_500);
    frees(&mut pool, lease);
    assert_eq!(pool.take_admit_call(HOST).unwrap().1.client, node(CLIENT));
}

/// The attack: clients that ask all the time get each slot of a new host as it connects and never connect with it, so it stays
/// new, and those that wait never get it.
#[test]
fn a_new_host_is_offered_to_a_client_that_waits() {
    let (mut pool, _) = Pool::new().leased();
    pool.join(SECOND_CLIENT, client(SECOND_CLIENT));
    pool.ask_avoiding(SECOND_CLIENT, 1, vec![node(HOST)]);
    pool.pass(1_000);
    assert_eq!(pool.core.gauges().waiting, 0, "its search is suspended");
    pool.connect(SECOND_HOST, host(SECOND_HOST, SLOTS)).unwrap();
    pool.pass(10);
    assert_eq!(pool.take_admit_call(SECOND_HOST).unwrap().1.client, node(SECOND_CLIENT));
}

/// Hosts of a stranger that connect one after the other would fill up its further offers.
#[test]
fn a_client_waits_with_a_silent_host_for_a_new_one_in_another_block() {
    let mut pool = Pool::new().paired();
    pool.join(OTHER_SUBNET, client(OTHER_SUBNET));
    pool.lease_between(HOST, OTHER_SUBNET);
    let (silent, next) = (STRANGER, STRANGER + 1);
    pool.connect_from(silent, host(silent, 1), near(silent)).unwrap();
    pool.join(SECOND_CLIENT, client(SECOND_CLIENT));
    pool.ask_avoiding(SECOND_CLIENT, 1, vec![node(HOST)]);
    pool.admit(silent);
    pool.pass(1_500);
    pool.connect_from(next, host(next, 1), near(next)).unwrap();
    pool.pass(10);
    assert!(pool.take_admit(next).is_none(), "the block of the silent host");
    pool.connect(SECOND_HOST, host(SECOND_HOST, SLOTS)).unwrap();
    pool.pass(10);
    assert!(pool.take_admit(SECOND_HOST).is_some());
}

const STRANGERS: Range<u32> = STRANGER..STRANGER + 60;

/// An address of the stranger's block.
fn near(agent: u32) -> IpAddr {
    IpAddr::from([66, 6, 6, u8::try_from(agent % 250).unwrap() + 1])
}

/// The attack: a stranger's IDs are paired with the stranger's own host, and want a second one. More of them wait than
/// slots are free.
fn waiting_strangers(mut pool: Pool, at: impl Fn(u32) -> IpAddr) -> Pool {
    pool.connect_from(HOST, host(HOST, 60), at(0)).unwrap();
    pool.full(HOST, &[]);
    for agent in STRANGERS {
        pool.connect_from(agent, client(agent), at(agent)).unwrap();
        pool.full(agent, &[]);
        pool.ask(agent, 2);
        let lease = pool.admit(HOST);
        pool.reports_up(HOST, lease);
        pool.reports_up(agent, lease);
    }
    for agent in HOSTS {
        pool = pool.with_host(agent, 1).reported(agent);
    }
    pool.pass(10);
    assert_eq!((pool.core.gauges().waiting, pool.core.gauges().free_slots), (60, 30));
    pool
}

/// A client that wants three hosts gets them, each connected at once.
fn gets_three_hosts(pool: &mut Pool, agent: u32) {
    pool.ask(agent, 3);
    for _ in 0..6 {
        admitted(pool);
        pair_all(pool, agent);
        pool.pass(1_000);
    }
    let index = pool.core.agents.find(&node(agent)).unwrap();
    assert_eq!(pool.core.leases.client_count(index), 3, "as many hosts as it wants");
}

#[test]
fn waiting_ids_of_a_stranger_make_slots_scarce_for_nobody_else() {
    let mut pool = waiting_strangers(Pool::new(), near).with_client(CLIENT).reported(CLIENT);
    pool.ask(CLIENT, 1);
    assert_eq!(admitted(&mut pool).len(), 1);
    pool.pass(1_000);
    assert_eq!(admitted(&mut pool).len(), 2, "further hosts");
    pool = pool.with_client(SECOND_CLIENT).reported(SECOND_CLIENT);
    gets_three_hosts(&mut pool, SECOND_CLIENT);
    pool.ask(STRANGERS.start, 2);
    assert!(
        pool.why(STRANGERS.start).contains("kept for clients that have no host"),
        "the stranger's own block comes after others"
    );
}

#[test]
fn a_client_near_waiting_ids_of_a_stranger_gets_further_hosts_instead_of_a_silent_one() {
    let of_wide = |agent: u32| IpAddr::from([0x2001, 0xdb8, u16::try_from(agent).unwrap(), 0, 0, 0, 0, 1]);
    // All in one block, or each in another block of one wide block.
    for at in [&near as &dyn Fn(u32) -> IpAddr, &of_wide] {
        let mut pool = waiting_strangers(Pool::new(), at);
        pool.connect_from(CLIENT, client(CLIENT), at(CLIENT)).unwrap();
        pool.full(CLIENT, &[]);
        pool.ask(CLIENT, 1);
        assert_eq!(admitted(&mut pool).len(), 1);
        pool.pass(1_000);
        assert_eq!(admitted(&mut pool).len(), 2, "{}", at(CLIENT));
        pool.ask(STRANGERS.start, 2);
        assert!(pool.why(STRANGERS.start).contains("kept for clients that have no host"), "{}", at(CLIENT));
    }
}

#[test]
fn waiting_ids_of_a_stranger_keep_no_slot_from_a_proven_client_of_their_block() {
    let mut pool = waiting_strangers(knowing(Limits::default(), [CLIENT]), near);
    pool.connect_from(CLIENT, client(CLIENT), near(CLIENT)).unwrap();
    pool.full(CLIENT, &[]);
    gets_three_hosts(&mut pool, CLIENT);
}

#[test]
fn a_client_of_an_offer_from_before_a_restart_gets_further_hosts_too() {
    let (mut pool, _) = Pool::new().offered();
    pool.restart(Limits::default());
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[]);
    for agent in [HOST, SECOND_HOST] {
        pool.connect(agent, host(agent, SLOTS)).unwrap();
        pool.full(agent, &[]);
    }
    pool.pass(1_010);
    let lease = pool.admit(SECOND_HOST);
    let (call, dial) = pool.take_dial(CLIENT).unwrap();
    assert_eq!(dial.lease, lease);
    pool.done(call, CallOutcome::Done);
}

#[test]
fn a_client_that_has_one_of_its_hosts_gets_further_ones_for_the_rest_after_a_restart() {
    let (mut pool, lease) = Pool::new().leased();
    pool.join(SECOND_HOST, host(SECOND_HOST, SLOTS));
    pool.ask(CLIENT, 2);
    pool.admit(SECOND_HOST);
    pool.restart(Limits::default());
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, KEPT)]);
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    pool.full(HOST, &[(lease, KEPT)]);
    for agent in [SECOND_HOST, THIRD_HOST] {
        pool.join(agent, host(agent, SLOTS));
    }
    pool.pass(1_010);
    pool.admit(THIRD_HOST);
    // The pool does not know that it wants more than it has.
    let (mut pool, lease) = Pool::new().leased();
    pool.restart(Limits::default());
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[(lease, KEPT)]);
    pool.join(THIRD_HOST, host(THIRD_HOST, SLOTS));
    pool.pass(5_000);
    assert!(pool.take_admit(THIRD_HOST).is_none());
}

/// The attack: hosts of a stranger stay silent one after the other, and the client waits for the last of them.
#[test]
fn a_further_host_that_stays_silent_takes_the_place_of_the_first_when_that_offer_ends() {
    let mut pool = among_hosts(Limits { extra_offers: 1, extra_host_ms: 4_000, offer_ms: 15_000, ..Limits::default() });
    pool.ask(CLIENT, 1);
    assert_eq!(admitted(&mut pool).len(), 1);
    pool.pass(4_000);
    assert_eq!(admitted(&mut pool).len(), 1);
    pool.pass(8_000);
    assert_eq!(admitted(&mut pool).len(), 0, "it has as many as it may");
    pool.pass(4_100);
    assert_eq!(admitted(&mut pool).len(), 1, "the first has ended");
}
