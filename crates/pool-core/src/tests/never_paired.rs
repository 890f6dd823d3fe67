//! Free ids that connect and leave, and what the pool remembers of them.

use std::net::IpAddr;

use vipnode_types::{
    Delegation, Ms,
    wire::{ConnectReply, ConnectRequest, ErrorCode, WireError},
};

use super::{
    pool::{Pool, START, agent_key, chain, client, host, node},
    scenario::{CLIENT, HOST, MINUTE_MS, SECOND_CLIENT, SECOND_HOST, list},
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

    fn bytes(&self) -> usize {
        let of_nodes = self.core.matching.node_heap_bytes() + self.core.leases.node_heap_bytes();
        self.core.agents.heap_bytes()
            + self.core.agents.shared_heap_bytes()
            + of_nodes
            + self.core.metering.heap_bytes()
    }
}

impl Pool {
    fn knows(&self, agent: u32) -> bool {
        self.core.agents.known(&node(agent)).is_some()
    }
}

#[test]
fn a_second_flood_of_free_ids_adds_nothing_to_the_tables() {
    let mut flood = Flood { core: Core::new(Limits::default(), [1; 32], START), now: START, refused: 0 };
    flood.ids(0..100_000);
    let (bytes, nodes) = (flood.bytes(), flood.core.gauges().nodes);
    assert!(nodes <= u64::from(Limits::default().never_paired_nodes / 3) + 1, "{nodes}: a block has a third");
    assert_eq!(u64::from(flood.refused), 100_000 - nodes);
    flood.ids(100_000..110_000);
    assert_eq!(flood.core.gauges().nodes, nodes, "the others are refused at once");
    flood.pass(REMEMBERED_MS + 2 * MINUTE_MS);
    assert_eq!((flood.core.gauges().nodes, flood.core.gauges().deadlines), (0, 0));
    flood.ids(200_000..300_000);
    let again = flood.bytes();
    assert_eq!(flood.core.gauges().nodes, nodes);
    assert!(again < bytes + bytes / 10, "{again} bytes after {bytes}");
    assert_eq!(flood.core.check(), Ok(()));
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
    let (mut pool, _) = Pool::priced().leased();
    pool.pass_with(2 * MINUTE_MS, &[HOST, CLIENT]);
    pool.connect(SECOND_CLIENT, client(SECOND_CLIENT)).unwrap();
    pool.join(SECOND_HOST, host(SECOND_HOST, 2));
    pool.pass_with(MINUTE_MS, &[HOST, CLIENT, SECOND_HOST]);
    for agent in [CLIENT, SECOND_CLIENT] {
        pool.bye(agent);
    }
    pool.evicted(HOST);
    pool.pass_with(REMEMBERED_MS, &[HOST, SECOND_HOST]);
    assert!(pool.knows(SECOND_CLIENT));
    pool.pass_with(2_000, &[HOST, SECOND_HOST]);
    assert!(!pool.knows(SECOND_CLIENT));
    assert!(pool.rows.contains(&Row::Delete(RowKey::Node(node(SECOND_CLIENT)))));
    assert!(pool.knows(CLIENT), "it was paired");
    assert!(pool.knows(SECOND_HOST), "it is connected");
    // So it is after a restart, and after the reconnect window.
    pool.restart(Limits::default());
    assert!(pool.knows(SECOND_HOST));
    pool.pass(REMEMBERED_MS + MINUTE_MS);
    assert!(!pool.knows(SECOND_HOST));
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
    let mut pool = Pool::with(Limits { delegations: 1, ..Limits::default() });
    let [older, newest] = [2, 1].map(|before| START.minus(before * MINUTE_MS));
    for agent in [CLIENT, SECOND_CLIENT] {
        for issued in [older, newest] {
            delegated(&mut pool, agent, issued).unwrap();
        }
        pool.disconnect(agent);
    }
    pool.pass(2 * REMEMBERED_MS);
    assert_eq!(pool.core.gauges().nodes, 1, "one entry is in the table, the other node stays");
    let kept = |pool: &Pool| pool.core.rows().into_iter().filter(|row| matches!(row, Row::Delegation(_))).count();
    pool.now = older.plus(Delegation::LONGEST_MS - MINUTE_MS);
    pool.restart(Limits { delegations: 1, ..Limits::default() });
    assert_eq!(kept(&pool), 1);
    for agent in [CLIENT, SECOND_CLIENT] {
        assert!(delegated(&mut pool, agent, older).unwrap_err().is(ErrorCode::Unauthorized), "{agent}");
    }
    pool.pass(2 * REMEMBERED_MS);
    assert_eq!((pool.core.gauges().nodes, kept(&pool)), (0, 0));
    for issued in [older, newest] {
        assert!(delegated(&mut pool, CLIENT, issued).unwrap_err().is(ErrorCode::Unauthorized), "it has ended");
    }
}

/// The attack: a stranger's ids fill the table, and the revoked key of a forgotten node is valid again.
#[test]
fn a_node_whose_newest_delegation_finds_no_room_is_not_forgotten() {
    let limits = || Limits { delegations: 1, ..Limits::default() };
    let mut pool = Pool::with(limits());
    let [first, older, newest] = [5, 2, 1].map(|before| START.minus(before));
    for agent in [CLIENT, SECOND_CLIENT] {
        for issued in [first, newest] {
            delegated(&mut pool, agent, issued).unwrap();
        }
        pool.disconnect(agent);
    }
    for restarted in [false, true] {
        if restarted {
            pool.restart(limits());
        }
        pool.pass(2 * REMEMBERED_MS);
        assert_eq!(pool.core.gauges().nodes, 1, "one entry is in the table, the other node stays");
        for agent in [CLIENT, SECOND_CLIENT] {
            assert!(delegated(&mut pool, agent, older).unwrap_err().is(ErrorCode::Unauthorized), "{agent} {restarted}");
        }
    }
    // Once its entry is free, the other node takes it and is forgotten.
    let known = [CLIENT, SECOND_CLIENT].into_iter().find(|&agent| pool.knows(agent)).unwrap();
    let forgotten = [CLIENT, SECOND_CLIENT].into_iter().find(|&agent| !pool.knows(agent)).unwrap();
    delegated(&mut pool, forgotten, newest).unwrap();
    pool.full(forgotten, &[]);
    pool.pass_with(2 * REMEMBERED_MS, &[forgotten]);
    assert!(!pool.knows(known) && pool.knows(forgotten));
    assert!(delegated(&mut pool, known, older).unwrap_err().is(ErrorCode::Unauthorized));
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
