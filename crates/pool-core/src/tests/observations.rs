//! What clients report about a host: whose reports are used, for whom they count, and for how long.

use std::net::IpAddr;

use vipnode_types::{LeaseId, wire::LeaveReason};

use super::{
    pool::{Pool, address, client, host, node},
    scenario::{
        CLIENT, FURTHER, HOST, KEPT, OTHER_SUBNET, SECOND_CLIENT, SECOND_HOST, SLOTS, THIRD_CLIENT, needing, serving,
    },
    suitability::undone,
};
use crate::Limits;

impl Pool {
    /// A client that is connected with the host and reports what it sees there.
    fn observes(&mut self, agent: u32, caps: &str) -> LeaseId {
        self.join(agent, client(agent));
        let lease = self.lease_between(HOST, agent);
        self.sees(agent, lease, caps);
        lease
    }

    /// Whether a new client that needs these capabilities is given the host.
    fn gets(&mut self, need: &str) -> bool {
        let agent = self.newcomer();
        self.gets_at(agent, address(agent), need)
    }

    /// As [`Self::gets`], for a client in the address block of another one.
    fn gets_near(&mut self, neighbor: u32, need: &str) -> bool {
        let IpAddr::V4(near) = address(neighbor) else { unreachable!() };
        let [a, b, c, _] = near.octets();
        let agent = self.newcomer();
        self.gets_at(agent, [a, b, c, 77].into(), need)
    }

    fn gets_at(&mut self, agent: u32, address: IpAddr, need: &str) -> bool {
        self.connect_from(agent, needing(agent, need), address).unwrap();
        let given = self.given(agent, &[HOST]);
        self.disconnect(agent);
        given.is_some_and(|(host, call)| undone(self, host, call))
    }

    fn leaves(&mut self, agent: u32, lease: LeaseId) {
        self.leave(agent, lease, LeaveReason::Surplus);
        self.evicted(HOST).unwrap();
        self.disconnect(agent);
    }

    fn contradicted(&self, agent: u32) -> bool {
        let index = |agent: u32| self.core.agents.find(&node(agent)).unwrap();
        self.core.agents.is_contradicted(index(agent), index(HOST), &self.core.limits)
    }

    fn profiles(&self) -> usize {
        self.core.agents.profiles()
    }
}

/// Clients in three wide address blocks.
const OBSERVERS: [u32; 3] = [CLIENT, OTHER_SUBNET, FURTHER];
/// Clients in three address blocks of one wide block.
const NEIGHBORS: [u32; 3] = [CLIENT, SECOND_CLIENT, THIRD_CLIENT];

/// The attack: one lease, never connected, and one report.
#[test]
fn invented_versions_make_no_host_unfit() {
    let mut pool =
        Pool::new().with_agent(HOST, serving(HOST, "eth snap les")).reported(HOST).with_client(CLIENT).reported(CLIENT);
    pool.ask(CLIENT, 1);
    let lease = pool.admit(HOST);
    for paired in [false, true] {
        if paired {
            pool.reports_up(HOST, lease);
        } else {
            pool.reports_up(CLIENT, lease);
        }
        pool.sees(CLIENT, lease, "snap/999 les/999 eth/999");
        assert!(pool.gets("snap/1") && pool.gets("les/4") && pool.gets("eth/69"));
    }
    assert_eq!(pool.profiles(), 1, "what the host named itself, and nothing invented");
}

/// The attack: a host reports that its client is a light node.
#[test]
fn a_host_does_not_describe_its_clients() {
    let mut pool = Pool::new().with_host(HOST, SLOTS).reported(HOST).with_client(CLIENT).reported(CLIENT);
    let lease = pool.lease_between(HOST, CLIENT);
    pool.sees(HOST, lease, "les/4");
    pool.connect(SECOND_HOST, host(SECOND_HOST, SLOTS)).unwrap();
    pool.ask(CLIENT, 2);
    let (_, admit) = pool.take_admit_call(SECOND_HOST).unwrap();
    assert!(!admit.light);
}

#[test]
fn against_the_own_word_of_a_host_two_blocks_rank_it_lower_and_no_more() {
    let mut pool = Pool::new().with_agent(HOST, serving(HOST, "eth snap")).reported(HOST);
    let [first_observer, second_observer, third_observer] = OBSERVERS;
    let [needs_snap_1, needs_snap_2, neighbor] = [pool.newcomer(), pool.newcomer(), pool.newcomer()];
    pool.connect(needs_snap_1, needing(needs_snap_1, "snap/1")).unwrap();
    pool.connect(needs_snap_2, needing(needs_snap_2, "snap/2")).unwrap();
    let first = pool.observes(first_observer, "eth/69 snap/2");
    assert!(!pool.contradicted(needs_snap_1), "one observation");
    pool.connect_from(neighbor, needing(neighbor, "snap/1"), address(first_observer)).unwrap();
    assert!(pool.contradicted(neighbor), "one observation of its own block");
    pool.observes(second_observer, "eth/69 snap/2");
    assert!(pool.contradicted(needs_snap_1) && !pool.contradicted(needs_snap_2));
    let score = |pool: &mut Pool| {
        pool.ask(needs_snap_1, 1);
        let lease = pool.admit(HOST);
        let given = pool.explain(needs_snap_1).unwrap().hosts;
        pool.leaves(needs_snap_1, lease);
        pool.connect(needs_snap_1, needing(needs_snap_1, "snap/1")).unwrap();
        given[0].selection.unwrap().score.contradicted
    };
    assert!(score(&mut pool) < 0, "it ranks lower, and is still given");
    // As many that saw it outweigh them.
    pool.observes(third_observer, "eth/69 snap/1");
    pool.pass_with(40_000, &[HOST, first_observer, second_observer, third_observer]);
    assert!(pool.contradicted(needs_snap_1));
    pool.leaves(first_observer, first);
    assert!(!pool.contradicted(needs_snap_1), "an observation is dropped with its lease");
}

#[test]
fn a_host_that_names_nothing_is_known_by_two_blocks_or_by_a_neighbor() {
    let mut pool = Pool::new().with_host(HOST, 8).reported(HOST);
    let [first_observer, second_observer, _] = OBSERVERS;
    assert!(!pool.gets("snap/1"));
    let first = pool.observes(first_observer, "eth/69 snap/1");
    assert!(!pool.gets("snap/1"), "one block");
    assert!(pool.gets_near(first_observer, "snap/1") && !pool.gets_near(first_observer, "snap/2"), "a neighbor");
    let second = pool.observes(second_observer, "eth/68 snap/1 wit/7");
    assert!(pool.gets("snap/1") && !pool.gets("wit") && !pool.gets("eth"), "that on which both agree");
    // The host connects again: its clients still see what they saw.
    pool.connect(HOST, host(HOST, 8)).unwrap();
    pool.full(HOST, &[(first, KEPT), (second, KEPT)]);
    assert!(pool.gets("snap/1"));
    pool.connect(HOST, serving(HOST, "eth")).unwrap();
    pool.full(HOST, &[(first, KEPT), (second, KEPT)]);
    assert!(!pool.gets("snap/1"), "its own word");
    pool.connect(HOST, host(HOST, 8)).unwrap();
    pool.full(HOST, &[(first, KEPT), (second, KEPT)]);
    pool.leaves(first_observer, first);
    assert!(!pool.gets("snap/1"), "nothing survives its lease");
    pool.leaves(second_observer, second);
    assert!(!pool.gets_near(second_observer, "snap/1"));
    assert_eq!(pool.core.agents.own_capabilities(0), []);
}

#[test]
fn in_a_closed_pool_one_observation_is_enough() {
    let mut pool = Pool::with(Limits { members_only: true, ..Limits::default() }).with_host(HOST, 8).reported(HOST);
    pool.observes(CLIENT, "snap/1");
    assert!(pool.gets("snap/1") && !pool.gets("snap/2"));
    // Opened by a reload, two have to agree.
    pool.core.set_limits(Limits::default());
    assert_eq!(pool.core.check(), Ok(()));
    assert!(!pool.gets("snap/1"));
}

#[test]
fn the_room_for_observations_is_bounded_and_shared() {
    let heard = |limits: Limits| {
        let mut pool = Pool::with(limits).with_host(HOST, 100).reported(HOST);
        for agent in NEIGHBORS {
            pool.observes(agent, "snap/1");
        }
        let enough = pool.gets("snap/1");
        pool.observes(OTHER_SUBNET, "snap/1");
        (enough, pool.gets("snap/1"))
    };
    let default = Limits::default;
    // Three clients in one wide block count once, and a wide block has half of the room.
    for (limits, expected) in [
        (Limits { observation_blocks: 1, ..default() }, (true, true)),
        (Limits { observation_blocks: 2, ..default() }, (false, true)),
        (Limits { observation_blocks: 3, ..default() }, (false, false)),
        (Limits { observations_a_host: 1, ..default() }, (false, false)),
        (Limits { observations_a_host: 2, ..default() }, (false, true)),
        (Limits { observations: 2, ..default() }, (false, true)),
        (Limits { observations: 0, ..default() }, (false, false)),
    ] {
        let case = format!("{} {} {}", limits.observation_blocks, limits.observations_a_host, limits.observations);
        assert_eq!(heard(limits), expected, "{case}");
    }
}

/// The attack: the clients of one customer, who has many address blocks of a provider, describe a host.
#[test]
fn clients_of_one_wide_block_agree_about_nothing() {
    let mut pool = Pool::new().with_agent(HOST, serving(HOST, "eth snap")).reported(HOST);
    let needs = pool.newcomer();
    pool.connect(needs, needing(needs, "snap/1")).unwrap();
    for agent in NEIGHBORS {
        pool.observes(agent, "eth/69 snap/2");
        assert!(!pool.contradicted(needs), "{agent}");
    }
    pool.observes(OTHER_SUBNET, "eth/69 snap/2");
    assert!(pool.contradicted(needs));
}
