//! Which addresses a pool may have the node dial.

use crate::common::*;
use vipnode_agent_core::{Action, AgentConfig, Event, FromPool, Notice};
use vipnode_types::{
    Enode, EnodeHost, PeerCommand,
    wire::{AdmitCall, DialCall, LeasedHost, LeaveReason, Side},
};

fn strict(config: AgentConfig) -> AgentConfig {
    AgentConfig { dial_private: false, ..config }
}

/// Joined to a pool that was reached at this address.
fn live_at(config: AgentConfig, address: &str) -> Bench {
    let mut bench = Bench::new(strict(config));
    bench.node_up();
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.on(Event::PoolAddress(address.parse().unwrap()));
    bench.answer(tag, welcome(Vec::new()));
    bench
}

const PUBLIC: &str = "203.0.113.1";

#[test]
fn a_pool_at_a_public_address_has_no_private_address_dialed() {
    for host in [EnodeHost::Ip([10, 0, 0, 9].into()), EnodeHost::Dns("host.example".into())] {
        let mut bench = live_at(client_config(1), PUBLIC);
        bench.oblige();
        let at = host.clone();
        bench.give(vec![LeasedHost { host: Enode { host, ..enode(HOST) }, ..place(LEASE, HOST) }]);
        assert_eq!(bench.calls(), vec![]);
        assert_eq!(bench.notices(), vec![Notice::PrivateAddress { host: node(HOST), at }]);
        let leave = bench.leave().unwrap();
        assert_eq!((leave.leases, leave.reason), (vec![LEASE], LeaveReason::NotConnected));
        let ask = (0..10).find_map(|_| {
            bench.after(1_000);
            bench.ask()
        });
        assert_eq!(ask.unwrap().1.avoid, vec![node(HOST)], "the pool gives another");
    }
}

#[test]
fn a_pool_at_a_private_address_has_no_loopback_address_dialed() {
    let hosts = ["127.0.0.1", "::1", "::ffff:127.0.0.1"].map(|ip| EnodeHost::Ip(ip.parse().unwrap()));
    for host in hosts.into_iter().chain([EnodeHost::Dns("host.example".into())]) {
        for (pool, dials) in [("10.0.0.1", false), ("fd00::1", false), ("fe80::1", false), ("127.0.0.1", true)] {
            let mut bench = live_at(client_config(1), pool);
            bench.oblige();
            let at = Enode { host: host.clone(), ..enode(HOST) };
            bench.give(vec![LeasedHost { host: at.clone(), ..place(LEASE, HOST) }]);
            let called = bench.calls();
            assert_eq!(called, if dials { vec![PeerCommand::Dial(at)] } else { vec![] }, "{pool}: {host:?}");
            assert_eq!(bench.leave().is_some(), !dials, "{pool}: {host:?}");
        }
    }
}

#[test]
fn a_pool_at_a_private_address_or_the_user_allows_it() {
    for address in ["10.0.0.1", "127.0.0.1", "100.64.1.1", "fd00::1", "fe80::1"] {
        let mut bench = live_at(client_config(1), address);
        bench.give(vec![place(LEASE, HOST)]);
        assert_eq!(bench.calls(), vec![PeerCommand::Dial(enode(HOST))], "{address}");
    }
    let mut bench = live_at(client_config(1), PUBLIC);
    bench.on(Event::Configured(Box::new(client_config(1))));
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(Vec::new()));
    bench.give(vec![place(LEASE, HOST)]);
    assert_eq!(bench.calls(), vec![PeerCommand::Dial(enode(HOST))], "--dial-private");
}

#[test]
fn the_address_of_a_pool_holds_for_its_socket_only() {
    let mut bench = live_at(client_config(1), "10.0.0.1");
    bench.on(Event::PoolLost { why: "gone".into() });
    bench.on(Event::PoolOpen);
    let tag = bench.connect_tag();
    bench.answer(tag, welcome(Vec::new()));
    bench.give(vec![place(LEASE, HOST)]);
    assert_eq!(bench.calls(), vec![]);
}

#[test]
fn a_host_dials_no_private_client_of_a_public_pool() {
    let mut bench = live_at(host_config(2), PUBLIC);
    bench.take_report();
    let FromPool::Admit(call) = admit(LEASE, CLIENT) else { unreachable!() };
    bench.call(1, FromPool::Admit(AdmitCall { client_enode: Some(enode(CLIENT)), ..call }));
    assert_eq!(bench.calls(), vec![PeerCommand::Admit(by_id(CLIENT))]);
    bench.done();
    let error = bench.call(2, dial(LEASE, Side::Host, CLIENT)).iter().find_map(|action| match action {
        Action::Answer { tag: 2, reply } => reply.clone().err(),
        _ => None,
    });
    assert!(error.unwrap().hint().unwrap().contains("--dial-private"));
    assert_eq!(bench.calls(), vec![]);
    let public = Enode::at(node(CLIENT), [203, 0, 113, 9].into(), 30303);
    bench.call(3, FromPool::Dial(DialCall { peer: public.clone(), ..call_of(dial(LEASE, Side::Host, CLIENT)) }));
    assert_eq!(bench.calls(), vec![PeerCommand::Dial(public)]);
}

fn call_of(call: FromPool) -> DialCall {
    let FromPool::Dial(call) = call else { unreachable!() };
    call
}
