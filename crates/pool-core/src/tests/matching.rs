use std::{net::IpAddr, ops::Range};

use vipnode_types::wire::{ConnectRequest, ErrorCode, WireError};

use super::{
    pool::{Pool, address, chain, client, host, node},
    scenario::{
        CLIENT, HOST, SECOND_CLIENT, SECOND_HOST, SLOTS, THIRD_CLIENT, THIRD_HOST, both_roles, other_clients,
        other_hosts, paying_at_most,
    },
};
use crate::{CallOutcome, Command, Effect, Limits};

#[test]
fn only_hosts_of_the_same_chain_and_genesis() {
    let mut pool = Pool::new();
    let mut of_another_genesis = host(SECOND_HOST, SLOTS);
    of_another_genesis.chain.genesis.0[5] = 1;
    pool.connect(HOST, ConnectRequest { chain: chain(2), ..host(HOST, SLOTS) }).unwrap();
    pool.connect(SECOND_HOST, of_another_genesis).unwrap();
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.ask(CLIENT, 1);
    assert_eq!(pool.asked([HOST, SECOND_HOST]), None);
    pool.connect(THIRD_HOST, host(THIRD_HOST, SLOTS)).unwrap();
    pool.handle(Command::Tick);
    assert_eq!(pool.asked([HOST, SECOND_HOST, THIRD_HOST]), Some(THIRD_HOST));
}

#[test]
fn hosts_to_avoid_and_hosts_it_has_are_not_given() {
    let mut pool = Pool::new().with_host(HOST, SLOTS).with_client(CLIENT);
    pool.ask_avoiding(CLIENT, 2, vec![node(HOST), node(SECOND_HOST)]);
    assert!(pool.why(CLIENT).contains("is avoided by your agent after a failed connection"), "{}", pool.why(CLIENT));
    pool.ask(CLIENT, 2);
    pool.admit(HOST);
    pool.pass(10_000);
    assert_eq!(pool.asked([HOST]), None, "one slot per host");
}

/// A fleet: each of its nodes is host and client.
#[test]
fn the_reason_for_no_host_is_exact_with_the_number_of_hosts() {
    let mut pool = Pool::new().with_agent(CLIENT, both_roles(CLIENT, SLOTS));
    pool.ask(CLIENT, 5);
    assert_eq!(pool.why(CLIENT), "no other host is connected to the pool", "it is not its own host");
    pool.connect(HOST, host(HOST, 0)).unwrap();
    pool.ask(CLIENT, 5);
    assert!(pool.why(CLIENT).ends_with("offers no slots"), "{}", pool.why(CLIENT));
    assert!(pool.why(CLIENT).starts_with("the only other host on mainnet"), "{}", pool.why(CLIENT));
    pool.connect(SECOND_HOST, host(SECOND_HOST, 0)).unwrap();
    pool.ask(CLIENT, 5);
    assert!(pool.why(CLIENT).starts_with("all 2 other hosts on mainnet"), "{}", pool.why(CLIENT));
    assert!(pool.why(CLIENT).ends_with("offer no slots"), "{}", pool.why(CLIENT));
    pool.connect(THIRD_HOST, host(THIRD_HOST, 1)).unwrap();
    pool.ask(CLIENT, 5);
    pool.admit(THIRD_HOST);
    pool.ask(CLIENT, 5);
    let why = pool.why(CLIENT);
    assert!(why.ends_with(": 2 offer no slots, 1 already serves your node"), "{why}");
    pool.connect(SECOND_CLIENT, client(SECOND_CLIENT)).unwrap();
    pool.ask(SECOND_CLIENT, 1);
    let given = pool.asked([CLIENT]);
    assert_eq!(given, Some(CLIENT), "the first client is a host too");
}

#[test]
fn an_answer_with_too_few_hosts_says_why_the_others_are_missing() {
    let mut pool = Pool::new().with_host(HOST, SLOTS);
    let asks = |pool: &mut Pool, agent, want| {
        pool.join(agent, client(agent));
        pool.ask(agent, want);
        let host = pool.asked([HOST, SECOND_HOST]).unwrap_or_else(|| panic!("{agent}: {:?}", pool.last_ask(agent)));
        pool.admit(host);
        let reply = pool.last_ask(agent).unwrap();
        (reply.hosts.len(), reply.missing, reply.reason.unwrap_or_default())
    };
    let only = "the only host on mainnet already serves your node".to_owned();
    assert_eq!(asks(&mut pool, CLIENT, 3), (1, 2, only));
    assert_eq!(asks(&mut pool, SECOND_CLIENT, 1), (1, 0, String::new()));
    pool.ask(CLIENT, 1);
    pool = pool.with_host(SECOND_HOST, SLOTS);
    assert_eq!(asks(&mut pool, THIRD_CLIENT, 2), (1, 1, String::new()), "the pool assigns the other one next");
    let first = pool.last_ask(THIRD_CLIENT).unwrap().hosts[0].host.id;
    pool.pass(1_000);
    let other = if first == node(HOST) { SECOND_HOST } else { HOST };
    assert_eq!(pool.take_admit_call(other).unwrap().1.client, node(THIRD_CLIENT));
}

#[test]
fn a_client_that_wants_more_hosts_than_the_pool_assigns_learns_how_many_that_are() {
    let mut pool = Pool::with(Limits { leases_a_client: 1, ..Limits::default() }).paired();
    pool.ask(CLIENT, 3);
    pool.admit(HOST);
    assert_eq!(pool.last_ask(CLIENT).unwrap().missing, 2);
    assert_eq!(pool.why(CLIENT), "the pool assigns at most 1 host to one client");
    pool.ask(CLIENT, 3);
    assert_eq!(pool.why(CLIENT), "the pool assigns at most 1 host to one client");
    pool.ask(CLIENT, 1);
    assert_eq!((pool.last_ask(CLIENT).unwrap().missing, &*pool.why(CLIENT)), (0, ""));
}

#[test]
fn with_more_hosts_than_are_examined_the_reason_has_no_numbers() {
    let mut pool = Pool::with(Limits { explained_hosts: 2, ..Limits::default() });
    for agent in other_hosts(3) {
        pool.connect(agent, host(agent, 0)).unwrap();
    }
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.ask(CLIENT, 1);
    assert!(pool.why(CLIENT).starts_with("no host on mainnet"), "{}", pool.why(CLIENT));
    assert!(pool.why(CLIENT).ends_with("has a free slot"), "{}", pool.why(CLIENT));
}

#[test]
fn a_price_above_what_the_client_takes_is_said() {
    let mut pool = Pool::priced().with_host(HOST, SLOTS);
    pool.connect(CLIENT, paying_at_most("59999 wei/minute")).unwrap();
    pool.ask(CLIENT, 1);
    assert!(pool.why(CLIENT).contains("--max-price"));
    assert_eq!(pool.asked([HOST]), None);
}

#[test]
fn one_host_is_not_given_twice_in_a_while_to_one_public_address() {
    let mut pool = Pool::new().with_host(HOST, SLOTS).with_client(CLIENT);
    pool.connect_from(SECOND_CLIENT, client(SECOND_CLIENT), address(CLIENT)).unwrap();
    pool.full(CLIENT, &[]);
    pool.ask(CLIENT, 1);
    let lease = pool.admit(HOST);
    pool.reports_up(CLIENT, lease);
    pool.ask(SECOND_CLIENT, 1);
    assert_eq!(pool.last_ask(SECOND_CLIENT).unwrap().missing, 1);
    pool.pass(34_000);
    assert_eq!(pool.asked([HOST]), None);
    pool.pass(6_000);
    assert_eq!(pool.asked([HOST]), Some(HOST));
    let own: IpAddr = "192.168.1.1".parse().unwrap();
    for agent in other_clients(2) {
        pool.connect_from(agent, client(agent), own).unwrap();
        pool.ask(agent, 1);
        pool.admit(HOST);
    }
}

#[test]
fn d35_a_full_host_is_not_given_and_a_failing_one_rests_longer_each_time() {
    let mut pool = Pool::new().with_host(HOST, 1).with_client(CLIENT).with_client(SECOND_CLIENT);
    for agent in [HOST, CLIENT, SECOND_CLIENT] {
        pool.full(agent, &[]);
    }
    pool.ask(CLIENT, 1);
    let no = || CallOutcome::Refused(WireError::new(ErrorCode::Refused, "no", ""));
    let mut last = pool.now;
    let mut gaps = Vec::new();
    for round in 0..12 {
        let mut waited = 0;
        while pool.asked([HOST]).is_none() {
            pool.pass_with(1_000, &[HOST, CLIENT, SECOND_CLIENT]);
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
        pool.pass_with(1_000, &[HOST, CLIENT, SECOND_CLIENT]);
    }
    pool.admit(HOST);
    pool.ask(SECOND_CLIENT, 1);
    assert!(pool.why(SECOND_CLIENT).ends_with(" is full"), "its one slot is taken");
}

/// Clients use slots of a host, while another one is not connected.
fn use_slots(pool: &mut Pool, host_of: u32, clients: Range<u32>, absent: u32) {
    pool.disconnect(absent);
    pool.full(host_of, &[]);
    for agent in clients {
        pool.join(agent, client(agent));
        pool.lease_between(host_of, agent);
    }
    pool.connect(absent, host(absent, SLOTS)).unwrap();
}

#[test]
fn the_better_host_is_chosen() {
    // Free slots, latency, and being another operator's than the hosts it has.
    let best = |prepare: &dyn Fn(&mut Pool)| {
        let mut pool = Pool::new().with_host(HOST, SLOTS).with_host(SECOND_HOST, SLOTS);
        prepare(&mut pool);
        pool.connect(CLIENT, client(CLIENT)).unwrap();
        pool.ask(CLIENT, 1);
        pool.asked([HOST, SECOND_HOST])
    };
    for (better, worse) in [(HOST, SECOND_HOST), (SECOND_HOST, HOST)] {
        let latency = |pool: &mut Pool| {
            pool.latency(better, 10_000);
            pool.latency(worse, 500_000);
        };
        assert_eq!(best(&latency), Some(better));
        let load = |pool: &mut Pool| {
            let (former, current) = (10..13, 20..23);
            use_slots(pool, better, former.clone(), worse);
            for agent in former {
                pool.bye(agent);
                pool.evicted(better);
            }
            use_slots(pool, worse, current, better);
        };
        assert_eq!(best(&load), Some(better));
    }
}

#[test]
fn further_hosts_are_of_other_operators_where_there_are_any() {
    for same_block in [true, false] {
        let limits = Limits { extra_host_ms: 10_000, ..Limits::default() };
        let mut pool = Pool::with(limits).with_host(HOST, SLOTS).with_client(CLIENT).reported(CLIENT);
        pool.ask(CLIENT, 2);
        let lease = pool.admit(HOST);
        pool.reports_up(CLIENT, lease);
        // One shares the block or the payout account of the first, the other nothing.
        let of_the_same_account = ConnectRequest { host: host(HOST, SLOTS).host, ..host(SECOND_HOST, SLOTS) };
        if same_block {
            pool.connect_from(SECOND_HOST, host(SECOND_HOST, SLOTS), address(HOST)).unwrap();
        } else {
            pool.connect(SECOND_HOST, of_the_same_account).unwrap();
        }
        pool.connect(THIRD_HOST, host(THIRD_HOST, SLOTS)).unwrap();
        pool.pass(1_000);
        assert_eq!(pool.asked([SECOND_HOST, THIRD_HOST]), Some(THIRD_HOST), "{same_block}");
    }
}

#[test]
fn when_slots_are_scarce_only_clients_without_one_get_one() {
    let mut pool = Pool::new().with_host(HOST, 3);
    for agent in [CLIENT, SECOND_CLIENT, THIRD_CLIENT] {
        pool.join(agent, client(agent));
        pool.ask(agent, 2);
        let lease = pool.admit(HOST);
        pool.reports_up(agent, lease);
        assert_eq!(pool.last_ask(agent).unwrap().missing, 1);
    }
    let without_a_host = pool.newcomer();
    pool.connect(without_a_host, client(without_a_host)).unwrap();
    pool.ask(without_a_host, 2);
    // Two slots for four clients: the one that has none gets one, the rest stay free.
    pool.connect(SECOND_HOST, host(SECOND_HOST, 2)).unwrap();
    pool.handle(Command::Tick);
    let (call, admit) = pool.take_admit_call(SECOND_HOST).unwrap();
    pool.done(call, CallOutcome::Done);
    assert_eq!(admit.client, node(without_a_host));
    pool.pass(5_000);
    assert_eq!(pool.asked([SECOND_HOST]), None, "one slot left, and four want a second");
    pool.ask(CLIENT, 2);
    assert!(pool.why(CLIENT).contains("only 1 slot is free"), "{}", pool.why(CLIENT));
    let why = pool.explain(CLIENT).unwrap().reason.unwrap();
    assert!(why.ends_with("free slots are kept for clients that have no host"), "{why}");
    // Four more slots: now there is enough for everybody.
    pool.connect(THIRD_HOST, host(THIRD_HOST, 4)).unwrap();
    pool.pass(2_000);
    assert!(pool.asked([SECOND_HOST, THIRD_HOST]).is_some());
}

#[test]
fn d48_a_thousand_clients_at_once_are_all_served() {
    let mut pool = Pool::with(Limits { same_address_ms: 0, ..Limits::default() });
    for agent in other_hosts(10) {
        pool.connect(agent, host(agent, 100)).unwrap();
    }
    let clients = 1_000..2_000;
    let mut core_calls = 0;
    for agent in clients.clone() {
        // Each is of another network: so many of one would wait for each other's offers.
        let [a, b] = [agent % 50 + 20, agent / 50].map(|part| u8::try_from(part).unwrap());
        pool.connect_from(agent, client(agent), [a, b, 1, 1].into()).unwrap();
        let effects = pool.ask(agent, 1);
        core_calls += effects.iter().filter(|effect| matches!(effect, Effect::Call { .. })).count();
    }
    assert_eq!(core_calls, 1000, "each has a host asked at once");
    for (_, call, _) in std::mem::take(&mut pool.calls) {
        pool.done(call, CallOutcome::Done);
    }
    let served = clients.filter(|&agent| pool.last_ask(agent).is_some_and(|reply| reply.missing == 0));
    assert_eq!(served.count(), 1000);
    assert_eq!(pool.core.gauges().free_slots, 0);
}

#[test]
fn two_that_host_each_other_are_the_last_choice() {
    let [first, second, third] = [HOST, SECOND_HOST, THIRD_HOST];
    let mut pool =
        Pool::new().with_agent(first, both_roles(first, SLOTS)).with_agent(second, both_roles(second, SLOTS));
    pool.ask(first, 1);
    pool.admit(second);
    pool.connect(third, both_roles(third, SLOTS)).unwrap();
    pool.ask(second, 1);
    assert_eq!(pool.asked([first, third]), Some(third));
}
