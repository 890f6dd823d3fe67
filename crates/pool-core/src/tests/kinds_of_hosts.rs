//! Strangers with very many kinds of hosts and of clients: no search costs much, and what searches found is not lost.

use std::net::IpAddr;

use vipnode_types::wire::ConnectRequest;

use super::{
    pool::{Pool, client, host},
    scenario::{CLIENT, HOST, SECOND_HOST, SLOTS, STRANGER, list, needing, other_clients, serving},
};
use crate::Limits;

/// 43 profiles and 32 versions make 1,376 kinds, all within the limits of one address block.
const PROFILES: u32 = 43;
const VERSIONS: u32 = 32;

/// The strangers' one block.
fn stranger(agent: u32) -> IpAddr {
    IpAddr::from([66, 6, 6, u8::try_from(agent % 250).unwrap() + 1])
}

fn kind(number: u32, hello: ConnectRequest) -> ConnectRequest {
    ConnectRequest {
        client_version: format!("Geth/v1.{}.0", number % VERSIONS),
        capabilities: list(&format!("eth p{}", number / VERSIONS)),
        ..hello
    }
}

/// Connects one host of each kind.
fn of_many_kinds() -> Pool {
    let mut pool = Pool::new();
    for number in 0..PROFILES * VERSIONS {
        let agent = STRANGER + number;
        pool.connect_from(agent, kind(number, host(agent, 4)), stranger(agent)).unwrap();
    }
    pool
}

/// Has a client ask; returns the steps of that.
fn steps(pool: &mut Pool, agent: u32, hello: ConnectRequest, at: Option<IpAddr>) -> u32 {
    pool.connect_from(agent, hello, at.unwrap_or_else(|| super::pool::address(agent))).unwrap();
    pool.ask(agent, 1);
    pool.steps.total()
}

fn most(limits: &Limits) -> u32 {
    1 + limits.candidates + limits.examined_hosts_by_rules + limits.examined_hosts
}

#[test]
fn a_failed_search_is_remembered_among_very_many_kinds_of_hosts() {
    let mut pool = of_many_kinds();
    let most = most(&pool.core.limits);
    let mut costs = Vec::new();
    for agent in other_clients(10) {
        costs.push(steps(&mut pool, agent, needing(agent, "snap"), None));
    }
    assert!(costs.iter().all(|cost| *cost <= most), "{costs:?}");
    assert_eq!(costs[7..], [1, 1, 1], "{costs:?}");
    // A host that takes its only slot back and offers it again is one new kind each time.
    for round in 0..5 {
        pool.connect_from(STRANGER, kind(0, client(STRANGER)), stranger(0)).unwrap();
        pool.connect_from(STRANGER, kind(0, host(STRANGER, SLOTS)), stranger(0)).unwrap();
        let cost = steps(&mut pool, CLIENT, needing(CLIENT, "snap"), None);
        assert!(cost <= 2 + pool.core.limits.candidates, "{cost} in round {round}");
    }
    // One that suits is found at once.
    pool.connect(HOST, serving(HOST, "eth snap")).unwrap();
    pool.pass(6_000);
    assert!(pool.take_admit(HOST).is_some());
}

#[test]
fn very_many_kinds_of_clients_of_one_block_cost_little_and_push_out_nobody_elses() {
    let mut pool = of_many_kinds();
    let most = most(&pool.core.limits);
    pool.connect(CLIENT, needing(CLIENT, "snap")).unwrap();
    for _ in 0..8 {
        pool.ask(CLIENT, 1);
    }
    for number in 0..1_200 {
        let (agent, need) = (10_000 + number, format!("need{}", number / VERSIONS));
        let hello =
            ConnectRequest { client_version: format!("Geth/v1.{}.0", number % VERSIONS), ..needing(agent, &need) };
        let cost = steps(&mut pool, agent, hello, Some(stranger(agent)));
        assert!(cost <= most, "{cost}");
        pool.disconnect(agent);
    }
    pool.ask(CLIENT, 1);
    assert_eq!(pool.steps.total(), 1, "it is remembered still");
    pool.connect(SECOND_HOST, serving(SECOND_HOST, "eth snap")).unwrap();
    pool.ask(CLIENT, 1);
    assert!(pool.take_admit(SECOND_HOST).is_some());
}
