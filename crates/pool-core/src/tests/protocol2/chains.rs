//! Which chain nodes are on that name only its ID.

use vipnode_types::{
    ChainSpec,
    protocol2::Kind,
    wire::{ConnectRequest, ErrorCode, LeaveReason},
};

use super::{
    super::pool::{Pool, client, host, node},
    Connect2, info,
};
use crate::{CallOutcome, Limits};

const NETWORK: u64 = 100;

fn untold(full: bool) -> Connect2 {
    let mut hello = info(Kind::Geth, full);
    hello.node_info.network = i64::try_from(NETWORK).unwrap();
    hello
}

/// The chain whose genesis block has this first byte.
fn genesis(first: u8) -> ChainSpec {
    let mut chain = ChainSpec::untold(NETWORK);
    chain.genesis.0[0] = first;
    chain
}

fn on(chain: ChainSpec, hello: ConnectRequest) -> ConnectRequest {
    ConnectRequest { chain, ..hello }
}

const TRUE: u8 = 7;
const FALSE: u8 = 66;

impl Pool {
    /// Whether a client of protocol 3 on a chain is given the host of protocol 2, which is agent 1.
    fn gets_untold(&mut self, agent: u32, first: u8) -> bool {
        self.connect(agent, on(genesis(first), client(agent))).unwrap();
        self.ask(agent, 1);
        let call = self.whitelisted(1);
        self.disconnect(agent);
        if let Some((call, _)) = call {
            self.done(call, CallOutcome::Done);
            self.update2(1, &[]);
        }
        call.is_some()
    }

    fn named_chain(&self, agent: u32) -> ChainSpec {
        let node = self.core.agents.known(&node(agent)).unwrap();
        *self.core.agents.chain(node.chain()).unwrap()
    }
}

#[test]
fn a_private_network_is_matched_with_the_genesis_block_that_is_named_for_it() {
    let mut pool = Pool::new();
    // No node has named a genesis block yet; then one does.
    pool.connect2(1, untold(true));
    pool.connect(2, on(genesis(TRUE), client(2))).unwrap();
    pool.ask(2, 1);
    pool.allow(1);
    assert_eq!(pool.last_ask(2).unwrap().hosts.len(), 1);
    assert!(pool.named_chain(1).is_untold(), "it is matched, and never renamed");
    // A lease goes on, also over a restart, whatever is named meanwhile.
    pool.restart(Limits::default());
    pool.now = pool.now.plus(1_000);
    pool.connect(3, on(genesis(FALSE), client(3))).unwrap();
    pool.connect2(1, untold(true));
    assert_eq!(pool.core.gauges().leases, 1);
    // What a node itself named before holds when it speaks protocol 2.
    let named = ConnectRequest { allow_protocol2: true, ..on(genesis(TRUE), host(4, 4)) };
    pool.connect(4, named).unwrap();
    pool.connect2(4, untold(true));
    assert_eq!(pool.named_chain(4), genesis(TRUE));
}

/// The attack: one connect with a false genesis block.
#[test]
fn a_false_genesis_block_takes_no_node_away() {
    let mut pool = Pool::new();
    pool.connect2(1, untold(true));
    pool.connect(5, on(genesis(FALSE), client(5))).unwrap();
    // The honest ones come later, from three address blocks.
    for agent in [3, 4, 6] {
        pool.connect(agent, on(genesis(TRUE), client(agent))).unwrap();
    }
    assert!(pool.gets_untold(10, TRUE) && !pool.gets_untold(11, FALSE));
    // Nodes of protocol 2 have each other, too.
    pool.connect2(2, untold(false));
    pool.update2(2, &[]);
    pool.ask2(2, 1);
    pool.allow(1);
    assert_eq!(pool.given2(2), [node(1).to_string()]);
}

#[test]
fn a_wide_block_with_many_blocks_counts_once() {
    let mut pool = Pool::new();
    pool.connect2(1, untold(true));
    for agent in 100..110 {
        pool.connect(agent, on(genesis(FALSE), client(agent))).unwrap();
    }
    assert!(!pool.gets_untold(10, TRUE));
    // Two wide blocks name the other one.
    for agent in [257, 513] {
        pool.connect(agent, on(genesis(TRUE), client(agent))).unwrap();
    }
    assert!(pool.gets_untold(11, TRUE) && !pool.gets_untold(12, FALSE));
    pool.disconnect(257);
    assert!(!pool.gets_untold(514, TRUE), "only while they are connected");
}

#[test]
fn the_genesis_block_of_proven_hosts_is_meant_whoever_names_another() {
    let limits = || Limits { proven_ms: 60_000, ..Limits::default() };
    let mut pool = Pool::with(limits());
    pool.connect2(1, untold(true));
    pool.connect(2, on(genesis(TRUE), host(2, 4))).unwrap();
    pool.full(2, &[]);
    for agent in [257, 513] {
        pool.connect(agent, on(genesis(TRUE), client(agent))).unwrap();
        pool.full(agent, &[]);
        pool.ask(agent, 1);
        let lease = pool.admit(2);
        pool.delta(2, &[lease], &[]);
        pool.delta(agent, &[lease], &[]);
        pool.pass_with(61_000, &[2, agent]);
        pool.leave(agent, lease, LeaveReason::Surplus);
        pool.evicted(2);
        pool.disconnect(agent);
    }
    for agent in 1..5 {
        let agent = agent * 256;
        pool.connect(agent, on(genesis(FALSE), client(agent))).unwrap();
    }
    for restarted in [false, true] {
        if restarted {
            pool.restart(limits());
            pool.now = pool.now.plus(1_000);
            pool.connect(256, on(genesis(FALSE), client(256))).unwrap();
        } else {
            pool.disconnect(2);
        }
        pool.connect2(1, untold(true));
        let agent = if restarted { 30 } else { 20 };
        assert!(pool.gets_untold(agent, TRUE) && !pool.gets_untold(agent + 1, FALSE), "{restarted}");
    }
}

#[test]
fn a_pinned_genesis_block_is_the_only_one_of_its_chain() {
    let pinned = || Limits { pinned_chains: vec![genesis(TRUE)], ..Limits::default() };
    let mut pool = Pool::with(pinned());
    pool.connect2(1, untold(true));
    let error = pool.connect(5, on(genesis(FALSE), host(5, 4))).unwrap_err();
    assert!(error.is(ErrorCode::Unsuitable) && error.message.contains("0x42") && error.message.contains("0x07"));
    assert!(error.data.unwrap().hint.contains("--chain"));
    assert!(pool.gets_untold(10, TRUE));
    let other = ChainSpec { chain_id: NETWORK + 1, ..genesis(FALSE) };
    pool.connect(6, on(other, host(6, 4))).unwrap();
    // Pinned while agents of another one are connected: these stay, and are matched with none but their own.
    let mut pool = Pool::new();
    pool.connect(5, on(genesis(FALSE), client(5))).unwrap();
    pool.connect2(1, untold(true));
    assert!(pool.gets_untold(10, FALSE));
    pool.core.set_limits(pinned());
    assert!(pool.gets_untold(11, TRUE) && pool.connect(5, on(genesis(FALSE), host(5, 4))).is_err());
    // A private network may use the ID of a public one.
    let mut pool =
        Pool::with(Limits { pinned_chains: vec![ChainSpec { chain_id: 1, ..genesis(TRUE) }], ..Limits::default() });
    pool.connect2(1, info(Kind::Geth, true));
    pool.connect(2, on(ChainSpec { chain_id: 1, ..genesis(TRUE) }, client(2))).unwrap();
    pool.ask(2, 1);
    pool.allow(1);
    assert!(pool.connect(3, on(ChainSpec::public(1).unwrap(), client(3))).is_err());
}
