//! How long an offer to a side of protocol 2 lasts, and updates that are too far apart.

use super::*;

#[test]
fn an_offer_to_a_side_of_protocol_2_lasts_for_its_longest_gap_between_updates_and_30_s() {
    // Updates before the offer, with the time before each; how long the offer lasts.
    for (gaps, lasts) in [
        (&[][..], 150_000),
        (&[60_000, 60_000], 150_000),
        (&[1_000, 20_000, 60_000], 90_000),
        (&[1_000, 170_000, 60_000], 150_000),
    ] {
        let limits = Limits { offer_update_ms: 30_000, update_gap_ms: 120_000, ..Limits::default() };
        let mut pool = Pool::with(limits);
        pool.connect2(HOST, full_node());
        for &gap in gaps {
            pool.pass(gap);
            pool.update2(HOST, &[]);
        }
        pool.join(CLIENT, on_mainnet(client(CLIENT)));
        pool.ask(CLIENT, 1);
        pool.allow(HOST);
        let lease = pool.last_ask(CLIENT).unwrap().hosts[0].lease;
        pool.reports_up(CLIENT, lease);
        pool.pass(lasts - 1);
        assert_eq!((pool.core.gauges().leases, pool.evicted(CLIENT)), (1, None), "{gaps:?}");
        pool.pass(1);
        assert_eq!(pool.evicted(CLIENT), Some(EvictReason::NotConnected), "{gaps:?}");
    }
}

#[test]
fn an_offer_to_a_side_of_protocol_2_ends_after_45_s_if_the_other_side_has_not_seen_it() {
    let mut pool = Pool::with(Limits { offer_unseen_ms: 45_000, ..Limits::default() });
    pool.connect2(HOST, full_node());
    pool.join(CLIENT, on_mainnet(client(CLIENT)));
    pool.ask(CLIENT, 1);
    pool.allow(HOST);
    pool.pass(44_999);
    assert_eq!(pool.evicted(CLIENT), None);
    pool.pass(1);
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::NotConnected));
}

#[test]
fn updates_that_are_too_far_apart_to_be_billed_are_counted_and_end_the_lease() {
    let mut pool = Pool::priced().leased2();
    let mut served = 0;
    for _ in 0..50 {
        for ms in [60_000, 60_000, 30_000] {
            pool.pass(ms);
            pool.update2(HOST, &[CLIENT]);
        }
        pool.update2(CLIENT, &[HOST]);
        served += 150_000;
        if pool.core.gauges().leases == 0 {
            break;
        }
    }
    assert_eq!(pool.core.gauges().leases, 0);
    let billed: u64 = pool.billed_ms().iter().sum();
    // Silence, two minutes and two updates, and what one more round takes.
    assert!(served - billed <= 300_000 + 120_000 + 150_000 + 60_000, "{} ms for nothing", served - billed);
    pool.ask2(CLIENT, 1);
    assert!(pool.whitelisted(HOST).is_none(), "they are kept apart");
}

/// The attack: ids of one wide block, half of which name no genesis, so that the pool counts them on another chain.
#[test]
fn offers_of_ids_that_name_no_genesis_count_to_the_same_share() {
    let mut pool = Pool::new();
    for agent in other_hosts(12) {
        pool.connect(agent, on_mainnet(host(agent, 10))).unwrap();
    }
    for agent in 1_000..1_200_u32 {
        // All in the wide block of the first agents.
        if agent % 2 == 0 {
            let near = [20, 0, u8::try_from(agent % 250).unwrap(), 9];
            pool.connect_from(agent, on_mainnet(client(agent)), near.into()).unwrap();
            pool.ask(agent, 1);
        } else {
            // Their addresses follow from their numbers.
            let agent = agent % 250;
            if other_hosts(12).contains(&agent) {
                continue;
            }
            pool.connect2(agent, light_node());
            pool.ask2(agent, 1);
        }
        while let Some(at) = pool.calls.iter().position(|(_, _, call)| matches!(call, PoolCall::Admit(_))) {
            let (_, call, _) = pool.calls.remove(at);
            pool.done(call, CallOutcome::Done);
        }
    }
    let held = pool.core.gauges().pending_offers;
    assert!((13..=16).contains(&held), "{held} of 120 slots, which the hosts only claim, for a wide block");
}

/// The attack: clients that never connect hold every slot of a host whose agent reports with its updates only. Its offers
/// last for 45 s and longer, so others get silent hosts meanwhile.
#[test]
fn never_proven_ids_of_a_wide_block_leave_slots_of_a_host_of_protocol_2_to_others() {
    let mut pool = Pool::with(Limits { slots_a_protocol2_host: 16, ..Limits::default() });
    for agent in other_hosts(12) {
        pool.connect(agent, on_mainnet(host(agent, 10))).unwrap();
    }
    pool.connect2(HOST, full_node());
    let only_host = |pool: &mut Pool, agent: u32, from: [u8; 4]| {
        pool.connect_from(agent, on_mainnet(client(agent)), from.into()).unwrap();
        pool.ask_avoiding(agent, 1, other_hosts(12).map(node).collect());
        let (call, _) = pool.whitelisted(HOST)?;
        pool.done(call, CallOutcome::Done);
        pool.last_ask(agent).filter(|reply| reply.missing == 0)
    };
    let hold = |pool: &mut Pool, agents: std::ops::Range<u32>, block: fn(u32) -> u8| {
        for agent in agents {
            only_host(pool, agent, [30, 0, block(agent), u8::try_from(agent % 250).unwrap()]);
        }
        pool.core.gauges().pending_offers
    };
    assert_eq!(hold(&mut pool, STRANGER..STRANGER + 40, |_| 7), 6, "a third of 16, rounded up, for a block");
    assert_eq!(
        hold(&mut pool, STRANGER + 40..STRANGER + 80, |agent| u8::try_from(agent % 250).unwrap()),
        8,
        "half for a wide block"
    );
    for (agent, network) in (STRANGER + 80..STRANGER + 84).zip(40..) {
        assert!(only_host(&mut pool, agent, [network, 0, 0, 1]).is_some(), "another network has its host at once");
    }
    // They get other hosts as before.
    let last = STRANGER + 84;
    pool.connect_from(last, on_mainnet(client(last)), [30, 0, 99, 1].into()).unwrap();
    pool.ask(last, 1);
    assert!(pool.asked(other_hosts(12)).is_some());
    assert!(pool.whitelisted(HOST).is_none());
}

/// A host of protocol 2 reports a client with its next update only, so the client's offers stay pending.
#[test]
fn a_client_that_is_not_proven_may_have_two_hosts_of_protocol_2_at_once() {
    let mut pool = Pool::new();
    let hosts = [HOST, SECOND_HOST];
    for agent in hosts {
        pool.connect2(agent, full_node());
        pool.update2(agent, &[]);
    }
    let gets_two = |pool: &mut Pool, agent: u32| {
        pool.join(agent, on_mainnet(client(agent)));
        pool.ask(agent, 2);
        for host in [hosts, hosts].into_iter().flatten() {
            if let Some((call, _)) = pool.whitelisted(host) {
                pool.done(call, CallOutcome::Done);
            }
            pool.pass(250);
        }
        let index = pool.core.agents.find(&node(agent)).unwrap();
        let leases: Vec<_> = pool.core.leases.of_client(index).map(|(_, lease)| lease.id()).collect();
        assert_eq!(leases.len(), 2);
        pool.delta(agent, &leases, &[]);
    };
    gets_two(&mut pool, CLIENT);
    // Both have served clients in one wide block only, so none of their slots counts for the shares.
    hosts.into_iter().for_each(|host| drop(pool.update2(host, &[CLIENT])));
    gets_two(&mut pool, SECOND_CLIENT);
}
