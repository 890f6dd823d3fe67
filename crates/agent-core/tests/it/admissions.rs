//! Which clients the agent admits, refuses, and evicts as a host.

use crate::common::*;
use vipnode_agent_core::{Action, Event, JournalEntry, Notice, PoolAnswer};
use vipnode_types::{
    Ms, PeerCommand, PeerFact,
    wire::{AskReply, ErrorCode, Side},
};

fn refusal(bench: &Bench, tag: u64) -> String {
    let error = bench.reply(tag).expect("an answer").unwrap_err();
    assert!(error.is(ErrorCode::Refused) || error.is(ErrorCode::Full), "{error:?}");
    assert_eq!(bench.calls(), vec![], "the node got a command");
    error.message
}

#[test]
fn refuses_with_the_reason() {
    let mut bench = Bench::live(client_config(1));
    bench.call(1, admit(LEASE, CLIENT));
    assert_eq!(refusal(&bench, 1), "this agent does not sell slots");

    let mut bench = Bench::with_client();
    bench.call(2, admit(SECOND_LEASE, SECOND_CLIENT));
    bench.done();
    bench.call(3, admit(THIRD_LEASE, THIRD_CLIENT));
    assert_eq!(refusal(&bench, 3), "no slot is free (2 in use)");

    let mut bench = Bench::live(host_config(2));
    bench.head(100, 601);
    bench.call(1, admit(LEASE, CLIENT));
    assert!(refusal(&bench, 1).contains("--max-head-age"));
    bench.head(101, 1);
    bench.on(Event::NodeDown { why: "killed".into() });
    bench.call(2, admit(LEASE, CLIENT));
    assert_eq!(refusal(&bench, 2), "the host's node is down");

    let mut bench = Bench::with_client();
    bench.stop();
    bench.call(3, admit(SECOND_LEASE, SECOND_CLIENT));
    assert_eq!(refusal(&bench, 3), "the host is stopping");
}

#[test]
fn d35_the_agent_keeps_to_its_own_count_until_the_node_has_undone_it() {
    let mut bench = Bench::with_client();
    bench.call(2, admit(SECOND_LEASE, SECOND_CLIENT));
    bench.done();
    bench.call(3, evict(LEASE, CLIENT));
    let evicting = bench.node_calls()[0].0;
    bench.call(4, admit(THIRD_LEASE, THIRD_CLIENT));
    assert_eq!((bench.reply(4), bench.calls()), (None, vec![]), "it waits for the slot");
    bench.call(5, admit(lease(4), FOURTH_CLIENT));
    assert_eq!(refusal(&bench, 5), "no slot is free (2 in use)");
    assert!(bench.reply(5).unwrap().unwrap_err().is(ErrorCode::Full), "one slot is coming, and has its client");
    bench.on(Event::NodeDone { task: evicting, result: Ok(()) });
    assert_eq!(bench.reply(3), Some(Ok(())));
    assert_eq!(bench.calls(), vec![PeerCommand::Admit(by_id(THIRD_CLIENT))]);
    bench.done();
    assert_eq!(bench.reply(4), Some(Ok(())));
}

#[test]
fn an_admit_waits_for_a_slot_for_so_long_and_not_beyond_its_lease() {
    let waiting = || {
        let mut bench = Bench::with_client();
        bench.call(2, admit(SECOND_LEASE, SECOND_CLIENT));
        bench.done();
        bench.call(3, evict(LEASE, CLIENT));
        let evicting = bench.node_calls()[0].0;
        bench.call(4, admit(THIRD_LEASE, THIRD_CLIENT));
        assert_eq!(bench.reply(4), None);
        (bench, evicting)
    };
    let (mut bench, _) = waiting();
    bench.after(1_999);
    assert_eq!(bench.reply(4), None);
    bench.after(1);
    assert_eq!(refusal(&bench, 4), "no slot is free (2 in use)");
    let (mut bench, _) = waiting();
    bench.call(5, evict(THIRD_LEASE, THIRD_CLIENT));
    assert_eq!((bench.reply(5), refusal(&bench, 4).contains("ended")), (Some(Ok(())), true));
    let (mut bench, _) = waiting();
    bench.on(Event::NodeDown { why: "test".into() });
    assert!(refusal(&bench, 4).contains("down"));
    let (mut bench, evicting) = waiting();
    bench.on(Event::PoolLost { why: "cut".into() });
    bench.on(Event::NodeDone { task: evicting, result: Ok(()) });
    assert_eq!(bench.calls(), vec![], "nobody waits for it any more");
}

#[test]
fn a_repeated_admit_changes_nothing() {
    let mut bench = Bench::live(host_config(2));
    bench.call(1, admit(LEASE, CLIENT));
    let task = bench.node_calls()[0].0;
    bench.call(2, admit(LEASE, CLIENT));
    assert_eq!(bench.out, vec![]);
    bench.on(Event::NodeDone { task, result: Ok(()) });
    assert_eq!((bench.reply(1), bench.reply(2)), (Some(Ok(())), Some(Ok(()))));
    bench.call(3, admit(LEASE, CLIENT));
    assert_eq!(bench.out, vec![Action::Answer { tag: 3, reply: Ok(()) }]);
    bench.call(4, admit(LEASE, SECOND_CLIENT));
    assert!(bench.reply(4).unwrap().unwrap_err().is(ErrorCode::InvalidParams));
}

#[test]
fn a_failed_admit_is_undone_and_the_journal_says_so_last() {
    let mut bench = Bench::live(host_config(2));
    bench.call(1, admit(LEASE, CLIENT));
    bench.fail();
    assert!(bench.reply(1).unwrap().is_err());
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
    assert_eq!(bench.left().len(), 1);
    bench.done();
    assert_eq!(bench.left(), vec![]);
    assert_eq!(bench.core.view().leases, vec![]);
}

#[test]
fn a_node_that_never_answers_an_admit_counts_as_failed() {
    let mut bench = Bench::live(host_config(2));
    bench.call(1, admit(LEASE, CLIENT));
    let late = bench.node_calls()[0].0;
    bench.after(10_000);
    assert!(bench.reply(1).unwrap().is_err());
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
    bench.on(Event::NodeDone { task: late, result: Ok(()) });
    assert_eq!(bench.left().len(), 1, "a late word is nobody's");
}

#[test]
fn an_evict_that_overtakes_the_admit_undoes_it_after() {
    let mut bench = Bench::live(host_config(2));
    bench.call(1, admit(LEASE, CLIENT));
    let admitting = bench.node_calls()[0].0;
    bench.call(2, evict(LEASE, CLIENT));
    assert!(bench.reply(1).unwrap().is_err());
    assert_eq!(bench.calls(), vec![], "one thing at a time for one peer");
    bench.on(Event::NodeDone { task: admitting, result: Ok(()) });
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
    bench.done();
    assert_eq!(bench.reply(2), Some(Ok(())));
}

#[test]
fn d33_an_evict_of_an_unknown_lease_touches_nothing() {
    let mut bench = Bench::with_client();
    bench.peers(&[CLIENT, OWN_PEER]);
    let unknown = lease(99);
    bench.call(2, evict(unknown, OWN_PEER));
    assert_eq!(bench.out, vec![Action::Answer { tag: 2, reply: Ok(()) }]);
    bench.call(3, evict(LEASE, OWN_PEER));
    assert!(bench.reply(3).unwrap().is_err(), "another node's lease");
    assert_eq!(bench.calls(), vec![]);
    // The pool does not know the peer of a lease it does not know.
    let nobody = 0;
    bench.call(4, evict(LEASE, nobody));
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
}

/// [`PEER`] is the agent's client for [`LEASE`], and its host for [`SECOND_LEASE`].
fn both_ways() -> Bench {
    let mut config = host_config(2);
    config.min_peers = 1;
    let mut bench = Bench::live(config);
    let ask = bench.ask().unwrap().0;
    bench.call(1, admit(LEASE, PEER));
    bench.done();
    bench.answer(ask, PoolAnswer::Ask(AskReply { hosts: vec![place(SECOND_LEASE, PEER)], missing: 0, reason: None }));
    bench.done();
    bench.peers(&[PEER]);
    bench
}

#[test]
fn two_leases_with_one_node_do_not_undo_each_other() {
    let mut bench = both_ways();
    bench.call(5, evict(LEASE, PEER));
    assert_eq!(bench.calls(), vec![PeerCommand::Untrust(by_id(PEER))], "the host stays connected");
    bench.done();
    assert_eq!(bench.reply(5), Some(Ok(())));
    bench.call(6, evict(SECOND_LEASE, PEER));
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(PEER))]);
    bench.done();
    assert_eq!(bench.left(), vec![]);

    let mut bench = both_ways();
    bench.call(5, evict(SECOND_LEASE, PEER));
    assert_eq!(bench.calls(), vec![], "the client stays connected");
    assert_eq!(bench.reply(5), Some(Ok(())));
    assert_eq!(bench.left().len(), 1);
    bench.call(6, evict(LEASE, PEER));
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(PEER))], "and this takes the dial back too");
    bench.done();
    assert_eq!(bench.left(), vec![]);
}

#[test]
fn a_new_lease_with_a_client_takes_over_the_trust_of_the_old() {
    let mut bench = Bench::with_client();
    bench.call(2, admit(SECOND_LEASE, CLIENT));
    bench.done();
    bench.call(3, evict(LEASE, CLIENT));
    assert_eq!(bench.calls(), vec![]);
    assert_eq!(bench.reply(3), Some(Ok(())));
    bench.call(4, evict(SECOND_LEASE, CLIENT));
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
}

#[test]
fn a_connection_that_was_just_cut_is_not_taken_for_the_nodes_own() {
    let mut bench = Bench::with_host();
    bench.call(7, evict(LEASE, HOST));
    assert!(matches!(bench.calls()[..], [PeerCommand::Drop(_)]), "{:?}", bench.calls());
    bench.done();
    // No list of peers came since.
    bench.call(8, dial(SECOND_LEASE, Side::Client, HOST));
    assert!(matches!(bench.calls()[..], [PeerCommand::Dial(_)]), "the client dials: {:?}", bench.calls());
}

#[test]
fn the_nodes_own_peers_and_trust_are_left_alone() {
    // Trusted by the user: nothing is done, nothing undone.
    let mut bench = Bench::live(host_config(2));
    bench.on(Event::Peers(vec![PeerFact { trusted: Some(true), ..peer(CLIENT) }]));
    bench.call(1, admit(LEASE, CLIENT));
    assert_eq!((bench.reply(1), bench.calls()), (Some(Ok(())), vec![]));
    bench.call(2, evict(LEASE, CLIENT));
    assert_eq!((bench.reply(2), bench.calls()), (Some(Ok(())), vec![]));
    assert_eq!(bench.journal, vec![]);

    // Connected by itself: trusted by us, and only that is taken back.
    bench.peers(&[CLIENT]);
    bench.call(3, admit(SECOND_LEASE, CLIENT));
    bench.done();
    bench.call(4, evict(SECOND_LEASE, CLIENT));
    assert_eq!(bench.calls(), vec![PeerCommand::Untrust(by_id(CLIENT))]);
    bench.done();

    // A host that the node found by itself is neither dialed nor dropped.
    let mut bench = Bench::live(client_config(1));
    let ask = bench.ask().unwrap().0;
    bench.peers(&[HOST]);
    bench.answer(ask, PoolAnswer::Ask(AskReply { hosts: vec![place(LEASE, HOST)], missing: 0, reason: None }));
    assert!(matches!(bench.notices()[..], [Notice::HostAssigned { .. }, Notice::HostConnected { .. }]));
    bench.stop();
    assert_eq!((bench.calls(), bench.journal.clone()), (vec![], vec![]));
}

/// Admit, dial and evict in a row, for a peer that the node lists like this.
fn admitted_dialed_evicted(of_node: PeerFact) -> Vec<PeerCommand> {
    let mut bench = Bench::live(host_config(2));
    // Connected since the agent last looked: only a list that is read again has it.
    bench.table = vec![of_node];
    let mut commands = Vec::new();
    bench.call(1, admit(LEASE, CLIENT));
    for (tag, call) in [(2, dial(LEASE, Side::Host, CLIENT)), (3, evict(LEASE, CLIENT))] {
        while !bench.calls().is_empty() {
            commands.extend(bench.calls());
            bench.done();
        }
        bench.call(tag, call);
    }
    while !bench.calls().is_empty() {
        commands.extend(bench.calls());
        bench.done();
    }
    assert_eq!(bench.left(), vec![]);
    commands
}

#[test]
fn a_peer_that_the_agent_did_not_bring_is_never_disconnected() {
    assert_eq!(
        admitted_dialed_evicted(peer(CLIENT)),
        vec![PeerCommand::Admit(by_id(CLIENT)), PeerCommand::Untrust(by_id(CLIENT))]
    );
    let kept_static = PeerFact { is_static: Some(true), ..peer(CLIENT) };
    assert_eq!(
        admitted_dialed_evicted(kept_static),
        vec![PeerCommand::Admit(by_id(CLIENT)), PeerCommand::Untrust(by_id(CLIENT))]
    );
    let trusted = PeerFact { trusted: Some(true), ..peer(CLIENT) };
    assert_eq!(admitted_dialed_evicted(trusted), vec![]);
}

#[test]
fn a_static_peer_that_connects_during_its_lease_keeps_its_connection() {
    let mut bench = Bench::with_client();
    bench.on(Event::Peers(vec![PeerFact { is_static: Some(true), ..peer(CLIENT) }]));
    bench.call(2, evict(LEASE, CLIENT));
    assert_eq!(
        bench.calls(),
        vec![PeerCommand::Untrust(by_id(CLIENT))],
        "the node dials it because its settings say so"
    );
    // What the agent had the node dial is static too, and is not kept.
    let mut bench = Bench::with_client();
    bench.call(2, dial(LEASE, Side::Host, CLIENT));
    bench.done();
    bench.on(Event::Peers(vec![PeerFact { is_static: Some(true), ..peer(CLIENT) }]));
    bench.call(3, evict(LEASE, CLIENT));
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
}

#[test]
fn what_the_settings_of_the_node_keep_is_left_alone_connected_or_not() {
    let mut config = host_config(2);
    config.min_peers = 1;
    config.keep = [node(CLIENT), node(HOST)].into();
    let mut bench = Bench::live(config);
    bench.give(vec![place(LEASE, HOST)]);
    assert_eq!(bench.calls(), vec![]);
    bench.call(1, admit(SECOND_LEASE, CLIENT));
    assert_eq!((bench.reply(1), bench.calls()), (Some(Ok(())), vec![]));
    bench.peers(&[CLIENT, HOST]);
    bench.call(2, evict(SECOND_LEASE, CLIENT));
    assert_eq!((bench.reply(2), bench.calls()), (Some(Ok(())), vec![]));
    bench.stop();
    assert_eq!((bench.calls(), bench.journal.clone()), (vec![], vec![]));
}

#[test]
fn after_a_crash_the_journal_still_says_who_was_connected_before() {
    let mut bench = Bench::live(host_config(2));
    bench.peers(&[CLIENT]);
    bench.call(1, admit(LEASE, CLIENT));
    bench.done();
    let mut bench = Bench::restarted(host_config(2), bench.journal);
    bench.go_live(vec![]);
    assert_eq!(bench.calls(), vec![PeerCommand::Untrust(by_id(CLIENT))], "the pool does not know the lease any more");
    bench.done();
    assert_eq!(bench.left(), vec![]);
}

#[test]
fn a_list_that_cannot_be_read_refuses_the_admit() {
    let mut core = Bench::live(host_config(2)).core;
    let mut out = Vec::new();
    core.handle(Ms::new(1_000_001), Event::PoolCalls { tag: 1, call: admit(LEASE, CLIENT) }, &mut out);
    let task = out.iter().find_map(|action| if let Action::List { task } = action { Some(*task) } else { None });
    out.clear();
    let result = Err("no".into());
    core.handle(Ms::new(1_000_001), Event::Listed { task: task.unwrap(), result }, &mut out);
    assert!(matches!(&out[..], [Action::Answer { tag: 1, reply: Err(_) }]), "{out:?}");
    assert_eq!(core.view().leases, vec![]);
}

#[test]
fn d35_trust_does_not_outlive_its_lease_while_the_nodes_own_connection_stands() {
    let mut config = host_config(2);
    config.min_peers = 1;
    let mut bench = Bench::live(config);
    let ask = bench.out.clone();
    // The node found the peer by itself; the pool gives it as a host and sends it as a client.
    bench.peers(&[PEER]);
    bench.out = ask;
    bench.give(vec![place(LEASE, PEER)]);
    bench.call(1, admit(SECOND_LEASE, PEER));
    bench.done();
    bench.call(2, dial(SECOND_LEASE, Side::Host, PEER));
    assert_eq!((bench.reply(2), bench.calls()), (Some(Ok(())), vec![]), "a peer that is connected is not dialed");
    bench.call(3, evict(SECOND_LEASE, PEER));
    assert_eq!(bench.calls(), vec![PeerCommand::Untrust(by_id(PEER))], "and the connection stays");
    bench.done();
    assert_eq!(bench.reply(3), Some(Ok(())));
    assert_eq!(bench.left(), vec![]);
    bench.call(4, evict(LEASE, PEER));
    assert_eq!(bench.calls(), vec![]);
}

#[test]
fn a_host_dials_a_client_that_does_not_get_through() {
    let mut bench = Bench::with_client();
    bench.call(2, dial(LEASE, Side::Host, CLIENT));
    assert_eq!(bench.calls(), vec![PeerCommand::Dial(enode(CLIENT))]);
    bench.done();
    assert_eq!(bench.reply(2), Some(Ok(())));
    bench.call(3, dial(SECOND_LEASE, Side::Host, CLIENT));
    assert!(bench.reply(3).unwrap().is_err(), "no such lease: nobody is dialed for a stranger");
    bench.call(4, dial(LEASE, Side::Host, SECOND_CLIENT));
    assert!(bench.reply(4).unwrap().is_err());
    bench.peers(&[CLIENT]);
    bench.call(5, dial(LEASE, Side::Host, CLIENT));
    assert_eq!((bench.reply(5), bench.calls()), (Some(Ok(())), vec![]));
    bench.call(6, evict(LEASE, CLIENT));
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
}

#[test]
fn calls_beyond_the_limit_are_busy() {
    let mut bench = Bench::live(host_config(2));
    bench.call(1, admit(LEASE, CLIENT));
    for tag in 2..65 {
        bench.call(tag, admit(LEASE, CLIENT));
        assert_eq!(bench.reply(tag), None);
    }
    bench.call(65, admit(LEASE, CLIENT));
    assert!(bench.reply(65).unwrap().unwrap_err().is(ErrorCode::Busy));
    bench.call(66, evict(LEASE, CLIENT));
    assert!(bench.reply(66).is_some(), "what is over ends all the same");
}

#[test]
fn the_journal_is_written_before_the_node_is_called() {
    let mut bench = Bench::live(host_config(2));
    bench.call(1, admit(LEASE, CLIENT));
    let done = |action: &Action| matches!(action, Action::Journal(JournalEntry::Done(_)));
    let sent = |action: &Action| matches!(action, Action::Node { .. });
    assert!(bench.out.iter().position(done) < bench.out.iter().position(sent));
}

#[test]
fn what_the_journal_has_not_takes_over_nothing() {
    // The first lease is over and its undoing was cut off; the second one with the same host was never begun.
    let mut bench = Bench::live(client_config(2));
    bench.give(vec![place(LEASE, HOST)]);
    bench.done();
    bench.call(1, evict(LEASE, HOST));
    bench.call(2, dial(SECOND_LEASE, Side::Client, HOST));
    assert_eq!(bench.calls(), vec![]);
    bench.on(Event::NodeDown { why: "killed".into() });
    assert_eq!(bench.left().iter().map(|left| left.lease).collect::<Vec<_>>(), [LEASE]);
    bench.stop();
    bench.on(Event::NodeUp(Box::new(facts(OWN_NODE))));
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(HOST))]);
}

#[test]
fn a_host_dial_that_failed_counts_when_all_is_undone() {
    let mut bench = Bench::with_client();
    bench.call(2, dial(LEASE, Side::Host, CLIENT));
    bench.fail();
    assert!(bench.reply(2).unwrap().is_err());
    bench.call(3, dial(LEASE, Side::Host, CLIENT));
    assert_eq!(bench.calls(), vec![PeerCommand::Dial(enode(CLIENT))], "a further call tries again");
    bench.done();
    bench.stop();
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
}
