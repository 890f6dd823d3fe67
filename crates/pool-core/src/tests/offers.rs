//! Offers that are not paired: how many an address block may hold, how long they last, and whose word counts.

use std::{net::IpAddr, ops::Range};

use vipnode_types::wire::LeaveReason;

use super::pool::{Pool, START, address, client, host, node};
use crate::{
    CallOutcome, Command, Credentials, Limits, NodeRow, PoolCall, Proven, Row, Signer,
    tests::pool::{agent_key, chain},
};

/// A pool that knows these nodes as proven.
fn knowing(limits: Limits, proven: impl IntoIterator<Item = u32>) -> Pool {
    let signer = Signer::Agent { key: agent_key(), protocol2: false };
    let row = |agent: u32| NodeRow {
        id: node(agent),
        credentials: Credentials::new(signer),
        seen: START,
        chain: chain(1),
        enode: None,
        payout: None,
        host: false,
        client: true,
        replaced: false,
        block: None,
        proven: Proven::Yes,
    };
    let mut pool = Pool::exactly(limits.clone());
    pool.rows = proven.into_iter().map(|agent| Row::Node(Box::new(row(agent)))).collect();
    pool.restart(limits);
    // After the reconnect window.
    pool.pass(700_000);
    pool
}

/// Addresses of one block.
fn neighbor(agent: u32) -> IpAddr {
    [20, 0, 200, u8::try_from(agent).unwrap()].into()
}

/// Each host admits every client that it is asked to admit.
fn admit_all(pool: &mut Pool) {
    while let Some(at) = pool.calls.iter().position(|(_, _, call)| matches!(call, PoolCall::Admit(_))) {
        let (_, call, _) = pool.calls.remove(at);
        pool.done(call, CallOutcome::Done);
    }
}

/// The attack: free ids of one /24 hold every slot without ever connecting.
#[test]
fn never_proven_ids_of_a_block_hold_a_third_of_the_slots_and_of_a_wide_block_half() {
    let mut pool = Pool::new();
    for agent in 1..=12 {
        pool.connect(agent, host(agent, 10)).unwrap();
    }
    let mut asks = |agents: Range<u32>, from: fn(u32) -> IpAddr| {
        for agent in agents {
            pool.connect_from(agent, client(agent), from(agent), true).unwrap();
            for _ in 0..13 {
                pool.ask(agent, 64);
                admit_all(&mut pool);
            }
        }
        pool.core.gauges().pending_offers
    };
    assert_eq!(asks(100..110, neighbor), 40, "of 120");
    assert_eq!(asks(110..160, address), 60, "the whole of 20.0.0.0/16");
    assert_eq!(
        asks(160..170, |agent| [u8::try_from(agent).unwrap(), 0, 0, 1].into()),
        70,
        "each other network has its host"
    );
}

#[test]
fn proven_nodes_and_members_have_no_share() {
    let mut pool = knowing(Limits::default(), 100..103);
    for agent in 1..=2 {
        pool.connect(agent, host(agent, 10)).unwrap();
    }
    for agent in 100..103 {
        pool.connect_from(agent, client(agent), neighbor(agent), true).unwrap();
        for _ in 0..2 {
            pool.ask(agent, 2);
            admit_all(&mut pool);
        }
    }
    assert_eq!(pool.core.gauges().pending_offers, 6);
    for closed in [false, true] {
        let mut pool = Pool::with(Limits { closed, offers_minimum: 1, ..Limits::default() });
        pool.connect(1, host(1, 6)).unwrap();
        for agent in 2..8 {
            pool.connect_from(agent, client(agent), neighbor(agent), true).unwrap();
            pool.ask(agent, 1);
        }
        assert_eq!(pool.core.gauges().pending_offers, if closed { 6 } else { 2 });
    }
}

/// Client `agent` gets the only host and never connects.
fn in_vain(pool: &mut Pool, agent: u32, at: u32) {
    let ip = [20, 0, u8::try_from(at).unwrap(), u8::try_from(agent).unwrap()].into();
    pool.connect_from(agent, client(agent), ip, true).unwrap();
    pool.ask(agent, 1);
    assert!(
        pool.calls.iter().any(|(_, _, call)| matches!(call, PoolCall::Admit(_))),
        "{agent}: {:?}",
        pool.last_ask(agent)
    );
    pool.admit(1);
    pool.ask(agent, 0);
    pool.pass(15_000);
    pool.evicted(1).unwrap();
    pool.disconnect(agent);
}

fn struck(pool: &mut Pool) -> bool {
    pool.connect(90, client(90)).unwrap();
    pool.ask(90, 1);
    let lease = pool.admit(1);
    let strikes = pool.explain(90).unwrap().hosts[0].selection.unwrap().score.strikes;
    pool.ask(90, 0);
    pool.leave(90, lease, LeaveReason::Surplus);
    pool.evicted(1).unwrap();
    strikes < 0
}

#[test]
fn only_proven_clients_of_three_blocks_together_rank_a_silent_host_down() {
    let mut pool = knowing(Limits { strike_witnesses: 3, ..Limits::default() }, [20, 21, 22, 23]);
    pool.connect(1, host(1, 4)).unwrap();
    for agent in 10..20 {
        in_vain(&mut pool, agent, agent);
        if agent == 10 {
            pool.full(1, &[]);
        } else {
            pool.beat(1);
        }
    }
    assert!(!struck(&mut pool), "ten strangers of ten blocks");
    in_vain(&mut pool, 20, 20);
    in_vain(&mut pool, 21, 21);
    in_vain(&mut pool, 22, 21);
    pool.beat(1);
    assert!(!struck(&mut pool), "two blocks");
    in_vain(&mut pool, 23, 23);
    assert!(struck(&mut pool));
    // A proven client that does connect lifts that.
    pool.connect(20, client(20)).unwrap();
    pool.full(20, &[]);
    pool.ask(20, 1);
    let lease = pool.admit(1);
    pool.delta(1, &[lease], &[]);
    pool.delta(20, &[lease], &[]);
    assert!(!struck(&mut pool));
}

#[test]
fn a_restored_offer_counts_once_its_client_is_back() {
    let mut pool = Pool::new();
    pool.pair_up();
    pool.ask(2, 1);
    pool.admit(1);
    pool.restart(Limits::default());
    pool.connect(2, client(2)).unwrap();
    pool.connect(1, host(1, 4)).unwrap();
    assert_eq!(pool.core.gauges().pending_offers, 1);
    pool.handle(Command::Tick);
}
