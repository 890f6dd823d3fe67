//! Peers that the user named, with a pool and without.

use std::net::IpAddr;

use crate::common::*;
use vipnode_agent_core::{
    Action, AgentConfig, ChangeKind, ConnectFailure, DirectConfig, DirectConfigError, Event, NameError, Notice,
    PoolAnswer, PoolState, ToPool,
};
use vipnode_types::{
    Enode, EnodeHost, LeaseId, PeerCommand, PeerFact, TypedError,
    wire::{AskReply, ErrorCode, LeaveReason, Side},
};

fn named(name: &str, byte: u8) -> Enode {
    Enode { host: EnodeHost::Dns(name.into()), ..enode(byte) }
}

fn with(hosts: Vec<Enode>, allow: Vec<Enode>, config: AgentConfig) -> AgentConfig {
    AgentConfig { direct: DirectConfig { hosts, allow }, ..config }
}

/// Without a pool, and with the node looked at once.
fn alone(hosts: Vec<Enode>, allow: Vec<Enode>) -> Bench {
    let config = AgentConfig { pool: false, ..with(hosts, allow, host_config(0)) };
    let mut bench = Bench::new(config);
    bench.node_up();
    bench
}

fn direct(number: u64) -> LeaseId {
    LeaseId::direct(number)
}

fn resolved(bench: &mut Bench, ips: &[&str]) -> Vec<PeerCommand> {
    let ips = ips.iter().map(|ip| ip.parse::<IpAddr>().unwrap()).collect();
    bench.on(Event::Resolved { name: "host.example".into(), result: Ok(ips) });
    bench.calls()
}

fn asks_for_the_name(bench: &Bench) -> bool {
    bench.out.iter().any(|action| matches!(action, Action::Resolve { name } if &**name == "host.example"))
}

fn at(byte: u8, ip: &str) -> Enode {
    enode(byte).with_ip(ip.parse().unwrap())
}

#[test]
fn hosts_are_kept_without_a_pool_and_a_stop_undoes_them() {
    let mut bench = alone(vec![enode(HOST), enode(SECOND_HOST)], vec![]);
    assert!(bench.calls().is_empty(), "who is connected by itself is not known before the first look");
    bench.peers(&[]);
    assert_eq!(bench.calls(), [PeerCommand::Dial(enode(HOST)), PeerCommand::Dial(enode(SECOND_HOST))]);
    assert!(bench.said().is_empty() && bench.reconnect().is_none());
    bench.done();
    bench.peers(&[HOST]);
    let one = Notice::HostConnected { lease: direct(0), host: node(HOST), after_ms: Some(0) };
    assert_eq!(bench.notices(), [one]);
    let view = bench.core.view();
    assert_eq!((view.pool, view.missing, view.direct_hosts), (PoolState::None, 0, 2));
    bench.stop();
    assert_eq!(bench.calls(), [PeerCommand::Drop(enode(HOST)), PeerCommand::Drop(enode(SECOND_HOST))]);
    bench.done();
    assert!(bench.left().is_empty());
    assert!(matches!(bench.out.last(), Some(Action::Stopped { error: None })), "{:?}", bench.out);
}

#[test]
fn a_named_host_that_disconnects_is_reported_once_and_never_given_up() {
    let mut bench = alone(vec![enode(HOST)], vec![]);
    bench.peers(&[]);
    bench.done();
    for _ in 0..5 {
        bench.peers(&[HOST]);
        assert!(matches!(bench.notices()[..], [Notice::HostConnected { .. }]), "{:?}", bench.notices());
        bench.after(1_000);
        bench.peers(&[]);
        assert_eq!(bench.notices(), [Notice::HostLost { lease: direct(0), host: node(HOST), reason: None }]);
        assert!(bench.calls().is_empty(), "the node dials on by itself");
        bench.peers(&[]);
        assert!(bench.notices().is_empty());
    }
    bench.after(44_999);
    bench.peers(&[]);
    assert!(bench.notices().is_empty());
    bench.after(1);
    let (version, cause) = (String::new(), ConnectFailure::NeverConnected);
    let missing = Notice::HostNotConnected { lease: direct(0), host: node(HOST), version, cause };
    assert_eq!(bench.notices(), [missing]);
    for _ in 0..100 {
        bench.after(45_000);
        bench.peers(&[]);
        assert!(bench.notices().is_empty() && bench.calls().is_empty());
    }
    bench.peers(&[HOST]);
    assert!(matches!(bench.notices()[..], [Notice::HostConnected { .. }]));
}

#[test]
fn a_node_that_reconnects_gets_its_named_peers_again() {
    let mut bench = alone(vec![enode(HOST)], vec![enode(CLIENT)]);
    bench.peers(&[]);
    assert_eq!(bench.calls(), [PeerCommand::Admit(enode(CLIENT)), PeerCommand::Dial(enode(HOST))]);
    bench.done();
    bench.peers(&[HOST, CLIENT]);
    bench.on(Event::NodeDown { why: "gone".into() });
    bench.node_up();
    bench.peers(&[]);
    bench.on(Event::NodeDown { why: "gone".into() });
    bench.on(Event::NodeUp(Box::new(facts(OWN_NODE))));
    assert_eq!(bench.calls(), [PeerCommand::Admit(enode(CLIENT)), PeerCommand::Dial(enode(HOST))]);
}

#[test]
fn what_the_node_refuses_is_tried_again_and_stays_in_the_journal() {
    let mut bench = alone(vec![enode(HOST)], vec![]);
    bench.peers(&[]);
    bench.fail();
    let refused = Notice::DirectRefused { side: Side::Client, peer: node(HOST), why: "no".into() };
    assert_eq!(bench.notices(), [refused]);
    assert_eq!(bench.left().len(), 1);
    bench.after(29_999);
    assert!(bench.calls().is_empty());
    bench.after(1);
    assert_eq!(bench.calls(), [PeerCommand::Dial(enode(HOST))]);
    for wait_ms in [60_000, 120_000, 240_000, 300_000, 300_000] {
        bench.fail();
        assert!(bench.notices().is_empty(), "said once");
        // The node lists its peers in between.
        for _ in 0..wait_ms / 30_000 - 1 {
            bench.after(30_000);
            bench.peers(&[]);
            assert!(bench.calls().is_empty(), "each wait is twice the last");
        }
        bench.after(29_999);
        assert!(bench.calls().is_empty());
        bench.after(1);
        assert_eq!(bench.calls(), [PeerCommand::Dial(enode(HOST))]);
    }
    bench.fail();
    bench.stop();
    assert_eq!(bench.calls(), [PeerCommand::Drop(enode(HOST))]);
}

#[test]
fn a_name_is_resolved_again_and_a_host_that_moved_is_removed_first() {
    let mut bench = alone(vec![named("host.example", HOST)], vec![]);
    assert!(!asks_for_the_name(&bench), "it was asked for at the first event already");
    bench.peers(&[]);
    assert!(bench.calls().is_empty());
    assert_eq!(resolved(&mut bench, &["::", "2001:db8::1", "10.9.9.9"]), [PeerCommand::Dial(at(HOST, "2001:db8::1"))]);
    bench.done();
    bench.peers(&[HOST]);
    for _ in 0..5 {
        bench.after(59_000);
        assert!(!asks_for_the_name(&bench));
        bench.peers(&[HOST]);
    }
    bench.after(5_000);
    assert!(asks_for_the_name(&bench));
    // A name that turns round its addresses moves nobody.
    assert!(resolved(&mut bench, &["10.9.9.9", "2001:db8::1"]).is_empty());

    // Gone: it is looked for at once, and followed.
    bench.after(20_000);
    bench.peers(&[]);
    assert!(asks_for_the_name(&bench));
    assert_eq!(resolved(&mut bench, &["10.9.9.8"]), [PeerCommand::Drop(at(HOST, "2001:db8::1"))]);
    bench.done();
    assert_eq!(bench.calls(), [PeerCommand::Dial(at(HOST, "10.9.9.8"))]);
    bench.done();
    assert_eq!(bench.left().len(), 1);
    bench.peers(&[HOST]);
    assert!(matches!(bench.notices()[..], [Notice::HostConnected { lease, .. }] if lease == direct(1)));
}

#[test]
fn an_unknown_name_is_reported_once_and_the_last_address_stays() {
    let mut bench = alone(vec![named("host.example", HOST)], vec![]);
    bench.peers(&[]);
    let fail = |bench: &mut Bench| {
        bench.on(Event::Resolved { name: "host.example".into(), result: Err(NameError::NoAddress) });
        bench.notices()
    };
    let said = Notice::NameUnresolved { name: "host.example".into(), why: NameError::NoAddress };
    assert_eq!(fail(&mut bench), std::slice::from_ref(&said));
    bench.after(30_000);
    assert!(asks_for_the_name(&bench));
    assert!(fail(&mut bench).is_empty());
    bench.after(30_000);
    bench.peers(&[]);
    assert_eq!(resolved(&mut bench, &["10.0.0.9"]), [PeerCommand::Dial(at(HOST, "10.0.0.9"))]);
    bench.done();
    bench.after(300_000);
    assert_eq!(fail(&mut bench), [said]);
    assert!(bench.calls().is_empty());
    // One that is never answered counts as unknown.
    bench.after(30_000);
    assert!(asks_for_the_name(&bench));
    bench.after(30_000);
    assert!(!asks_for_the_name(&bench));
    bench.after(30_000);
    assert!(asks_for_the_name(&bench));
}

#[test]
fn a_host_that_does_not_answer_is_looked_for_at_its_other_address() {
    let mut bench = alone(vec![named("host.example", HOST)], vec![]);
    bench.peers(&[]);
    resolved(&mut bench, &["10.0.0.1", "10.0.0.2"]);
    bench.done();
    bench.after(45_000);
    assert!(asks_for_the_name(&bench));
    assert_eq!(resolved(&mut bench, &["10.0.0.2", "10.0.0.1"]), [PeerCommand::Drop(at(HOST, "10.0.0.1"))]);
    bench.done();
    assert_eq!(bench.calls(), [PeerCommand::Dial(at(HOST, "10.0.0.2"))]);
    bench.done();
    for (at_last, now) in [("10.0.0.2", "10.0.0.1"), ("10.0.0.1", "10.0.0.2")] {
        bench.after(45_000);
        assert!(asks_for_the_name(&bench), "again and again while it is missing");
        bench.peers(&[]);
        assert_eq!(resolved(&mut bench, &["10.0.0.2", "10.0.0.1"]), [PeerCommand::Drop(at(HOST, at_last))]);
        bench.done();
        assert_eq!(bench.calls(), [PeerCommand::Dial(at(HOST, now))]);
        bench.done();
    }
}

#[test]
fn a_host_that_is_connected_stays_where_it_is_while_another_of_its_name_is_sought() {
    let mut bench = alone(vec![named("host.example", HOST), named("host.example", SECOND_HOST)], vec![]);
    bench.peers(&[]);
    resolved(&mut bench, &["10.0.0.1", "10.0.0.2"]);
    bench.done();
    bench.peers(&[HOST]);
    bench.after(45_000);
    assert!(asks_for_the_name(&bench));
    bench.peers(&[HOST]);
    assert_eq!(resolved(&mut bench, &["10.0.0.1", "10.0.0.2"]), [PeerCommand::Drop(at(SECOND_HOST, "10.0.0.1"))]);
    bench.done();
    assert_eq!(bench.calls(), [PeerCommand::Dial(at(SECOND_HOST, "10.0.0.2"))]);
    bench.done();
    // Once it goes it is followed to where the name points now.
    bench.peers(&[SECOND_HOST]);
    assert_eq!(bench.calls(), [PeerCommand::Drop(at(HOST, "10.0.0.1"))]);
    bench.done();
    assert_eq!(bench.calls(), [PeerCommand::Dial(at(HOST, "10.0.0.2"))]);
}

#[test]
fn what_an_earlier_run_left_is_taken_over_or_undone() {
    let mut first = alone(vec![enode(HOST), enode(SECOND_HOST)], vec![enode(CLIENT)]);
    first.peers(&[]);
    first.done();
    let config = AgentConfig { pool: false, ..with(vec![enode(HOST)], vec![], host_config(0)) };
    let mut bench = Bench::restarted(config, first.journal);
    bench.node_up();
    bench.peers(&[HOST, SECOND_HOST, CLIENT]);
    assert_eq!(
        bench.calls(),
        [PeerCommand::Evict(enode(CLIENT)), PeerCommand::Drop(enode(SECOND_HOST)), PeerCommand::Dial(enode(HOST))]
    );
    bench.done();
    assert_eq!(bench.left().iter().map(|change| change.kind).collect::<Vec<_>>(), [ChangeKind::Dialed]);

    // What was a pool's is over where there is none.
    let mut of_pool = Bench::with_host();
    of_pool.obliging = true;
    let config = AgentConfig { pool: false, ..with(vec![enode(HOST)], vec![], host_config(0)) };
    let mut bench = Bench::restarted(config, of_pool.journal);
    bench.node_up();
    bench.peers(&[HOST]);
    bench.done();
    assert_eq!(bench.core.view().leases.iter().filter(|lease| !lease.ending).count(), 1);
    assert_eq!(bench.left().iter().map(|change| change.lease.is_direct()).collect::<Vec<_>>(), [true]);
}

#[test]
fn what_the_node_keeps_by_itself_is_the_agents_only_once_it_went() {
    let mut bench = alone(vec![enode(HOST)], vec![enode(CLIENT)]);
    bench.on(Event::Peers(vec![peer(HOST), PeerFact { trusted: Some(true), ..peer(CLIENT) }]));
    assert!(bench.calls().is_empty());
    bench.peers(&[CLIENT]);
    assert_eq!(bench.calls(), [PeerCommand::Dial(enode(HOST))]);
    bench.done();
    bench.stop();
    assert_eq!(bench.calls(), [PeerCommand::Drop(enode(HOST))], "the client is trusted by the node's own settings");
}

#[test]
fn pools_neither_learn_of_them_nor_end_them() {
    let mut bench = Bench::new(with(vec![enode(HOST)], vec![enode(CLIENT)], host_config(2)));
    bench.go_live(vec![view(direct(0), Side::Client, HOST)]);
    bench.take_report();
    bench.peers(&[]);
    assert_eq!(bench.calls(), [PeerCommand::Admit(enode(CLIENT)), PeerCommand::Dial(enode(HOST))]);
    bench.done();
    bench.peers(&[HOST, CLIENT]);
    assert!(bench.said().is_empty(), "{:?}", bench.said());
    for (tag, call) in [
        evict(direct(0), CLIENT),
        evict(direct(1), HOST),
        admit(direct(0), CLIENT),
        dial(direct(1), Side::Client, HOST),
        dial(direct(0), Side::Host, CLIENT),
        admit(direct(9), SECOND_CLIENT),
    ]
    .into_iter()
    .enumerate()
    {
        let tag = u64::try_from(tag).unwrap();
        bench.call(tag, call);
        assert!(matches!(bench.reply(tag), Some(Err(error)) if error.is(ErrorCode::InvalidParams)));
        assert!(bench.calls().is_empty());
    }
    // A pool that restarted and knows nobody.
    bench.on(Event::PoolLost { why: "restart".into() });
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(vec![]));
    assert!(bench.calls().is_empty() && bench.leave().is_none());
    assert_eq!(bench.report().unwrap().1.full.unwrap(), []);
    assert_eq!(bench.core.view().leases.len(), 2);
    bench.stop();
    assert!(bench.said().iter().all(|(_, said)| *said == ToPool::Bye));
}

#[test]
fn over_protocol_2_they_are_as_apart() {
    let mut bench = Bench::new(protocol2(with(vec![enode(HOST)], vec![enode(CLIENT)], host_config(2))));
    bench.node_up();
    bench.peers(&[]);
    bench.done();
    bench.on(Event::PoolOpen);
    bench.peers(&[HOST, CLIENT]);
    let leases = bench.core.view().leases;
    assert!(leases.iter().all(|lease| lease.connected.is_some() && !lease.ending), "{leases:?}");
    bench.after(10 * INTERVAL_MS);
    bench.peers(&[HOST, CLIENT]);
    assert_eq!(bench.core.view().leases.iter().filter(|lease| lease.ending).count(), 0);
}

#[test]
fn a_client_that_is_let_in_and_leased_is_let_go_once_both_are_over() {
    let mut bench = Bench::new(with(vec![], vec![enode(CLIENT)], host_config(1)));
    bench.go_live(vec![]);
    bench.oblige();
    bench.peers(&[]);
    bench.done();
    bench.call(1, admit(LEASE, CLIENT));
    bench.done();
    assert_eq!(bench.reply(1), Some(Ok(())), "it takes a sold slot in addition to its own");
    assert_eq!(bench.core.gauges().slots_sold, 1);
    bench.call(2, evict(LEASE, CLIENT));
    assert_eq!(bench.reply(2), Some(Ok(())));
    assert!(bench.calls().is_empty(), "{:?}", bench.calls());
    let config = with(vec![], vec![], host_config(1));
    bench.on(Event::Configured(Box::new(config)));
    assert_eq!(bench.calls(), [PeerCommand::Evict(enode(CLIENT))]);
    bench.done();
    assert!(bench.left().is_empty());
    assert_eq!(bench.core.counters().evictions().map(|(_, count)| count).sum::<u64>(), 1);
}

#[test]
fn a_slot_on_a_named_host_is_left_and_not_requested_again() {
    let mut bench = Bench::new(with(vec![enode(HOST)], vec![], client_config(1)));
    bench.go_live(vec![]);
    let (tag, ask) = bench.ask().unwrap();
    assert_eq!(ask.want, 1, "who was named does not count");
    bench.take_report();
    bench.peers(&[]);
    bench.done();
    let reply = AskReply { hosts: vec![place(LEASE, HOST)], missing: 0, reason: None };
    bench.answer(tag, PoolAnswer::Ask(reply));
    assert_eq!(bench.leave().unwrap().reason, LeaveReason::Surplus);
    bench.after(10_000);
    assert_eq!(bench.ask().unwrap().1.avoid, [node(HOST)]);
}

#[test]
fn another_configuration_takes_hold_at_once() {
    let mut bench = alone(vec![enode(HOST), enode(SECOND_HOST)], vec![]);
    bench.peers(&[]);
    bench.done();
    let config = AgentConfig {
        pool: true,
        ..with(vec![enode(SECOND_HOST), at(HOST, "10.0.0.77")], vec![enode(CLIENT)], host_config(0))
    };
    bench.on(Event::Configured(Box::new(config)));
    assert_eq!(bench.calls(), [PeerCommand::Drop(enode(HOST)), PeerCommand::Admit(enode(CLIENT))]);
    assert_eq!(bench.core.view().pool, PoolState::None, "whether there is a pool stays");
    bench.done();
    assert_eq!(bench.calls(), [PeerCommand::Dial(at(HOST, "10.0.0.77"))]);
}

#[test]
fn named_clients_and_sold_slots_fit_the_node_together() {
    let host = |slots| host_config(slots).host.unwrap();
    assert_eq!(host(30).check(4), Ok(()));
    let error = host(30).check(5).unwrap_err();
    let error = format!("{error} {}", error.hint().unwrap_or_default()).to_lowercase();
    for part in ["--slots 30 plus 5 --allow clients", "--reserve 16", "at most 34", "remove clients from --allow"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    let mut config = with(vec![], vec![enode(CLIENT), enode(SECOND_CLIENT)], host_config(34));
    config.direct.allow.push(enode(THIRD_CLIENT));
    let mut bench = Bench::new(config);
    bench.go_live(vec![]);
    assert_eq!(bench.core.view().slots, 31);
}

#[test]
fn what_cannot_be_used_is_refused_by_name() {
    let check = |hosts, allow| DirectConfig { hosts, allow }.check();
    assert_eq!(check(vec![enode(HOST), named("a", SECOND_HOST)], vec![enode(HOST), by_id(SECOND_HOST)]), Ok(()));
    let many: Vec<Enode> = (0..65).map(enode).collect();
    assert_eq!(check(many, vec![]), Err(DirectConfigError::Hosts { given: 65, most: 64 }));
    let bare = by_id(HOST);
    assert_eq!(check(vec![bare.clone()], vec![]), Err(DirectConfigError::NoAddress { peer: bare }));
    assert_eq!(check(vec![], vec![named("a", HOST)]), Err(DirectConfigError::NamedClient { peer: named("a", HOST) }));
    assert_eq!(
        check(vec![enode(HOST), named("a", HOST)], vec![]),
        Err(DirectConfigError::Twice { node: node(HOST).short() })
    );
}

#[test]
fn names_of_leases_are_of_the_upper_half() {
    assert!(LeaseId::direct(0).is_direct() && LeaseId::direct(7).is_direct());
    assert!(!LeaseId::new(u64::from(u32::MAX)).is_direct());
    assert!(LeaseId::direct(7).get() < 1 << 53, "JavaScript reads it exactly");
}
