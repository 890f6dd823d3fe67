//! geth does not dial a node twice within 35 s. A host dials a client that was restarted, and a client learns why it waits.

use crate::common::*;
use vipnode_agent_core::{Action, AgentConfig, ConnectFailure, Event, FromPool, Notice, PoolAnswer};
use vipnode_types::{
    LeaseId, PeerCommand, PeerFact,
    wire::{AdmitCall, AskReply, LeasedHost, Side},
};

/// An admit of a client that the host's node can dial.
fn admit_dialable(lease: LeaseId, byte: u8) -> FromPool {
    let FromPool::Admit(call) = admit(lease, byte) else { unreachable!() };
    FromPool::Admit(AdmitCall { client_enode: Some(enode(byte)), ..call })
}

/// The commands for a client that is admitted, evicted, and `after_ms` after the first admit admitted again.
fn admitted_again(config: AgentConfig, after_ms: u64, call: fn(LeaseId, u8) -> FromPool) -> Vec<PeerCommand> {
    let mut bench = Bench::live(config);
    bench.oblige();
    let admitted = bench.now;
    bench.call(1, call(LEASE, CLIENT));
    bench.done();
    assert_eq!(bench.calls(), [], "the client dials");
    bench.call(2, evict(LEASE, CLIENT));
    bench.done();
    assert_eq!(bench.left(), []);
    bench.now = admitted;
    bench.after(after_ms);
    bench.head(101, 5);
    bench.call(3, call(SECOND_LEASE, CLIENT));
    let mut commands = bench.calls();
    bench.done();
    assert_eq!(bench.reply(3), Some(Ok(())), "the answer does not wait for the dial");
    commands.extend(bench.calls());
    commands
}

#[test]
fn a_host_dials_a_client_at_once_that_was_restarted() {
    let (admit, dial) = (PeerCommand::Admit(enode(CLIENT)), PeerCommand::Dial(enode(CLIENT)));
    assert_eq!(admitted_again(host_config(2), 34_999, admit_dialable), [admit.clone(), dial]);
    assert_eq!(admitted_again(host_config(2), 35_000, admit_dialable), [admit], "its node dials again by itself");
}

#[test]
fn a_client_that_cannot_be_dialed_is_not() {
    let by_id = PeerCommand::Admit(by_id(CLIENT));
    assert_eq!(admitted_again(host_config(2), 5_000, admit), std::slice::from_ref(&by_id));
    let public_only = AgentConfig { dial_private: false, ..host_config(2) };
    assert_eq!(admitted_again(public_only, 5_000, admit_dialable), [by_id]);
}

#[test]
fn the_dial_of_a_host_is_undone_with_the_lease() {
    let mut bench = Bench::live(host_config(2));
    bench.oblige();
    for (tag, lease) in [(1, LEASE), (2, SECOND_LEASE)] {
        bench.call(tag, admit_dialable(lease, CLIENT));
        while !bench.calls().is_empty() {
            bench.done();
        }
        bench.call(10 + tag, evict(lease, CLIENT));
        assert_eq!(bench.calls(), [PeerCommand::Evict(enode(CLIENT))]);
        bench.done();
        assert_eq!(bench.left(), []);
    }
}

#[test]
fn a_client_is_notified_once_why_a_host_is_not_connected_yet() {
    let slow = |bench: &Bench| {
        let of_host = |notice| if let Notice::HostSlow { host, .. } = notice { Some(host) } else { None };
        bench.notices().into_iter().filter_map(of_host).collect::<Vec<_>>()
    };
    let mut bench = Bench::live(client_config(1));
    bench.oblige();
    bench.give(vec![place(LEASE, HOST)]);
    bench.done();
    bench.after(2_999);
    assert_eq!(slow(&bench), []);
    bench.after(1);
    assert_eq!(slow(&bench), [node(HOST)]);
    bench.after(5_000);
    assert_eq!(slow(&bench), [], "once");
    let mut bench = Bench::with_host();
    bench.after(3_000);
    assert_eq!(slow(&bench), [], "it is connected");
}

/// It hears the cause of the last time, and nothing of a redial that the pool does not report.
#[test]
fn a_client_is_reminded_why_a_host_did_not_connect_the_last_time() {
    let slow = |bench: &Bench| {
        let notices = bench.notices().into_iter();
        let of_host = notices.filter_map(|notice| match notice {
            Notice::HostSlow { redial_ms, last, .. } => Some((redial_ms, last)),
            _ => None,
        });
        of_host.collect::<Vec<_>>()
    };
    let mut bench = Bench::live(client_config(1));
    bench.oblige();
    bench.give(vec![place(LEASE, HOST)]);
    bench.done();
    bench.after(3_000);
    assert_eq!(slow(&bench), [(None, None)]);
    bench.after(17_000);
    let (tag, _) = bench.ask().unwrap();
    bench.done();
    bench.answer(tag, PoolAnswer::Ask(AskReply { hosts: Vec::new(), missing: 1, reason: None }));
    bench.after(120_000);
    bench.head(101, 5);
    bench.call(1, dial(SECOND_LEASE, Side::Client, HOST));
    bench.done();
    bench.after(3_000);
    assert_eq!(slow(&bench), [(None, Some(ConnectFailure::NeverConnected))]);
}

/// The pool knows that both nodes dialed a moment ago.
#[test]
fn a_client_is_notified_at_once_of_a_wait_that_the_pool_knows_and_gives_its_host_that_time() {
    let mut bench = Bench::live(client_config(1));
    bench.oblige();
    bench.give(vec![LeasedHost { redial_ms: Some(30_000), ..place(LEASE, HOST) }]);
    let assigned = bench.now;
    bench.done();
    let mut notices = bench.notices();
    bench.after(0);
    notices.extend(bench.notices());
    let (lease, host) = (LEASE, node(HOST));
    let slow = Notice::HostSlow { lease, host, redial_ms: Some(30_000), left_ms: 50_000, last: None };
    assert!(notices.contains(&slow), "{notices:?}");
    assert_eq!(bench.core.view().leases[0].redials, Some(assigned.plus(30_000)));
    bench.head(101, 5);
    bench.after(30_000 + 19_999);
    assert_eq!(bench.calls(), []);
    bench.after(1);
    assert_eq!(bench.calls(), [PeerCommand::Drop(enode(HOST))]);
}

#[test]
fn a_pool_cannot_have_a_client_wait_longer_than_geth_does() {
    let mut bench = Bench::live(client_config(1));
    bench.give(vec![LeasedHost { redial_ms: Some(u64::MAX), ..place(LEASE, HOST) }]);
    assert_eq!(bench.core.view().leases[0].redials, Some(bench.now.plus(35_000)));
}

/// After a long wait, the peers are read only every few seconds.
#[test]
fn a_leased_peer_that_has_just_connected_is_watched_until_a_protocol_runs() {
    let watched = |bench: &Bench| bench.out.iter().any(|action| matches!(action, Action::Watch { .. }));
    let mut bench = Bench::live(client_config(1));
    bench.give(vec![place(LEASE, HOST)]);
    bench.done();
    bench.on(Event::Peers(vec![PeerFact { ready: false, ..peer(SECOND_HOST) }]));
    assert!(!watched(&bench), "another peer");
    bench.on(Event::Peers(vec![PeerFact { ready: false, ..peer(HOST) }]));
    assert!(watched(&bench));
    bench.on(Event::Peers(vec![PeerFact { ready: false, ..peer(HOST) }]));
    assert!(!watched(&bench), "once");
}
