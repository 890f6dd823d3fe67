//! What others say about a node: who is heard, for whom it counts, and for how long.

use vipnode_types::{
    LeaseId,
    wire::{ConnectRequest, LeaveReason},
};

use super::{
    pool::{Pool, address, client, host, node},
    scenario::{HOST, list, needing, serving},
    suitability::undone,
};
use crate::{Limits, PoolCall};

impl Pool {
    /// A client that is connected with the host and reports what it sees there.
    fn witness(&mut self, agent: u32, caps: &str) -> LeaseId {
        self.connect(agent, client(agent)).unwrap();
        self.full(agent, &[]);
        self.ask(agent, 1);
        let lease = self.admit(HOST);
        self.delta(agent, &[lease], &[]);
        self.delta(HOST, &[lease], &[]);
        self.sees(agent, lease, caps);
        lease
    }

    /// Whether a client that needs these capabilities is given the host.
    fn gets(&mut self, agent: u32, need: &str) -> bool {
        self.gets_near(agent, agent, need)
    }

    /// As [`Self::gets`], for a client in the address block of another one.
    fn gets_near(&mut self, agent: u32, near: u32, need: &str) -> bool {
        let [a, b, c, _] = match address(near) {
            std::net::IpAddr::V4(ip) => ip.octets(),
            std::net::IpAddr::V6(_) => unreachable!(),
        };
        self.connect_from(agent, needing(agent, need), [a, b, c, 77].into(), true).unwrap();
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

/// The attack: one lease, never connected, and one report.
#[test]
fn invented_versions_make_no_host_unfit() {
    let mut pool = Pool::with(Limits::default()).with_agent(HOST, serving(HOST, "eth snap les")).reported(HOST);
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[]);
    pool.ask(2, 1);
    let lease = pool.admit(HOST);
    for paired in [false, true] {
        if paired {
            pool.delta(HOST, &[lease], &[]);
        } else {
            pool.delta(2, &[lease], &[]);
        }
        pool.sees(2, lease, "snap/999 les/999 eth/999");
        let agents = if paired { 20 } else { 10 };
        assert!(pool.gets(agents, "snap/1") && pool.gets(agents + 1, "les/4") && pool.gets(agents + 2, "eth/69"));
    }
    assert_eq!(pool.profiles(), 1, "what the host named itself, and nothing invented");
}

/// The attack: a host reports that its client is a light node.
#[test]
fn a_host_does_not_describe_its_clients() {
    let mut pool = Pool::with(Limits::default()).with_agent(HOST, host(HOST, 4)).reported(HOST);
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[]);
    pool.ask(2, 1);
    let lease = pool.admit(HOST);
    pool.delta(2, &[lease], &[]);
    pool.delta(HOST, &[lease], &[]);
    pool.sees(HOST, lease, "les/4");
    pool.connect(3, host(3, 4)).unwrap();
    pool.ask(2, 2);
    let light = |call: &PoolCall| if let PoolCall::Admit(admit) = call { Some(admit.light) } else { None };
    assert!(!pool.take_call(3, light).unwrap().1);
}

#[test]
fn against_the_own_word_of_a_host_two_blocks_rank_it_lower_and_no_more() {
    let mut pool = Pool::with(Limits::default()).with_agent(HOST, serving(HOST, "eth snap")).reported(HOST);
    pool.connect(30, needing(30, "snap/1")).unwrap();
    pool.connect(31, needing(31, "snap/2")).unwrap();
    let first = pool.witness(10, "eth/69 snap/2");
    assert!(!pool.contradicted(30), "one witness");
    pool.connect_from(32, needing(32, "snap/1"), address(10), true).unwrap();
    assert!(pool.contradicted(32), "one witness of its own block");
    pool.witness(11, "eth/69 snap/2");
    assert!(pool.contradicted(30) && !pool.contradicted(31));
    let score = |pool: &mut Pool| {
        pool.ask(30, 1);
        let lease = pool.admit(HOST);
        let given = pool.explain(30).unwrap().hosts;
        pool.leaves(30, lease);
        pool.connect(30, needing(30, "snap/1")).unwrap();
        given[0].selection.unwrap().score.contradicted
    };
    assert!(score(&mut pool) < 0, "it ranks lower, and is still given");
    // As many that saw it outweigh them.
    pool.witness(12, "eth/69 snap/1");
    pool.pass_with(40_000, &[HOST, 10, 11, 12]);
    assert!(pool.contradicted(30));
    pool.leaves(10, first);
    assert!(!pool.contradicted(30), "a witness is dropped with its lease");
}

#[test]
fn a_host_that_names_nothing_is_known_by_two_blocks_or_by_a_neighbor() {
    let mut pool = Pool::with(Limits::default()).with_agent(HOST, host(HOST, 8)).reported(HOST);
    assert!(!pool.gets(20, "snap/1"));
    let first = pool.witness(10, "eth/69 snap/1");
    assert!(!pool.gets(21, "snap/1"), "one block");
    assert!(pool.gets_near(22, 10, "snap/1") && !pool.gets_near(23, 10, "snap/2"), "a neighbor");
    let second = pool.witness(11, "eth/68 snap/1 wit/7");
    assert!(pool.gets(24, "snap/1") && !pool.gets(25, "wit") && !pool.gets(26, "eth"), "that on which both agree");
    // The host connects again: its clients still see what they saw.
    pool.connect(HOST, host(HOST, 8)).unwrap();
    pool.full(HOST, &[(first, true), (second, true)]);
    assert!(pool.gets(27, "snap/1"));
    let named = ConnectRequest { capabilities: list("eth"), ..host(HOST, 8) };
    pool.connect(HOST, named).unwrap();
    pool.full(HOST, &[(first, true), (second, true)]);
    assert!(!pool.gets(28, "snap/1"), "its own word");
    pool.connect(HOST, host(HOST, 8)).unwrap();
    pool.full(HOST, &[(first, true), (second, true)]);
    pool.leaves(10, first);
    assert!(!pool.gets(29, "snap/1"), "nothing survives its lease");
    pool.leaves(11, second);
    assert!(!pool.gets_near(30, 11, "snap/1"));
    assert_eq!(pool.core.agents.own_capabilities(0), []);
}

#[test]
fn in_a_closed_pool_one_witness_is_enough() {
    let mut pool =
        Pool::with(Limits { closed: true, ..Limits::default() }).with_agent(HOST, host(HOST, 8)).reported(HOST);
    pool.witness(10, "snap/1");
    assert!(pool.gets(20, "snap/1") && !pool.gets(21, "snap/2"));
    // Opened by a reload, two have to agree.
    pool.core.set_limits(Limits::default());
    assert_eq!(pool.core.check(), Ok(()));
    assert!(!pool.gets(22, "snap/1"));
}

#[test]
fn the_room_for_witnesses_is_bounded_and_shared() {
    let heard = |limits: Limits| {
        let mut pool = Pool::with(limits).with_agent(HOST, host(HOST, 100)).reported(HOST);
        // Clients in three address blocks of one wide block, and later one of another.
        for agent in 10..13 {
            pool.witness(agent, "snap/1");
        }
        let enough = pool.gets(20, "snap/1");
        pool.witness(10 * 256 + 1, "snap/1");
        (enough, pool.gets(21, "snap/1"))
    };
    let default = Limits::default;
    // A wide block has half of the room.
    for (limits, expected) in [
        (Limits { witness_blocks: 2, ..default() }, (true, true)),
        (Limits { witness_blocks: 4, ..default() }, (false, true)),
        (Limits { witness_blocks: 5, ..default() }, (false, false)),
        (Limits { witnesses_a_host: 1, ..default() }, (false, false)),
        (Limits { witnesses_a_host: 2, ..default() }, (false, true)),
        (Limits { witnesses: 2, ..default() }, (false, true)),
        (Limits { witnesses: 0, ..default() }, (false, false)),
    ] {
        let case = format!("{} {} {}", limits.witness_blocks, limits.witnesses_a_host, limits.witnesses);
        assert_eq!(heard(limits), expected, "{case}");
    }
}
