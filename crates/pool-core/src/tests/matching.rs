use std::net::IpAddr;

use vipnode_types::wire::{AskRequest, ClientCriteria, ErrorCode, HostOffer, WireError};

use super::{
    pool::{Pool, address, chain, client, host, node, payout, wei},
    scenario::{CLIENT, HOST, SECOND_CLIENT, SECOND_HOST},
};
use crate::{CallOutcome, Command, Limits};

#[test]
fn only_hosts_of_the_same_chain_and_genesis() {
    let mut pool = Pool::new();
    let mut other = host(HOST, 4);
    other.chain = chain(2);
    pool.connect(HOST, other).unwrap();
    let mut other = host(SECOND_HOST, 4);
    other.chain.genesis.0[5] = 1;
    pool.connect(SECOND_HOST, other).unwrap();
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.ask(CLIENT, 1);
    assert_eq!(pool.asked([HOST, SECOND_HOST]), None);
    pool.connect(4, host(4, 4)).unwrap();
    pool.handle(Command::Tick);
    assert_eq!(pool.asked([HOST, SECOND_HOST, 4]), Some(4));
}

#[test]
fn hosts_to_avoid_and_hosts_it_has_are_not_given() {
    let mut pool = Pool::new().with_host(HOST, 4).with_client(2);
    let ask = Box::new(AskRequest { want: 2, avoid: vec![node(HOST), node(99)] });
    pool.handle(Command::Ask { connection: pool.connection(2), request: 2, ask });
    assert!(pool.why(2).contains("failed a moment ago"));
    pool.ask(2, 2);
    pool.admit(HOST);
    pool.pass(10_000);
    assert_eq!(pool.asked([HOST]), None, "one slot per host");
}

#[test]
fn a_price_above_what_the_client_takes_is_said() {
    let mut pool = Pool::priced().with_host(1, 4);
    let mut criteria = client(CLIENT);
    criteria.client = Some(ClientCriteria { max_price: Some(wei(59_999)), ..ClientCriteria::default() });
    pool.connect(CLIENT, criteria).unwrap();
    pool.ask(CLIENT, 1);
    assert!(pool.why(CLIENT).contains("--max-price"));
    assert_eq!(pool.asked([1]), None);
}

#[test]
fn one_host_is_not_given_twice_in_a_while_to_one_public_address() {
    let mut pool = Pool::new().with_host(HOST, 4).with_client(2);
    pool.connect_from(SECOND_CLIENT, client(SECOND_CLIENT), address(2), true).unwrap();
    pool.full(2, &[]);
    pool.ask(2, 1);
    let lease = pool.admit(HOST);
    pool.delta(2, &[lease], &[]);
    pool.ask(SECOND_CLIENT, 1);
    assert_eq!(pool.last_ask(SECOND_CLIENT).unwrap().missing, 1);
    pool.pass(34_000);
    assert_eq!(pool.asked([HOST]), None);
    pool.pass(6_000);
    assert_eq!(pool.asked([HOST]), Some(HOST));
    let own: IpAddr = "192.168.1.1".parse().unwrap();
    for agent in [4, 5] {
        pool.connect_from(agent, client(agent), own, true).unwrap();
        pool.ask(agent, 1);
        pool.admit(HOST);
    }
}

#[test]
fn d35_a_full_host_is_not_given_and_a_failing_one_rests_longer_each_time() {
    let mut pool = Pool::new().with_host(HOST, 1).with_client(2).with_client(3);
    for agent in [HOST, 2, 3] {
        pool.full(agent, &[]);
    }
    pool.ask(2, 1);
    let no = || CallOutcome::Refused(WireError::new(ErrorCode::Refused, "no", ""));
    let mut last = pool.now;
    let mut gaps = Vec::new();
    for round in 0..12 {
        let mut waited = 0;
        while pool.asked([HOST]).is_none() {
            pool.pass_with(1_000, &[HOST, 2, 3]);
            waited += 1_000;
            assert!(waited <= 620_000, "round {round}");
        }
        gaps.push(pool.now.since(last));
        last = pool.now;
        let (call, _) = pool.take_admit(HOST).unwrap();
        pool.done(call, no());
    }
    assert!(gaps.windows(2).all(|pair| pair[0] <= pair[1] + 6_000), "{gaps:?}");
    assert!(gaps[8] >= 256_000 && gaps[11] >= 600_000, "{gaps:?}");
    while pool.asked([HOST]).is_none() {
        pool.pass_with(1_000, &[HOST, 2, 3]);
    }
    pool.admit(HOST);
    pool.ask(3, 1);
    assert!(pool.why(3).contains("no host"), "its one slot is taken");
}

/// Clients use slots of a host, while another one is not connected.
fn use_slots(pool: &mut Pool, host_of: u32, clients: std::ops::Range<u32>, absent: u32) {
    pool.disconnect(absent);
    pool.full(host_of, &[]);
    for agent in clients {
        pool.connect(agent, client(agent)).unwrap();
        pool.full(agent, &[]);
        pool.ask(agent, 1);
        let lease = pool.admit(host_of);
        pool.delta(host_of, &[lease], &[]);
        pool.delta(agent, &[lease], &[]);
    }
    pool.connect(absent, host(absent, 4)).unwrap();
}

#[test]
fn the_better_host_is_chosen() {
    // Free slots, latency, and being another operator's than the hosts it has.
    let best = |prepare: &dyn Fn(&mut Pool)| {
        let mut pool = Pool::new().with_host(1, 4).with_host(3, 4);
        prepare(&mut pool);
        pool.connect(CLIENT, client(CLIENT)).unwrap();
        pool.ask(CLIENT, 1);
        pool.asked([1, 3])
    };
    for (better, worse) in [(1, 3), (3, 1)] {
        let latency = |pool: &mut Pool| {
            pool.handle(Command::Latency { connection: pool.connection(better), rtt_us: 10_000 });
            pool.handle(Command::Latency { connection: pool.connection(worse), rtt_us: 500_000 });
        };
        assert_eq!(best(&latency), Some(better));
        let load = |pool: &mut Pool| {
            use_slots(pool, better, 10..13, worse);
            for agent in 10..13 {
                pool.bye(agent);
                pool.evicted(better);
            }
            use_slots(pool, worse, 20..23, better);
        };
        assert_eq!(best(&load), Some(better));
    }
}

#[test]
fn further_hosts_are_of_other_operators_where_there_are_any() {
    for same_block in [true, false] {
        let mut pool = Pool::new().with_host(HOST, 4).with_client(2).reported(2);
        pool.ask(2, 2);
        let lease = pool.admit(HOST);
        pool.delta(2, &[lease], &[]);
        // One shares the block or the payout account of the first, the other nothing.
        let mut kin = host(SECOND_HOST, 4);
        if !same_block {
            kin.host = Some(HostOffer { slots: 4, payout: Some(payout(HOST)) });
        }
        let near = if same_block { address(HOST) } else { address(SECOND_HOST) };
        pool.connect_from(SECOND_HOST, kin, near, true).unwrap();
        pool.connect(4, host(4, 4)).unwrap();
        pool.pass(1_000);
        assert_eq!(pool.asked([SECOND_HOST, 4]), Some(4), "{same_block}");
    }
}

#[test]
fn when_slots_are_scarce_only_clients_without_one_get_one() {
    let mut pool = Pool::new().with_host(HOST, 3);
    for agent in 10..13 {
        pool.connect(agent, client(agent)).unwrap();
        pool.full(agent, &[]);
        pool.ask(agent, 2);
        let lease = pool.admit(HOST);
        pool.delta(agent, &[lease], &[]);
        assert_eq!(pool.last_ask(agent).unwrap().missing, 1);
    }
    pool.connect(13, client(13)).unwrap();
    pool.ask(13, 2);
    // Two slots for four clients: the one that has none gets one, the rest stay free.
    pool.connect(2, host(2, 2)).unwrap();
    pool.handle(Command::Tick);
    let lease = pool.admit(2);
    let client = pool.core.leases.get(pool.core.leases.find(lease).unwrap()).unwrap().client();
    assert_eq!(pool.core.agents.id(client).unwrap(), node(13));
    pool.pass(5_000);
    assert_eq!(pool.asked([2]), None, "one slot left, and four want a second");
    pool.ask(10, 2);
    assert!(pool.why(10).contains("scarce"));
    // Four more slots: now there is enough for everybody.
    pool.connect(SECOND_HOST, host(SECOND_HOST, 4)).unwrap();
    pool.pass(2_000);
    assert!(pool.asked([2, SECOND_HOST]).is_some());
}

#[test]
fn d48_a_thousand_clients_at_once_are_all_served() {
    let mut pool = Pool::with(Limits { same_address_ms: 0, ..Limits::default() });
    for agent in 1..=10 {
        pool.connect(agent, host(agent, 100)).unwrap();
    }
    let mut core_calls = 0;
    for agent in 1000..2000 {
        // Each is of another network: so many of one would wait for each other's offers.
        let [a, b] = [agent % 50 + 20, agent / 50].map(|part| u8::try_from(part).unwrap());
        pool.connect_from(agent, client(agent), [a, b, 1, 1].into(), true).unwrap();
        let effects = pool.ask(agent, 1);
        core_calls += effects.iter().filter(|effect| matches!(effect, crate::Effect::Call { .. })).count();
    }
    assert_eq!(core_calls, 1000, "each has a host asked at once");
    for (_, call, _) in std::mem::take(&mut pool.calls) {
        pool.done(call, CallOutcome::Done);
    }
    let served = (1000..2000).filter(|&agent| pool.last_ask(agent).is_some_and(|reply| reply.missing == 0));
    assert_eq!(served.count(), 1000);
    assert_eq!(pool.core.gauges().free_slots, 0);
}

#[test]
fn two_that_host_each_other_are_the_last_choice() {
    let both = |agent| {
        let mut hello = host(agent, 4);
        hello.client = Some(ClientCriteria::default());
        hello
    };
    let mut pool = Pool::new().with_agent(1, both(1)).with_agent(2, both(2));
    pool.ask(1, 1);
    pool.admit(2);
    pool.connect(3, both(3)).unwrap();
    pool.ask(2, 1);
    assert_eq!(pool.asked([1, 3]), Some(3));
}
