//! Peers that the user accepts or rejects: as the pool describes them, and as our node sees them.

use crate::common::*;
use vipnode_agent_core::{AgentConfig, Event, FromPool, Notice, PeerPolicy, ToPool};
use vipnode_types::{
    LeaseId, NodeFacts, PeerCommand, PeerFact,
    wire::{AdmitCall, ConnectRequest, DialCall, ErrorCode, LeasedHost, LeaveReason, Side},
};

fn choosy(config: AgentConfig, need: &str, least: &str, reject: &str) -> AgentConfig {
    let mut policy = PeerPolicy::default();
    policy.rules.need = caps(need);
    policy.rules.min_versions = least.split_whitespace().map(|one| one.parse().unwrap()).collect();
    policy.reject = (!reject.is_empty()).then(|| reject.parse().unwrap());
    AgentConfig { policy, ..config }
}

fn hello(bench: &Bench) -> ConnectRequest {
    let said = bench.said().into_iter().find_map(|(_, said)| match said {
        ToPool::Connect(hello) => Some(*hello),
        _ => None,
    });
    said.expect("a connect")
}

fn why_unsuitable(bench: &Bench) -> Vec<(Side, String)> {
    let why = bench.notices().into_iter().filter_map(|notice| match notice {
        Notice::Unsuitable { side, why, .. } => Some((side, why)),
        _ => None,
    });
    why.collect()
}

fn seen(byte: u8, version: &str, serves: &str) -> Event {
    Event::Peers(vec![PeerFact { client_version: version.into(), caps: caps(serves), ..peer(byte) }])
}

/// A client whose node dials [`HOST`] and does not see it yet.
fn dialing(config: AgentConfig) -> Bench {
    let mut bench = Bench::live(config);
    bench.oblige();
    bench.give(vec![place(LEASE, HOST)]);
    bench.done();
    bench
}

#[test]
fn the_pool_learns_what_the_node_serves_and_needs() {
    let mut bench = Bench::new(choosy(client_config(1), "snap/1", "geth/1.17.0", "bad"));
    bench.node_up();
    bench.on(Event::PoolOpen);
    let said = hello(&bench);
    assert_eq!((said.capabilities, said.client.unwrap().required_capabilities), (caps("eth snap"), caps("snap/1")));
    assert_eq!(said.min_versions, ["geth/1.17.0".parse().unwrap()]);
    // A light node needs who serves light nodes, whatever else it needs.
    for (need, all) in [("", "les"), ("snap/1", "snap/1 les"), ("les/4", "les/4")] {
        let mut bench = Bench::new(choosy(client_config(1), need, "", ""));
        bench.on(Event::NodeUp(Box::new(NodeFacts { full: false, protocols: caps("les"), ..facts(OWN_NODE) })));
        bench.on(Event::PoolOpen);
        assert_eq!(hello(&bench).client.unwrap().required_capabilities, caps(all));
    }
    let mut bench = Bench::new(choosy(host_config(2), "", "geth/1.17.0", ""));
    bench.node_up();
    bench.on(Event::PoolOpen);
    assert!(hello(&bench).client.is_none() && !hello(&bench).min_versions.is_empty());
}

#[test]
fn a_host_of_a_rejected_version_is_left_and_never_dialed() {
    let version = || "Geth/v1.12.0-stable/linux".to_owned();
    for config in
        [choosy(client_config(1), "", "geth/1.17.0", ""), choosy(client_config(1), "", "", "^Geth/v1\\.1[0-6]\\.")]
    {
        let mut bench = Bench::live(config);
        bench.oblige();
        bench.give(vec![LeasedHost { client_version: version(), ..place(LEASE, HOST) }]);
        assert_eq!((bench.calls(), bench.leave().unwrap().reason), (vec![], LeaveReason::Rejected));
        assert_eq!(why_unsuitable(&bench).len(), 1);
        bench.after(60_000);
        assert_eq!(bench.ask().unwrap().1.avoid, vec![node(HOST)], "a pool that learns nothing gives another");
        let FromPool::Dial(call) = dial(SECOND_LEASE, Side::Client, SECOND_HOST) else { unreachable!() };
        bench.call(7, FromPool::Dial(DialCall { client_version: version(), ..call }));
        assert!(bench.reply(7).unwrap().unwrap_err().is(ErrorCode::Unsuitable));
        assert_eq!(bench.calls(), vec![]);
        bench.call(8, dial(THIRD_LEASE, Side::Client, THIRD_HOST));
        assert_eq!(bench.calls(), vec![PeerCommand::Dial(enode(THIRD_HOST))], "an unknown version is checked later");
    }
}

#[test]
fn a_host_says_why_it_does_not_let_a_client_in() {
    let mut bench = Bench::live(choosy(host_config(2), "", "geth/1.17.0", "^reth/"));
    let call = |lease: LeaseId, version: &str| {
        let FromPool::Admit(call) = admit(lease, CLIENT) else { unreachable!() };
        FromPool::Admit(AdmitCall { client_version: version.into(), ..call })
    };
    for (tag, version, flag) in [(1, "Geth/v1.12.0", "--min-client-version"), (2, "reth/v2.0.0", "--reject-client")] {
        bench.call(tag, call(lease(tag), version));
        let error = bench.reply(tag).unwrap().unwrap_err();
        assert!(error.is(ErrorCode::Unsuitable) && error.message.contains(flag), "{error:?}");
        assert_eq!(bench.calls(), vec![]);
    }
    bench.call(3, call(THIRD_LEASE, "Geth/v1.17.5"));
    assert_eq!(bench.calls().len(), 1);
}

#[test]
fn a_host_that_serves_less_than_it_said_is_left_when_it_is_seen() {
    let mut bench = dialing(choosy(client_config(1), "snap/1", "", ""));
    bench.on(seen(HOST, "Geth/v1.17.5", "eth/68 eth/69"));
    assert_eq!(bench.leave().unwrap().reason, LeaveReason::Mismatch);
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(HOST))]);
    assert_eq!(why_unsuitable(&bench), [(Side::Client, "does not serve snap/1 (--need)".to_owned())]);
    assert!(bench.report().is_none_or(|(_, report)| report.up.is_empty()), "it was never reported up");
    bench.after(1_000);
    assert_eq!(bench.ask().unwrap().1.avoid, vec![node(HOST)]);
}

#[test]
fn a_client_of_another_version_than_it_said_is_put_out() {
    let mut bench = Bench::live(choosy(host_config(2), "", "geth/1.17.0", ""));
    bench.oblige();
    bench.call(1, admit(LEASE, CLIENT));
    bench.done();
    bench.on(seen(CLIENT, "Geth/v1.12.0", "eth/68"));
    assert_eq!(bench.leave().unwrap().reason, LeaveReason::Mismatch);
    assert_eq!(why_unsuitable(&bench)[0].0, Side::Host);
    assert_eq!(bench.calls().len(), 1, "it is evicted: {:?}", bench.calls());
}

#[test]
fn a_compatible_peer_stays_and_what_it_serves_is_reported_once_a_socket() {
    let mut bench = dialing(choosy(client_config(1), "snap/1", "geth/1.17.0", "bad"));
    bench.obliging = false;
    bench.on(seen(HOST, "Geth/v1.17.5", "eth/69 snap/1"));
    let report = bench.take_report();
    assert_eq!(report.up, [LEASE]);
    assert_eq!(
        (report.host_capabilities[0].lease, &report.host_capabilities[0].capabilities),
        (LEASE, &caps("eth/69 snap/1"))
    );
    bench.after(INTERVAL_MS / 2);
    bench.on(seen(HOST, "Geth/v1.17.5", "eth/69 snap/1"));
    bench.after(INTERVAL_MS / 2);
    assert_eq!(bench.take_report().host_capabilities, []);
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.go_live(vec![view(LEASE, Side::Client, HOST)]);
    let report = bench.take_report();
    assert!(report.full.is_some());
    assert_eq!(report.host_capabilities.len(), 1);
}

#[test]
fn changed_rules_apply_to_connected_peers() {
    let mut bench = dialing(client_config(1));
    bench.on(seen(HOST, "Geth/v1.12.0", "eth/68"));
    assert!(bench.leave().is_none());
    bench.on(Event::Configured(Box::new(choosy(client_config(1), "", "geth/1.17.0", ""))));
    bench.on(seen(HOST, "Geth/v1.12.0", "eth/68"));
    assert_eq!(bench.calls(), vec![PeerCommand::Drop(enode(HOST))]);
}

#[test]
fn a_peer_that_reports_nothing_is_judged_by_its_agents_claim() {
    let mut bench = dialing(choosy(client_config(1), "snap/1", "geth/1.17.0", "^$"));
    bench.on(seen(HOST, "", ""));
    assert!(bench.leave().is_none() && why_unsuitable(&bench).is_empty());
}
