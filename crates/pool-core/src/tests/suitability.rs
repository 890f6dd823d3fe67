//! Which hosts are assigned to which clients, based on what nodes serve, run, and refuse.

use std::net::IpAddr;

use vipnode_types::wire::{
    ConnectRequest, ErrorCode, EvictReason, HostOffer, LeaveReason, LeaveRequest, PairFault, WireError,
};

use super::{
    offers::knowing,
    pool::{Pool, chain, client, host},
    scenario::{
        CLIENT, HOST, SECOND_CLIENT, SECOND_HOST, SLOTS, THIRD_CLIENT, THIRD_HOST, list, needing, other_clients,
        serving,
    },
};
use crate::{CallId, CallOutcome, Command, Limits, PoolCall};

fn running(hello: ConnectRequest, version: &str) -> ConnectRequest {
    ConnectRequest { client_version: version.to_owned(), ..hello }
}

fn at_least(hello: ConnectRequest, versions: &str) -> ConnectRequest {
    ConnectRequest { min_versions: list(versions), ..hello }
}

fn unsuitable() -> CallOutcome {
    CallOutcome::Refused(WireError::new(ErrorCode::Unsuitable, "rejected", ""))
}

#[test]
fn a_need_picks_the_host_and_one_that_nobody_meets_is_named() {
    let mut pool = Pool::new()
        .with_agent(HOST, serving(HOST, "eth"))
        .with_agent(SECOND_HOST, serving(SECOND_HOST, "eth snap"))
        .with_host(THIRD_HOST, SLOTS);
    let hosts = [HOST, SECOND_HOST, THIRD_HOST];
    for agent in other_clients(4) {
        pool.connect(agent, needing(agent, "snap/1")).unwrap();
        assert_eq!(pool.given(agent, &hosts).map(|(host, _)| host), Some(SECOND_HOST));
    }
    pool.connect(CLIENT, needing(CLIENT, "snap les/4")).unwrap();
    assert_eq!(pool.given(CLIENT, &hosts), None);
    let words = pool.why(CLIENT);
    assert!(words.contains("2 do not serve snap (--need)"), "{words}");
    pool.connect(SECOND_CLIENT, needing(SECOND_CLIENT, "les")).unwrap();
    pool.ask(SECOND_CLIENT, 1);
    let words = pool.why(SECOND_CLIENT);
    assert!(words.contains("2 do not serve les (--need)"), "{words}");
    // One that serves it comes, and is given without another question.
    let serves_les = pool.newcomer();
    pool.connect(serves_les, serving(serves_les, "eth les")).unwrap();
    pool.pass(6_000);
    let asked = pool.admitting(&[HOST, SECOND_HOST, THIRD_HOST, serves_les]).map(|(host, _)| host);
    assert_eq!(asked, Some(serves_les));
}

/// The client left: the host admits it too late, and undoes that.
pub(crate) fn undone(pool: &mut Pool, host: u32, call: CallId) -> bool {
    pool.done(call, CallOutcome::Done);
    pool.evicted(host).is_some()
}

#[test]
fn a_minimum_version_holds_in_both_directions() {
    let old = "Geth/v1.12.0-stable/linux";
    let new = "Geth/v1.17.5-stable/linux";
    let mut pool = Pool::new()
        .with_agent(HOST, running(host(HOST, SLOTS), old))
        .with_agent(SECOND_HOST, running(host(SECOND_HOST, SLOTS), new));
    for agent in other_clients(3) {
        pool.connect(agent, at_least(client(agent), "reth/9.9 geth/1.17.0")).unwrap();
        assert_eq!(pool.given(agent, &[HOST, SECOND_HOST]).map(|(host, _)| host), Some(SECOND_HOST));
    }
    pool.connect(CLIENT, at_least(client(CLIENT), "geth/1.18.0")).unwrap();
    pool.ask(CLIENT, 1);
    assert!(pool.why(CLIENT).contains("hosts on mainnet run a version older than geth/1.18.0 (--min-client-version)"));
    // A host's own minimum: a client that is too old gets the hint to update, and the host is not asked.
    let mut pool = Pool::new()
        .with_agent(HOST, at_least(host(HOST, SLOTS), "geth/1.17.0"))
        .with_agent(CLIENT, running(client(CLIENT), old));
    assert_eq!(pool.given(CLIENT, &[HOST]), None);
    assert!(pool.why(CLIENT).contains("rejects your node's version"), "{}", pool.why(CLIENT));
    pool.connect(SECOND_CLIENT, running(client(SECOND_CLIENT), new)).unwrap();
    assert!(pool.given(SECOND_CLIENT, &[HOST]).is_some());
}

#[test]
fn a_version_that_a_host_rejects_is_remembered_and_costs_it_no_rest() {
    let mut pool = Pool::new().with_host(HOST, SLOTS).with_agent(CLIENT, running(client(CLIENT), "Geth/v1.12.0"));
    let (_, call) = pool.given(CLIENT, &[HOST]).unwrap();
    pool.done(call, unsuitable());
    assert!(pool.why(CLIENT).contains("rejects your node's version"), "{}", pool.why(CLIENT));
    pool.pass(60_000);
    assert_eq!(pool.admitting(&[HOST]), None, "it is not asked again");
    pool.connect(SECOND_CLIENT, running(client(SECOND_CLIENT), "reth/v2.0.0")).unwrap();
    let (_, call) = pool.given(SECOND_CLIENT, &[HOST]).expect("it does not rest");
    pool.done(call, CallOutcome::Done);
    // Another socket may come with another rule.
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    pool.pass(6_000);
    assert!(pool.admitting(&[HOST]).is_some());
}

#[test]
fn a_version_that_a_client_rejects_is_learned_from_its_leave_and_from_its_answer() {
    for by_answer in [false, true] {
        let mut pool =
            Pool::new().with_agent(HOST, running(host(HOST, SLOTS), "bad/v1.0.0")).with_client(CLIENT).reported(CLIENT);
        if by_answer {
            let (_, call) = pool.given(CLIENT, &[HOST]).unwrap();
            // The answer went out before the host admitted: the host is sent as a call.
            pool.pass(5_000);
            pool.done(call, CallOutcome::Done);
            let (call, _) = pool
                .take_call(CLIENT, |call| match call {
                    PoolCall::Dial(dial) => (dial.client_version == "bad/v1.0.0").then_some(()),
                    _ => None,
                })
                .unwrap();
            pool.done(call, unsuitable());
        } else {
            pool.ask(CLIENT, 1);
            let lease = pool.admit(HOST);
            assert_eq!(pool.last_ask(CLIENT).unwrap().hosts[0].client_version, "bad/v1.0.0");
            pool.leave(CLIENT, lease, LeaveReason::Rejected);
            assert_eq!(pool.evicted(HOST), Some(EvictReason::Unsuitable));
        }
        pool.pass_with(60_000, &[CLIENT]);
        assert_eq!(pool.admitting(&[HOST]), None, "{by_answer}");
        pool.ask(CLIENT, 1);
        assert!(
            pool.why(CLIENT)
                .contains("runs a version that your agent rejects (--reject-client) or your node is incompatible with")
        );
        pool.connect(SECOND_HOST, host(SECOND_HOST, SLOTS)).unwrap();
        assert_eq!(pool.given(CLIENT, &[HOST, SECOND_HOST]).map(|(host, _)| host), Some(SECOND_HOST));
    }
}

fn light(agent: u32) -> ConnectRequest {
    ConnectRequest { capabilities: list("les"), ..needing(agent, "les") }
}

#[test]
fn a_host_whose_light_slots_are_taken_is_given_to_full_nodes_only() {
    let mut pool =
        Pool::new().with_agent(HOST, serving(HOST, "eth les")).reported(HOST).with_agent(CLIENT, light(CLIENT));
    pool.ask(CLIENT, 1);
    let (call, admit) = pool.take_admit_call(HOST).unwrap();
    assert!(admit.light, "the admit names what it admits");
    // Evicted at once: the host reports both, and the client gets another.
    pool.done(call, CallOutcome::Done);
    pool.light_full(HOST, true);
    let lease = pool.last_ask(CLIENT).unwrap().hosts[0].lease;
    pool.leave(HOST, lease, LeaveReason::NotConnected);
    assert_eq!(pool.evicted(CLIENT), Some(EvictReason::NotConnected));
    pool.connect(SECOND_CLIENT, light(SECOND_CLIENT)).unwrap();
    assert_eq!(pool.given(SECOND_CLIENT, &[HOST]), None);
    assert!(pool.why(SECOND_CLIENT).ends_with("has no free slot for a light node"), "{}", pool.why(SECOND_CLIENT));
    let reply = pool.explain(SECOND_CLIENT).unwrap();
    assert_eq!((reply.excluded.full, reply.excluded.incompatible), (1, 0));
    pool.connect(THIRD_CLIENT, client(THIRD_CLIENT)).unwrap();
    let (_, call) = pool.given(THIRD_CLIENT, &[HOST]).expect("a full node takes no slot for light nodes");
    pool.done(call, CallOutcome::Done);
    // Another host comes; and the first has room again.
    pool.connect(SECOND_HOST, serving(SECOND_HOST, "eth les")).unwrap();
    pool.pass(6_000);
    assert_eq!(pool.admitting(&[HOST, SECOND_HOST]).map(|(host, _)| host), Some(SECOND_HOST));
}

#[test]
fn light_slots_are_free_again_by_the_hosts_report_and_on_a_new_socket() {
    let mut pool = Pool::new().with_agent(HOST, serving(HOST, "eth les")).reported(HOST);
    pool.light_full(HOST, true);
    pool.connect(CLIENT, light(CLIENT)).unwrap();
    assert_eq!(pool.given(CLIENT, &[HOST]), None);
    pool.light_full(HOST, false);
    pool.pass(6_000);
    assert!(pool.admitting(&[HOST]).is_some(), "without another question");
    pool.light_full(HOST, true);
    pool.connect(HOST, serving(HOST, "eth les")).unwrap();
    pool.connect(SECOND_CLIENT, light(SECOND_CLIENT)).unwrap();
    assert!(pool.given(SECOND_CLIENT, &[HOST]).is_some());
}

#[test]
fn a_client_hears_where_hosts_are_if_none_is_on_its_chain() {
    let on = |hello: ConnectRequest, chain| ConnectRequest { chain, ..hello };
    let mut pool = Pool::new().with_agent(CLIENT, on(client(CLIENT), chain(5)));
    pool.ask(CLIENT, 1);
    assert_eq!(pool.why(CLIENT), "no host is connected to the pool");
    pool.connect(HOST, on(host(HOST, SLOTS), chain(7))).unwrap();
    pool.ask(CLIENT, 1);
    assert!(pool.why(CLIENT).contains("no host here is on chain 5"), "{}", pool.why(CLIENT));
    assert!(pool.why(CLIENT).contains("hosts are on chain 7"), "{}", pool.why(CLIENT));
    let mut other = chain(5);
    other.genesis.0[0] = 8;
    pool.connect(SECOND_HOST, on(host(SECOND_HOST, SLOTS), other)).unwrap();
    pool.ask(CLIENT, 1);
    assert!(pool.why(CLIENT).contains("a different genesis block, 0x08"), "{}", pool.why(CLIENT));
    assert!(pool.why(CLIENT).contains("compare your genesis file"));
    assert!(pool.explain(CLIENT).unwrap().reason.unwrap().contains("a different genesis block"));
    // One on its chain that is full is another matter.
    pool.connect(THIRD_HOST, on(host(THIRD_HOST, 0), chain(5))).unwrap();
    pool.ask(CLIENT, 1);
    assert!(pool.why(CLIENT).ends_with("offers no slots"), "{}", pool.why(CLIENT));
}

#[test]
fn a_host_that_is_not_as_said_is_left_alone_for_a_while() {
    let mut pool = Pool::new()
        .with_agent(HOST, serving(HOST, "eth snap"))
        .with_agent(CLIENT, needing(CLIENT, "snap/1"))
        .reported(CLIENT);
    pool.ask(CLIENT, 1);
    let lease = pool.admit(HOST);
    pool.leave(CLIENT, lease, LeaveReason::Mismatch);
    assert_eq!(pool.evicted(HOST), Some(EvictReason::Unsuitable));
    pool.pass(30_000);
    assert_eq!(pool.admitting(&[HOST]), None);
    pool.connect(SECOND_CLIENT, needing(SECOND_CLIENT, "snap/1")).unwrap();
    assert!(pool.given(SECOND_CLIENT, &[HOST]).is_some(), "one client's word keeps no other away");
}

#[test]
fn the_one_host_that_suits_is_found_among_many_of_few_kinds() {
    // Two kinds and the host itself are three looks; with two, it is found by chance.
    for (looks, found) in [(2, false), (3, true)] {
        let mut pool = Pool::with(Limits {
            candidates: 4,
            examined_hosts: 4,
            examined_hosts_by_rules: looks,
            ..Limits::default()
        });
        let (hosts, suits, clients) = (1..=300, 150, 1_000..1_020);
        for agent in hosts {
            pool.connect(agent, serving(agent, if agent == suits { "eth snap" } else { "eth" })).unwrap();
        }
        let mut hits = 0;
        for agent in clients {
            let version = format!("Geth/v1.{agent}.0");
            pool.connect(agent, running(needing(agent, "snap"), &version)).unwrap();
            let offer = pool.given(agent, &[suits]);
            pool.disconnect(agent);
            hits += u32::from(offer.is_some_and(|(host, call)| undone(&mut pool, host, call)));
        }
        assert_eq!(hits == 20, found, "{hits} with {looks} looks");
    }
}

#[test]
fn profiles_are_shared_cut_and_bounded() {
    let limits = Limits { capabilities: 2, profiles: 2, rules: 1, ..Limits::default() };
    let mut pool = Pool::with(limits);
    let hosts = [HOST, SECOND_HOST, THIRD_HOST];
    for agent in hosts {
        pool.connect(agent, serving(agent, if agent == SECOND_HOST { "snap eth" } else { "eth snap les" })).unwrap();
    }
    assert_eq!(pool.core.agents.profiles(), 1);
    pool.connect(CLIENT, needing(CLIENT, "les snap")).unwrap();
    assert_eq!(pool.given(CLIENT, &hosts), None, "the third capability is ignored");
    let further_host = pool.newcomer();
    pool.connect(further_host, serving(further_host, "les")).unwrap();
    assert_eq!(pool.given(CLIENT, &[further_host]), None, "a further profile is as none");
    for agent in [SECOND_HOST, THIRD_HOST] {
        pool.disconnect(agent);
    }
    let no_slots = HostOffer { slots: 0, payout: None, no_trials: false };
    pool.connect(HOST, ConnectRequest { host: Some(no_slots), ..serving(HOST, "eth snap les") }).unwrap();
    pool.connect(SECOND_CLIENT, needing(SECOND_CLIENT, "snap")).unwrap();
    assert!(pool.given(SECOND_CLIENT, &[further_host]).is_some(), "its agent checks alone");
    pool.connect(CLIENT, needing(CLIENT, "les")).unwrap();
    assert_eq!(pool.core.agents.profiles(), 2);
    pool.disconnect(HOST);
    assert_eq!(pool.core.agents.profiles(), 1, "it counts while a connected node has it");
}

#[test]
fn a_host_that_refuses_ever_more_versions_does_not_rest_and_the_oldest_is_forgotten() {
    let mut pool = Pool::with(Limits { rejected_versions: 2, ..Limits::default() }).with_host(HOST, SLOTS);
    for (agent, version) in other_clients(3).zip(["a/v1.0.0", "b/v1.0.0", "c/v1.0.0"]) {
        pool.connect(agent, running(client(agent), version)).unwrap();
        let (_, call) = pool.given(agent, &[HOST]).expect(version);
        pool.done(call, unsuitable());
        pool.disconnect(agent);
    }
    pool.connect(CLIENT, running(client(CLIENT), "d/v1.0.0")).unwrap();
    assert!(pool.given(CLIENT, &[HOST]).is_some(), "strangers invent versions");
    // The first of the three is forgotten.
    pool.connect(SECOND_CLIENT, running(client(SECOND_CLIENT), "a/v1.0.0")).unwrap();
    assert!(pool.given(SECOND_CLIENT, &[HOST]).is_some());
}

#[test]
fn an_explanation_names_the_rule_that_excludes_hosts() {
    let mut pool = Pool::new().with_agent(HOST, serving(HOST, "eth")).with_agent(CLIENT, needing(CLIENT, "snap/1"));
    assert_eq!(pool.given(CLIENT, &[HOST]), None);
    let reply = pool.explain(CLIENT).unwrap();
    assert_eq!((reply.candidates, reply.excluded.incompatible), (0, 1));
    assert!(reply.reason.unwrap().contains("does not serve snap/1 (--need)"));
}

/// The host admits a light node, disconnects it at once, and leaves the lease.
fn disconnects_light_node(pool: &mut Pool, agent: u32, call: CallId) {
    pool.done(call, CallOutcome::Done);
    let lease = pool.last_ask(agent).unwrap().hosts[0].lease;
    let leave =
        LeaveRequest { leases: vec![lease], reason: LeaveReason::NotConnected, fault: Some(PairFault::LightSlots) };
    pool.handle(Command::Leave { connection: pool.connection(HOST), request: 1, leave: Box::new(leave) });
    pool.evicted(HOST).unwrap();
}

/// The attack: a light node connects and leaves at once, again and again, with other ids of its block.
#[test]
fn a_light_node_that_a_host_disconnected_excludes_its_neighbors_and_no_others() {
    for closed in [false, true] {
        let mut pool = Pool::with(Limits { members_only: closed, light_block_ms: 300_000, ..Limits::default() })
            .with_agent(HOST, serving(HOST, "eth les"))
            .reported(HOST);
        let [clients_block, other_block, third_block] = [2, 4, 5];
        let at = |agent: u32, block: u8| IpAddr::from([20, 0, block, u8::try_from(agent).unwrap()]);
        let light = |pool: &mut Pool, agent: u32, block: u8| {
            let hello = ConnectRequest { capabilities: list("les/4"), ..needing(agent, "les") };
            pool.connect_from(agent, hello, at(agent, block)).unwrap();
            pool.given(agent, &[HOST])
        };
        let (_, call) = light(&mut pool, CLIENT, clients_block).unwrap();
        disconnects_light_node(&mut pool, CLIENT, call);
        assert_eq!(light(&mut pool, SECOND_CLIENT, clients_block).is_some(), closed, "of the same block");
        let (_, call) = light(&mut pool, THIRD_CLIENT, other_block).expect("of another block");
        pool.done(call, CallOutcome::Refused(WireError::new(ErrorCode::LightFull, "taken", "")));
        assert_eq!(light(&mut pool, THIRD_CLIENT, other_block), None, "the same again");
        let (other_light_node, full_node) = (pool.newcomer(), pool.newcomer());
        assert!(light(&mut pool, other_light_node, third_block).is_some(), "the host does not rest");
        pool.connect_from(full_node, client(full_node), at(full_node, clients_block)).unwrap();
        assert!(pool.given(full_node, &[HOST]).is_some(), "a full node in that block");
    }
}

/// The attack: the same, in another address block of one provider each time.
#[test]
fn light_nodes_of_four_blocks_that_a_host_disconnected_exclude_their_wide_block() {
    let proven = 10;
    let limits = Limits { light_block_ms: 300_000, ..Limits::default() };
    let mut pool = knowing(limits, [proven]).with_agent(HOST, serving(HOST, "eth les")).reported(HOST);
    let given = |pool: &mut Pool, agent: u32, address: [u8; 4]| {
        let hello = ConnectRequest { capabilities: list("les/4"), ..needing(agent, "les") };
        pool.connect_from(agent, hello, address.into()).unwrap();
        pool.given(agent, &[HOST]).map(|(_, call)| call)
    };
    for (agent, block) in (1_000..).zip(0..4) {
        let call = given(&mut pool, agent, [66, 6, block, 1]).expect("fewer than four blocks");
        disconnects_light_node(&mut pool, agent, call);
    }
    assert_eq!(given(&mut pool, 1_010, [66, 6, 9, 1]), None);
    assert!(given(&mut pool, 1_011, [66, 7, 0, 1]).is_some(), "of another wide block");
    assert!(given(&mut pool, proven, [66, 6, 9, 2]).is_some(), "a proven one");
    assert_eq!(pool.explain(1_010).unwrap().excluded.recently_failed, 1);
}

/// The attack: the same with ids that are proven, after those that are not.
#[test]
fn proven_light_nodes_of_eight_blocks_exclude_their_wide_block() {
    for first_proven in [0, 4] {
        eight_blocks_exclude_their_wide_block(first_proven);
    }
}

/// The light nodes of blocks up to `first_proven` are not proven.
fn eight_blocks_exclude_their_wide_block(first_proven: u32) {
    let limits = Limits { light_block_ms: 300_000, ..Limits::default() };
    let mut pool = knowing(limits, 10 + first_proven..20).with_agent(HOST, serving(HOST, "eth les")).reported(HOST);
    let given = |pool: &mut Pool, agent: u32, address: [u8; 4]| {
        let hello = ConnectRequest { capabilities: list("les/4"), ..needing(agent, "les") };
        pool.connect_from(agent, hello, address.into()).unwrap();
        pool.given(agent, &[HOST]).map(|(_, call)| call)
    };
    for (agent, block) in (10..).zip(0..8) {
        let call = given(&mut pool, agent, [66, 6, block, 1]).expect("fewer than eight blocks");
        disconnects_light_node(&mut pool, agent, call);
    }
    assert_eq!(given(&mut pool, 18, [66, 6, 9, 1]), None);
    assert!(given(&mut pool, 19, [66, 7, 0, 1]).is_some(), "of another wide block");
}
