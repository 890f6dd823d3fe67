//! A host that admitted the node but never connected: the agent finds and reports the cause once, and requests another
//! host.

use crate::common::*;
use vipnode_agent_core::{AdmitFailure, Advertise, AgentConfig, ConnectFailure, Event, FromPool, Notice};
use vipnode_types::{
    Direction, DropCause, Enode, EnodeHost, NodeFacts, NodeId, PeerCommand, PeerFact,
    wire::{ErrorCode, EvictCall, EvictReason, LeasedHost, LeaveReason, PairFault, Side},
};

fn announced(bench: &Bench) -> Vec<(NodeId, ConnectFailure)> {
    let announced = bench.notices().into_iter().filter_map(|notice| match notice {
        Notice::HostNotConnected { host, cause, .. } => Some((host, cause)),
        Notice::ClientNotConnected { client, cause, .. } => Some((client, cause)),
        _ => None,
    });
    announced.collect()
}

/// A client that was given a host, and whose node dials it.
fn dialing(places: Vec<LeasedHost>) -> Bench {
    let mut bench = Bench::live(client_config(1));
    bench.oblige();
    bench.give(places);
    bench.done();
    bench
}

#[test]
fn another_genesis_shows_as_a_peer_that_comes_and_goes() {
    let mut bench = dialing(vec![place(LEASE, HOST)]);
    bench.on(Event::PeerGone(node(HOST), DropCause::Unknown));
    bench.after(20_000);
    assert_eq!(announced(&bench), [(node(HOST), ConnectFailure::NoCommonProtocol)]);
    assert_eq!(bench.ask().unwrap().1.avoid, [node(HOST)], "another host is asked for");

    let mut bench = dialing(vec![place(LEASE, HOST)]);
    bench.on(Event::Peers(vec![PeerFact { ready: false, ..peer(HOST) }]));
    bench.after(20_000);
    assert_eq!(announced(&bench), [(node(HOST), ConnectFailure::NoCommonProtocol)]);
}

#[test]
fn a_peer_that_begins_slowly_is_not_doomed() {
    let mut bench = dialing(vec![place(LEASE, HOST)]);
    bench.on(Event::Peers(vec![PeerFact { ready: false, ..peer(HOST) }]));
    bench.peers(&[HOST]);
    bench.after(20_000);
    assert_eq!(announced(&bench), []);
}

#[test]
fn a_node_at_its_dial_limit_has_no_slot_for_a_host() {
    let dialed = |many: u8| (100..100 + many).map(|n| PeerFact { direction: Direction::Outbound, ..peer(n) }).collect();
    let mut bench = dialing(vec![place(LEASE, HOST)]);
    bench.on(Event::Peers(dialed(16)));
    bench.after(20_000);
    assert_eq!(announced(&bench), [(node(HOST), ConnectFailure::NoDialSlot { dialed: 16 })]);

    let mut bench = dialing(vec![place(LEASE, HOST)]);
    bench.on(Event::Peers(dialed(15)));
    bench.after(20_000);
    assert_eq!(announced(&bench), [(node(HOST), ConnectFailure::NeverConnected)]);
}

#[test]
fn a_host_at_a_loopback_address_is_looked_for_on_the_own_machine() {
    let mut host = place(LEASE, HOST);
    host.host = host.host.with_ip([127, 0, 0, 1].into());
    let mut bench = dialing(vec![host]);
    bench.after(20_000);
    assert_eq!(announced(&bench), [(node(HOST), ConnectFailure::Loopback)]);
}

#[test]
fn each_cause_is_reported_once() {
    let mut bench = dialing(vec![place(LEASE, HOST)]);
    bench.after(20_000);
    assert_eq!(announced(&bench).len(), 1);
    bench.give(vec![place(SECOND_LEASE, SECOND_HOST)]);
    bench.done();
    bench.after(20_000);
    assert!(announced(&bench).is_empty() && bench.ask().is_some(), "{:?}", bench.out);
}

/// The node's own reason for a lost peer is reported at once, without waiting for another dial.
#[test]
fn a_cause_that_lasts_ends_the_pair_at_once_on_either_side() {
    for (said, cause, reason) in [
        (DropCause::Genesis, ConnectFailure::Genesis, LeaveReason::NotConnected),
        (DropCause::Network, ConnectFailure::Network, LeaveReason::NotConnected),
        (DropCause::Forks, ConnectFailure::Forks, LeaveReason::NotConnected),
        (DropCause::EthVersion, ConnectFailure::EthVersion, LeaveReason::Rejected),
    ] {
        let mut bench = dialing(vec![place(LEASE, HOST)]);
        bench.on(Event::PeerGone(node(HOST), said));
        assert_eq!(announced(&bench), [(node(HOST), cause)]);
        assert_eq!(bench.leave().unwrap().reason, reason);
        bench.after(1_000);
        assert_eq!(bench.ask().unwrap().1.avoid, [node(HOST)]);

        let mut bench = Bench::with_client();
        bench.on(Event::PeerGone(node(CLIENT), said));
        assert_eq!(announced(&bench), [(node(CLIENT), cause)]);
        assert_eq!(bench.leave().unwrap().reason, reason);
        assert_eq!(bench.calls(), [PeerCommand::Evict(by_id(CLIENT))]);
    }
}

#[test]
fn a_peer_that_wished_to_go_is_waited_for() {
    let mut bench = dialing(vec![place(LEASE, HOST)]);
    bench.on(Event::PeerGone(node(HOST), DropCause::Requested));
    assert!(announced(&bench).is_empty() && bench.leave().is_none());
    // A full client that its own agent has go again, and a connection that had held.
    let mut bench = Bench::with_client();
    bench.on(Event::PeerGone(node(CLIENT), DropCause::Requested));
    assert!(announced(&bench).is_empty() && bench.leave().is_none());
    let mut bench = Bench::with_host();
    bench.after(5_000);
    bench.on(Event::PeerGone(node(HOST), DropCause::Forks));
    assert!(announced(&bench).is_empty() && bench.leave().is_none());
}

#[test]
fn while_the_pool_is_unreachable_no_pair_is_given_up() {
    let mut bench = dialing(vec![place(LEASE, HOST)]);
    bench.on(Event::PoolLost { why: "cut".into() });
    bench.on(Event::PeerGone(node(HOST), DropCause::Genesis));
    assert!(announced(&bench).is_empty() && bench.calls().is_empty());
}

fn light(byte: u8) -> PeerFact {
    PeerFact { caps: caps("les/3 les/4"), ..peer(byte) }
}

/// A host with the light node [`CLIENT`] connected ([`LEASE`]), that has just admitted the light node [`SECOND_CLIENT`]
/// ([`SECOND_LEASE`]).
fn serving_light() -> Bench {
    let mut bench = Bench::live(host_config(4));
    bench.oblige();
    bench.call(1, admit_light(LEASE, CLIENT));
    bench.done();
    bench.on(Event::Peers(vec![light(CLIENT)]));
    bench.call(2, admit_light(SECOND_LEASE, SECOND_CLIENT));
    bench.done();
    bench
}

#[test]
fn taken_light_slots_are_reported_and_not_sold() {
    let mut bench = serving_light();
    bench.on(Event::PeerGone(node(SECOND_CLIENT), DropCause::Requested));
    assert_eq!(announced(&bench), [(node(SECOND_CLIENT), ConnectFailure::NoLightSlot)]);
    assert_eq!(bench.report().unwrap().1.light_slots_full, Some(true));
    let leave = bench.leave().unwrap();
    assert_eq!((leave.leases, leave.reason), (vec![SECOND_LEASE], LeaveReason::NotConnected));
    bench.done();
    bench.call(3, admit_light(THIRD_LEASE, THIRD_CLIENT));
    let refused = bench.reply(3).unwrap().unwrap_err();
    assert!(
        refused.message.contains("light-node slots of the host's node are in use") && refused.is(ErrorCode::LightFull)
    );
    let failed = bench.core.counters().admit_failures().filter(|(_, count)| *count > 0).collect::<Vec<_>>();
    assert_eq!(failed, [(AdmitFailure::LightFull, 1)]);
    bench.call(4, admit(lease(4), FOURTH_CLIENT));
    bench.done();
    assert_eq!(bench.reply(4), Some(Ok(())), "a full node needs none of those places");
    // After a while one is admitted to find out. That it is disconnected again is not news for the user.
    bench.after(10_000);
    assert_eq!(bench.report().unwrap().1.light_slots_full, Some(false));
    bench.on(Event::Peers(vec![light(CLIENT)]));
    bench.call(5, admit_light(lease(5), THIRD_CLIENT));
    bench.done();
    bench.on(Event::PeerGone(node(THIRD_CLIENT), DropCause::Requested));
    assert!(announced(&bench).is_empty());
    assert_eq!(bench.report().unwrap().1.light_slots_full, Some(true));
}

/// One light node that connects and leaves at once keeps no slot from others: its client does not say that it was thrown out.
#[test]
fn a_light_client_that_leaves_its_lease_means_no_taken_slots() {
    let mut bench = serving_light();
    bench.on(Event::PeerGone(node(SECOND_CLIENT), DropCause::Requested));
    assert_eq!(bench.report().unwrap().1.light_slots_full, Some(true));
    bench.done();
    bench.call(3, evict(SECOND_LEASE, SECOND_CLIENT));
    assert_eq!(bench.report().unwrap().1.light_slots_full, Some(false));
    bench.call(4, admit_light(lease(4), THIRD_CLIENT));
    bench.done();
    assert_eq!(bench.reply(4), Some(Ok(())));
}

#[test]
fn a_leaving_light_node_frees_a_slot_and_a_new_socket_learns_of_it() {
    let mut bench = serving_light();
    // Seen for a moment, as a look may find it.
    bench.on(Event::Peers(vec![light(CLIENT), light(SECOND_CLIENT)]));
    bench.on(Event::PeerGone(node(SECOND_CLIENT), DropCause::Requested));
    assert_eq!(announced(&bench), [(node(SECOND_CLIENT), ConnectFailure::NoLightSlot)]);
    bench.done();
    bench.on(Event::PoolLost { why: "cut".into() });
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(vec![view(LEASE, Side::Host, CLIENT)]));
    assert_eq!(bench.report().unwrap().1.light_slots_full, Some(true));
    bench.call(6, evict(LEASE, CLIENT));
    bench.done();
    bench.peers(&[]);
    assert_eq!(bench.report().unwrap().1.light_slots_full, Some(false));
}

#[test]
fn a_light_node_that_leaves_by_itself_does_not_mean_taken_slots() {
    let mut bench = Bench::live(host_config(4));
    bench.oblige();
    bench.call(1, admit_light(LEASE, CLIENT));
    bench.done();
    bench.on(Event::PeerGone(node(CLIENT), DropCause::Requested));
    assert!(announced(&bench).is_empty() && bench.leave().is_none());
}

#[test]
fn a_light_node_that_a_host_throws_out_asks_for_another() {
    let mut bench = Bench::new(client_config(1));
    bench.on(Event::NodeUp(Box::new(NodeFacts { full: false, protocols: caps("les"), ..facts(OWN_NODE) })));
    bench.head(100, 5);
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(Vec::new()));
    bench.oblige();
    bench.give(vec![place(LEASE, HOST)]);
    bench.done();
    bench.on(Event::PeerGone(node(HOST), DropCause::Requested));
    assert_eq!(announced(&bench), [(node(HOST), ConnectFailure::NoLightSlot)]);
    bench.after(1_000);
    assert_eq!(bench.ask().unwrap().1.avoid, [node(HOST)]);
}

/// The other side may know more, and ends the pair before this one has waited for long.
#[test]
fn a_pair_that_the_pool_ends_is_explained_once_it_was_waited_for() {
    for (waited_ms, causes) in [(200, vec![]), (15_000, vec![(node(HOST), ConnectFailure::NeverConnected)])] {
        let mut bench = dialing(vec![place(LEASE, HOST)]);
        bench.after(waited_ms);
        let FromPool::Evict(call) = evict(LEASE, HOST) else { unreachable!() };
        let reason = EvictReason::NotConnected;
        let call = EvictCall { reason, ..call };
        bench.call(7, FromPool::Evict(call));
        assert_eq!(announced(&bench), causes);
    }
}

/// The pool may have given the client the address that it observed.
#[test]
fn a_host_blames_its_loopback_address_only_if_the_pool_gave_it_to_the_client() {
    let loopback = Enode { host: EnodeHost::Ip([127, 0, 0, 1].into()), ..enode(OWN_NODE) };
    for (fault, cause) in
        [(Some(PairFault::Loopback), ConnectFailure::Loopback), (None, ConnectFailure::NeverConnected)]
    {
        let advertise = Advertise::Enode(loopback.clone());
        let mut bench = Bench::live(AgentConfig { advertise, ..host_config(2) });
        bench.on(Event::PoolAddress("10.0.0.1".parse().unwrap()));
        bench.oblige();
        bench.call(1, admit(LEASE, CLIENT));
        bench.done();
        bench.after(20_000);
        let FromPool::Evict(call) = evict(LEASE, CLIENT) else { unreachable!() };
        bench.call(2, FromPool::Evict(EvictCall { reason: EvictReason::NotConnected, fault, ..call }));
        assert_eq!(announced(&bench), [(node(CLIENT), cause)]);
    }
}

/// One side's node knows the cause, the other's knows only that something went wrong on the other side.
#[test]
fn what_the_other_side_saw_is_reported_and_decides_nothing() {
    let mut bench = dialing(vec![place(LEASE, HOST)]);
    bench.on(Event::PeerGone(node(HOST), DropCause::Network));
    assert_eq!(bench.leave().unwrap().fault, Some(PairFault::Network));

    let reported_to = |bench: &mut Bench, peer, fault| {
        let FromPool::Evict(call) = evict(LEASE, peer) else { unreachable!() };
        bench.call(7, FromPool::Evict(EvictCall { reason: EvictReason::NotConnected, fault: Some(fault), ..call }));
        announced(bench)
    };
    let mut bench = dialing(vec![place(LEASE, HOST)]);
    bench.on(Event::PeerGone(node(HOST), DropCause::Unknown));
    assert_eq!(reported_to(&mut bench, HOST, PairFault::Network), [(node(HOST), ConnectFailure::Network)]);
    let mut bench = Bench::with_client();
    bench.oblige();
    assert_eq!(reported_to(&mut bench, CLIENT, PairFault::LightSlots), [(node(CLIENT), ConnectFailure::NoLightSlot)]);
    bench.done();
    assert!(
        bench.report().is_none_or(|(_, report)| report.light_slots_full.is_none()),
        "only its own node's word counts"
    );
}
