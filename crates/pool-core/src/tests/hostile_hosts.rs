//! Strangers with free ids against the search for hosts: none of them may crowd out others, or cost them time.

use std::{net::IpAddr, ops::Range};

use vipnode_types::{
    LeaseId, Ms,
    wire::{ConnectRequest, EvictReason, HostOffer},
};

use super::{
    offers::used_before,
    pool::{Pool, address, client, hello, host, node},
    scenario::{
        CLIENT, FURTHER, HOST, MINUTE_MS, OTHER_SUBNET, SECOND_HOST, SLOTS, STRANGER, THIRD_HOST, needing,
        other_clients, other_hosts, serving,
    },
};
use crate::{AddressBlock, CallOutcome, Command, Limits};

/// The strangers of a test.
const STRANGERS: Range<u32> = STRANGER..STRANGER + 200;
/// The clients of a test, where there are many.
const CLIENTS: Range<u32> = 2_000..2_200;

/// The strangers' one block.
fn stranger(agent: u32) -> IpAddr {
    IpAddr::from([66, 6, 6, u8::try_from(agent % 250).unwrap() + 1])
}

/// Others each have a wide block of their own (agents up to 99, and from 100 to 199).
fn honest(agent: u32) -> IpAddr {
    IpAddr::from([u8::try_from(100 + agent % 100).unwrap(), 1, 1, 1])
}

/// Has clients ask, and counts those that get one of these hosts at once.
fn served_by(pool: &mut Pool, clients: Range<u32>, hosts: impl IntoIterator<Item = u32>) -> usize {
    let hosts: Vec<u32> = hosts.into_iter().collect();
    let mut served = 0;
    for agent in clients {
        pool.connect(agent, client(agent)).unwrap();
        let given = pool.given(agent, &hosts);
        served += usize::from(given.is_some());
        if let Some((_, call)) = given {
            pool.done(call, CallOutcome::Done);
        }
    }
    served
}

#[test]
fn a_thousand_hosts_of_one_block_are_drawn_like_one() {
    let mut pool = Pool::with(Limits { offers_minimum: 200, ..Limits::default() });
    for agent in STRANGERS {
        pool.connect_from(agent, host(agent, 1_000), stranger(agent)).unwrap();
    }
    for agent in other_hosts(10) {
        pool.connect_from(agent, host(agent, 30), honest(agent)).unwrap();
    }
    let served = served_by(&mut pool, CLIENTS, other_hosts(10));
    assert!(served > 160, "{served} of 200 got a host of the ten others");
}

#[test]
fn in_a_closed_pool_hosts_behind_one_address_are_drawn_like_any() {
    let mut pool = Pool::with(Limits { members_only: true, same_address_ms: 0, ..Limits::default() });
    for agent in STRANGERS.take(90) {
        pool.connect_from(agent, host(agent, 1_000), stranger(agent)).unwrap();
    }
    for agent in other_hosts(10) {
        pool.connect_from(agent, host(agent, 1_000), honest(agent)).unwrap();
    }
    let served = served_by(&mut pool, CLIENTS, other_hosts(10));
    assert!((5..50).contains(&served), "{served} of 200 got one of the ten elsewhere");
}

#[test]
fn a_claim_of_slots_buys_no_rank() {
    let mut pool = Pool::new().with_host(HOST, 4).reported(HOST);
    for agent in [OTHER_SUBNET, FURTHER] {
        pool.join(agent, client(agent));
        pool.lease_between(HOST, agent);
    }
    // Two of its four slots are used, and both were used by clients in two wide blocks: the rest of what a host claims counts as
    // nothing.
    let offer = HostOffer { slots: 1_000, payout: None, no_trials: false };
    pool.connect(SECOND_HOST, ConnectRequest { host: Some(offer), ..hello(SECOND_HOST) }).unwrap();
    let served = served_by(&mut pool, CLIENTS.start..CLIENTS.start + 2, [HOST]);
    assert_eq!(served, 2, "the host that is known to work is first");
}

#[test]
fn a_search_that_cannot_succeed_is_not_repeated_until_another_kind_of_host_is_there() {
    let mut pool = Pool::with(Limits { failed_searches: 2, ..Limits::default() });
    for agent in STRANGERS {
        pool.connect_from(agent, serving(agent, "eth"), stranger(agent)).unwrap();
    }
    let mut steps = Vec::new();
    for agent in other_clients(3) {
        pool.connect(agent, needing(agent, "snap")).unwrap();
        pool.ask(agent, 1);
        steps.push(pool.steps.total());
        let reason = pool.last_ask(agent).unwrap().reason.unwrap();
        assert!(reason.contains("200 do not serve snap (--need)"), "{reason}");
    }
    assert!(steps[0] < 40, "{steps:?}: hosts of one kind are looked at once");
    assert_eq!(steps[1..], [1, 1]);
    // More hosts of that kind change nothing; one of another kind does, and is given without another question.
    pool.connect(SECOND_HOST, serving(SECOND_HOST, "eth")).unwrap();
    pool.ask(other_clients(1).start, 1);
    assert_eq!(pool.steps.total(), 1);
    pool.connect(THIRD_HOST, serving(THIRD_HOST, "eth snap")).unwrap();
    pool.pass(6_000);
    assert!(pool.take_admit(THIRD_HOST).is_some());
}

#[test]
fn a_search_is_charged_to_the_block_of_its_client_whatever_starts_it() {
    let mut pool = Pool::new().with_client(CLIENT);
    pool.ask(CLIENT, 1);
    let block = AddressBlock::of(address(CLIENT));
    let charged = |pool: &Pool| pool.steps.iter().collect::<Vec<_>>();
    assert_eq!(charged(&pool), [(block, 1)]);
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    assert_eq!(charged(&pool), []);
    pool.handle(Command::Tick);
    assert_eq!(charged(&pool), [(block, 2)], "a tick");
    let (call, _) = pool.take_admit(HOST).unwrap();
    pool.connect(SECOND_HOST, host(SECOND_HOST, SLOTS)).unwrap();
    pool.ask(CLIENT, 1);
    pool.done(call, CallOutcome::Lost);
    assert_eq!(charged(&pool), [(block, 2)], "the answer of a host");
}

#[test]
fn ten_thousand_waiting_clients_of_one_block_stand_before_nobody() {
    let mut pool = Pool::new();
    let waiting = STRANGER..STRANGER + 10_000;
    for agent in waiting {
        pool.connect_from(agent, client(agent), stranger(agent)).unwrap();
        pool.ask(agent, 1);
    }
    pool.connect_from(CLIENT, client(CLIENT), honest(CLIENT)).unwrap();
    pool.ask(CLIENT, 1);
    pool.connect(HOST, host(HOST, 2)).unwrap();
    pool.handle(Command::Tick);
    let clients = [(); 2].map(|()| pool.take_admit_call(HOST).unwrap().1.client);
    assert!(clients.contains(&node(CLIENT)), "one of two slots");
}

#[test]
fn a_client_whose_host_stays_silent_gets_a_second_one_of_another_block() {
    let mut pool = Pool::new();
    pool.connect_from(HOST, host(HOST, SLOTS), honest(HOST)).unwrap();
    pool.join(CLIENT, client(CLIENT));
    pool.ask(CLIENT, 1);
    let silent = pool.admit(HOST);
    pool.connect_from(SECOND_HOST, host(SECOND_HOST, SLOTS), honest(HOST)).unwrap();
    pool.connect_from(THIRD_HOST, host(THIRD_HOST, SLOTS), honest(THIRD_HOST)).unwrap();
    pool.full(THIRD_HOST, &[]);
    pool.pass(990);
    assert!(pool.take_admit(THIRD_HOST).is_none());
    pool.pass(20);
    assert!(pool.take_admit(SECOND_HOST).is_none(), "the block of the first");
    let second = pool.admit(THIRD_HOST);
    pool.reports_up(THIRD_HOST, second);
    pool.reports_up(CLIENT, second);
    assert_eq!((pool.evicted(HOST), pool.evicted(CLIENT)), (Some(EvictReason::TooLate), Some(EvictReason::TooLate)));
    assert!(pool.core.leases.find(silent).is_none() && pool.core.leases.find(second).is_some());
    pool.pass(5_000);
    assert_eq!(pool.core.gauges().leases, 1, "the client gets no third host");
}

#[test]
fn the_first_host_stays_where_it_pairs_before_the_second() {
    let mut pool = Pool::new();
    for agent in [HOST, SECOND_HOST] {
        pool.connect_from(agent, host(agent, SLOTS), honest(agent)).unwrap();
        pool.full(agent, &[]);
    }
    pool.join(CLIENT, client(CLIENT));
    pool.ask(CLIENT, 1);
    let first = pool.asked([HOST, SECOND_HOST]).unwrap();
    let second = if first == HOST { SECOND_HOST } else { HOST };
    let lease = pool.admit(first);
    pool.pass(1_010);
    let (late, _) = pool.take_admit(second).expect("a second host");
    pool.reports_up(first, lease);
    pool.reports_up(CLIENT, lease);
    assert_eq!(pool.core.gauges().leases, 1);
    pool.done(late, CallOutcome::Done);
    assert_eq!(pool.evicted(second), Some(EvictReason::TooLate));
}

#[test]
fn where_slots_are_needed_by_others_nobody_gets_a_second_host() {
    let mut pool = Pool::new();
    pool.connect_from(HOST, host(HOST, 1), honest(HOST)).unwrap();
    pool.join(CLIENT, client(CLIENT));
    pool.ask(CLIENT, 1);
    pool.admit(HOST);
    // The one other slot is for the client that waits.
    for agent in other_clients(2) {
        pool.connect(agent, client(agent)).unwrap();
        pool.ask(agent, 1);
    }
    pool.connect_from(SECOND_HOST, host(SECOND_HOST, 1), honest(SECOND_HOST)).unwrap();
    pool.pass(3_000);
    let (_, admit) = pool.take_admit_call(SECOND_HOST).unwrap();
    assert_ne!(admit.client, node(CLIENT));
}

#[test]
fn hosts_that_nobody_knows_get_few_clients_a_block_while_another_is_known() {
    let mut pool = Pool::with(Limits { offers_minimum: 200, ..Limits::default() });
    pool.connect_from(HOST, host(HOST, 1_000), honest(HOST)).unwrap();
    pool.full(HOST, &[]);
    pool.join(CLIENT, client(CLIENT));
    pool.lease_between(HOST, CLIENT);
    for agent in other_hosts(40) {
        let near = IpAddr::from([66, 6, u8::try_from(agent % 10).unwrap(), 1]);
        pool.connect_from(agent, host(agent, 1_000), near).unwrap();
    }
    let served = served_by(&mut pool, CLIENTS, [HOST]);
    // 16 of one wide block of clients, and of each other one four count toward them.
    assert!(served >= 200 - 16 - 12, "{served} of 200 got the known host");
}

/// The attack: clients of one provider that never connect use up the offers of an honest new host.
#[test]
fn offers_to_another_wide_block_keep_no_client_from_a_new_host() {
    let mut pool = Pool::new();
    pool.connect_from(HOST, host(HOST, 100), honest(HOST)).unwrap();
    pool.full(HOST, &[]);
    pool.join(CLIENT, client(CLIENT));
    pool.lease_between(HOST, CLIENT);
    pool.connect_from(SECOND_HOST, host(SECOND_HOST, 100), honest(SECOND_HOST)).unwrap();
    let mut gets_the_new_host = |agent: u32, address: IpAddr| {
        pool.connect_from(agent, client(agent), address).unwrap();
        pool.ask_avoiding(agent, 1, vec![node(HOST)]);
        let asked = pool.take_admit(SECOND_HOST);
        asked.into_iter().for_each(|(call, _)| pool.done(call, CallOutcome::Done));
        asked.is_some()
    };
    let flood = (0..20).filter(|&flooder| gets_the_new_host(100 + flooder, stranger(flooder)));
    assert_eq!(flood.count(), 4);
    for wide in [1, 2, 3] {
        assert!(gets_the_new_host(150 + wide, honest(wide)), "one of each other wide block");
    }
    assert!(!gets_the_new_host(160, honest(10)), "it stayed silent toward clients of four");
}

/// What clients were connected with the silent hosts of a test before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silent {
    /// None: they are new.
    Always,
    /// Those of their operator, in two other networks, used each of their slots.
    OnceUsed,
}

/// The time that each client waited for a host that works, in milliseconds, or has waited at the end. Half of the blocks are silent.
fn waits_among_silent_hosts(pool: &mut Pool, before: Silent) -> Vec<u64> {
    let (good, silent) = (other_hosts(10), 200..240_u32);
    let near = |agent: u32| IpAddr::from([u8::try_from(40 + agent % 10).unwrap(), 6, 6, 1]);
    if before == Silent::OnceUsed {
        for agent in silent.clone() {
            pool.connect_from(agent, host(agent, 30), near(agent)).unwrap();
            pool.full(agent, &[]);
        }
        used_before(pool, silent.clone(), 30);
    }
    for agent in good.clone() {
        pool.connect_from(agent, host(agent, 60), honest(agent)).unwrap();
        pool.full(agent, &[]);
    }
    if before == Silent::Always {
        for agent in silent.clone() {
            pool.connect_from(agent, host(agent, 1_000), near(agent)).unwrap();
        }
    }
    let mut waiting: Vec<(u32, Ms)> = Vec::new();
    let mut waits = Vec::new();
    for round in 0..700_u32 {
        if round < 300 {
            let agent = CLIENTS.start + round;
            pool.join(agent, client(agent));
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
            let at = waiting.iter().position(|(agent, _)| node(*agent) == id);
            let Some(at) = at else { continue };
            let (agent, since) = waiting.remove(at);
            pool.reports_up(host, lease);
            pool.reports_up(agent, lease);
            waits.push(pool.now.since(since));
        }
    }
    waits.extend(waiting.into_iter().map(|(_, since)| pool.now.since(since)));
    waits
}

#[test]
fn silent_hosts_in_as_many_blocks_as_good_ones_cost_a_client_three_seconds_at_most() {
    let p99 = |limits: Limits, before| {
        let mut waits = waits_among_silent_hosts(&mut Pool::with(limits), before);
        waits.sort_unstable();
        waits[waits.len() * 99 / 100]
    };
    let alone = Limits { extra_host_ms: 60_000, new_host_offers_a_block: 1_000_000, ..Limits::default() };
    // Hosts that were used rank first, so that the first one is always silent.
    for before in [Silent::Always, Silent::OnceUsed] {
        let (with, without) = (p99(Limits::default(), before), p99(alone.clone(), before));
        assert!(
            with <= 3_000 && without > 10_000,
            "{before:?}: p99 {with} ms, {without} ms without second hosts and limits of offers of new hosts"
        );
    }
}

#[test]
fn after_a_silent_host_a_client_gets_one_of_another_block() {
    let mut pool = Pool::new();
    let silent: Vec<u32> = STRANGERS.take(10).collect();
    for &agent in &silent {
        pool.connect_from(agent, host(agent, 30), stranger(agent)).unwrap();
        pool.full(agent, &[]);
    }
    // They rank higher, since they have been connected for longer.
    pool.pass_with(40 * MINUTE_MS, &silent);
    pool.join(CLIENT, client(CLIENT));
    let (_, call) = pool.given(CLIENT, &silent).unwrap();
    pool.done(call, CallOutcome::Done);
    // Too late to be its second host.
    pool.pass(2_000);
    pool.connect_from(HOST, host(HOST, 30), honest(HOST)).unwrap();
    pool.full(HOST, &[]);
    pool.pass(pool.core.limits.offer_ms - 2_000);
    let next = pool.admitting(&[&silent[..], &[HOST]].concat()).map(|(host, _)| host);
    assert_eq!(next, Some(HOST), "the next host is of the same block");
}
