//! geth does not dial a node twice within 35 s, so a client and a host can connect twice in that time.

use vipnode_types::{
    LeaseId, REDIAL_MS,
    wire::{LeasedHost, LeaveReason},
};

use super::{
    offers::knowing,
    pool::{Pool, client, node},
    scenario::{CLIENT, HOST, SECOND_CLIENT, SECOND_HOST},
};
use crate::{Limits, PoolCall};

/// The client's agent starts and asks; returns its host, which admitted it.
fn start(pool: &mut Pool) -> (u32, LeasedHost) {
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.full(CLIENT, &[]);
    pool.ask(CLIENT, 1);
    let host = pool.asked([HOST, SECOND_HOST]).unwrap();
    pool.admit(host);
    (host, pool.last_ask(CLIENT).unwrap().hosts.remove(0))
}

/// The two connect, and the client's agent stops.
fn stop(pool: &mut Pool, host: u32, lease: LeaseId) {
    pool.reports_up(host, lease);
    pool.reports_up(CLIENT, lease);
    pool.ask(CLIENT, 0);
    pool.leave(CLIENT, lease, LeaveReason::Surplus);
    assert!(pool.evicted(host).is_some());
    pool.reports_down(host, lease);
}

#[test]
fn a_restarted_client_gets_a_host_that_can_still_connect() {
    let mut pool = Pool::new().with_host(HOST, 4).reported(HOST).with_host(SECOND_HOST, 4).reported(SECOND_HOST);
    for _ in 0..20 {
        let (host, leased) = start(&mut pool);
        assert_eq!(leased.redial_ms, None);
        stop(&mut pool, host, leased.lease);
        // Two hosts and the client's node can dial four times in 36 s.
        pool.pass_with(9_000, &[HOST, SECOND_HOST]);
    }
}

#[test]
fn a_client_learns_how_long_its_only_host_waits_and_keeps_the_offer_until_then() {
    let mut pool = Pool::new().with_host(HOST, 4).reported(HOST);
    for _ in 0..2 {
        let (host, leased) = start(&mut pool);
        assert_eq!(leased.redial_ms, None, "one side after the other dials");
        stop(&mut pool, host, leased.lease);
        pool.pass_with(1_000, &[HOST]);
    }
    let (_, leased) = start(&mut pool);
    assert_eq!(leased.redial_ms, Some(REDIAL_MS - 2_000), "until the one that dialed first may do so again");
    let offer_ms = pool.core.limits.offer_ms;
    pool.pass_with(REDIAL_MS - 2_000 + offer_ms - 1, &[HOST, CLIENT]);
    assert!(pool.core.leases.find(leased.lease).is_some());
    pool.pass_with(offer_ms, &[HOST, CLIENT]);
    assert!(pool.core.leases.find(leased.lease).is_none(), "then it is over");
}

/// Its node dials as soon as it knows the host.
#[test]
fn a_client_that_stopped_before_anybody_reported_it_may_have_dialed() {
    let mut pool = Pool::new().with_host(HOST, 4).reported(HOST);
    for redial_ms in [None, None, Some(REDIAL_MS)] {
        let (host, leased) = start(&mut pool);
        assert_eq!(leased.redial_ms, redial_ms);
        pool.ask(CLIENT, 0);
        pool.leave(CLIENT, leased.lease, LeaveReason::Surplus);
        assert!(pool.evicted(host).is_some());
    }
}

/// A host that cannot dial the client leaves the dial to the client's node.
#[test]
fn where_the_host_cannot_dial_the_client_waits_for_itself() {
    let mut pool = Pool::new().with_host(HOST, 4).reported(HOST);
    let mut hello = client(CLIENT);
    hello.enode = None;
    for redial_ms in [None, Some(REDIAL_MS)] {
        pool.connect(CLIENT, hello.clone()).unwrap();
        pool.full(CLIENT, &[]);
        pool.ask(CLIENT, 1);
        pool.admit(HOST);
        let leased = pool.last_ask(CLIENT).unwrap().hosts.remove(0);
        assert_eq!(leased.redial_ms, redial_ms);
        stop(&mut pool, HOST, leased.lease);
    }
}

/// It is a client's agent that waits.
#[test]
fn a_call_to_a_host_names_no_wait() {
    let (mut pool, _) = Pool::new().offered();
    pool.pass(2_000);
    let dials =
        pool.calls.iter().filter_map(|(_, _, call)| if let PoolCall::Dial(dial) = call { Some(dial) } else { None });
    assert_eq!(dials.map(|dial| dial.redial_ms).collect::<Vec<_>>(), [None]);
}

/// The attack: free ids connect and leave, and the next offers to the same pairs hold the slots for up to 50 s instead of 15 s.
#[test]
fn an_offer_to_a_pair_that_may_not_dial_yet_holds_a_slot_that_others_need_only_for_a_proven_client() {
    for proven in [false, true] {
        let mut pool = knowing(Limits::default(), proven.then_some(CLIENT)).with_host(HOST, 1).reported(HOST);
        for _ in 0..2 {
            let (host, leased) = start(&mut pool);
            stop(&mut pool, host, leased.lease);
            pool.pass_with(1_000, &[HOST]);
        }
        let (_, leased) = start(&mut pool);
        assert_eq!(leased.redial_ms, Some(REDIAL_MS - 2_000));
        pool.join(SECOND_CLIENT, client(SECOND_CLIENT));
        pool.ask(SECOND_CLIENT, 1);
        let offer_ms = pool.core.limits.offer_ms;
        pool.pass_with(offer_ms + 1_000, &[HOST, CLIENT, SECOND_CLIENT]);
        let holds = pool.core.leases.find(leased.lease).is_some();
        assert_eq!(holds, proven, "the slot that the other waits for");
        if !holds {
            assert!(pool.evicted(HOST).is_some());
            pool.pass_with(1_000, &[HOST, CLIENT, SECOND_CLIENT]);
            assert_eq!(pool.take_admit_call(HOST).unwrap().1.client, node(SECOND_CLIENT));
        }
    }
}
