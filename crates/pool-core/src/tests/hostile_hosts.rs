//! Strangers with free ids against the search for hosts: none of them may crowd out others, or cost them time.

use std::net::IpAddr;

use vipnode_types::{
    LeaseId, Ms,
    wire::{ConnectRequest, EvictReason, HostOffer},
};

use super::{
    pool::{Pool, client, host},
    scenario::{list, needing},
};
use crate::{AddressBlock, CallOutcome, Limits};

/// The strangers' one block.
fn stranger(agent: u32) -> IpAddr {
    IpAddr::from([66, 6, 6, u8::try_from(agent % 250).unwrap() + 1])
}

/// Others each have a wide block of their own.
fn honest(agent: u32) -> IpAddr {
    IpAddr::from([u8::try_from(100 + agent % 100).unwrap(), 1, 1, 1])
}

/// Has clients ask, and counts those that get one of these hosts at once.
fn served_by(pool: &mut Pool, clients: std::ops::Range<u32>, hosts: std::ops::Range<u32>) -> usize {
    let mut served = 0;
    for agent in clients {
        pool.connect(agent, client(agent)).unwrap();
        pool.ask(agent, 1);
        let asked = hosts.clone().find_map(|host| pool.take_admit(host));
        served += usize::from(asked.is_some());
        if let Some((call, _)) = asked {
            pool.done(call, CallOutcome::Done);
        }
    }
    served
}

#[test]
fn a_thousand_hosts_of_one_block_are_drawn_like_one() {
    let mut pool = Pool::new();
    for agent in 1_000..1_200 {
        pool.connect_from(agent, host(agent, 1_000), stranger(agent), true).unwrap();
    }
    for agent in 1..=10 {
        pool.connect_from(agent, host(agent, 30), honest(agent), true).unwrap();
    }
    let served = served_by(&mut pool, 2_000..2_200, 1..11);
    assert!(served > 160, "{served} of 200 got a host of the ten others");
}

#[test]
fn in_a_closed_pool_hosts_behind_one_address_are_drawn_like_any() {
    let mut pool = Pool::with(Limits { closed: true, same_address_ms: 0, ..Limits::default() });
    for agent in 1_000..1_090 {
        pool.connect_from(agent, host(agent, 1_000), stranger(agent), true).unwrap();
    }
    for agent in 1..=10 {
        pool.connect_from(agent, host(agent, 1_000), honest(agent), true).unwrap();
    }
    let served = served_by(&mut pool, 2_000..2_200, 1..11);
    assert!((5..50).contains(&served), "{served} of 200 got one of the ten elsewhere");
}

#[test]
fn a_claim_of_slots_buys_no_rank() {
    let mut pool = Pool::new();
    pool.connect(1, host(1, 4)).unwrap();
    let mut leases = Vec::new();
    pool.full(1, &[]);
    for agent in [20, 21] {
        pool.connect(agent, client(agent)).unwrap();
        pool.full(agent, &[]);
        pool.ask(agent, 1);
        let lease = pool.admit(1);
        pool.delta(1, &[lease], &[]);
        pool.delta(agent, &[lease], &[]);
        leases.push(lease);
    }
    // Two of its four slots are used, and both were used by clients of two blocks: the rest of what a host claims counts as
    // nothing.
    let mut rich = host(3, 1_000);
    rich.host = Some(HostOffer { slots: 1_000, payout: None });
    pool.connect(3, rich).unwrap();
    let served = served_by(&mut pool, 30..32, 1..2);
    assert_eq!(served, 2, "the host that is known to work is first");
}

#[test]
fn a_search_that_cannot_succeed_is_not_repeated_until_another_kind_of_host_is_there() {
    let mut pool = Pool::with(Limits { failed_searches: 2, ..Limits::default() });
    for agent in 1_000..1_200 {
        let hello = ConnectRequest { capabilities: list("eth"), ..host(agent, 4) };
        pool.connect_from(agent, hello, stranger(agent), true).unwrap();
    }
    let mut steps = Vec::new();
    for agent in 10..13 {
        pool.connect(agent, needing(agent, "snap")).unwrap();
        pool.ask(agent, 1);
        steps.push(pool.steps.total());
        let reason = pool.last_ask(agent).unwrap().reason.unwrap();
        assert!(reason.contains("200 do not serve snap (--need)"), "{reason}");
    }
    assert!(steps[0] < 40, "{steps:?}: hosts of one kind are looked at once");
    assert_eq!(steps[1..], [1, 1]);
    // More hosts of that kind change nothing; one of another kind does, and is given without another question.
    let hello = ConnectRequest { capabilities: list("eth"), ..host(5, 4) };
    pool.connect(5, hello).unwrap();
    pool.ask(10, 1);
    assert_eq!(pool.steps.total(), 1);
    let hello = ConnectRequest { capabilities: list("eth snap"), ..host(6, 4) };
    pool.connect(6, hello).unwrap();
    pool.pass(6_000);
    assert!(pool.take_admit(6).is_some());
}

#[test]
fn a_search_is_charged_to_the_block_of_its_client_whatever_starts_it() {
    let mut pool = Pool::new();
    pool.connect(2, client(2)).unwrap();
    pool.ask(2, 1);
    let block = AddressBlock::of(super::pool::address(2));
    let charged = |pool: &Pool| pool.steps.iter().collect::<Vec<_>>();
    assert_eq!(charged(&pool), [(block, 1)]);
    pool.connect(1, host(1, 4)).unwrap();
    assert_eq!(charged(&pool), []);
    pool.handle(crate::Command::Tick);
    assert_eq!(charged(&pool), [(block, 2)], "a tick");
    let (call, _) = pool.take_admit(1).unwrap();
    pool.connect(3, host(3, 4)).unwrap();
    pool.ask(2, 1);
    pool.done(call, CallOutcome::Lost);
    assert_eq!(charged(&pool), [(block, 2)], "the answer of a host");
}

#[test]
fn ten_thousand_waiting_clients_of_one_block_stand_before_nobody() {
    let mut pool = Pool::new();
    for agent in 1_000..11_000 {
        pool.connect_from(agent, client(agent), stranger(agent), true).unwrap();
        pool.ask(agent, 1);
    }
    pool.connect_from(2, client(2), honest(2), true).unwrap();
    pool.ask(2, 1);
    pool.connect(1, host(1, 2)).unwrap();
    pool.handle(crate::Command::Tick);
    let admitted = |pool: &mut Pool| {
        pool.take_call(1, |call| match call {
            crate::PoolCall::Admit(admit) => Some(admit.client),
            _ => None,
        })
    };
    let clients = [admitted(&mut pool).unwrap().1, admitted(&mut pool).unwrap().1];
    assert!(clients.contains(&super::pool::node(2)), "one of two slots");
}

#[test]
fn a_client_whose_host_stays_silent_gets_a_second_one_of_another_block() {
    let mut pool = Pool::new();
    pool.connect_from(1, host(1, 4), honest(1), true).unwrap();
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[]);
    pool.ask(2, 1);
    let silent = pool.admit(1);
    pool.connect_from(3, host(3, 4), honest(1), true).unwrap();
    pool.connect_from(4, host(4, 4), honest(4), true).unwrap();
    pool.full(4, &[]);
    pool.pass(990);
    assert!(pool.take_admit(4).is_none());
    pool.pass(20);
    assert!(pool.take_admit(3).is_none(), "the block of the first");
    let second = pool.admit(4);
    pool.delta(4, &[second], &[]);
    pool.delta(2, &[second], &[]);
    assert_eq!((pool.evicted(1), pool.evicted(2)), (Some(EvictReason::TooLate), Some(EvictReason::TooLate)));
    assert!(pool.core.leases.find(silent).is_none() && pool.core.leases.find(second).is_some());
    pool.pass(5_000);
    assert_eq!(pool.core.gauges().leases, 1, "the client gets no third host");
}

#[test]
fn the_first_host_stays_where_it_pairs_before_the_second() {
    let mut pool = Pool::new();
    for agent in [1, 3] {
        pool.connect_from(agent, host(agent, 4), honest(agent), true).unwrap();
        pool.full(agent, &[]);
    }
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[]);
    pool.ask(2, 1);
    let first = if pool.calls[0].0 == pool.connection(1) { 1 } else { 3 };
    let lease = pool.admit(first);
    pool.pass(1_010);
    let (late, _) = pool.take_admit(4 - first).expect("a second host");
    pool.delta(first, &[lease], &[]);
    pool.delta(2, &[lease], &[]);
    assert_eq!(pool.core.gauges().leases, 1);
    pool.done(late, CallOutcome::Done);
    assert_eq!(pool.evicted(4 - first), Some(EvictReason::TooLate));
}

#[test]
fn where_slots_are_needed_by_others_nobody_gets_a_second_host() {
    let mut pool = Pool::new();
    pool.connect_from(1, host(1, 1), honest(1), true).unwrap();
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[]);
    pool.ask(2, 1);
    pool.admit(1);
    // The one other slot is for the client that waits.
    for agent in 10..12 {
        pool.connect(agent, client(agent)).unwrap();
        pool.ask(agent, 1);
    }
    pool.connect_from(3, host(3, 1), honest(3), true).unwrap();
    pool.pass(3_000);
    let admitted = pool.take_call(3, |call| match call {
        crate::PoolCall::Admit(admit) => Some(admit.client),
        _ => None,
    });
    assert_ne!(admitted.unwrap().1, super::pool::node(2));
}

#[test]
fn hosts_that_nobody_knows_get_few_clients_a_block_while_another_is_known() {
    let mut pool = Pool::new();
    pool.connect_from(1, host(1, 1_000), honest(1), true).unwrap();
    pool.full(1, &[]);
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[]);
    pool.ask(2, 1);
    let lease = pool.admit(1);
    pool.delta(1, &[lease], &[]);
    pool.delta(2, &[lease], &[]);
    for agent in 100..140 {
        let near = IpAddr::from([66, 6, u8::try_from(agent % 10).unwrap(), 1]);
        pool.connect_from(agent, host(agent, 1_000), near, true).unwrap();
    }
    let served = served_by(&mut pool, 2_000..2_200, 1..2);
    assert!(served >= 200 - 16, "{served} of 200 got the known host");
}

/// The time that each client waited for a host that works, in milliseconds. Half of the blocks are silent.
fn waits_among_silent_hosts(pool: &mut Pool) -> Vec<u64> {
    let (good, silent) = (1..11_u32, 500..540_u32);
    for agent in good.clone() {
        pool.connect_from(agent, host(agent, 60), honest(agent), true).unwrap();
        pool.full(agent, &[]);
    }
    for agent in silent.clone() {
        let near = IpAddr::from([u8::try_from(10 + agent % 10).unwrap(), 6, 6, 1]);
        pool.connect_from(agent, host(agent, 1_000), near, true).unwrap();
    }
    let mut waiting: Vec<(u32, Ms)> = Vec::new();
    let mut waits = Vec::new();
    for round in 0..700_u32 {
        if round < 300 {
            let agent = 2_000 + round;
            pool.connect(agent, client(agent)).unwrap();
            pool.full(agent, &[]);
            pool.ask(agent, 1);
            waiting.push((agent, pool.now));
        }
        let mut given: Vec<(u32, LeaseId)> = Vec::new();
        for host in good.clone().chain(silent.clone()) {
            while let Some((call, lease)) = pool.take_admit(host) {
                pool.done(call, CallOutcome::Done);
                given.extend(good.contains(&host).then_some((host, lease)));
            }
        }
        pool.pass(100);
        for (host, lease) in given {
            let Some(index) = pool.core.leases.find(lease) else { continue };
            let client = pool.core.leases.get(index).unwrap().client();
            let id = pool.core.agents.id(client).unwrap();
            let at = waiting.iter().position(|(agent, _)| super::pool::node(*agent) == id);
            let Some(at) = at else { continue };
            let (agent, since) = waiting.remove(at);
            pool.delta(host, &[lease], &[]);
            pool.delta(agent, &[lease], &[]);
            waits.push(pool.now.since(since));
        }
    }
    assert_eq!(waiting, [], "everybody has a host");
    waits
}

#[test]
fn silent_hosts_in_as_many_blocks_as_good_ones_cost_a_client_three_seconds_at_most() {
    let p99 = |limits: Limits| {
        let mut waits = waits_among_silent_hosts(&mut Pool::with(limits));
        waits.sort_unstable();
        waits[waits.len() * 99 / 100]
    };
    let alone = Limits { second_host_ms: 60_000, trials_a_block: 1_000_000, ..Limits::default() };
    let (with, without) = (p99(Limits::default()), p99(alone));
    assert!(with <= 3_000 && without > 10_000, "p99 {with} ms, {without} ms without second hosts and limits of trials");
}

#[test]
fn after_a_silent_host_a_client_gets_one_of_another_block() {
    let mut pool = Pool::new();
    let silent: Vec<u32> = (1_000..1_010).collect();
    for &agent in &silent {
        pool.connect_from(agent, host(agent, 30), stranger(agent), true).unwrap();
        pool.full(agent, &[]);
    }
    // They rank higher, since they have been connected for longer.
    pool.pass_with(40 * 60 * 1_000, &silent);
    pool.connect(2_000, client(2_000)).unwrap();
    pool.full(2_000, &[]);
    pool.ask(2_000, 1);
    let (call, _) = silent.iter().find_map(|&host| pool.take_admit(host)).unwrap();
    pool.done(call, CallOutcome::Done);
    // Too late to be its second host.
    pool.pass(2_000);
    pool.connect_from(1, host(1, 30), honest(1), true).unwrap();
    pool.full(1, &[]);
    pool.pass(pool.core.limits.offer_ms - 2_000);
    let next = pool.admitting(&[&silent[..], &[1]].concat()).map(|(host, _)| host);
    assert_eq!(next, Some(1), "the next host is of the same block");
}
