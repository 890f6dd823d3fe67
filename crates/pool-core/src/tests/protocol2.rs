//! Agents of the original in a pool of this implementation.

mod chains;
mod contacts;
mod found_by_seeds;
mod offers;
mod prices;

use vipnode_types::{
    ChainSpec, Ms, NodeId,
    protocol2::{
        Call, ClientRequest, HostRequest, Kind, NodeInfo, PeerRequest, Protocol2ConnectRequest as Connect2,
        Protocol2Reply as Reply2, Update, UpdateReply,
    },
    wire::{ConnectRequest, ErrorCode, EvictReason, LeaveReason, WireError},
};

use super::{
    pool::{Pool, START, address, client, host, node},
    scenario::{CLIENT, HOST, SECOND_CLIENT, SECOND_HOST, SLOTS, STRANGER, THIRD_CLIENT, THIRD_HOST, other_hosts},
};
use crate::{CallId, CallOutcome, Command, Limits, PoolCall, Reply};

fn info(kind: Kind, full: bool) -> Connect2 {
    let node_info =
        NodeInfo { version: "Geth/v1.9.20".into(), eth_protocol: "0x40".into(), kind, network: 1, is_full_node: full };
    Connect2 { vipnode_version: "2.3.2".into(), node_info, ..Connect2::default() }
}

fn full_node() -> Connect2 {
    info(Kind::Geth, true)
}

fn light_node() -> Connect2 {
    info(Kind::Geth, false)
}

fn on_mainnet(hello: ConnectRequest) -> ConnectRequest {
    ConnectRequest { chain: ChainSpec::public(1).unwrap(), ..hello }
}

impl Pool {
    fn nonce(&self) -> u64 {
        // Later in the same millisecond each time.
        self.now.max(START.plus(1)).get() * 1_000_000 + self.replies.len() as u64 + 1
    }

    fn call2(&mut self, agent: u32, call: Call) -> Option<Result<Reply2, WireError>> {
        let nonce = self.nonce();
        self.call2_at(agent, nonce, call)
    }

    fn call2_at(&mut self, agent: u32, nonce: u64, call: Call) -> Option<Result<Reply2, WireError>> {
        self.call2_as(agent, nonce, true, call)
    }

    fn call2_as(&mut self, agent: u32, nonce: u64, callable: bool, call: Call) -> Option<Result<Reply2, WireError>> {
        let (connection, node, address) = (self.connection(agent), node(agent), address(agent));
        let reply =
            self.request(Command::Protocol2 { connection, request: 9, node, nonce, address, callable, call })?;
        Some(reply.map(|reply| match reply {
            Reply::Protocol2(reply) => *reply,
            other => panic!("{other:?}"),
        }))
    }

    fn connect2(&mut self, agent: u32, hello: Connect2) {
        let reply = self.call2(agent, Call::Connect(Box::new(hello))).unwrap().unwrap();
        assert!(matches!(reply, Reply2::Connect(_)), "{reply:?}");
    }

    fn update2(&mut self, agent: u32, peers: &[u32]) -> UpdateReply {
        self.update2_at(agent, peers, 100)
    }

    fn update2_at(&mut self, agent: u32, peers: &[u32], block_number: u64) -> UpdateReply {
        let peers = peers.iter().map(|&peer| node(peer)).collect();
        match self.call2(agent, Call::Update(Update { peers, block_number })) {
            Some(Ok(Reply2::Update(reply))) => reply,
            other => panic!("{other:?}"),
        }
    }

    fn ask2(&mut self, agent: u32, num: i64) -> Option<Result<Reply2, WireError>> {
        self.call2(agent, Call::Peer(PeerRequest { num, kind: String::new() }))
    }

    fn whitelisted(&mut self, agent: u32) -> Option<(CallId, NodeId)> {
        self.take_call(agent, |call| if let PoolCall::Whitelist(id) = call { Some(*id) } else { None })
    }

    fn allow(&mut self, host: u32) {
        let (call, _) = self.whitelisted(host).expect("a whitelist call");
        self.done(call, CallOutcome::Done);
    }

    /// The ids in the last answer to `vipnode_peer`.
    fn given2(&self, agent: u32) -> Vec<String> {
        let connection = self.connection(agent);
        let found = self.replies.iter().rev().find_map(|(to, reply)| match reply {
            Ok(Reply::Protocol2(reply)) if *to == connection => match &**reply {
                Reply2::Peer(reply) => Some(reply.peers.iter().map(|peer| peer.id.clone()).collect()),
                Reply2::Client(reply) => Some(reply.hosts.iter().map(|peer| peer.id.clone()).collect()),
                _ => None,
            },
            _ => None,
        });
        found.expect("an answer with peers")
    }

    /// [`HOST`] and [`CLIENT`], both of the original, with a lease that both see.
    fn leased2(mut self) -> Self {
        self.connect2(HOST, full_node());
        self.connect2(CLIENT, light_node());
        self.update2(HOST, &[]);
        self.update2(CLIENT, &[]);
        self.ask2(CLIENT, 1);
        self.allow(HOST);
        assert_eq!(self.given2(CLIENT), [node(HOST).to_string()]);
        self.update2(HOST, &[CLIENT]);
        self.update2(CLIENT, &[HOST]);
        self
    }
}

/// Lets time pass while [`HOST`] and [`CLIENT`] each report the other each minute.
fn beat2(pool: &mut Pool, ms: u64) {
    let end = pool.now.plus(ms);
    while pool.now < end {
        pool.pass(end.since(pool.now).min(60_000));
        pool.update2(HOST, &[CLIENT]);
        pool.update2(CLIENT, &[HOST]);
    }
}

#[test]
fn two_agents_of_the_original_are_brought_together_and_metered() {
    let mut pool = Pool::priced().leased2();
    beat2(&mut pool, 600_000);
    // The client reports that it left: its host drops it, and 600 s are billed.
    let news = pool.update2(CLIENT, &[]);
    assert!(news.invalid_peers.is_empty() && news.active_peers.is_empty());
    let [row] = &pool.metered()[..] else { panic!("{:?}", pool.metered()) };
    assert_eq!(row.billed_ms, 600_000);
    assert_eq!(pool.update2(HOST, &[CLIENT]).invalid_peers, [node(CLIENT).to_string()]);
    assert_eq!(pool.update2(HOST, &[CLIENT]).invalid_peers, [node(CLIENT).to_string()], "until it has dropped it");
    assert!(pool.update2(HOST, &[]).invalid_peers.is_empty());
    assert!(pool.update2(HOST, &[CLIENT]).invalid_peers.is_empty(), "its own friends are its own");
}

#[test]
fn d13_d16_peers_that_the_pool_did_not_give_count_for_nothing() {
    let mut pool = Pool::priced().leased2();
    pool.connect2(SECOND_HOST, full_node());
    let news = pool.update2(SECOND_HOST, &[HOST, CLIENT, SECOND_HOST]);
    assert_eq!(news, UpdateReply { latest_block_number: 100, ..UpdateReply::default() });
    pool.pass(60_000);
    pool.update2(SECOND_HOST, &[HOST, CLIENT, SECOND_HOST]);
    pool.update2(CLIENT, &[HOST, SECOND_HOST]);
    assert_eq!((pool.core.gauges().leases, pool.metered().len()), (1, 0));
    assert!(pool.update2(HOST, &[CLIENT, SECOND_HOST]).invalid_peers.is_empty());
}

#[test]
fn d20_a_peer_that_is_no_longer_reported_was_last_seen_before() {
    let mut pool = Pool::priced().leased2();
    beat2(&mut pool, 60_000);
    pool.pass(60_000);
    pool.update2(HOST, &[CLIENT]);
    pool.update2(CLIENT, &[]);
    assert_eq!(pool.metered()[0].billed_ms, 60_000);
}

#[test]
fn d19_long_silence_is_not_billed() {
    let mut pool = Pool::priced().leased2();
    beat2(&mut pool, 120_000);
    pool.pass(72 * 3_600_000);
    assert_eq!(pool.metered()[0].billed_ms, 120_000);
    assert_eq!(pool.core.gauges().leases, 0);
}

#[test]
fn d14_connecting_again_resets_nothing() {
    let mut pool = Pool::priced().leased2();
    for _ in 0..4 {
        beat2(&mut pool, 60_000);
        pool.connect2(CLIENT, light_node());
        pool.connect2(HOST, full_node());
    }
    pool.update2(CLIENT, &[]);
    assert_eq!(pool.metered()[0].billed_ms, 240_000);
}

#[test]
fn d2_less_than_one_peer_is_no_request_and_more_than_the_limit_is_cut() {
    let mut pool = Pool::with(Limits { max_request_hosts: 2, slots_a_protocol2_host: 3, ..Limits::default() });
    let hosts = [HOST, SECOND_HOST, THIRD_HOST];
    for host in hosts {
        pool.connect2(host, full_node());
    }
    pool.connect2(CLIENT, light_node());
    for num in [0, -1, i64::MIN] {
        let error = pool.ask2(CLIENT, num).unwrap().unwrap_err();
        assert!(error.is(ErrorCode::InvalidParams) && error.data.unwrap().hint.contains("num"));
    }
    assert_eq!(pool.core.gauges().free_slots, 9);
    pool.ask2(CLIENT, i64::MAX);
    for _ in 0..2 {
        let (call, _) = hosts.into_iter().find_map(|host| pool.whitelisted(host)).unwrap();
        pool.done(call, CallOutcome::Done);
    }
    assert_eq!(pool.given2(CLIENT).len(), 2);
}

#[test]
fn a_request_gets_all_it_can_in_one_answer_and_nothing_later() {
    let mut pool = Pool::new();
    pool.connect2(HOST, full_node());
    pool.connect(SECOND_HOST, on_mainnet(host(SECOND_HOST, SLOTS))).unwrap();
    pool.connect2(CLIENT, light_node());
    pool.ask2(CLIENT, 3);
    for _ in 0..2 {
        if pool.calls.iter().any(|(_, _, call)| matches!(call, PoolCall::Whitelist(_))) {
            pool.allow(HOST);
        } else {
            pool.admit(SECOND_HOST);
        }
    }
    // No third host fits: it is answered with the two.
    let mut given = pool.given2(CLIENT);
    given.sort();
    let mut both = [node(HOST).to_string(), node(SECOND_HOST).to_string()];
    both.sort();
    assert_eq!(given, both);
    pool.connect(THIRD_HOST, on_mainnet(host(THIRD_HOST, SLOTS))).unwrap();
    pool.pass(30_000);
    assert!(pool.take_admit(THIRD_HOST).is_none(), "no message could offer it another host");
}

#[test]
fn a_host_that_does_not_answer_costs_the_others_nothing() {
    let mut pool = Pool::new();
    pool.connect2(HOST, full_node());
    pool.connect2(CLIENT, light_node());
    pool.ask2(CLIENT, 2);
    let (call, _) = pool.whitelisted(HOST).unwrap();
    pool.pass(3_000);
    pool.done(call, CallOutcome::Expired);
    assert!(pool.given2(CLIENT).is_empty());
    // It may have let it in all the same.
    assert_eq!(pool.update2(HOST, &[]).invalid_peers, [node(CLIENT).to_string()]);
}

#[test]
fn the_older_methods_are_understood() {
    let mut pool = Pool::new();
    let hello = HostRequest { kind: "geth".into(), ..HostRequest::default() };
    let reply = pool.call2(HOST, Call::Host(hello.clone())).unwrap().unwrap();
    assert!(matches!(reply, Reply2::Host(reply) if reply.pool_version.starts_with("vipnode/")));
    assert!(pool.call2(CLIENT, Call::Client(ClientRequest { kind: "geth".into(), num_hosts: 0 })).is_none());
    pool.allow(HOST);
    assert_eq!(pool.given2(CLIENT), [node(HOST).to_string()]);
    let (nonce, over_a_socket) = (pool.nonce(), false);
    let error = pool.call2_as(SECOND_HOST, nonce, over_a_socket, Call::Host(hello)).unwrap().unwrap_err();
    assert!(error.message.contains("HTTP") && error.data.unwrap().hint.contains("ws://"));
}

#[test]
fn d37_light_nodes_get_hosts_of_their_kind_and_unknown_ones_any() {
    for (light, hosts, served) in [
        (Kind::Geth, Kind::Parity, false),
        (Kind::Geth, Kind::Geth, true),
        (Kind::Unknown, Kind::Parity, true),
        (Kind::Parity, Kind::Unknown, true),
    ] {
        let mut pool = Pool::new();
        pool.connect2(HOST, info(hosts, true));
        pool.connect2(CLIENT, info(light, false));
        let waits = pool.ask2(CLIENT, 1).is_none();
        assert_eq!(waits, served, "{light:?} on {hosts:?}");
    }
}

#[test]
fn d33_each_side_gets_the_other_with_host_and_port() {
    let mut pool = Pool::new().leased2();
    let enode = |agent: u32| vec![format!("enode://{}@{}:30303", node(agent), address(agent))];
    assert_eq!(pool.update2(HOST, &[CLIENT]).active_peers, enode(CLIENT));
    assert_eq!(pool.update2(CLIENT, &[HOST]).active_peers, enode(HOST));
}

#[test]
fn d36_one_lie_moves_no_block_number() {
    let mut pool = Pool::new().leased2();
    for liar in [SECOND_CLIENT, THIRD_CLIENT] {
        pool.connect2(liar, light_node());
        pool.ask2(liar, 1);
        pool.allow(HOST);
    }
    pool.update2_at(SECOND_CLIENT, &[HOST], u64::MAX);
    pool.update2_at(THIRD_CLIENT, &[HOST], 101);
    assert_eq!(pool.update2_at(HOST, &[CLIENT, SECOND_CLIENT, THIRD_CLIENT], 100).latest_block_number, 100);
    pool.connect2(SECOND_HOST, full_node());
    assert_eq!(pool.update2_at(SECOND_HOST, &[], 7).latest_block_number, 7, "nobody else is asked");
}

#[test]
fn d9_a_call_is_taken_once() {
    let mut pool = Pool::new();
    let nonce = pool.nonce();
    let connect = || Call::Connect(Box::new(full_node()));
    assert!(pool.call2_at(HOST, nonce, connect()).unwrap().is_ok());
    let error = pool.call2_at(HOST, nonce, connect()).unwrap().unwrap_err();
    assert!(error.is(ErrorCode::Server) && error.message.contains("nonce"), "{error:?}");
    let update = || Call::Update(Update::default());
    assert!(pool.call2_at(HOST, nonce, update()).unwrap().is_err());
    assert!(pool.call2_at(HOST, nonce + 1, update()).unwrap().is_ok());
    assert!(pool.call2_at(HOST, nonce + 1, update()).unwrap().is_err());
}

#[test]
fn d9_a_restart_forgets_no_nonce() {
    let mut pool = Pool::new();
    pool.connect2(HOST, full_node());
    let ahead = pool.nonce() + 60_000_000_000;
    assert!(pool.call2_at(HOST, ahead, Call::Update(Update::default())).unwrap().is_ok());
    pool.pass(180_000);
    pool.update2(HOST, &[]);
    pool.pass(180_000);
    let newest = pool.core.agents.known(&node(HOST)).unwrap().credentials().nonce();
    pool.restart(Limits::default());
    let kept = pool.core.agents.known(&node(HOST)).unwrap().credentials().nonce();
    assert_eq!(kept, newest);
    let connect = || Call::Connect(Box::new(full_node()));
    let started = pool.now.get() * 1_000_000;
    assert!(pool.call2_at(HOST, started, connect()).unwrap().is_err());
    assert!(pool.call2_at(HOST, started + 2_000_000, connect()).unwrap().is_ok());
}

#[test]
fn who_has_come_by_protocol_3_is_refused_unless_its_owner_allowed_it() {
    let mut pool = Pool::new().with_host(HOST, SLOTS);
    let connect = || Call::Connect(Box::new(full_node()));
    let error = pool.call2(HOST, connect()).unwrap().unwrap_err();
    assert!(error.data.unwrap().hint.contains("--allow-protocol-2"));
    assert!(pool.call2(HOST, Call::Update(Update::default())).unwrap().is_err());
    pool.connect(HOST, ConnectRequest { allow_protocol2: true, ..host(HOST, SLOTS) }).unwrap();
    assert!(pool.call2(HOST, connect()).unwrap().is_ok());
    // Its agent comes back and no longer allows it.
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    assert!(pool.call2(HOST, connect()).unwrap().is_err());
}

#[test]
fn an_agent_of_ours_leases_to_one_of_the_original_and_the_other_way_round() {
    let mut pool = Pool::new();
    pool.join(HOST, on_mainnet(host(HOST, SLOTS)));
    pool.connect2(CLIENT, light_node());
    pool.ask2(CLIENT, 1);
    let lease = pool.admit(HOST);
    pool.reports_up(HOST, lease);
    pool.update2(CLIENT, &[HOST]);
    assert_eq!(pool.core.gauges().running, 1);
    pool.bye(HOST);
    assert_eq!(pool.update2(CLIENT, &[HOST]).invalid_peers, [node(HOST).to_string()]);

    pool.connect2(SECOND_HOST, full_node());
    pool.join(SECOND_CLIENT, on_mainnet(client(SECOND_CLIENT)));
    pool.ask(SECOND_CLIENT, 1);
    pool.allow(SECOND_HOST);
    let lease = pool.last_ask(SECOND_CLIENT).unwrap().hosts[0].lease;
    pool.reports_up(SECOND_CLIENT, lease);
    pool.update2(SECOND_HOST, &[SECOND_CLIENT]);
    assert_eq!(pool.core.gauges().running, 1);
    pool.leave(SECOND_CLIENT, lease, LeaveReason::Surplus);
    assert_eq!(pool.update2(SECOND_HOST, &[SECOND_CLIENT]).invalid_peers, [node(SECOND_CLIENT).to_string()]);
}

#[test]
fn peers_to_drop_outlive_a_restart_and_a_new_lease_takes_them_back() {
    let mut pool = Pool::new().leased2();
    pool.update2(CLIENT, &[]);
    pool.restart(Limits::default());
    pool.now = pool.now.plus(1_000);
    pool.connect2(HOST, full_node());
    assert_eq!(pool.update2(HOST, &[CLIENT]).invalid_peers, [node(CLIENT).to_string()]);
    pool.connect2(CLIENT, light_node());
    pool.pass(36_000);
    pool.ask2(CLIENT, 1);
    pool.allow(HOST);
    assert!(pool.update2(HOST, &[CLIENT]).invalid_peers.is_empty());
}

#[test]
fn only_so_many_peers_to_drop_are_remembered() {
    let limits = Limits { invalid_peers: 2, same_address_ms: 0, ..Limits::default() };
    let mut pool = Pool::with(limits);
    pool.connect2(HOST, full_node());
    for agent in [CLIENT, SECOND_CLIENT, THIRD_CLIENT] {
        pool.connect2(agent, light_node());
        pool.ask2(agent, 1);
        pool.allow(HOST);
        pool.update2(agent, &[HOST]);
        pool.update2(agent, &[]);
    }
    assert_eq!(
        pool.update2(HOST, &[]).invalid_peers,
        [node(SECOND_CLIENT).to_string(), node(THIRD_CLIENT).to_string()]
    );
}

#[test]
fn a_nonce_may_be_ahead_and_behind_by_as_much_as_is_set() {
    let mut pool = Pool::with(Limits { nonce_ahead_ms: 1_000, nonce_behind_ms: 2_000, ..Limits::default() });
    pool.now = START.plus(10_000);
    let connect = || Call::Connect(Box::new(full_node()));
    let ns = |ms: Ms| ms.get() * 1_000_000;
    for (at, taken) in [(pool.now.plus(1_001), false), (pool.now.minus(2_001), false), (pool.now.minus(2_000), true)] {
        assert_eq!(pool.call2_at(HOST, ns(at), connect()).unwrap().is_ok(), taken);
    }
}

#[test]
fn a_request_that_makes_no_sense_says_what_to_change() {
    let mut pool = Pool::new();
    let foreign = format!("enode://{}@1.2.3.4:30303", node(CLIENT));
    for (hello, word) in [
        (Connect2 { node_uri: "http://x".into(), ..full_node() }, "--enode"),
        (Connect2 { node_uri: foreign, ..full_node() }, "--enode"),
        (Connect2 { payout: "0x12".into(), ..full_node() }, "--payout"),
        (Connect2 { payout: format!("0x{}", "0".repeat(40)), ..full_node() }, "--payout"),
    ] {
        let error = pool.call2(HOST, Call::Connect(Box::new(hello))).unwrap().unwrap_err();
        assert!(error.data.as_ref().unwrap().hint.contains(word), "{error:?}");
    }
    let mut hello = full_node();
    hello.node_info.network = -1;
    assert!(pool.call2(HOST, Call::Connect(Box::new(hello))).unwrap().is_err());
    assert_eq!(pool.core.gauges().nodes, 0);
}
