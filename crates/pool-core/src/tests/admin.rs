//! The operator's commands: ban, drain, list.

use vipnode_types::{Ms, wire::EvictReason};

use super::{
    connect::{ISSUED, check},
    pool::{Pool, client, host, node},
    scenario::{CLIENT, HOST, SECOND_CLIENT, SLOTS, other_clients},
};
use crate::{Command, Drains, Effect, SendWhen};

fn drained(agents: &[u32]) -> Drains {
    Drains { all: false, nodes: agents.iter().map(|&agent| node(agent)).collect() }
}

#[test]
fn an_expelled_node_loses_its_connection_and_its_leases_at_once() {
    for (expelled, peer) in [(HOST, CLIENT), (CLIENT, HOST)] {
        let (mut pool, _) = Pool::new().leased();
        let connection = pool.connection(expelled);
        let effects = pool.handle(Command::Expel { node: node(expelled), reason: "banned".to_owned() });
        let closed = Effect::Close { connection, reason: "banned".to_owned(), when: SendWhen::AfterCommit };
        assert_eq!(effects.iter().filter(|effect| **effect == closed).count(), 1);
        assert_eq!((pool.core.gauges().leases, pool.core.gauges().connected), (0, 1));
        assert_eq!(pool.evicted(peer), Some(EvictReason::Banned));
        let is_evict = |effect: &Effect| matches!(effect, Effect::Call { connection: to, .. } if *to == connection);
        let evict = effects.iter().position(is_evict).unwrap();
        assert!(evict < effects.iter().position(|effect| *effect == closed).unwrap(), "{effects:?}");
    }
}

#[test]
fn an_unknown_node_is_expelled_without_effect() {
    let mut pool = Pool::new();
    assert_eq!(pool.handle(Command::Expel { node: node(CLIENT), reason: String::new() }), []);
}

#[test]
fn a_drained_node_keeps_its_leases_and_gets_no_new_ones() {
    let (mut pool, _) = Pool::new().leased();
    pool.connect(SECOND_CLIENT, client(SECOND_CLIENT)).unwrap();
    pool.core.set_drains(drained(&[HOST]));
    pool.ask(SECOND_CLIENT, 1);
    assert_eq!((pool.take_admit(HOST), pool.core.gauges().leases), (None, 1), "the host gives no further slot");
    assert_eq!(pool.core.gauges().free_slots, 0);
    let doctor = |pool: &mut Pool, agent, hello| check(pool, agent, ISSUED, hello).unwrap().drained;
    assert!(doctor(&mut pool, HOST, host(HOST, SLOTS)) && !doctor(&mut pool, CLIENT, client(CLIENT)));
    pool.core.set_drains(drained(&[SECOND_CLIENT]));
    pool.ask(SECOND_CLIENT, 1);
    assert_eq!(pool.take_admit(HOST), None, "the client gets none");
    let reason = pool.explain(SECOND_CLIENT).unwrap().reason.unwrap();
    assert!(reason.contains("operator"), "{reason}");
    pool.core.set_drains(Drains::default());
    pool.ask(SECOND_CLIENT, 1);
    assert!(pool.take_admit(HOST).is_some());
    assert_eq!(pool.core.check(), Ok(()));
}

#[test]
fn a_drained_pool_gives_no_leases_and_a_node_may_be_drained_before_it_comes() {
    let mut pool = Pool::new();
    pool.core.set_drains(Drains { all: true, ..drained(&[HOST]) });
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.ask(CLIENT, 1);
    assert_eq!(pool.take_admit(HOST), None);
    assert!(pool.last_ask(CLIENT).unwrap().reason.unwrap().contains("operator"));
    pool.core.set_drains(drained(&[HOST]));
    pool.pass(10_000);
    assert_eq!(pool.take_admit(HOST), None, "its host is drained by itself");
    pool.core.set_drains(Drains::default());
    pool.pass(10_000);
    assert!(pool.take_admit(HOST).is_some(), "the client still waits");
}

#[test]
fn nodes_are_listed_page_by_page() {
    let (mut pool, _) = Pool::new().leased();
    for agent in other_clients(6) {
        pool.connect(agent, client(agent)).unwrap();
    }
    pool.connect(SECOND_CLIENT, client(SECOND_CLIENT)).unwrap();
    pool.disconnect(SECOND_CLIENT);
    pool.core.set_drains(drained(&[HOST]));
    let (mut found, mut position, mut pages) = (Vec::new(), Some(0), 0);
    while let Some(from) = position {
        let page = pool.core.nodes_from(from, 2);
        assert!(page.nodes.len() <= 2);
        found.extend(page.nodes);
        position = page.next;
        pages += 1;
    }
    assert!(pages >= 4 && found.len() == 8, "those that are connected: {found:?}");
    let first = found.iter().find(|view| view.id == node(HOST)).unwrap();
    assert!(first.host && first.drained && first.connected && first.since > Ms::ZERO);
    assert_eq!((first.slots, first.leases_as_host, first.leases_as_client), (SLOTS, 1, 0));
    assert_eq!(pool.core.nodes_from(1_000, 2).next, None);
}
