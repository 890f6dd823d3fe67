//! Free ids that connect and leave, and what the pool remembers of them.

use std::net::IpAddr;

use vipnode_types::{
    Delegation, Ms,
    wire::{ConnectReply, ConnectRequest, ErrorCode, LeaveReason, WireError},
};

use super::{
    pool::{Pool, START, address, agent_key, chain, client, host, node},
    scenario::{CLIENT, HOST, HOUR_MS, MINUTE_MS, OTHER_SUBNET, SECOND_CLIENT, SECOND_HOST, SLOTS, list},
};
use crate::{AddressBlock, Command, ConnectionId, Core, Effect, Identity, Limits, Row, RowKey};

/// The nonce window.
const REMEMBERED_MS: u64 = 20 * MINUTE_MS;

/// An address of the block that floods.
fn flooder(agent: u32) -> IpAddr {
    let [.., low] = agent.to_be_bytes();
    IpAddr::from([66, 6, 6, low])
}

/// A core under a flood, without the checks of [`Pool`], which walk everything.
struct Flood {
    core: Core,
    now: Ms,
    refused: u32,
}

impl Flood {
    fn command(&mut self, command: Command) {
        let mut out = Vec::new();
        self.core.handle(self.now, command, &mut out);
        let refused = |effect: &Effect| matches!(effect, Effect::Reply { reply: Err(_), .. });
        self.refused += u32::from(out.iter().any(refused));
    }

    /// So many new ids connect from one address block, each after the one before has left.
    fn ids(&mut self, ids: std::ops::Range<u32>) {
        for agent in ids {
            let identity = Identity { node: node(agent), agent: agent_key(), issued: START };
            let connection = ConnectionId { gateway: 0, connection: 1, generation: agent };
            let hello = Box::new(ConnectRequest { chain: chain((agent % 1_000).into()), ..client(agent) });
            let (address, request, callable) = (flooder(agent), 0, true);
            self.command(Command::Connect { connection, request, identity, address, callable, hello });
            self.command(Command::Disconnected { connection });
        }
    }

    fn pass(&mut self, ms: u64) {
        let end = self.now.plus(ms);
        while self.now < end {
            self.now = self.now.plus(1_000);
            self.command(Command::Tick);
            while self.core.next_wake().is_some_and(|wake| wake <= self.now) {
                self.command(Command::Tick);
            }
        }
    }
}

/// What the tables of nodes take.
fn bytes(core: &Core) -> usize {
    let of_nodes = core.matching.node_heap_bytes() + core.leases.node_heap_bytes();
    core.agents.heap_bytes() + core.agents.shared_heap_bytes() + of_nodes + core.metering.heap_bytes()
}

impl Pool {
    /// A new id connects, pairs with a host for so long, and leaves. Returns false if it is refused.
    fn pairs_for(&mut self, ms: u64, agent: u32, with: u32, at: IpAddr) -> bool {
        if self.connect_from(agent, client(agent), at).is_err() {
            return false;
        }
        self.full(agent, &[]);
        self.serves_for(ms, with, agent);
        self.disconnect(agent);
        true
    }

    /// A host serves a client for so long, which then leaves.
    fn serves_for(&mut self, ms: u64, host: u32, agent: u32) {
        let lease = self.lease_between(host, agent);
        self.pass(ms);
        self.beat(host);
        self.leave(agent, lease, LeaveReason::Surplus);
        self.evicted(host).unwrap();
        self.reports_down(host, lease);
    }

    fn knows(&self, agent: u32) -> bool {
        self.core.agents.known(&node(agent)).is_some()
    }
}

#[test]
fn a_second_flood_of_free_ids_adds_nothing_to_the_tables() {
    let mut flood = Flood { core: Core::new(Limits::default(), [1; 32], START), now: START, refused: 0 };
    flood.ids(0..100_000);
    let (before, nodes) = (bytes(&flood.core), flood.core.gauges().nodes);
    assert!(nodes <= u64::from(Limits::default().never_paired_nodes / 3) + 1, "{nodes}: a block has a third");
    assert_eq!(u64::from(flood.refused), 100_000 - nodes);
    flood.ids(100_000..110_000);
    assert_eq!(flood.core.gauges().nodes, nodes, "the others are refused at once");
    flood.pass(REMEMBERED_MS + 2 * MINUTE_MS);
    assert_eq!((flood.core.gauges().nodes, flood.core.gauges().deadlines), (0, 0));
    flood.ids(200_000..300_000);
    let again = bytes(&flood.core);
    assert_eq!(flood.core.gauges().nodes, nodes);
    assert!(again < before + before / 10, "{again} bytes after {before}");
    assert_eq!(flood.core.check(), Ok(()));
}

/// The attack: each id pairs for a moment with a host of the stranger's own, and would be remembered for thirty days.
#[test]
fn ids_that_pair_for_a_moment_nearby_are_forgotten_as_soon_as_others() {
    let neighbors = |agent: u32| IpAddr::from([0x2001, 0xdb8, u16::try_from(agent % 60_000).unwrap(), 0, 0, 0, 0, 1]);
    let places: [(&dyn Fn(u32) -> IpAddr, u64); 2] = [(&flooder, 400), (&neighbors, 600)];
    for (place, share) in places {
        let limits = Limits { never_paired_nodes: 1_200, same_address_ms: 0, ..Limits::default() };
        let mut pool = Pool::with(limits);
        let flood = |pool: &mut Pool, ids: std::ops::Range<u32>| {
            pool.connect_from(HOST, host(HOST, 1_000), place(HOST)).unwrap();
            pool.full(HOST, &[]);
            let paired = ids.filter(|&agent| pool.pairs_for(1, agent, HOST, place(agent))).count();
            assert!(paired >= 390);
            pool.disconnect(HOST);
        };
        flood(&mut pool, 1_000..2_000);
        let (before, nodes) = (bytes(&pool.core), pool.core.gauges().nodes);
        assert!(nodes <= share, "{nodes}: they have the share of never-paired nodes");
        pool.pass(REMEMBERED_MS + 2 * MINUTE_MS);
        assert_eq!(pool.core.gauges().nodes, 0);
        flood(&mut pool, 3_000..4_000);
        let again = bytes(&pool.core);
        assert_eq!(pool.core.gauges().nodes, nodes);
        assert!(again < before + before / 10, "{again} bytes after {before}");
    }
}

#[test]
fn a_node_is_remembered_for_long_once_it_was_paired_elsewhere_for_some_time() {
    let limits = || Limits { paired_ms: 30_000, silence_ms: 10 * MINUTE_MS, ..Limits::default() };
    for (times, kept) in [(vec![29_999], false), (vec![15_000, 14_000], false), (vec![15_000, 15_000], true)] {
        let mut pool = Pool::with(limits());
        pool.join(HOST, host(HOST, SLOTS));
        pool.join(CLIENT, client(CLIENT));
        pool.join(OTHER_SUBNET, client(OTHER_SUBNET));
        pool.serves_for(5 * MINUTE_MS, HOST, CLIENT);
        for ms in times {
            pool.serves_for(ms, HOST, OTHER_SUBNET);
            pool.pass_with(MINUTE_MS, &[HOST]);
        }
        [HOST, CLIENT, OTHER_SUBNET].into_iter().for_each(|agent| pool.disconnect(agent));
        for restarted in [false, true] {
            if restarted {
                pool.restart(limits());
            }
            pool.pass(REMEMBERED_MS + 2 * MINUTE_MS);
            assert_eq!([HOST, OTHER_SUBNET].map(|agent| pool.knows(agent)), [kept; 2], "{restarted}");
            assert!(!pool.knows(CLIENT), "within its wide block");
        }
    }
}

#[test]
fn a_flood_from_one_block_keeps_no_honest_newcomer_off_a_new_chain() {
    let limits = Limits { chains: 90, versions: 90, profiles: 90, ..Limits::default() };
    let mut pool = Pool::with(limits);
    let own = |agent: u32| ConnectRequest {
        chain: chain(agent.into()),
        client_version: format!("Flood/v{agent}"),
        capabilities: list(&format!("flood/{agent}")),
        ..client(agent)
    };
    let flood = 1_000..1_200;
    let mut accepted = 0;
    for agent in flood.clone() {
        match pool.connect_from(agent, own(agent), flooder(agent)) {
            Ok(_) => accepted += 1,
            Err(error) => assert!(error.is(ErrorCode::Busy), "{error:?}"),
        }
    }
    assert_eq!(accepted, 30, "a block that is alone has a third");
    pool.connect(CLIENT, own(CLIENT)).unwrap();
    let honest = pool.core.agents.known(&node(CLIENT)).unwrap();
    assert_eq!(pool.core.agents.version(honest), Some("Flood/v2"));
    assert!(pool.core.agents.profile(honest).is_some());
    // A chain counts only while a node is connected on it.
    for agent in flood {
        pool.disconnect(agent);
    }
    for agent in 1_100..1_130 {
        pool.connect_from(agent, own(agent), flooder(agent)).unwrap();
    }
    assert_eq!(pool.core.check(), Ok(()));
}

#[test]
fn a_full_table_forgets_nobody_for_a_newcomer() {
    let mut pool = Pool::with(Limits { never_paired_nodes: 8, ..Limits::default() });
    let mut known = Vec::new();
    for agent in 0..20 {
        if pool.connect_from(agent, client(agent), flooder(agent)).is_ok() {
            known.push(agent);
            pool.disconnect(agent);
        }
    }
    assert_eq!(known, [0, 1, 2, 3], "their nonces have to be known");
    assert!(known.iter().all(|agent| pool.knows(*agent)));
    let honest = pool.newcomer();
    pool.connect(honest, client(honest)).unwrap();
    for &agent in &known {
        pool.connect_from(agent, client(agent), flooder(agent)).unwrap();
    }
    let closed = Limits { never_paired_nodes: 8, members_only: true, ..Limits::default() };
    let mut pool = Pool::with(closed);
    for agent in 0..20 {
        pool.connect_from(agent, client(agent), flooder(agent)).unwrap();
    }
}

#[test]
fn a_node_that_was_never_paired_is_forgotten_when_its_nonces_are_too_old() {
    let mut pool = Pool::priced();
    pool.join(HOST, host(HOST, SLOTS));
    pool.join(OTHER_SUBNET, client(OTHER_SUBNET));
    pool.lease_between(HOST, OTHER_SUBNET);
    pool.pass_with(2 * MINUTE_MS, &[HOST, OTHER_SUBNET]);
    pool.connect(SECOND_CLIENT, client(SECOND_CLIENT)).unwrap();
    pool.join(SECOND_HOST, host(SECOND_HOST, 2));
    pool.pass_with(MINUTE_MS, &[HOST, OTHER_SUBNET, SECOND_HOST]);
    for agent in [OTHER_SUBNET, SECOND_CLIENT] {
        pool.bye(agent);
    }
    pool.evicted(HOST);
    pool.pass_with(REMEMBERED_MS, &[HOST, SECOND_HOST]);
    assert!(pool.knows(SECOND_CLIENT));
    pool.pass_with(2_000, &[HOST, SECOND_HOST]);
    assert!(!pool.knows(SECOND_CLIENT));
    assert!(pool.rows.contains(&Row::Delete(RowKey::Node(node(SECOND_CLIENT)))));
    assert!(pool.knows(OTHER_SUBNET), "it was paired");
    assert!(pool.knows(SECOND_HOST), "it is connected");
    // So it is after a restart, and after the reconnect window.
    pool.restart(Limits::default());
    assert!(pool.knows(SECOND_HOST));
    pool.pass(REMEMBERED_MS + MINUTE_MS);
    assert!(!pool.knows(SECOND_HOST) && pool.knows(OTHER_SUBNET));
}

/// Connects a client with a delegation that was issued then.
fn delegated(pool: &mut Pool, agent: u32, issued: Ms) -> Result<ConnectReply, WireError> {
    pool.connect_delegated(agent, client(agent), flooder(agent), true, issued)
}

#[test]
fn a_replaced_delegation_does_not_revive_with_its_forgotten_node() {
    let mut pool = Pool::with(Limits { delegations: 5, ..Limits::default() });
    let [first, older, newest] = [5, 2, 1].map(|before| START.minus(before));
    for issued in [first, newest] {
        delegated(&mut pool, CLIENT, issued).unwrap();
    }
    delegated(&mut pool, SECOND_CLIENT, first).unwrap();
    pool.disconnect(CLIENT);
    pool.disconnect(SECOND_CLIENT);
    pool.pass(REMEMBERED_MS + MINUTE_MS);
    assert_eq!(pool.core.gauges().nodes, 0);
    for restarted in [false, true] {
        if restarted {
            pool.restart(Limits::default());
        }
        assert!(delegated(&mut pool, CLIENT, older).unwrap_err().is(ErrorCode::Unauthorized));
        let kept = pool.core.rows().into_iter().filter(|row| matches!(row, Row::Delegation(_))).count();
        assert_eq!(kept, 1, "another node had only one");
    }
    delegated(&mut pool, CLIENT, newest).unwrap();
    assert_eq!(pool.rows.iter().filter(|row| **row == Row::Delete(RowKey::Delegation(node(CLIENT)))).count(), 1);
    pool.disconnect(CLIENT);
    pool.pass(REMEMBERED_MS + 20 * MINUTE_MS);
    assert!(delegated(&mut pool, CLIENT, older).is_err(), "once replaced, it is known after that");
}

/// A stranger's ids would otherwise fill the table for ever.
#[test]
fn a_replaced_delegation_is_known_until_each_one_before_it_has_ended() {
    let mut pool = Pool::new();
    let [older, newest] = [2, 1].map(|before| START.minus(before * MINUTE_MS));
    for issued in [older, newest] {
        delegated(&mut pool, CLIENT, issued).unwrap();
    }
    pool.disconnect(CLIENT);
    pool.pass(2 * REMEMBERED_MS);
    let kept = |pool: &Pool| pool.core.rows().into_iter().filter(|row| matches!(row, Row::Delegation(_))).count();
    assert_eq!((pool.core.gauges().nodes, kept(&pool)), (0, 1));
    pool.now = older.plus(Delegation::LONGEST_MS - MINUTE_MS);
    pool.restart(Limits::default());
    assert_eq!(kept(&pool), 1);
    assert!(delegated(&mut pool, CLIENT, older).unwrap_err().is(ErrorCode::Unauthorized));
    pool.pass(2 * REMEMBERED_MS);
    assert_eq!((pool.core.gauges().nodes, kept(&pool)), (0, 0));
    for issued in [older, newest] {
        assert!(delegated(&mut pool, CLIENT, issued).unwrap_err().is(ErrorCode::Unauthorized), "it has ended");
    }
}

/// The attack: the ids of a stranger show two delegations each, are never forgotten, and take the room of all newcomers.
#[test]
fn ids_with_two_delegations_are_refused_beyond_their_share_and_forgotten_as_soon_as_others() {
    let limits = || Limits { delegations: 30, ..Limits::default() };
    let mut pool = Pool::with(limits());
    let [first, newest] = [5, 1].map(|before| START.minus(before));
    let flood = |pool: &mut Pool, ids: std::ops::Range<u32>| {
        let mut replaced = Vec::new();
        for agent in ids {
            delegated(pool, agent, first).unwrap();
            match delegated(pool, agent, newest) {
                Ok(_) => replaced.push(agent),
                Err(error) => assert!(error.is(ErrorCode::Busy), "{error:?}"),
            }
            pool.disconnect(agent);
        }
        replaced
    };
    let replaced = flood(&mut pool, 1_000..1_100);
    assert_eq!(replaced.len(), 10, "a third");
    for issued in [first, newest] {
        pool.connect_delegated(CLIENT, client(CLIENT), address(CLIENT), true, issued).unwrap();
    }
    pool.disconnect(CLIENT);
    pool.restart(limits());
    pool.pass(2 * REMEMBERED_MS);
    assert_eq!(pool.core.gauges().nodes, 0, "all are forgotten");
    assert!(flood(&mut pool, 2_000..2_100).is_empty());
    // No key revives, and a node that returns needs no further room.
    for &agent in &replaced {
        assert!(delegated(&mut pool, agent, first).unwrap_err().is(ErrorCode::Unauthorized), "{agent}");
        delegated(&mut pool, agent, newest).unwrap();
        pool.disconnect(agent);
    }
    pool.pass(2 * REMEMBERED_MS);
    assert!(delegated(&mut pool, replaced[0], first).is_err());
    assert_eq!(pool.core.gauges().nodes, 0);
}

/// The attack: a stranger's ids fill the table, and the revoked key of a forgotten node is valid again.
#[test]
fn a_paired_node_whose_newest_delegation_finds_no_room_is_not_forgotten() {
    let limits =
        |delegations| Limits { delegations, prune_ms: HOUR_MS, silence_ms: 10 * MINUTE_MS, ..Limits::default() };
    let mut pool = Pool::with(limits(1));
    let [first, older, newest] = [5, 2, 1].map(|before| START.minus(before));
    pool.join(HOST, host(HOST, SLOTS));
    for agent in [CLIENT, SECOND_CLIENT] {
        delegated(&mut pool, agent, first).unwrap();
        pool.full(agent, &[]);
        pool.serves_for(2 * MINUTE_MS, HOST, agent);
        delegated(&mut pool, agent, newest).unwrap();
        pool.disconnect(agent);
    }
    pool.disconnect(HOST);
    let known = |pool: &Pool| [CLIENT, SECOND_CLIENT].into_iter().filter(|&agent| pool.knows(agent)).count();
    for restarted in [false, true] {
        if restarted {
            pool.restart(limits(1));
        }
        pool.pass(HOUR_MS + REMEMBERED_MS);
        assert_eq!(known(&pool), 1, "one entry is in the table, the other node stays");
        for agent in [CLIENT, SECOND_CLIENT] {
            assert!(delegated(&mut pool, agent, older).unwrap_err().is(ErrorCode::Unauthorized), "{agent} {restarted}");
        }
    }
    // With room for it, the other node is forgotten too.
    pool.restart(limits(10));
    pool.pass(HOUR_MS + REMEMBERED_MS);
    assert_eq!(known(&pool), 0);
    for agent in [CLIENT, SECOND_CLIENT] {
        assert!(delegated(&mut pool, agent, older).unwrap_err().is(ErrorCode::Unauthorized), "{agent}");
    }
}

#[test]
fn nodes_that_move_fill_no_block_beyond_its_share() {
    let mut pool = Pool::with(Limits { nodes: 30, ..Limits::default() });
    let (nodes, further_nodes) = (0..20, 20..40);
    let other = IpAddr::from([77, 7, 7, 7]);
    for agent in nodes.clone() {
        let _busy = pool.connect_from(agent, client(agent), flooder(agent));
    }
    for agent in nodes {
        if pool.knows(agent) {
            pool.connect_from(agent, client(agent), other).unwrap();
        }
    }
    let at = |address| {
        let nodes = pool.core.agents.iter().filter_map(|(index, _)| pool.core.agents.row(index)?.block);
        nodes.filter(|block| *block == AddressBlock::of(address)).count()
    };
    let (stayed, moved) = (at(flooder(0)), at(other));
    assert_eq!(stayed + moved, 10);
    for agent in further_nodes {
        let _busy = pool.connect_from(agent, client(agent), flooder(agent));
    }
    assert!(pool.core.gauges().nodes <= 20, "{stayed} and {moved} hold room in two blocks");
    let honest = pool.newcomer();
    pool.connect(honest, client(honest)).unwrap();
}
