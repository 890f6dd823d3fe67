//! Hosts of free ids that refuse each client late: none of them may hold a client.

use std::{net::IpAddr, ops::Range};

use vipnode_types::wire::{ErrorCode, WireError};

use super::{
    pool::{Pool, address, client, host},
    scenario::{CLIENT, HOST, OTHER_SUBNET, SLOTS, other_clients, other_hosts},
};
use crate::{CallOutcome, Limits};

/// How long a host of the attack takes to refuse a client, in milliseconds: shortly before the client gets a second host.
const REFUSES_AFTER_MS: u64 = 900;

/// Hosts in so many address blocks, each of another wide block, that rank higher than others by their round trip.
fn refusing(pool: &mut Pool, hosts: Range<u32>, blocks: u32) {
    for agent in hosts {
        let address = IpAddr::from([u8::try_from(60 + agent % blocks).unwrap(), 6, 6, 1]);
        pool.connect_from(agent, host(agent, 1_000), address).unwrap();
        pool.latency(agent, 10_000);
        pool.full(agent, &[]);
    }
}

/// The host refuses the client of the call that waits for it, if one does.
fn refuses(pool: &mut Pool, hosts: Range<u32>, code: ErrorCode) -> bool {
    let hosts: Vec<u32> = hosts.collect();
    let Some((_, call)) = pool.admitting(&hosts) else { return false };
    pool.done(call, CallOutcome::Refused(WireError::new(code, "refused", "")));
    true
}

#[test]
fn in_a_new_pool_hosts_that_refuse_late_do_not_hold_a_client() {
    let codes = [ErrorCode::Full, ErrorCode::Busy, ErrorCode::LightFull, ErrorCode::NotAdmitted];
    for code in codes {
        for (ids, blocks) in [(3, 1), (12, 1), (3, 3), (12, 3), (60, 3)] {
            let mut pool = Pool::new();
            let strangers = other_hosts(ids);
            refusing(&mut pool, strangers.clone(), blocks);
            pool.join(HOST, host(HOST, SLOTS));
            pool.join(CLIENT, client(CLIENT));
            pool.ask(CLIENT, 1);
            let mut waited = 0;
            while pool.asked([HOST]).is_none() {
                pool.pass(REFUSES_AFTER_MS);
                waited += REFUSES_AFTER_MS;
                assert!(waited < 3_000, "{waited} ms for a host, {code:?} by {ids} hosts in {blocks} blocks");
                refuses(&mut pool, strangers.clone(), code);
            }
        }
    }
}

#[test]
fn offers_that_new_hosts_refused_count_for_a_while() {
    let limits = Limits { new_host_offers_a_block: 4, offers_minimum: 100, ..Limits::default() };
    let mut pool = Pool::with(limits).with_host(HOST, 100).reported(HOST);
    pool.join(OTHER_SUBNET, client(OTHER_SUBNET));
    pool.lease_between(HOST, OTHER_SUBNET);
    let strangers = other_hosts(20);
    refusing(&mut pool, strangers.clone(), 1);
    let refused = |pool: &mut Pool, clients: Range<u32>| {
        let mut refused = 0;
        for agent in clients {
            // Over HTTP, so that the pool gives it no further hosts by itself.
            pool.connect_over_http(agent, client(agent), address(agent)).unwrap();
            pool.ask(agent, 1);
            while refuses(pool, strangers.clone(), ErrorCode::Full) {
                refused += 1;
            }
            pool.admit(HOST);
        }
        refused
    };
    let clients = other_clients(60);
    let half = clients.start + 30;
    assert_eq!(refused(&mut pool, clients.start..half), 4, "the first of thirty clients");
    pool.pass_with(pool.core.limits.same_address_ms, &[HOST]);
    assert_eq!(refused(&mut pool, half..clients.end), 4, "they are tried again later");
}

#[test]
fn refused_offers_of_new_hosts_are_bounded() {
    let mut pool = Pool::with(Limits { recent_pairs: 2, new_host_offers_a_block: 4, ..Limits::default() });
    let strangers = other_hosts(20);
    refusing(&mut pool, strangers.clone(), 10);
    for agent in other_clients(20) {
        pool.join(agent, client(agent));
        pool.ask(agent, 1);
        assert!(refuses(&mut pool, strangers.clone(), ErrorCode::Full));
    }
    assert!(pool.core.matching.new_host_offers().used() <= 2);
}
