//! A node that restarts, and changes that an earlier run left.

use crate::common::*;
use vipnode_agent_core::{ChangeKind, Event, JournalEntry, NodeChange, Notice, release, unreleased_changes};
use vipnode_types::{PeerCommand, wire::Side};

#[test]
fn a_node_that_reconnects_gets_everything_again() {
    let mut config = host_config(2);
    config.min_peers = 1;
    let mut bench = Bench::live(config);
    bench.oblige();
    bench.give(vec![place(LEASE, HOST)]);
    bench.done();
    bench.call(2, admit(SECOND_LEASE, CLIENT));
    bench.done();
    bench.peers(&[HOST, CLIENT]);
    bench.after(15_000);
    bench.on(Event::NodeDown { why: "killed".into() });
    assert!(matches!(bench.notices()[0], Notice::NodeDisconnected { .. }));
    bench.on(Event::NodeUp(Box::new(facts(OWN_NODE))));
    assert_eq!(bench.notices()[0], Notice::NodeReconnected);
    assert_eq!(bench.calls(), vec![PeerCommand::Admit(by_id(CLIENT)), PeerCommand::Dial(enode(HOST))], "admit first");
    // The client's host may be missing for a while; the host's client is gone, by the list read before the calls.
    assert_eq!(bench.report().unwrap().1.down, vec![SECOND_LEASE]);
    let journal = bench.journal.len();
    bench.done();
    assert_eq!(bench.journal.len(), journal, "the journal has it already");
    bench.peers(&[]);
    bench.after(10);
    bench.peers(&[HOST, CLIENT]);
    let report = bench.report().unwrap().1;
    assert_eq!((report.up, report.down), (vec![SECOND_LEASE, LEASE], vec![LEASE]));
}

#[test]
fn a_host_that_does_not_come_back_after_a_restart_is_replaced() {
    let mut bench = Bench::with_host();
    bench.oblige();
    bench.on(Event::NodeDown { why: "killed".into() });
    bench.on(Event::NodeUp(Box::new(facts(OWN_NODE))));
    bench.done();
    bench.peers(&[]);
    assert_eq!(bench.calls(), vec![]);
    bench.after(20_000);
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(HOST))]);
    assert_eq!(bench.report().unwrap().1.down, vec![LEASE]);
}

#[test]
fn a_task_cut_off_by_the_node_is_done_when_it_is_back() {
    let mut bench = Bench::with_client();
    bench.call(2, evict(LEASE, CLIENT));
    let cut = bench.node_calls()[0].0;
    bench.on(Event::NodeDown { why: "killed".into() });
    assert!(bench.reply(2).unwrap().is_err());
    bench.on(Event::NodeDone { task: cut, result: Ok(()) });
    assert_eq!(bench.left().len(), 1);
    bench.node_up();
    bench.on(Event::Tick);
    let again = bench.core.view().leases;
    assert!(again[0].ending);
}

#[test]
fn an_admit_cut_off_by_the_node_is_refused_and_undone_later() {
    let mut bench = Bench::live(host_config(2));
    bench.call(1, admit(LEASE, CLIENT));
    bench.on(Event::NodeDown { why: "killed".into() });
    assert!(bench.reply(1).unwrap().is_err());
    bench.on(Event::NodeUp(Box::new(facts(OWN_NODE))));
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
    bench.done();
    assert_eq!(bench.left(), vec![]);
}

#[test]
fn another_node_connects_to_the_pool_again() {
    let mut bench = Bench::with_host();
    bench.on(Event::NodeUp(Box::new(facts(OTHER_NODE))));
    assert_eq!(bench.reconnect(), Some(0));
}

/// What an earlier run did at the node for two clients and a host, and for a client whose change was undone.
fn journal() -> Vec<JournalEntry> {
    let change = |lease, peer, kind| JournalEntry::Done(NodeChange { lease, peer, kind });
    vec![
        change(LEASE, by_id(CLIENT), ChangeKind::Admitted),
        change(SECOND_LEASE, enode(HOST), ChangeKind::Dialed),
        change(THIRD_LEASE, by_id(SECOND_CLIENT), ChangeKind::Admitted),
        change(lease(4), by_id(THIRD_CLIENT), ChangeKind::Admitted),
        JournalEntry::Undone { lease: lease(4), kind: ChangeKind::Admitted },
    ]
}

#[test]
fn changes_of_an_earlier_run_wait_for_the_pool() {
    let mut config = host_config(2);
    config.min_peers = 1;
    let mut bench = Bench::restarted(config, journal());
    bench.node_up();
    bench.peers(&[CLIENT, HOST, SECOND_CLIENT]);
    bench.after(600_000);
    assert_eq!(bench.calls(), vec![], "as long as the pool is offline everything stays (fail static)");
    bench.peers(&[CLIENT, HOST, SECOND_CLIENT]);
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(
        tag,
        welcome(vec![
            view(LEASE, Side::Host, CLIENT),
            view(SECOND_LEASE, Side::Client, HOST),
            view(lease(5), Side::Host, FOURTH_CLIENT),
        ]),
    );
    assert_eq!(
        bench.calls(),
        vec![
            PeerCommand::Evict(by_id(SECOND_CLIENT)),
            PeerCommand::Admit(by_id(CLIENT)),
            PeerCommand::Dial(enode(HOST))
        ],
        "adopted ones are sent to the node again, others are taken back"
    );
    assert_eq!(bench.leave().unwrap().leases, vec![lease(5)], "of that one nothing stands here");
    let full = bench.report().unwrap().1.full.unwrap();
    assert_eq!(
        full.iter().map(|up| (up.lease, up.continuous)).collect::<Vec<_>>(),
        [(LEASE, false), (SECOND_LEASE, false)]
    );
    bench.done();
    assert_eq!(bench.left().len(), 2);
}

#[test]
fn a_lease_of_another_pool_with_the_same_name_is_not_adopted() {
    let mut bench = Bench::restarted(host_config(2), journal()[..1].to_vec());
    bench.go_live(vec![view(LEASE, Side::Host, SECOND_CLIENT)]);
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
    assert_eq!(bench.leave().unwrap().leases, vec![LEASE]);
    bench.call(1, admit(LEASE, SECOND_CLIENT));
    assert!(bench.reply(1).unwrap().is_err(), "not before the old one is undone");
}

#[test]
fn d33_an_empty_answer_ends_leases_and_nothing_else() {
    let mut bench = Bench::restarted(host_config(2), journal()[..1].to_vec());
    bench.node_up();
    bench.peers(&[CLIENT, OWN_PEER, SECOND_OWN_PEER]);
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(vec![]));
    assert_eq!(bench.calls(), vec![PeerCommand::Evict(by_id(CLIENT))]);
}

#[test]
fn a_release_undoes_what_the_journal_has() {
    let plan = release(unreleased_changes(journal()));
    let calls: Vec<_> = plan.into_iter().map(|(_, call)| call).collect();
    assert_eq!(
        calls,
        [PeerCommand::Evict(by_id(CLIENT)), PeerCommand::Drop(enode(HOST)), PeerCommand::Evict(by_id(SECOND_CLIENT))]
    );
}

#[test]
fn an_admit_that_overtakes_the_welcome_is_not_taken_back() {
    let mut bench = Bench::new(host_config(2));
    bench.node_up();
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.call(1, admit(LEASE, CLIENT));
    bench.done();
    bench.answer(tag, welcome(vec![]));
    assert_eq!(bench.calls(), vec![]);
    assert_eq!(bench.core.view().leases.len(), 1);
}
