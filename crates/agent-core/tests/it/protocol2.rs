//! The core and a pool of the original, which speaks protocol 2.

use crate::common::*;
use vipnode_agent_core::{
    Action, Advertise, AgentConfig, ChangeKind, Event, FromPool, JournalEntry, NodeChange, Notice, PoolAnswer,
    RequestTag,
};
use vipnode_types::{
    Account, Enode, EnodeHost, LeaseId, Ms, NodeFacts, NodeId, PeerCommand,
    protocol2::{
        Balance, Call, Kind, PeerEntry, PeerReply, PeerRequest, Protocol2ConnectReply, Protocol2ConnectRequest,
        Protocol2Reply, Update, UpdateReply,
    },
    wire::{ErrorCode, WireError},
};

/// The calls that the last event brought about.
fn said(bench: &Bench) -> Vec<(RequestTag, Call)> {
    let said = bench.said().into_iter().map(|(tag, request)| match request {
        vipnode_agent_core::ToPool::Protocol2(call) => (tag, *call),
        other => panic!("{other:?} to a pool of the original"),
    });
    said.collect()
}

fn connect(bench: &Bench) -> (RequestTag, Protocol2ConnectRequest) {
    let found = said(bench).into_iter().find_map(|(tag, call)| match call {
        Call::Connect(request) => Some((tag, *request)),
        _ => None,
    });
    found.expect("a connect")
}

fn update(bench: &Bench) -> Option<(RequestTag, Update)> {
    said(bench)
        .into_iter()
        .find_map(|(tag, call)| if let Call::Update(update) = call { Some((tag, update)) } else { None })
}

fn peer_request(bench: &Bench) -> Option<(RequestTag, PeerRequest)> {
    said(bench)
        .into_iter()
        .find_map(|(tag, call)| if let Call::Peer(request) = call { Some((tag, request)) } else { None })
}

fn answer(bench: &mut Bench, tag: RequestTag, reply: Protocol2Reply) {
    bench.answer(tag, PoolAnswer::Protocol2(reply));
}

fn take_update(bench: &mut Bench, reply: UpdateReply) -> Update {
    let (tag, update) = update(bench).expect("an update");
    answer(bench, tag, Protocol2Reply::Update(reply));
    update
}

fn give(bench: &mut Bench, bytes: &[u8]) {
    let (tag, _) = peer_request(bench).expect("a call for peers");
    let peers = bytes.iter().map(|byte| PeerEntry::host(&enode(*byte), Kind::Geth, Ms::ZERO, 0)).collect();
    answer(bench, tag, Protocol2Reply::Peer(PeerReply { peers }));
}

/// Connected, with the first update taken; a client's first call for peers is in `out`.
fn live(config: AgentConfig) -> Bench {
    let mut bench = Bench::new(protocol2(config));
    bench.node_up();
    bench.on(Event::PoolOpen);
    let (tag, _) = connect(&bench);
    answer(
        &mut bench,
        tag,
        Protocol2Reply::Connect(Protocol2ConnectReply { message: "hello".into(), ..Protocol2ConnectReply::default() }),
    );
    let out = bench.out.clone();
    assert_eq!(take_update(&mut bench, UpdateReply::default()).peers, []);
    bench.out = out;
    bench
}

fn with_host() -> Bench {
    let mut bench = live(client_config(1));
    give(&mut bench, &[HOST]);
    assert_eq!(bench.calls(), [PeerCommand::Dial(enode(HOST))]);
    bench.done();
    bench.peers(&[HOST]);
    bench
}

fn with_client() -> Bench {
    let mut bench = live(host_config(2));
    bench.call(1, FromPool::Whitelist(node(CLIENT)));
    assert_eq!(bench.calls(), [PeerCommand::Admit(by_id(CLIENT))]);
    bench.done();
    assert_eq!(bench.reply(1), Some(Ok(())));
    bench
}

fn present(facts: NodeFacts, config: AgentConfig) -> Protocol2ConnectRequest {
    let mut bench = Bench::new(protocol2(config));
    bench.on(Event::NodeUp(Box::new(facts)));
    bench.on(Event::PoolOpen);
    connect(&bench).1
}

#[test]
fn a_host_presents_itself_as_a_full_node_and_a_client_does_not() {
    let request = present(facts(OWN_NODE), host_config(2));
    assert!(request.node_info.is_full_node);
    assert_eq!((request.node_info.kind, request.node_info.network), (Kind::Geth, 1337));
    assert!(!present(facts(OWN_NODE), client_config(1)).node_info.is_full_node);
    assert!(!present(NodeFacts { full: false, ..facts(OWN_NODE) }, host_config(2)).node_info.is_full_node);
}

#[test]
fn d24_payout_is_sent() {
    let payout: Account = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F".parse().unwrap();
    let mut config = host_config(2);
    config.host.as_mut().unwrap().payout = Some(payout);
    assert_eq!(present(facts(OWN_NODE), config).payout.parse(), Ok(payout));
    assert_eq!(present(facts(OWN_NODE), host_config(2)).payout, "");
}

#[test]
fn d34_no_address_that_nobody_can_dial_and_the_port_is_kept() {
    let id = node(OWN_NODE);
    let uri = |ip: &str, advertise| {
        let facts = NodeFacts { enode: Enode::at(id, ip.parse().unwrap(), 30304), ..facts(OWN_NODE) };
        present(facts, AgentConfig { advertise, ..host_config(1) }).node_uri
    };
    for hidden in ["127.0.0.1", "::", "::1", "10.1.2.3", "192.168.0.7", "fd00::1", "0.0.0.0"] {
        assert_eq!(uri(hidden, Advertise::Node), format!("enode://{id}@[::]:30304"), "{hidden}");
    }
    assert_eq!(uri("8.8.8.8", Advertise::Node), format!("enode://{id}@8.8.8.8:30304"));
    assert_eq!(uri("2001:db8::1", Advertise::Node), format!("enode://{id}@[2001:db8::1]:30304"));
    let host = Advertise::Host(EnodeHost::Ip("2001:db8::2".parse().unwrap()));
    assert_eq!(uri("127.0.0.1", host), format!("enode://{id}@[2001:db8::2]:30304"));
    let enode = Enode::at(id, "127.0.0.1".parse().unwrap(), 5);
    assert_eq!(uri("8.8.8.8", Advertise::Enode(enode)), format!("enode://{id}@127.0.0.1:5"));
}

#[test]
fn the_flow_of_the_original_connect_update_peer_update() {
    let mut bench = live(client_config(2));
    assert!(bench.notices().contains(&Notice::Connected { welcome: Some("hello".into()), price: None, pool_id: None }));
    let (_, request) = peer_request(&bench).unwrap();
    assert_eq!(request, PeerRequest { num: 2, kind: String::new() });
    // The original may give more than were asked for.
    give(&mut bench, &[HOST, SECOND_HOST, THIRD_HOST]);
    assert_eq!(bench.calls(), [PeerCommand::Dial(enode(HOST)), PeerCommand::Dial(enode(SECOND_HOST))]);
    bench.done();
    bench.peers(&[HOST, SECOND_HOST, OWN_PEER]);
    assert_eq!(update(&bench), None, "two updates are a second apart");
    bench.after(5_000);
    let said = take_update(&mut bench, UpdateReply::default());
    assert_eq!(
        (said.peers.clone(), said.block_number),
        (vec![node(HOST), node(SECOND_HOST)], 100),
        "fault D46 (docs/faults.md): not 50"
    );
    bench.peers(&[HOST, SECOND_HOST]);
    bench.after(50_000);
    assert_eq!(update(&bench), None);
    bench.peers(&[HOST, SECOND_HOST]);
    bench.after(10_000);
    assert_eq!(take_update(&mut bench, UpdateReply::default()), said);
}

#[test]
fn a_light_node_asks_for_its_own_kind() {
    let mut bench = Bench::new(protocol2(client_config(1)));
    bench.on(Event::NodeUp(Box::new(NodeFacts { full: false, ..facts(OWN_NODE) })));
    bench.on(Event::PoolOpen);
    let (tag, _) = connect(&bench);
    answer(&mut bench, tag, Protocol2Reply::Connect(Protocol2ConnectReply::default()));
    assert_eq!(peer_request(&bench).unwrap().1.kind, "geth");
}

/// `pool/errors.go`, NoHostNodesError; `jsonrpc2/server.go` gives every error this code.
#[test]
fn no_host_is_not_fatal() {
    let mut bench = live(client_config(3));
    let (tag, _) = peer_request(&bench).unwrap();
    let error = WireError::new(ErrorCode::Internal, "no host nodes available", "");
    bench.on(Event::PoolAnswers { tag, answer: Err(error) });
    let why = Some("no host nodes available".into());
    let missing = Notice::HostsMissing { missing: 3, why, late: false, retry_ms: None };
    assert_eq!(bench.notices(), [missing]);
    bench.after(60_000);
    assert!(peer_request(&bench).is_some());
}

#[test]
fn a_whitelisted_client_is_let_in_reported_and_evicted_when_invalid() {
    let mut bench = with_client();
    bench.call(2, FromPool::Whitelist(node(CLIENT)));
    assert_eq!((bench.reply(2), bench.calls()), (Some(Ok(())), vec![]), "once is enough");
    bench.peers(&[CLIENT, OWN_PEER]);
    bench.after(5_000);
    assert_eq!(update(&bench).unwrap().1.peers, [node(CLIENT)]);
    let invalid_peers = vec![node(CLIENT).to_string(), node(OWN_PEER).to_string(), "0xnonsense".into()];
    take_update(&mut bench, UpdateReply { invalid_peers, ..UpdateReply::default() });
    assert_eq!(bench.calls(), [PeerCommand::Evict(by_id(CLIENT))], "and nobody else");
    bench.done();
    assert_eq!(bench.left(), []);
}

#[test]
fn d35_a_client_that_never_comes_is_not_trusted_for_ever() {
    let mut bench = with_client();
    bench.obliging = true;
    let began = bench.now;
    for _ in 0..60 {
        bench.peers(&[]);
        bench.after(4_000);
        if !bench.calls().is_empty() {
            break;
        }
    }
    assert_eq!(bench.calls(), [PeerCommand::Evict(by_id(CLIENT))]);
    assert!((180_000..188_000).contains(&bench.now.since(began)), "{}", bench.now.since(began));
}

#[test]
fn the_agent_keeps_to_its_own_slots() {
    let mut bench = with_client();
    bench.call(2, FromPool::Whitelist(node(SECOND_CLIENT)));
    bench.done();
    bench.call(3, FromPool::Whitelist(node(THIRD_CLIENT)));
    let full = bench.reply(3).unwrap().unwrap_err();
    assert!(
        full.message.contains("no slot is free") && full.is(ErrorCode::Refused),
        "the code of protocol 2: {full:?}"
    );
    let mut client = live(client_config(1));
    client.call(1, FromPool::Whitelist(node(THIRD_CLIENT)));
    assert!(client.reply(1).unwrap().unwrap_err().message.contains("does not sell slots"));
}

#[test]
fn a_pool_of_the_other_protocol_has_nothing_to_call() {
    let mut bench = with_client();
    bench.call(5, admit(LEASE, SECOND_CLIENT));
    assert!(bench.reply(5).unwrap().unwrap_err().is(ErrorCode::MethodNotFound));
    let mut third = Bench::live(host_config(2));
    third.call(5, FromPool::Whitelist(node(CLIENT)));
    assert!(third.reply(5).unwrap().unwrap_err().is(ErrorCode::MethodNotFound));
}

#[test]
fn being_behind_and_catching_up_are_each_reported_once() {
    let mut bench = live(client_config(0));
    let mut notices = |latest: u64| {
        bench.peers(&[]);
        bench.after(30_000);
        bench.peers(&[]);
        bench.after(30_000);
        take_update(&mut bench, UpdateReply { latest_block_number: latest, ..UpdateReply::default() });
        bench.notices()
    };
    assert_eq!(notices(103), []);
    assert_eq!(notices(104), [Notice::Behind { blocks: 4, latest: 104 }]);
    assert_eq!(notices(105), []);
    assert_eq!(notices(0), [], "the pool does not know");
    assert_eq!(notices(103), [Notice::CaughtUp { latest: 103 }]);
    assert_eq!(notices(100), []);
}

#[test]
fn d41_the_balance_is_shown() {
    let mut bench = live(client_config(0));
    let mut notices = |credit: i128| {
        bench.peers(&[]);
        bench.after(30_000);
        bench.peers(&[]);
        bench.after(30_000);
        let balance = Some(Balance { credit, ..Balance::default() });
        take_update(&mut bench, UpdateReply { balance, ..UpdateReply::default() });
        bench.notices()
    };
    assert_eq!(notices(-5), [Notice::Balance { credit_wei: -5, deposit_wei: 0 }]);
    for credit in -15..-6 {
        assert_eq!(notices(credit), [], "not at each update");
    }
    assert_eq!(notices(-16), [Notice::Balance { credit_wei: -16, deposit_wei: 0 }]);
}

/// `pool/store/errors.go`: a pool whose memory is gone answers "unregistered node".
#[test]
fn d40_a_pool_that_forgot_the_node_is_connected_to_again_and_leases_stay() {
    let mut bench = with_host();
    bench.after(5_000);
    let (tag, _) = update(&bench).unwrap();
    bench.on(Event::PoolAnswers { tag, answer: Err(WireError::new(ErrorCode::Internal, "unregistered node", "")) });
    assert!(bench.reconnect().is_some(), "{:?}", bench.out);
    bench.on(Event::PoolOpen);
    let (tag, _) = connect(&bench);
    answer(&mut bench, tag, Protocol2Reply::Connect(Protocol2ConnectReply::default()));
    assert_eq!(update(&bench).unwrap().1.peers, [node(HOST)]);
    assert_eq!(bench.calls(), []);
}

/// Seed 284 of the simulator: the lease of an earlier run had ended at the pool meanwhile, and was held for ever.
#[test]
fn what_an_earlier_run_left_and_the_pool_does_not_know_is_undone() {
    let journal = { with_host().journal };
    for active in [vec![], vec![enode(HOST).to_string()]] {
        let known = !active.is_empty();
        let mut bench = Bench::restarted(protocol2(client_config(1)), journal.clone());
        bench.node_up();
        bench.peers(&[HOST]);
        bench.on(Event::PoolOpen);
        let (tag, _) = connect(&bench);
        answer(&mut bench, tag, Protocol2Reply::Connect(Protocol2ConnectReply::default()));
        let (tag, named) = update(&bench).unwrap();
        assert_eq!(named.peers, [node(HOST)]);
        bench.done();
        answer(&mut bench, tag, Protocol2Reply::Update(UpdateReply { active_peers: active, ..UpdateReply::default() }));
        assert_eq!(bench.calls().contains(&PeerCommand::Drop(enode(HOST))), !known);
        if known {
            // It stays confirmed: a peer that leaves the pool's list later does not end it (as in the original).
            bench.peers(&[HOST]);
            bench.after(60_000);
            take_update(&mut bench, UpdateReply::default());
            assert_eq!(bench.calls(), []);
        }
    }
}

fn left(lease: LeaseId, byte: u8, kind: ChangeKind) -> JournalEntry {
    JournalEntry::Done(NodeChange { lease, peer: enode(byte), kind })
}

/// An agent that buys and sells is back, and the pool took it; whom it names in its first update.
fn back_with(journal: Vec<JournalEntry>, seen: &[u8]) -> (Bench, RequestTag, Vec<NodeId>) {
    let config = AgentConfig { host: host_config(2).host, ..client_config(1) };
    let mut bench = Bench::restarted(protocol2(config), journal);
    bench.node_up();
    bench.peers(seen);
    bench.on(Event::PoolOpen);
    let (tag, _) = connect(&bench);
    answer(&mut bench, tag, Protocol2Reply::Connect(Protocol2ConnectReply::default()));
    let (tag, Update { peers, .. }) = update(&bench).expect("an update");
    let out = bench.out.clone();
    settle(&mut bench);
    bench.out = out;
    (bench, tag, peers)
}

/// The node completes every call.
fn settle(bench: &mut Bench) {
    while !bench.calls().is_empty() {
        bench.done();
    }
}

/// Seed 7627 of the simulator: a run of protocol 3 held a pair both ways, one of the two had ended at the pool
/// meanwhile, and the other one's peer in `active_peers` kept both.
#[test]
fn a_pair_that_an_earlier_run_held_both_ways_is_not_taken_over() {
    let both = vec![
        left(LEASE, PEER, ChangeKind::Admitted),
        left(SECOND_LEASE, PEER, ChangeKind::Dialed),
        left(THIRD_LEASE, CLIENT, ChangeKind::Admitted),
    ];
    let (mut bench, tag, named) = back_with(both, &[PEER, CLIENT]);
    assert_eq!(named, [node(CLIENT)], "the report to the pool no longer includes the lease");
    let active_peers = [PEER, CLIENT].map(|byte| enode(byte).to_string()).into();
    answer(&mut bench, tag, Protocol2Reply::Update(UpdateReply { active_peers, ..UpdateReply::default() }));
    settle(&mut bench);
    let still: Vec<NodeId> = bench.left().iter().map(|change| change.peer.id).collect();
    assert_eq!(still, [node(CLIENT)]);
}

/// The same where the pool gives the pair again, the other way round, before the peer was seen.
#[test]
fn a_new_lease_confirms_no_old_one_the_other_way_round() {
    for (kind, whitelisted) in [(ChangeKind::Admitted, false), (ChangeKind::Dialed, true)] {
        let (mut bench, tag, named) = back_with(vec![left(LEASE, PEER, kind)], &[]);
        assert_eq!(named, []);
        if whitelisted {
            answer(&mut bench, tag, Protocol2Reply::Update(UpdateReply::default()));
            bench.call(1, FromPool::Whitelist(node(PEER)));
        } else {
            give(&mut bench, &[PEER]);
        }
        settle(&mut bench);
        let changes: Vec<(LeaseId, ChangeKind)> =
            bench.left().iter().map(|change| (change.lease, change.kind)).collect();
        let new = if whitelisted { ChangeKind::Admitted } else { ChangeKind::Dialed };
        assert_eq!(changes, [(SECOND_LEASE, new)]);
    }
}

#[test]
fn what_an_earlier_run_left_goes_on() {
    let journal = { with_host().journal };
    let mut bench = Bench::restarted(protocol2(client_config(1)), journal);
    bench.node_up();
    bench.on(Event::PoolOpen);
    let (tag, _) = connect(&bench);
    answer(&mut bench, tag, Protocol2Reply::Connect(Protocol2ConnectReply::default()));
    assert_eq!(bench.calls(), [PeerCommand::Dial(enode(HOST))]);
    assert_eq!(peer_request(&bench), None, "no further host is needed");
    // A new slot does not take the name of the old one.
    bench.obliging = true;
    let (updated, _) = update(&bench).unwrap();
    bench.done();
    answer(&mut bench, updated, Protocol2Reply::Update(UpdateReply::default()));
    let old = bench.left()[0].lease;
    bench.after(20_000);
    assert_eq!(bench.calls(), [], "geth may dial it once more after 35 s, and no host dials a client here");
    bench.peers(&[]);
    bench.after(25_000);
    assert_eq!(bench.calls(), [PeerCommand::Drop(enode(HOST))]);
    let asked = peer_request(&bench).is_some();
    let out = bench.out.clone();
    bench.done();
    bench.out = out;
    for _ in 0..60 {
        if asked || peer_request(&bench).is_some() {
            break;
        }
        bench.after(1_000);
    }
    give(&mut bench, &[SECOND_HOST]);
    assert_eq!(bench.calls(), [PeerCommand::Dial(enode(SECOND_HOST))]);
    assert_ne!(bench.left()[0].lease, old);
}

#[test]
fn d51_a_stop_undoes_everything_and_reports_no_peers() {
    let mut bench = with_host();
    bench.stop();
    let (tag, update) = update(&bench).unwrap();
    assert_eq!(update.peers, []);
    assert_eq!(bench.calls(), [PeerCommand::Drop(enode(HOST))]);
    bench.done();
    answer(&mut bench, tag, Protocol2Reply::Update(UpdateReply::default()));
    assert_eq!(bench.out.last(), Some(&Action::Stopped { error: None }));
}

#[test]
fn a_pool_that_does_not_speak_it_ends_the_agent_with_the_flag() {
    let mut bench = Bench::new(protocol2(client_config(1)));
    bench.node_up();
    bench.on(Event::PoolOpen);
    let (tag, _) = connect(&bench);
    bench.on(Event::PoolAnswers {
        tag,
        answer: Err(WireError::new(ErrorCode::MethodNotFound, "does not have this method", "")),
    });
    let Some(Action::Stopped { error: Some(error) }) = bench.out.last() else { panic!("{:?}", bench.out) };
    assert!(error.data.as_ref().unwrap().hint.contains("--protocol 2"));
}
