//! `--strict-peers`: peers without a lease are disconnected, and peers that the pool assigned never are.

use crate::common::*;
use vipnode_agent_core::{Action, AgentConfig, DirectConfig, Event, Notice, PoolAnswer};
use vipnode_types::{
    DropCause, Enode, PeerCommand, PeerFact,
    wire::{AskReply, LeaseView, Side},
};

/// Peers without a lease, which the node's settings do not keep.
const STRANGER: u8 = 30;
const SECOND_STRANGER: u8 = 31;

fn strict(config: AgentConfig) -> AgentConfig {
    AgentConfig { strict: true, ..config }
}

fn drops(bytes: &[u8]) -> Vec<PeerCommand> {
    bytes.iter().map(|byte| PeerCommand::Drop(by_id(*byte))).collect()
}

/// A look at these peers, late enough for strangers to be disconnected again.
fn look(bench: &mut Bench, bytes: &[u8]) -> Vec<PeerCommand> {
    bench.after(1_000);
    bench.peers(bytes);
    bench.calls()
}

/// The pool reconnects after a restart and knows these.
fn pool_again(bench: &mut Bench, leases: Vec<LeaseView>) {
    bench.on(Event::PoolLost { why: "restart".into() });
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(leases));
}

/// A strict host with one slot, sold to [`CLIENT`], which is connected.
fn host() -> Bench {
    let mut bench = Bench::new(strict(host_config(1)));
    bench.go_live(vec![]);
    bench.oblige();
    bench.call(1, admit(LEASE, CLIENT));
    bench.done();
    bench.peers(&[CLIENT]);
    bench
}

/// A strict client of [`HOST`], which is connected.
fn client() -> Bench {
    let mut bench = Bench::new(strict(client_config(1)));
    bench.go_live(vec![]);
    let (tag, _) = bench.ask().unwrap();
    bench.oblige();
    let reply = AskReply { hosts: vec![place(LEASE, HOST)], missing: 0, reason: None };
    bench.answer(tag, PoolAnswer::Ask(reply));
    bench.done();
    bench.peers(&[HOST]);
    bench
}

#[test]
fn a_stranger_is_disconnected_and_a_leased_peer_stays() {
    let mut bench = host();
    assert_eq!(look(&mut bench, &[CLIENT, STRANGER, SECOND_STRANGER]), drops(&[STRANGER, SECOND_STRANGER]));
    bench.done();
    assert_eq!(bench.notices(), [Notice::UnleasedPeerDisconnected { peer: node(STRANGER) }]);
    assert_eq!(bench.core.counters().unleased_peers_disconnected, 2);
    assert!(look(&mut bench, &[CLIENT]).is_empty());
    assert_eq!(look(&mut bench, &[CLIENT, STRANGER]), drops(&[STRANGER]), "it came back");
    bench.done();
    assert!(bench.notices().is_empty(), "said once");
    assert_eq!(bench.core.counters().unleased_peers_disconnected, 3);
    let mut lax = Bench::with_client();
    assert!(look(&mut lax, &[CLIENT, STRANGER]).is_empty());
}

#[test]
fn what_the_node_keeps_by_its_own_settings_stays() {
    let mut bench = host();
    let own = vec![
        peer(CLIENT),
        PeerFact { trusted: Some(true), ..peer(OWN_PEER) },
        PeerFact { is_static: Some(true), ..peer(SECOND_OWN_PEER) },
        PeerFact { ready: false, ..peer(SECOND_STRANGER) },
        PeerFact { trusted: None, is_static: None, remote: Some([10, 1, 1, 1].into()), ..peer(STRANGER) },
    ];
    bench.after(1_000);
    bench.on(Event::Peers(own));
    assert_eq!(bench.calls(), [PeerCommand::Drop(Enode::at(node(STRANGER), [10, 1, 1, 1].into(), 30_303))]);
}

#[test]
fn a_look_disconnects_a_bounded_number() {
    let mut bench = host();
    let many: Vec<u8> = (20..60).collect();
    assert_eq!(look(&mut bench, &many), drops(&many[..16]));
    bench.peers(&many);
    assert!(bench.calls().is_empty(), "not at once again");
    assert!(look(&mut bench, &many).is_empty(), "not before the node has done it");
    // The node does nothing: it is given up, and tried again.
    bench.after(10_000);
    assert_eq!(look(&mut bench, &many), drops(&many[..16]));
    let tasks = bench.node_calls();
    bench.on(Event::NodeDone { task: tasks[0].0, result: Err("no".into()) });
    for (task, _) in &tasks[1..] {
        bench.on(Event::NodeDone { task: *task, result: Ok(()) });
    }
    assert_eq!(bench.core.counters().unleased_peers_disconnected, 15);
    bench.on(Event::NodeDown { why: "gone".into() });
    bench.node_up();
    assert_eq!(look(&mut bench, &[STRANGER]), drops(&[STRANGER]));
}

#[test]
fn d33_nothing_is_disconnected_before_the_pool_has_listed_its_leases() {
    let mut bench = Bench::new(strict(client_config(1)));
    bench.node_up();
    assert!(look(&mut bench, &[STRANGER]).is_empty());
    bench.on(Event::PoolOpen);
    assert!(look(&mut bench, &[STRANGER]).is_empty());
    bench.on(Event::PoolLost { why: "no".into() });
    assert!(look(&mut bench, &[STRANGER]).is_empty());
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(vec![]));
    assert_eq!(look(&mut bench, &[STRANGER]), drops(&[STRANGER]));
}

#[test]
fn d33_a_client_is_known_by_its_id_whatever_its_address_says() {
    let mut bench = host();
    bench.after(1_000);
    bench.on(Event::Peers(vec![PeerFact { remote: Some([203, 0, 113, 9].into()), ..peer(CLIENT) }]));
    assert!(bench.calls().is_empty());
}

#[test]
fn d33_while_the_pool_is_unreachable_its_last_list_stays() {
    for (mut bench, leased) in [(host(), CLIENT), (client(), HOST)] {
        bench.on(Event::PoolLost { why: "away".into() });
        for _ in 0..100 {
            bench.after(9_000);
            assert!(look(&mut bench, &[leased]).is_empty());
        }
        assert_eq!(look(&mut bench, &[leased, STRANGER]), drops(&[STRANGER]));
    }
}

#[test]
fn d33_an_empty_answer_empties_no_strict_node() {
    for (mut bench, leased) in [(host(), CLIENT), (client(), HOST)] {
        pool_again(&mut bench, vec![]);
        assert!(bench.notices().contains(&Notice::LastListKept { leases: 1 }));
        assert!(bench.calls().is_empty(), "{:?}", bench.calls());
        assert_eq!(bench.report().unwrap().1.full, Some(vec![]), "what the pool does not know is not stated");
        assert!(look(&mut bench, &[leased]).is_empty());
        pool_again(&mut bench, vec![]);
        assert!(!bench.notices().contains(&Notice::LastListKept { leases: 1 }), "said once");
        assert!(look(&mut bench, &[leased]).is_empty());
        bench.stop();
        let end = bench.calls();
        assert!(matches!(end[..], [PeerCommand::Evict(_) | PeerCommand::Drop(_)]), "{end:?}");
        bench.done();
        assert!(bench.left().is_empty());
    }
}

#[test]
fn d33_the_last_hosts_stay_until_others_are_given() {
    let mut bench = client();
    pool_again(&mut bench, vec![]);
    let (tag, ask) = bench.ask().unwrap();
    assert_eq!(ask.want, 1, "the pool is asked for others at once");
    let reply = AskReply { hosts: vec![place(lease(5), HOST)], missing: 0, reason: None };
    bench.answer(tag, PoolAnswer::Ask(reply));
    assert!(bench.leave().is_none(), "the same host once more is welcome");
    // The command is repeated, and the connection is never cut.
    assert_eq!(bench.calls(), [PeerCommand::Dial(enode(HOST))]);
    bench.done();
    assert!(look(&mut bench, &[HOST]).is_empty());
    assert_eq!(bench.core.view().leases.len(), 1);

    pool_again(&mut bench, vec![]);
    let (tag, _) = bench.ask().unwrap();
    let reply = AskReply { hosts: vec![place(lease(6), SECOND_HOST)], missing: 0, reason: None };
    bench.answer(tag, PoolAnswer::Ask(reply));
    assert_eq!(bench.calls(), [PeerCommand::Drop(enode(HOST)), PeerCommand::Dial(enode(SECOND_HOST))]);
    bench.done();
    assert_eq!(bench.left().len(), 1);
}

#[test]
fn d33_the_last_clients_stay_for_ten_minutes_or_until_their_slot_is_sold() {
    let mut bench = host();
    pool_again(&mut bench, vec![]);
    for _ in 0..11 {
        bench.after(50_000);
        bench.peers(&[CLIENT]);
        assert!(bench.calls().is_empty());
    }
    bench.after(49_999);
    assert!(bench.calls().is_empty());
    bench.after(1);
    assert_eq!(bench.calls(), [PeerCommand::Evict(by_id(CLIENT))]);

    // The same client has its place again, under another name.
    let mut bench = host();
    pool_again(&mut bench, vec![]);
    bench.call(2, admit(lease(7), CLIENT));
    bench.done();
    assert_eq!(bench.reply(2), Some(Ok(())));
    assert!(look(&mut bench, &[CLIENT]).is_empty());
    assert_eq!(bench.left().len(), 1);

    // Another one waits for it.
    let mut bench = host();
    pool_again(&mut bench, vec![]);
    bench.call(2, admit(lease(7), SECOND_CLIENT));
    assert_eq!(bench.reply(2), None);
    assert_eq!(bench.calls(), [PeerCommand::Evict(by_id(CLIENT))]);
    bench.done();
    bench.done();
    assert_eq!(bench.reply(2), Some(Ok(())));
}

#[test]
fn d33_a_light_node_without_a_free_slot_evicts_no_last_client() {
    let mut bench = Bench::new(strict(host_config(4)));
    bench.go_live(vec![]);
    bench.oblige();
    let light = |byte| PeerFact { caps: caps("les/4"), ..peer(byte) };
    bench.call(1, admit_light(LEASE, CLIENT));
    bench.done();
    bench.on(Event::Peers(vec![light(CLIENT)]));
    bench.call(2, admit_light(SECOND_LEASE, SECOND_CLIENT));
    bench.done();
    bench.on(Event::PeerGone(node(SECOND_CLIENT), DropCause::Requested));
    bench.done();
    pool_again(&mut bench, vec![]);
    bench.call(3, admit_light(THIRD_LEASE, THIRD_CLIENT));
    assert!(bench.reply(3).unwrap().unwrap_err().message.contains("light-node slots of the host's node are in use"));
    assert!(bench.calls().is_empty());
}

#[test]
fn d33_a_node_that_reconnects_gets_the_last_list_again() {
    for (mut bench, command) in
        [(host(), PeerCommand::Admit(by_id(CLIENT))), (client(), PeerCommand::Dial(enode(HOST)))]
    {
        pool_again(&mut bench, vec![]);
        bench.on(Event::NodeDown { why: "restart".into() });
        bench.on(Event::NodeUp(Box::new(facts(OWN_NODE))));
        assert_eq!(bench.calls(), [command]);
    }
}

#[test]
fn what_the_pool_still_knows_in_part_is_its_word() {
    let mut bench = Bench::new(strict(host_config(2)));
    bench.go_live(vec![]);
    bench.oblige();
    for (tag, lease, client) in [(1, LEASE, CLIENT), (2, SECOND_LEASE, SECOND_CLIENT)] {
        bench.call(tag, admit(lease, client));
        bench.done();
    }
    pool_again(&mut bench, vec![view(LEASE, Side::Host, CLIENT)]);
    assert_eq!(bench.calls(), [PeerCommand::Evict(by_id(SECOND_CLIENT))]);
}

#[test]
fn without_a_pool_only_those_who_were_named_stay() {
    let direct = DirectConfig { hosts: vec![enode(HOST)], allow: vec![enode(CLIENT)] };
    let mut bench = Bench::new(AgentConfig { pool: false, direct, ..strict(host_config(0)) });
    bench.node_up();
    // Before any call for them was made.
    bench.peers(&[HOST, CLIENT, STRANGER]);
    let strangers: Vec<PeerCommand> = bench
        .calls()
        .into_iter()
        .filter(|call| matches!(call, PeerCommand::Drop(peer) if peer.id == node(STRANGER)))
        .collect();
    assert_eq!(strangers, drops(&[STRANGER]));
    assert!(!bench.calls().iter().any(|call| matches!(call, PeerCommand::Drop(peer) if peer.id != node(STRANGER))));
    bench.stop();
    assert!(look(&mut bench, &[SECOND_STRANGER]).is_empty(), "a stop disconnects no more strangers");
}

#[test]
fn a_stranger_that_is_given_a_slot_meanwhile_waits_for_the_end_of_it() {
    let mut bench = host();
    bench.call(2, evict(LEASE, CLIENT));
    bench.done();
    assert_eq!(look(&mut bench, &[STRANGER]), drops(&[STRANGER]));
    let task = bench.node_calls()[0].0;
    bench.call(3, admit(THIRD_LEASE, STRANGER));
    assert!(bench.calls().is_empty(), "one thing at a time for each peer");
    bench.on(Event::NodeDone { task, result: Ok(()) });
    assert_eq!(bench.calls(), [PeerCommand::Admit(by_id(STRANGER))]);
    bench.done();
    assert_eq!(bench.reply(3), Some(Ok(())));
    assert!(look(&mut bench, &[STRANGER]).is_empty());
    bench.call(4, evict(THIRD_LEASE, STRANGER));
    assert_eq!(bench.calls(), [PeerCommand::Evict(by_id(STRANGER))], "the old connection was no own one");
    assert!(!bench.out.iter().any(|action| matches!(action, Action::Stopped { .. })));
}

/// A host that evicted [`CLIENT`], whose node left and then connected again. The host has `own` further peers.
fn returned(own: u8) -> Bench {
    let mut bench = Bench::with_client();
    let others: Vec<u8> = (100..100 + own).collect();
    bench.peers(&[&others[..], &[CLIENT]].concat());
    bench.call(2, evict(LEASE, CLIENT));
    bench.done();
    bench.peers(&[&others[..], &[CLIENT]].concat());
    assert!(bench.notices().is_empty(), "the list may be from before the eviction");
    bench.peers(&others);
    bench.after(1_000);
    bench.peers(&[&others[..], &[CLIENT]].concat());
    bench
}

#[test]
fn a_client_that_comes_back_without_a_lease_is_reported_and_a_full_host_disconnects_it() {
    let mut bench = returned(1);
    assert_eq!(bench.notices(), [Notice::ClientReturned { client: node(CLIENT), disconnected: false }]);
    assert!(bench.calls().is_empty(), "there is room");
    bench.peers(&[CLIENT]);
    assert!(bench.notices().is_empty(), "said once");

    // Two slots are on offer and free, and the node has a table for 50.
    let mut bench = returned(48);
    assert_eq!(bench.notices(), [Notice::ClientReturned { client: node(CLIENT), disconnected: true }]);
    assert_eq!(bench.calls(), drops(&[CLIENT]));
    bench.done();
    assert!(bench.notices().is_empty(), "said before");
}

#[test]
fn a_client_that_comes_back_much_later_is_a_peer_like_others() {
    let mut bench = Bench::with_client();
    bench.peers(&[CLIENT]);
    bench.call(2, evict(LEASE, CLIENT));
    bench.done();
    bench.peers(&[]);
    bench.after(36_000);
    bench.peers(&[CLIENT]);
    assert!(bench.notices().is_empty() && bench.calls().is_empty());
}
