//! Bugs in the pool's core that the simulator found, each with the seed that found it.

use super::{super::scenario::both_roles, *};

/// The peers that the agent is to drop, which it learns from an update with these peers.
fn dropped(pool: &mut Pool, agent: u32, seen: &[u32]) -> Vec<String> {
    pool.update2(agent, seen).invalid_peers
}

/// Seed 767. The client's node was offline for longer than an interval while the pool was down, which no update can express.
#[test]
fn what_no_update_covers_is_bridged_for_one_interval_only() {
    let mut pool = Pool::priced().leased2();
    beat2(&mut pool, 60_000);
    pool.pass(119_000);
    pool.update2(HOST, &[CLIENT]);
    pool.update2(CLIENT, &[HOST]);
    assert_eq!(pool.metered().len(), 0, "bridged");
    pool.pass(120_000);
    for (agent, hello, peer) in [(HOST, full_node(), CLIENT), (CLIENT, light_node(), HOST)] {
        pool.connect2(agent, hello);
        pool.update2(agent, &[peer]);
    }
    assert_eq!(pool.core.gauges().leases, 1, "the lease goes on");
    beat2(&mut pool, 60_000);
    pool.update2(CLIENT, &[]);
    let billed: Vec<u64> = pool.billed_ms().into_iter().filter(|ms| *ms > 0).collect();
    assert_eq!((billed, pool.core.gauges().leases), (vec![60_000 + 119_000, 60_000], 0));
}

/// Seed 52151. The same for a shorter time if the agent reconnected: with a host that lies, the client would pay for
/// the whole gap.
#[test]
fn what_lies_between_two_sockets_is_bridged_for_less() {
    for (offline, rows) in [(70_000, 0), (70_001, 1)] {
        let mut pool = Pool::priced().leased2();
        beat2(&mut pool, 60_000);
        pool.pass(offline);
        pool.connect2(CLIENT, light_node());
        pool.update2(CLIENT, &[HOST]);
        assert_eq!(pool.metered().len(), rows, "{offline}");
    }
}

/// Seed 1767. A host that refuses an offer must not make the pool forget the peers to drop.
#[test]
fn a_refused_slot_does_not_cancel_an_eviction() {
    let mut pool = Pool::with(Limits { same_address_ms: 0, ..Limits::default() }).leased2();
    pool.update2(CLIENT, &[]);
    assert_eq!(dropped(&mut pool, HOST, &[CLIENT]), [node(CLIENT).to_string()]);
    pool.ask2(CLIENT, 1);
    let (call, _) = pool.whitelisted(HOST).expect("a whitelist call");
    assert!(dropped(&mut pool, HOST, &[CLIENT]).is_empty(), "while it is asked to let it in");
    pool.done(call, CallOutcome::Refused(WireError::busy("full".to_owned(), 1_000)));
    assert_eq!(dropped(&mut pool, HOST, &[CLIENT]), [node(CLIENT).to_string()]);
    assert!(dropped(&mut pool, HOST, &[]).is_empty());
}

/// Fault D9 (docs/faults.md): nonces, and the peers that a node has yet to drop, are kept while it speaks the other protocol.
#[test]
fn d9_a_turn_of_protocol_3_forgets_neither_nonces_nor_evictions() {
    let mut pool = Pool::new().leased2();
    pool.update2(CLIENT, &[]);
    let captured = pool.nonce();
    let connect = || Call::Connect(Box::new(full_node()));
    assert!(pool.call2_at(HOST, captured, connect()).unwrap().is_ok());
    pool.connect(HOST, on_mainnet(ConnectRequest { allow_protocol2: true, ..host(HOST, SLOTS) })).unwrap();
    let error = pool.call2_at(HOST, captured, connect()).unwrap().unwrap_err();
    assert!(error.message.contains("nonce"), "{error:?}");
    pool.restart(Limits::default());
    pool.now = pool.now.plus(1_000);
    pool.connect2(HOST, full_node());
    assert_eq!(dropped(&mut pool, HOST, &[CLIENT]), [node(CLIENT).to_string()]);
}

/// Seed 1630. The answer to an ask that still waits for a host comes before the one to the bye behind it.
#[test]
fn a_bye_leaves_no_ask_without_an_answer() {
    let mut pool = Pool::new().paired();
    pool.ask(CLIENT, 1);
    assert_eq!(pool.last_ask(CLIENT), None, "the host is asked first");
    pool.handle(Command::Bye { connection: pool.connection(CLIENT), request: 5 });
    assert_eq!(pool.last_ask(CLIENT).map(|ask| ask.hosts), Some(vec![]));
    assert!(matches!(pool.replies.last(), Some((_, Ok(Reply::Done(_))))));
}

/// Two nodes, each a host and a client, of which the second has a lease on the first.
fn pair_of_both(limits: Limits) -> Pool {
    let mut pool = Pool::with(limits);
    for agent in [HOST, CLIENT] {
        pool.connect2(agent, full_node());
        pool.update2(agent, &[]);
    }
    pool.ask2(CLIENT, 1);
    pool.allow(HOST);
    pool.update2(HOST, &[CLIENT]);
    pool.update2(CLIENT, &[HOST]);
    pool
}

/// Seeds 418 and 963. An update names a peer and not the role: one lease would keep the other alive.
#[test]
fn a_pair_gets_no_leases_both_ways_over_protocol_2() {
    let mut pool = pair_of_both(Limits::default());
    pool.ask2(HOST, 1);
    assert_eq!(pool.whitelisted(CLIENT), None);
    assert_eq!((pool.given2(HOST), pool.core.gauges().leases), (vec![], 1));
    // Agents of protocol 3 name their leases.
    let mut pool = Pool::new();
    for agent in [HOST, CLIENT] {
        pool.join(agent, both_roles(agent, SLOTS));
    }
    for (client, host) in [(CLIENT, HOST), (HOST, CLIENT)] {
        pool.ask(client, 1);
        pool.admit(host);
    }
    assert_eq!(pool.core.gauges().leases, 2);
}

/// The same for one that is over, while a node has yet to drop its peer.
#[test]
fn a_pair_gets_no_lease_the_other_way_before_the_old_one_is_dropped() {
    let mut pool = pair_of_both(Limits { same_address_ms: 0, ..Limits::default() });
    pool.ask2(HOST, 1);
    pool.update2(CLIENT, &[]);
    assert_eq!(pool.core.gauges().leases, 0);
    pool.ask2(HOST, 1);
    assert_eq!(pool.whitelisted(CLIENT), None);
    assert_eq!(dropped(&mut pool, HOST, &[CLIENT]), [node(CLIENT).to_string()]);
    assert!(dropped(&mut pool, HOST, &[]).is_empty());
    pool.ask2(HOST, 1);
    assert!(pool.whitelisted(CLIENT).is_some(), "now it is dropped");
}
