use vipnode_agent::Reached;
use vipnode_agent_core::{DirectConfig, HostConfig};
use vipnode_types::{
    ChainSpec, Direction, Enode, HeadFact, Ms, NodeFacts, NodeId, PeerFact,
    wire::{Admission, ErrorCode, Reach, ReachReply, WireError},
};

use super::{Facts, Fault, Finding, KeyFacts, NodeFound, NodeMissing, PoolFound, Verdict, Wants, Words, judge};

const NOW: Ms = Ms::new(1_800_000_000_000);
const DAY: u64 = 24 * 60 * 60_000;

fn well() -> Facts {
    let id = NodeId::new([7; 64]);
    let node = NodeFacts {
        protocols: Vec::new(),
        id,
        enode: Enode::at(id, [8, 8, 4, 4].into(), 30_303),
        client_version: "Geth/v1.17.5".to_owned(),
        chain: ChainSpec::untold(1),
        full: true,
    };
    let reply = ReachReply {
        address: [8, 8, 4, 4].into(),
        port: Some(Reach::Open),
        time_ms: NOW.plus(200),
        admission: Admission::Allowed,
    };
    Facts {
        now: NOW,
        wants: Wants {
            host: Some(host(10)),
            client: true,
            strict: false,
            direct: DirectConfig::default(),
            node_max_peers: 50,
            port: None,
        },
        node: Ok(NodeFound {
            at: "/x/geth.ipc".to_owned(),
            facts: node,
            exposed: Some(Vec::new()),
            head: Ok(HeadFact { number: 9, timestamp_s: NOW.get() / 1_000 - 12, syncing: false }),
            peers: Ok(vec![peer(1, Direction::Inbound, false)]),
            key: Some(Ok(KeyFacts::Delegated { until: NOW.plus(300 * DAY) })),
        }),
        pool: Some(Ok(PoolFound { url: "ws://p/".to_owned(), reached: Reached { reply: Ok(reply), heard: NOW } })),
    }
}

fn host(slots: u32) -> HostConfig {
    HostConfig { slots, reserve: 16, node_max_peers: 50, payout: None, max_head_age_s: Some(600) }
}

fn peer(n: u8, direction: Direction, trusted: bool) -> PeerFact {
    let (id, client_version) = (NodeId::new([n; 64]), String::new());
    PeerFact {
        id,
        ready: true,
        direction,
        trusted: Some(trusted),
        is_static: Some(false),
        remote: None,
        client_version,
        caps: Vec::new(),
    }
}

fn node(facts: &mut Facts) -> &mut NodeFound {
    facts.node.as_mut().unwrap()
}

fn reached(facts: &mut Facts) -> &mut Reached {
    &mut facts.pool.as_mut().unwrap().as_mut().unwrap().reached
}

fn reply(facts: &mut Facts) -> &mut ReachReply {
    reached(facts).reply.as_mut().unwrap()
}

/// What is not well.
fn ills(facts: &Facts) -> Vec<Finding> {
    judge(facts).into_iter().filter(|finding| finding.verdict != Verdict::Well).collect()
}

type Case = (fn(&mut Facts), &'static str, Verdict, &'static str);

fn finds(cases: &[Case]) {
    for (spoil, check, verdict, hint) in cases {
        let mut facts = well();
        spoil(&mut facts);
        let ills = ills(&facts);
        let found = ills.iter().any(|ill| ill.check == *check && ill.verdict == *verdict && ill.hint.contains(hint));
        assert!(found && ills.len() == 1, "{check}: {ills:?}");
    }
}

#[test]
fn all_is_well_where_nothing_is_spoiled() {
    assert_eq!(ills(&well()), []);
    let checks: Vec<_> = judge(&well()).iter().map(|finding| finding.check).collect();
    let all = ["node", "admin", "key", "chain", "head", "places", "peers", "dial_slots", "pool", "admission", "clock"];
    assert_eq!(checks[..11], all);
    assert_eq!(checks[11..], ["port"]);
}

#[test]
fn each_fault_of_the_node_has_its_hint() {
    finds(&[
        (
            |facts| node(facts).exposed = Some(vec!["http://10.0.0.1:8545".into()]),
            "admin",
            Verdict::Warning,
            "--http.addr 127.0.0.1",
        ),
        (|facts| node(facts).exposed = None, "admin", Verdict::Skipped, ""),
        (|facts| node(facts).key = Some(Err(fault())), "key", Verdict::Bad, "fix it"),
        (
            |facts| node(facts).key = Some(Ok(KeyFacts::Delegated { until: NOW.plus(DAY) })),
            "key",
            Verdict::Warning,
            "--nodekey",
        ),
        (|facts| node(facts).facts.full = false, "chain", Verdict::Bad, "--role client"),
        (|facts| node(facts).head = Err(fault()), "head", Verdict::Bad, "fix it"),
        (|facts| facts.now = NOW.plus(601_000), "head", Verdict::Bad, "--max-head-age off"),
        (
            |facts| facts.wants.host = Some(host(35)),
            "places",
            Verdict::Bad,
            "geth --maxpeers 51, and say so: --node-max-peers 51; or --slots 34",
        ),
        (
            |facts| node(facts).facts.protocols = ["eth", "les"].map(|name| name.parse().unwrap()).to_vec(),
            "light_places",
            Verdict::Skipped,
            "",
        ),
        (|facts| node(facts).peers = Err(fault()), "peers", Verdict::Bad, "fix it"),
        (|facts| table(facts, 51, Direction::Inbound, false), "peers", Verdict::Warning, "--node-max-peers"),
        (|facts| table(facts, 50, Direction::Inbound, true), "peers", Verdict::Warning, "geth --maxpeers 66"),
        (|facts| table(facts, 16, Direction::Outbound, false), "dial_slots", Verdict::Warning, "geth --maxpeers 59"),
    ]);
}

#[test]
fn each_fault_of_the_pool_has_its_hint() {
    finds(&[
        (|facts| facts.pool = Some(Err(fault())), "pool", Verdict::Bad, "fix it"),
        (|facts| reply(facts).port = Some(Reach::Refused), "port", Verdict::Bad, "ufw allow 30303"),
        (|facts| reply(facts).port = Some(Reach::Timeout), "port", Verdict::Bad, "geth --nat extip:8.8.4.4"),
        (client_refused, "port", Verdict::Warning, "ufw allow 30303"),
        (|facts| reply(facts).port = None, "port", Verdict::Skipped, ""),
        (|facts| reply(facts).address = [9, 9, 9, 9].into(), "address", Verdict::Warning, "--enode.host 9.9.9.9"),
        (|facts| reply(facts).time_ms = NOW.plus(6_000), "clock", Verdict::Warning, "set-ntp"),
        (|facts| reply(facts).time_ms = NOW.minus(301_000), "clock", Verdict::Bad, "set-ntp"),
        (|facts| refused(facts, ErrorCode::NotMember), "admission", Verdict::Bad, "--join-secret-file"),
        (|facts| refused(facts, ErrorCode::Unsuitable), "admission", Verdict::Bad, "run another"),
        (|facts| reply(facts).admission = Admission::MembersOnly, "admission", Verdict::Skipped, ""),
        (|facts| reached(facts).reply = Err(WireError::busy("no", 7)), "port", Verdict::Warning, "7 ms"),
        (
            |facts| reached(facts).reply = Err(WireError::new(ErrorCode::MethodNotFound, "x", "")),
            "port",
            Verdict::Skipped,
            "",
        ),
    ]);
}

#[test]
fn a_client_needs_no_places_and_no_new_head() {
    let mut facts = well();
    facts.wants.host = None;
    node(&mut facts).facts.full = false;
    assert_eq!(ills(&facts), []);
    facts.now = NOW.plus(601_000);
    assert!(matches!(&ills(&facts)[..], [ill] if ill.check == "head" && ill.verdict == Verdict::Warning));
}

/// Each client in its own words, over each transport.
#[test]
fn missing_calls_are_explained_in_the_words_of_the_client() {
    for (client, at, flags) in [
        (
            "Geth/v1.17.5",
            "http://h",
            "geth --http --http.addr 127.0.0.1 --http.api admin,eth,net,web3; or --rpc <datadir>/geth.ipc",
        ),
        ("reth/v2.5.1", "ws://h", "reth --ws --ws.addr 127.0.0.1 --ws.api admin,eth,net,web3; or --rpc /tmp/reth.ipc"),
        ("erigon/3.1", "http://h", "erigon --http"),
        ("besu/v26", "ws://h", "besu --rpc-ws-enabled --rpc-ws-host=127.0.0.1 --rpc-ws-api=ADMIN,ETH,NET,WEB3"),
        ("Nethermind/v1.37", "http://h", "nethermind --JsonRpc.Enabled true"),
        ("bor/v2", "http://h", "geth --http"),
    ] {
        let mut facts = well();
        let missing = NodeMissing::NoCalls { at: at.into(), client: client.into(), what: "no admin".into() };
        facts.node = Err(missing);
        let ills = ills(&facts);
        assert!(matches!(&ills[..], [ill] if ill.check == "admin" && ill.hint.starts_with(flags)), "{ills:?}");
    }
    assert_eq!(Words::of("besu/v26").max_peers(51), "besu --max-peers=51");
    assert_eq!(Words::of("Nethermind/v1").address("9.9.9.9"), "nethermind --Network.ExternalIp 9.9.9.9");
}

#[test]
fn without_a_node_the_pool_is_looked_at_all_the_same() {
    let mut facts = well();
    facts.node = Err(NodeMissing::Fault(fault()));
    reply(&mut facts).admission = refusal(ErrorCode::NotMember);
    let ills: Vec<_> = ills(&facts).iter().map(|ill| ill.check).collect();
    assert_eq!(ills, ["node", "admission"]);
}

/// Each client in its own words.
#[test]
fn what_closes_a_node_to_strangers_is_said_where_they_are_disconnected() {
    for (client, flags) in [
        ("Geth/v1.17.5", "geth --nodiscover --netrestrict "),
        ("reth/v2.5.1", "reth --disable-discovery --netrestrict "),
        ("erigon/3.1", "erigon --nodiscover --netrestrict "),
        ("besu/v26", "besu --discovery-enabled=false --net-restrict="),
        ("Nethermind/v1.37", "nethermind --Init.DiscoveryEnabled false --Network.OnlyStaticPeers true"),
    ] {
        let mut facts = well();
        facts.wants.strict = true;
        node(&mut facts).facts.client_version = client.to_owned();
        let ills = ills(&facts);
        assert!(matches!(&ills[..], [ill] if ill.check == "strict" && ill.hint.starts_with(flags)), "{ills:?}");
        assert_eq!(ills[0].verdict, Verdict::Skipped);
    }
}

#[test]
fn without_a_pool_whom_the_user_named_is_looked_for_and_nothing_is_signed() {
    let mut facts = well();
    facts.pool = None;
    node(&mut facts).key = None;
    let (there, away) = (Enode::id_only(NodeId::new([1; 64])), Enode::id_only(NodeId::new([2; 64])));
    facts.wants.direct = DirectConfig { hosts: vec![there.clone()], allow: vec![there] };
    assert_eq!(ills(&facts), []);
    let checks: Vec<_> = judge(&facts).iter().map(|finding| finding.check).collect();
    assert_eq!(checks, ["node", "admin", "chain", "head", "places", "peers", "dial_slots", "direct", "direct"]);
    facts.wants.direct = DirectConfig { hosts: vec![away.clone()], allow: vec![away] };
    let ills = ills(&facts);
    assert_eq!(ills.iter().map(|ill| ill.verdict).collect::<Vec<_>>(), [Verdict::Warning, Verdict::Skipped]);
    assert!(ills[0].hint.contains(&format!("--allow {}", NodeId::new([7; 64]))), "{ills:?}");
    facts.wants.host = Some(host(34));
    let places = judge(&facts).into_iter().find(|finding| finding.check == "places").unwrap();
    assert!(places.verdict == Verdict::Bad && places.hint.ends_with("or --slots 33"), "{places:?}");
}

fn fault() -> Fault {
    Fault { what: "it is broken".to_owned(), hint: "fix it".to_owned() }
}

fn table(facts: &mut Facts, count: u8, direction: Direction, trusted: bool) {
    node(facts).peers = Ok((0..count).map(|n| peer(n, direction, trusted)).collect());
}

fn client_refused(facts: &mut Facts) {
    facts.wants.host = None;
    reply(facts).port = Some(Reach::Refused);
}

fn refused(facts: &mut Facts, code: ErrorCode) {
    reply(facts).admission = refusal(code);
}

fn refusal(code: ErrorCode) -> Admission {
    Admission::Refused(WireError::new(code, "no", "run another node"))
}
