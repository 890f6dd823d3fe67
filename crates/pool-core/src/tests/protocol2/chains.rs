//! The chain of nodes that send only the chain ID.

use std::net::IpAddr;

use vipnode_types::{
    ChainSpec,
    wire::{ConnectRequest, ErrorCode, LeaveReason},
};

use super::{
    super::{
        offers::known_row,
        pool::{Pool, client, host, node},
        scenario::{
            CLIENT, FURTHER, HOST, OTHER_SUBNET, SECOND_CLIENT, SECOND_HOST, SLOTS, THIRD_CLIENT, other_clients,
        },
    },
    Connect2, full_node, light_node,
};
use crate::{AddressBlock, CallOutcome, Limits, NodeRow, Row};

const NETWORK: u64 = 100;

fn on_the_network(mut hello: Connect2) -> Connect2 {
    hello.node_info.network = i64::try_from(NETWORK).unwrap();
    hello
}

/// A host of protocol 2, which names no genesis block.
fn host_without_genesis() -> Connect2 {
    on_the_network(full_node())
}

/// A client of protocol 2, which names no genesis block.
fn client_without_genesis() -> Connect2 {
    on_the_network(light_node())
}

/// The chain whose genesis block has this first byte.
fn genesis(first: u8) -> ChainSpec {
    let mut chain = ChainSpec::without_genesis(NETWORK);
    chain.genesis.0[0] = first;
    chain
}

fn on(chain: ChainSpec, hello: ConnectRequest) -> ConnectRequest {
    ConnectRequest { chain, ..hello }
}

const TRUE: u8 = 7;
const FALSE: u8 = 66;

impl Pool {
    /// Whether a new client of protocol 3 on a chain is given [`HOST`], which speaks protocol 2.
    fn gets_without_genesis(&mut self, first: u8) -> bool {
        let agent = self.newcomer();
        self.gets_without_genesis_as(agent, first)
    }

    fn gets_without_genesis_as(&mut self, agent: u32, first: u8) -> bool {
        self.connect(agent, on(genesis(first), client(agent))).unwrap();
        self.ask(agent, 1);
        let call = self.whitelisted(HOST);
        self.disconnect(agent);
        if let Some((call, _)) = call {
            self.done(call, CallOutcome::Done);
            self.update2(HOST, &[]);
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
    pool.connect2(HOST, host_without_genesis());
    pool.connect(CLIENT, on(genesis(TRUE), client(CLIENT))).unwrap();
    pool.ask(CLIENT, 1);
    pool.allow(HOST);
    assert_eq!(pool.last_ask(CLIENT).unwrap().hosts.len(), 1);
    assert!(pool.named_chain(HOST).lacks_genesis(), "it is matched, and never renamed");
    // A lease goes on, also over a restart, whatever is named meanwhile.
    pool.restart(Limits::default());
    pool.now = pool.now.plus(1_000);
    pool.connect(SECOND_CLIENT, on(genesis(FALSE), client(SECOND_CLIENT))).unwrap();
    pool.connect2(HOST, host_without_genesis());
    assert_eq!(pool.core.gauges().leases, 1);
    // What a node itself named before holds when it speaks protocol 2.
    let named = ConnectRequest { allow_protocol2: true, ..on(genesis(TRUE), host(SECOND_HOST, SLOTS)) };
    pool.connect(SECOND_HOST, named).unwrap();
    pool.connect2(SECOND_HOST, host_without_genesis());
    assert_eq!(pool.named_chain(SECOND_HOST), genesis(TRUE));
}

/// The attack: one connect with a false genesis block.
#[test]
fn a_false_genesis_block_removes_no_node() {
    let mut pool = Pool::new();
    pool.connect2(HOST, host_without_genesis());
    pool.connect(THIRD_CLIENT, on(genesis(FALSE), client(THIRD_CLIENT))).unwrap();
    // The honest ones come later, from three address blocks.
    for agent in other_clients(3) {
        pool.connect(agent, on(genesis(TRUE), client(agent))).unwrap();
    }
    assert!(pool.gets_without_genesis(TRUE) && !pool.gets_without_genesis(FALSE));
    // Nodes of protocol 2 have each other, too.
    pool.connect2(CLIENT, client_without_genesis());
    pool.update2(CLIENT, &[]);
    pool.ask2(CLIENT, 1);
    pool.allow(HOST);
    assert_eq!(pool.given2(CLIENT), [node(HOST).to_string()]);
}

#[test]
fn a_wide_block_with_many_blocks_counts_once() {
    let mut pool = Pool::new();
    pool.connect2(HOST, host_without_genesis());
    for agent in other_clients(10) {
        pool.connect(agent, on(genesis(FALSE), client(agent))).unwrap();
    }
    assert!(!pool.gets_without_genesis(TRUE));
    // Two wide blocks name the other one.
    for agent in [OTHER_SUBNET, FURTHER] {
        pool.connect(agent, on(genesis(TRUE), client(agent))).unwrap();
    }
    assert!(pool.gets_without_genesis(TRUE) && !pool.gets_without_genesis(FALSE));
    pool.disconnect(OTHER_SUBNET);
    assert!(!pool.gets_without_genesis_as(FURTHER + 1, TRUE), "only while they are connected");
}

#[test]
fn the_genesis_block_of_proven_hosts_is_meant_whoever_names_another() {
    let limits = || Limits { proven_ms: 60_000, ..Limits::default() };
    let mut pool = Pool::with(limits());
    pool.connect2(HOST, host_without_genesis());
    pool.join(SECOND_HOST, on(genesis(TRUE), host(SECOND_HOST, SLOTS)));
    for agent in [OTHER_SUBNET, FURTHER] {
        pool.join(agent, on(genesis(TRUE), client(agent)));
        let lease = pool.lease_between(SECOND_HOST, agent);
        pool.pass_with(61_000, &[SECOND_HOST, agent]);
        pool.leave(agent, lease, LeaveReason::Surplus);
        pool.evicted(SECOND_HOST);
        pool.disconnect(agent);
    }
    let liars = [1, 2, 3, 4].map(|wide_block| wide_block * 256);
    for agent in liars {
        pool.connect(agent, on(genesis(FALSE), client(agent))).unwrap();
    }
    for restarted in [false, true] {
        if restarted {
            pool.restart(limits());
            pool.now = pool.now.plus(1_000);
            pool.connect(liars[0], on(genesis(FALSE), client(liars[0]))).unwrap();
        } else {
            pool.disconnect(SECOND_HOST);
        }
        pool.connect2(HOST, host_without_genesis());
        assert!(pool.gets_without_genesis(TRUE) && !pool.gets_without_genesis(FALSE), "{restarted}");
    }
}

/// The attack: hosts in three networks prove any number of ids of one block.
#[test]
fn many_proven_hosts_of_one_block_outvote_no_three_networks() {
    let proven = |agent: u32, chain: ChainSpec, address: IpAddr| NodeRow {
        chain,
        host: true,
        block: Some(AddressBlock::of(address)),
        ..known_row(agent)
    };
    let stranger = IpAddr::from([66, 6, 6, 1]);
    let of_one_block = (0..50).map(|agent| proven(500 + agent, genesis(FALSE), stranger));
    let of_three = (1..4_u8).map(|wide| proven(600 + u32::from(wide), genesis(TRUE), IpAddr::from([wide, 0, 0, 1])));
    let mut pool = Pool::new();
    pool.rows = of_one_block.chain(of_three).map(|row| Row::Node(Box::new(row))).collect();
    for connected in [false, true] {
        pool.restart(Limits::default());
        pool.now = pool.now.plus(1_000);
        if connected {
            for agent in 500..510 {
                pool.connect_from(agent, on(genesis(FALSE), host(agent, SLOTS)), stranger).unwrap();
            }
        }
        pool.connect2(HOST, host_without_genesis());
        assert!(pool.gets_without_genesis(TRUE) && !pool.gets_without_genesis(FALSE), "{connected}");
    }
}

#[test]
fn a_pinned_genesis_block_is_the_only_one_of_its_chain() {
    let pinned = || Limits { pinned_chains: vec![genesis(TRUE)], ..Limits::default() };
    let mut pool = Pool::with(pinned());
    pool.connect2(HOST, host_without_genesis());
    let error = pool.connect(SECOND_HOST, on(genesis(FALSE), host(SECOND_HOST, SLOTS))).unwrap_err();
    assert!(error.is(ErrorCode::Unsuitable) && error.message.contains("0x42") && error.message.contains("0x07"));
    assert!(error.data.unwrap().hint.contains("--chain"));
    assert!(pool.gets_without_genesis(TRUE));
    let other = ChainSpec { chain_id: NETWORK + 1, ..genesis(FALSE) };
    pool.connect(SECOND_HOST, on(other, host(SECOND_HOST, SLOTS))).unwrap();
    // Pinned while agents of another one are connected: these stay, and are matched with none but their own.
    let mut pool = Pool::new();
    pool.connect(SECOND_CLIENT, on(genesis(FALSE), client(SECOND_CLIENT))).unwrap();
    pool.connect2(HOST, host_without_genesis());
    assert!(pool.gets_without_genesis(FALSE));
    pool.core.set_limits(pinned());
    assert!(
        pool.gets_without_genesis(TRUE)
            && pool.connect(SECOND_HOST, on(genesis(FALSE), host(SECOND_HOST, SLOTS))).is_err()
    );
    // A private network may use the ID of a public one.
    let mut pool =
        Pool::with(Limits { pinned_chains: vec![ChainSpec { chain_id: 1, ..genesis(TRUE) }], ..Limits::default() });
    pool.connect2(HOST, full_node());
    pool.connect(CLIENT, on(ChainSpec { chain_id: 1, ..genesis(TRUE) }, client(CLIENT))).unwrap();
    pool.ask(CLIENT, 1);
    pool.allow(HOST);
    assert!(pool.connect(SECOND_CLIENT, on(ChainSpec::public(1).unwrap(), client(SECOND_CLIENT))).is_err());
}
