use vipnode_types::{
    Enode, EnodeHost, Ms,
    wire::{ErrorCode, EvictReason, ReportRequest},
};

use super::pool::{Pool, START, address, agent_key, chain, client, hello, host, node};
use crate::{Command, Effect, Identity, Limits, Row};

#[test]
fn d32_a_late_event_of_an_old_socket_never_touches_the_new_one() {
    let mut pool = Pool::new();
    pool.connect(1, host(1, 4)).unwrap();
    let old = pool.connection(1);
    pool.connect(1, host(1, 4)).unwrap();
    assert_eq!(pool.closed, [old]);
    pool.handle(Command::Disconnected { connection: old });
    assert_eq!((pool.core.gauges().hosts, pool.core.gauges().free_slots), (1, 4));
    let report = Box::new(ReportRequest { seq: 1, ..Default::default() });
    let error = pool.request(Command::Report { connection: old, request: 1, report }).unwrap().unwrap_err();
    assert!(error.is(ErrorCode::Unauthorized));
    pool.disconnect(1);
    assert_eq!((pool.core.gauges().hosts, pool.core.gauges().free_slots), (0, 0));
}

#[test]
fn an_older_delegation_is_refused() {
    let mut pool = Pool::new();
    let mut connect = |issued: u64| {
        let identity = Identity { node: node(1), agent: agent_key(), issued: Ms::new(issued) };
        let (connection, hello) = (pool.connection(1), Box::new(hello(1)));
        let address = address(1);
        let command = Command::Connect { connection, request: 1, identity, address, callable: true, hello };
        pool.request(command).unwrap()
    };
    assert!(connect(5).is_ok());
    assert!(connect(4).unwrap_err().is(ErrorCode::Unauthorized));
    assert!(connect(5).is_ok() && connect(6).is_ok());
    assert!(connect(5).is_err());
    pool.restart(Limits::default());
    let identity = Identity { node: node(1), agent: agent_key(), issued: Ms::new(5) };
    let (connection, hello) = (pool.connection(1), Box::new(hello(1)));
    let command = Command::Connect { connection, request: 1, identity, address: address(1), callable: true, hello };
    assert!(pool.request(command).unwrap().is_err(), "also after a restart");
}

#[test]
fn what_the_pool_cannot_use_is_told_why() {
    let mut pool = Pool::new();
    let mut other = hello(1);
    other.protocol = 2;
    assert!(pool.connect(1, other).unwrap_err().is(ErrorCode::Unsuitable));
    let mut other = hello(1);
    other.enode = Some(Enode::id_only(node(2)));
    let error = pool.connect(1, other).unwrap_err();
    assert!(error.is(ErrorCode::Unsuitable) && error.data.unwrap().hint.contains("--enode"));
    assert_eq!(pool.core.gauges().nodes, 0);
    pool.connect(1, hello(1)).unwrap();
    pool.ask(1, 1);
    assert!(pool.replies.last().unwrap().1.as_ref().unwrap_err().is(ErrorCode::Unsuitable), "no client");
}

#[test]
fn d34_the_address_given_out_is_the_observed_one() {
    let given = |claimed: &str, observed: &str, closed: bool| {
        let mut pool = Pool::with(Limits { closed, ..Limits::default() });
        let mut seller = host(1, 1);
        let claimed = format!("enode://{}@{claimed}", node(1));
        seller.enode = Some(claimed.parse().unwrap());
        pool.connect_from(1, seller, observed.parse().unwrap(), true).unwrap();
        pool.connect(2, client(2)).unwrap();
        pool.ask(2, 1);
        pool.admit(1);
        pool.last_ask(2).unwrap().hosts[0].host.to_string().split_once('@').unwrap().1.to_owned()
    };
    assert_eq!(given("127.0.0.1:30305?discport=0", "8.8.8.8", false), "8.8.8.8:30305?discport=0");
    assert_eq!(given("9.9.9.9:30305", "8.8.8.8", false), "8.8.8.8:30305", "another's address is not given out");
    assert_eq!(given("9.9.9.9:30305", "8.8.8.8", true), "9.9.9.9:30305", "members are believed");
    assert_eq!(given("127.0.0.2:30305", "127.0.0.1", false), "127.0.0.2:30305");
    assert_eq!(given("0.0.0.0:30305", "127.0.0.1", true), "127.0.0.1:30305");
    assert_eq!(given("[::1]:30305", "2001:db8::1", false), "[2001:db8::1]:30305");
    assert_eq!(given("node.example:30305", "8.8.8.8", false), "8.8.8.8:30305");
    assert_eq!(given("10.0.0.1:30305", "::ffff:8.8.8.8", false), "8.8.8.8:30305");
}

#[test]
fn a_host_that_takes_no_connections_is_not_given() {
    let mut pool = Pool::new();
    let mut seller = host(1, 4);
    seller.enode = None;
    pool.connect(1, seller).unwrap();
    assert_eq!(pool.core.gauges().free_slots, 0);
    let mut seller = host(1, 4);
    seller.enode = Some(Enode { id: node(1), host: EnodeHost::None, port: 0, disc_port: None });
    pool.connect(1, seller).unwrap();
    assert_eq!(pool.core.gauges().free_slots, 0);
    pool.connect_from(1, host(1, 4), address(1), false).unwrap();
    assert_eq!(pool.core.gauges().free_slots, 0, "over HTTP it cannot be asked");
}

#[test]
fn coming_back_unchanged_writes_nothing() {
    let mut pool = Pool::new();
    pool.connect(1, host(1, 4)).unwrap();
    assert_eq!(pool.rows.len(), 1);
    pool.connect(1, host(1, 4)).unwrap();
    assert_eq!(pool.rows.len(), 1);
    pool.connect(1, client(1)).unwrap();
    assert_eq!(pool.rows.len(), 2, "it became a client");
}

#[test]
fn leases_are_told_at_connect_and_those_that_ended_meanwhile_are_missing() {
    let mut pool = Pool::new();
    let lease = pool.lease_up();
    pool.disconnect(1);
    assert_eq!(pool.connect(1, host(1, 4)).unwrap().leases[0].lease, lease);
    pool.full(1, &[(lease, true)]);
    pool.disconnect(1);
    pool.bye(2);
    assert!(pool.calls.is_empty(), "nobody is there to be called");
    assert!(pool.connect(1, host(1, 4)).unwrap().leases.is_empty());
}

#[test]
fn a_host_that_stops_has_its_clients_moved_at_once() {
    let mut pool = Pool::new();
    pool.lease_up();
    pool.connect(3, host(3, 4)).unwrap();
    pool.bye(1);
    assert_eq!(pool.evicted(2), Some(EvictReason::Drained));
    assert_eq!(pool.core.next_wake(), Some(pool.now));
    pool.handle(Command::Tick);
    pool.admit(3);
    assert!(pool.take_evict(1).is_none());
}

#[test]
fn a_host_that_dies_is_replaced_as_soon_as_its_client_says_so() {
    let mut pool = Pool::new();
    let lease = pool.lease_up();
    pool.connect(3, host(3, 4)).unwrap();
    pool.disconnect(1);
    pool.delta(2, &[], &[lease]);
    pool.handle(Command::Tick);
    pool.admit(3);
}

#[test]
fn another_chain_is_another_beginning() {
    let mut pool = Pool::new();
    pool.lease_up();
    let mut moved = client(2);
    moved.chain = chain(2);
    assert!(pool.connect(2, moved).unwrap().leases.is_empty());
    assert_eq!(pool.evicted(1), Some(EvictReason::Disconnected));
}

#[test]
fn a_role_given_up_ends_its_leases() {
    let mut pool = Pool::new();
    pool.lease_up();
    assert!(pool.connect(1, client(1)).unwrap().leases.is_empty());
    assert_eq!(pool.evicted(2), Some(EvictReason::Drained));
}

#[test]
fn a_word_of_a_call_that_nobody_made_is_ignored() {
    let mut pool = Pool::new();
    pool.lease_up();
    let call = crate::CallId(77);
    let effects = pool.handle(Command::CallDone { call, outcome: crate::CallOutcome::Done });
    assert_eq!(effects, Vec::<Effect>::new());
}

#[test]
fn presences_are_written_together_every_few_minutes() {
    let mut pool = Pool::new();
    pool.pair_up();
    pool.rows.clear();
    pool.pass_with(179_000, &[1, 2]);
    assert!(pool.rows.is_empty());
    pool.pass(1_000);
    let [Row::Presence(seen), Row::Clock(clock)] = &pool.rows[..] else { panic!("{:?}", pool.rows) };
    assert_eq!((seen.len(), *clock), (2, START.plus(180_000)));
}
