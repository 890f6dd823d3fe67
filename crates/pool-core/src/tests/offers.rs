//! Offers that are not paired: how many an address block may hold, how long they last, and whose reports count.

use std::{net::IpAddr, ops::Range};

use vipnode_types::{
    NodeId,
    wire::{EvictReason, LeaveReason, PairFault},
};

use super::{
    pool::{Pool, START, address, agent_key, chain, client, host, node},
    scenario::{CLIENT, FURTHER, HOST, OTHER_SUBNET, SECOND_HOST, SLOTS, other_clients, other_hosts},
};
use crate::{CallOutcome, Command, Credentials, Limits, NodeRow, PoolCall, Proven, Row, Signer};

/// The row of a client that is proven.
pub(super) fn known_row(agent: u32) -> NodeRow {
    NodeRow {
        id: node(agent),
        credentials: Credentials::new(Signer::Agent { key: agent_key(), protocol2: false }),
        seen: START,
        chain: chain(1),
        enode: None,
        payout: None,
        host: false,
        client: true,
        replaced: false,
        block: None,
        trial_used_ms: 0,
        proven: Proven::Yes,
    }
}

/// A pool that knows these nodes as proven.
pub(super) fn knowing(limits: Limits, proven: impl IntoIterator<Item = u32>) -> Pool {
    let mut pool = Pool::exactly(limits.clone());
    pool.rows = proven.into_iter().map(|agent| Row::Node(Box::new(known_row(agent)))).collect();
    pool.restart(limits);
    // After the reconnect window.
    pool.pass(700_000);
    pool
}

/// An address of the agent in this /24 of the wide block that [`address`] begins with.
fn in_block(block: u32, agent: u32) -> IpAddr {
    [20, 0, u8::try_from(block).unwrap(), u8::try_from(agent).unwrap()].into()
}

/// Addresses of one block.
fn neighbor(agent: u32) -> IpAddr {
    in_block(200, agent)
}

/// Each host admits every client that it is asked to admit.
fn admit_all(pool: &mut Pool) {
    while let Some(at) = pool.calls.iter().position(|(_, _, call)| matches!(call, PoolCall::Admit(_))) {
        let (_, call, _) = pool.calls.remove(at);
        pool.done(call, CallOutcome::Done);
    }
}

/// An address of the agent in a wide block with this number, which no other agent here is in.
fn in_wide_block(wide: u32, agent: u32) -> IpAddr {
    [40 + u8::try_from(wide).unwrap(), 0, u8::try_from(agent).unwrap(), 1].into()
}

/// An address of the agent in a /48 of its own, in one /32.
fn in_one_32(agent: u32) -> IpAddr {
    format!("2a00:77:{agent:x}::1").parse().unwrap()
}

/// Clients in two wide blocks are connected with all slots of these hosts at once, and leave.
pub(super) fn used_before(pool: &mut Pool, hosts: Range<u32>, slots: u32) {
    for host in hosts.clone() {
        let clients = 300..300 + slots;
        let leases: Vec<_> = clients
            .clone()
            .map(|agent| {
                let address = [
                    if agent % 2 == 0 { 30 } else { 31 },
                    u8::try_from(host).unwrap(),
                    0,
                    u8::try_from(agent - 299).unwrap(),
                ];
                pool.connect_from(agent, client(agent), address.into()).unwrap();
                pool.full(agent, &[]);
                let all_others: Vec<_> = hosts.clone().filter(|other| *other != host).map(node).collect();
                pool.ask_avoiding(agent, 1, all_others);
                let lease = pool.admit(host);
                pool.reports_up(host, lease);
                pool.reports_up(agent, lease);
                lease
            })
            .collect();
        for (agent, lease) in clients.zip(leases) {
            pool.ask(agent, 0);
            pool.leave(agent, lease, LeaveReason::Surplus);
            pool.evicted(host).unwrap();
            pool.disconnect(agent);
        }
    }
}

/// The attack: free ids of one /24 hold every slot without ever connecting. If hosts only claim the slots, that is a
/// stranger's word too.
#[test]
fn never_proven_ids_of_a_block_hold_a_third_of_the_slots_that_were_used_and_of_a_wide_block_half() {
    for (used, [of_block, of_wide_block]) in [(10, [40, 60]), (0, [8, 16])] {
        let mut pool = Pool::new();
        for agent in other_hosts(12) {
            pool.connect(agent, host(agent, 10)).unwrap();
            pool.full(agent, &[]);
        }
        used_before(&mut pool, other_hosts(12), used);
        never_proven_ids_hold(&mut pool, &[], of_block, of_wide_block);
    }
}

/// The attack: a stranger's hosts in three networks, used by clients of the same owner, have many free slots. The stranger's IDs avoid these hosts.
#[test]
fn hosts_that_a_stranger_used_himself_give_him_no_share_of_the_slots_of_others() {
    let (mut pool, strangers) = (Pool::new(), 150..153);
    for agent in strangers.clone() {
        pool.connect_from(agent, host(agent, 60), in_wide_block(agent, agent)).unwrap();
        pool.full(agent, &[]);
    }
    used_before(&mut pool, strangers.clone(), 60);
    for agent in strangers.clone() {
        pool.disconnect(agent);
    }
    for agent in other_hosts(12) {
        pool.connect(agent, host(agent, 10)).unwrap();
        pool.full(agent, &[]);
    }
    used_before(&mut pool, other_hosts(12), 10);
    for agent in strangers.clone() {
        pool.connect_from(agent, host(agent, 60), in_wide_block(agent, agent)).unwrap();
        pool.full(agent, &[]);
    }
    assert_eq!(pool.core.gauges().free_slots, 300);
    let avoided: Vec<_> = strangers.map(node).collect();
    never_proven_ids_hold(&mut pool, &avoided, 40, 60);
}

/// The attack: the operator of a host has clients next to it use its slots, and those of one other network.
#[test]
fn clients_next_to_a_host_make_it_no_known_one() {
    let mut pool = Pool::new().with_host(HOST, 10).reported(HOST);
    pool.join(CLIENT, client(CLIENT));
    pool.lease_between(HOST, CLIENT);
    let index = pool.core.agents.find(&node(HOST)).unwrap();
    let known = |pool: &Pool| {
        let (matching, context) = (&pool.core.matching, pool.core.context());
        (matching.has_served(index, context), matching.shown_slots(index, context))
    };
    assert_eq!(known(&pool), (false, 0));
    for agent in [OTHER_SUBNET, FURTHER] {
        pool.join(agent, client(agent));
        pool.lease_between(HOST, agent);
        assert_eq!(known(&pool), (true, 0), "all of its used slots are taken");
    }
    pool.bye(OTHER_SUBNET);
    pool.evicted(HOST).unwrap();
    assert_eq!(known(&pool), (true, 1), "clients of two other networks used it");
}

fn never_proven_ids_hold(pool: &mut Pool, avoid: &[NodeId], of_block: u64, of_wide_block: u64) {
    let mut asks = |agents: Range<u32>, from: fn(u32) -> IpAddr, want: u32| {
        for agent in agents {
            pool.connect_from(agent, client(agent), from(agent)).unwrap();
            for _ in 0..13 {
                pool.ask_avoiding(agent, want, avoid.to_vec());
                admit_all(pool);
            }
        }
        pool.core.gauges().pending_offers
    };
    let (neighbors, in_the_wide_block, in_other_networks) = (10..20, 20..70, 70..80);
    assert_eq!(asks(neighbors, neighbor, 64), of_block, "of 120");
    assert_eq!(asks(in_the_wide_block, address, 64), of_wide_block, "the whole of 20.0.0.0/16");
    let own_network = |agent| [u8::try_from(agent).unwrap(), 0, 0, 1].into();
    assert_eq!(asks(in_other_networks, own_network, 1), of_wide_block + 10, "each other network has its host");
}

#[test]
fn ten_free_ids_of_a_block_leave_slots_to_others_for_fifty_seconds() {
    let mut pool = Pool::new();
    for agent in other_hosts(12) {
        pool.connect(agent, host(agent, 10)).unwrap();
    }
    let free_ids = 10..20;
    for agent in free_ids.clone() {
        pool.connect_from(agent, client(agent), neighbor(agent)).unwrap();
    }
    for second in 0..50 {
        for agent in free_ids.clone() {
            pool.ask(agent, 64);
            admit_all(&mut pool);
        }
        let of_block = pool.core.gauges().pending_offers;
        assert!(of_block <= 40, "{second} s: they hold {of_block} of 120 slots");
        if second % 5 == 0 {
            let honest = 70 + second / 5;
            let own_network = [u8::try_from(100 + second).unwrap(), 0, 0, 1].into();
            pool.connect_from(honest, client(honest), own_network).unwrap();
            pool.ask(honest, 1);
            admit_all(&mut pool);
            assert_eq!(pool.last_ask(honest).unwrap().missing, 0, "{second} s");
            pool.bye(honest);
        }
        while let Some(at) = pool.calls.iter().position(|(_, _, call)| matches!(call, PoolCall::Evict(_))) {
            let (_, call, _) = pool.calls.remove(at);
            pool.done(call, CallOutcome::Done);
        }
        pool.pass(1_000);
    }
}

/// Each of these clients and the hosts that admitted it report each other.
fn pair_all(pool: &mut Pool, hosts: Range<u32>, clients: Range<u32>) {
    for agent in clients {
        let index = pool.core.agents.find(&node(agent)).unwrap();
        let offered = pool.core.leases.of_client(index).filter(|(_, lease)| !lease.is_running());
        let offered: Vec<_> = offered.map(|(_, lease)| (lease.id(), lease.host())).collect();
        for (lease, of) in offered {
            let id = pool.core.agents.id(of);
            let host = hosts.clone().find(|host| Some(node(*host)) == id).unwrap();
            pool.reports_up(host, lease);
            pool.reports_up(agent, lease);
        }
    }
}

/// A crowd behind one block, in a pool where nobody is proven yet: its clients have hosts one after the other, as fast as they
/// connect, and not in steps of 5 s.
#[test]
fn sixty_clients_of_one_block_have_hosts_within_seconds_in_a_new_pool() {
    let (mut pool, hosts, clients) = (Pool::new(), other_hosts(4), 10..70);
    for agent in hosts.clone() {
        pool.join(agent, host(agent, 20));
    }
    for agent in clients.clone() {
        pool.connect_from(agent, client(agent), neighbor(agent)).unwrap();
        pool.full(agent, &[]);
        pool.ask(agent, 1);
    }
    let running = |pool: &Pool| pool.core.leases.iter().filter(|(_, lease)| lease.is_running()).count();
    for _ in 0..30 {
        admit_all(&mut pool);
        pair_all(&mut pool, hosts.clone(), clients.clone());
        assert!(pool.core.gauges().pending_offers <= 8);
        pool.pass(100);
    }
    assert_eq!(running(&pool), 60);
}

#[test]
fn proven_nodes_and_members_have_no_share() {
    let mut pool = knowing(Limits::default(), other_clients(3));
    for agent in [HOST, SECOND_HOST] {
        pool.connect(agent, host(agent, 10)).unwrap();
    }
    for agent in other_clients(3) {
        pool.connect_from(agent, client(agent), neighbor(agent)).unwrap();
        for _ in 0..2 {
            pool.ask(agent, 2);
            admit_all(&mut pool);
        }
    }
    assert_eq!(pool.core.gauges().pending_offers, 6);
    for closed in [false, true] {
        let mut pool =
            Pool::with(Limits { members_only: closed, offers_minimum: 1, ..Limits::default() }).with_host(HOST, 6);
        for agent in other_clients(6) {
            pool.connect_from(agent, client(agent), neighbor(agent)).unwrap();
            pool.ask(agent, 1);
        }
        assert_eq!(pool.core.gauges().pending_offers, if closed { 6 } else { 2 });
    }
}

/// A client at this address gets the only host and never connects.
fn in_vain(pool: &mut Pool, agent: u32, address: IpAddr) {
    pool.connect_from(agent, client(agent), address).unwrap();
    pool.ask(agent, 1);
    assert!(
        pool.calls.iter().any(|(_, _, call)| matches!(call, PoolCall::Admit(_))),
        "{agent}: {:?}",
        pool.last_ask(agent)
    );
    pool.admit(HOST);
    pool.ask(agent, 0);
    pool.pass(15_000);
    pool.evicted(HOST).unwrap();
    pool.disconnect(agent);
}

/// Whether the host ranks lower because clients could not connect to it.
fn struck(pool: &mut Pool) -> bool {
    let asker = pool.newcomer();
    pool.connect(asker, client(asker)).unwrap();
    pool.ask(asker, 1);
    let lease = pool.admit(HOST);
    let strikes = pool.explain(asker).unwrap().hosts[0].selection.unwrap().score.strikes;
    pool.ask(asker, 0);
    pool.leave(asker, lease, LeaveReason::Surplus);
    pool.evicted(HOST).unwrap();
    strikes < 0
}

#[test]
fn only_proven_clients_of_three_wide_blocks_together_rest_a_silent_host_and_rank_it_down() {
    let strangers = other_clients(10);
    let proven = [20, 21, 22, 23, 24];
    let [first, second, neighbor_of_second, third, fourth] = proven;
    let at = [(first, 1), (second, 2), (neighbor_of_second, 2), (third, 3), (fourth, 4)];
    let [first_at, second_at, neighbor_at, third_at, fourth_at] = at.map(|(agent, wide)| in_wide_block(wide, agent));
    let mut pool =
        knowing(Limits { strike_reporters: 3, ..Limits::default() }, proven).with_host(HOST, SLOTS).reported(HOST);
    for agent in strangers {
        in_vain(&mut pool, agent, in_wide_block(agent, agent));
        pool.beat(HOST);
    }
    assert!(!struck(&mut pool), "ten strangers of ten wide blocks");
    in_vain(&mut pool, first, first_at);
    in_vain(&mut pool, second, second_at);
    in_vain(&mut pool, neighbor_of_second, neighbor_at);
    pool.beat(HOST);
    assert!(!struck(&mut pool), "two wide blocks");
    in_vain(&mut pool, third, third_at);
    rests_for(&mut pool, 2_000);
    assert!(struck(&mut pool));
    pool.pass(same_pair_ms(&pool));
    in_vain(&mut pool, third, third_at);
    assert!(struck(&mut pool), "the third wide block counted before");
    in_vain(&mut pool, fourth, fourth_at);
    rests_for(&mut pool, 4_000);
    // A proven client that does connect lifts that.
    pool.join(first, client(first));
    pool.lease_between(HOST, first);
    assert!(!struck(&mut pool));
}

/// The attack: ids of one provider that are proven, each in an address block of its own.
#[test]
fn proven_clients_in_many_blocks_of_one_wide_block_rest_no_host() {
    let blocks: [fn(u32) -> IpAddr; 2] = [|agent| in_block(agent, agent), in_one_32];
    for at in blocks {
        let proven = 20..28;
        let mut pool = knowing(Limits::default(), proven.clone()).with_host(HOST, SLOTS).reported(HOST);
        for agent in proven {
            in_vain(&mut pool, agent, at(agent));
            pool.beat(HOST);
            assert_eq!(pool.core.gauges().free_slots, u64::from(SLOTS), "{agent}");
        }
        assert!(!struck(&mut pool));
    }
}

/// How long a pair that did not connect is kept apart.
const fn same_pair_ms(pool: &Pool) -> u64 {
    pool.core.limits.same_address_ms
}

/// The host gets no offer for so long from now on.
fn rests_for(pool: &mut Pool, ms: u64) {
    pool.beat(HOST);
    assert_eq!(pool.core.gauges().free_slots, 0);
    pool.pass(ms - 10);
    assert_eq!(pool.core.gauges().free_slots, 0);
    pool.pass(20);
    assert_eq!(pool.core.gauges().free_slots, u64::from(SLOTS));
}

#[test]
fn a_host_that_sees_its_client_is_not_silent() {
    let proven = [20, 21, 22];
    let mut pool = knowing(Limits::default(), proven).with_host(HOST, SLOTS).reported(HOST);
    for agent in proven {
        pool.connect_from(agent, client(agent), in_block(agent, agent)).unwrap();
        pool.ask(agent, 1);
        let lease = pool.admit(HOST);
        pool.reports_up(HOST, lease);
        pool.ask(agent, 0);
        pool.pass(15_000);
        pool.evicted(HOST).unwrap();
        pool.reports_down(HOST, lease);
    }
    assert_eq!(pool.core.gauges().free_slots, u64::from(SLOTS));
    assert!(!struck(&mut pool));
}

#[test]
fn in_a_closed_pool_any_member_rests_a_silent_host_once() {
    let [first, second] = [20, 21];
    let mut pool = Pool::with(Limits { members_only: true, ..Limits::default() }).with_host(HOST, SLOTS).reported(HOST);
    in_vain(&mut pool, first, in_block(1, first));
    rests_for(&mut pool, 2_000);
    // A member that cannot dial anybody does it no further harm.
    pool.pass(same_pair_ms(&pool));
    in_vain(&mut pool, first, in_block(1, first));
    assert_eq!(pool.core.gauges().free_slots, u64::from(SLOTS));
    in_vain(&mut pool, second, in_block(1, second));
    rests_for(&mut pool, 4_000);
    assert!(struck(&mut pool));
    pool.pass(same_pair_ms(&pool));
    pool.beat(HOST);
    pool.join(first, client(first));
    pool.lease_between(HOST, first);
    assert!(!struck(&mut pool), "a member is connected");
}

#[test]
fn a_restored_offer_counts_once_its_client_is_back() {
    let (mut pool, _) = Pool::new().offered();
    pool.restart(Limits::default());
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    assert_eq!(pool.core.gauges().pending_offers, 1);
    pool.handle(Command::Tick);
}

/// A host's agent does not know which of its addresses a client was given.
#[test]
fn a_host_learns_from_the_pool_that_its_client_was_given_a_loopback_address() {
    let here = IpAddr::from([127, 0, 0, 1]);
    for (at, fault) in [([here; 2], Some(PairFault::Loopback)), ([address(HOST), address(CLIENT)], None)] {
        let mut pool = Pool::new();
        pool.connect_from(HOST, host(HOST, SLOTS), at[0]).unwrap();
        pool.connect_from(CLIENT, client(CLIENT), at[1]).unwrap();
        for agent in [HOST, CLIENT] {
            pool.full(agent, &[]);
        }
        pool.ask(CLIENT, 1);
        pool.admit(HOST);
        pool.pass(16_000);
        let evict = pool.take_evict(HOST).unwrap();
        assert_eq!((evict.reason, evict.fault), (EvictReason::NotConnected, fault));
        assert_eq!(pool.take_evict(CLIENT).unwrap().fault, None);
    }
}
