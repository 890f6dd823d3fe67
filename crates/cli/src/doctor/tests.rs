use std::collections::BTreeSet;

use clap::CommandFactory as _;
use vipnode_agent::Reached;
use vipnode_agent_core::{Advertise, AgentConfig, DirectConfig, HostConfig, PeerPolicy, Protocol2Config};
use vipnode_node::NodeError;
use vipnode_types::{
    ChainSpec, Direction, Enode, HeadFact, Ms, NodeFacts, NodeId, PeerFact, PoolId, PoolKey,
    wire::{Admission, ErrorCode, Reach, ReachReply, WireError},
};

use super::{
    ClientFlags, Facts, Finding, KeyFacts, NodeFound, NodeMissing, PinFound, PoolFound, Requirements, Verdict, evaluate,
};
use crate::{args::Cli, error::CliError};

const NOW: Ms = Ms::new(1_800_000_000_000);
const DAY: u64 = 24 * 60 * 60_000;

fn pool_id() -> PoolId {
    PoolKey::from_random([1; 32]).unwrap().id()
}

fn well() -> Facts {
    let id = NodeId::new([7; 64]);
    let node = NodeFacts {
        dials_late: false,
        protocols: Vec::new(),
        id,
        enode: Enode::at(id, [8, 8, 4, 4].into(), 30_303),
        client_version: "Geth/v1.17.5".to_owned(),
        chain: ChainSpec::without_genesis(1),
        full: true,
    };
    let reply = ReachReply {
        address: [8, 8, 4, 4].into(),
        port: Some(Reach::Open),
        port_error: None,
        time_ms: NOW.plus(200),
        admission: Admission::Allowed,
        no_hosts: None,
    };
    Facts {
        now: NOW,
        wants: Requirements { agent: agent(), client: true, node_max_peers: 50, port: None },
        node: Ok(NodeFound {
            at: "/x/geth.ipc".to_owned(),
            facts: node,
            exposed: Some(Vec::new()),
            head: Ok(HeadFact { number: 9, timestamp_s: NOW.get() / 1_000 - 12, syncing: false }),
            peers: Ok(vec![peer(1, Direction::Inbound, false)]),
            own_peers: None,
            key: Some(Ok(KeyFacts::Delegated { until: NOW.plus(300 * DAY) })),
        }),
        pool: Some(Ok(PoolFound {
            url: "ws://p/".to_owned(),
            pin: PinFound::Same,
            reached: Reached { reply: Ok(reply), pool_id: Some(pool_id()), heard: NOW },
        })),
    }
}

fn agent() -> AgentConfig {
    AgentConfig {
        agent_version: "vipnode/0.1.0".to_owned(),
        pool: true,
        direct: DirectConfig::default(),
        min_peers: 3,
        max_price: None,
        strict: false,
        keep: BTreeSet::new(),
        policy: PeerPolicy::default(),
        host: Some(host(10)),
        advertise: Advertise::Node,
        dial_private: false,
        protocol2: None,
        allow_protocol2: false,
        request_ms: vipnode_agent_core::REQUEST_MS,
        seed: [0; 32],
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
    evaluate(facts).into_iter().filter(|finding| finding.verdict != Verdict::Ok).collect()
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

/// It would be the admission of another node than the agent's.
#[test]
fn without_a_node_nothing_is_said_about_its_admission() {
    let mut facts = well();
    facts.node = Err(NodeMissing::Error(CliError { message: "several nodes".to_owned(), hint: String::new() }));
    for admission in [Admission::Allowed, Admission::MembersOnly] {
        reply(&mut facts).admission = admission;
        let findings = evaluate(&facts);
        assert!(!findings.iter().any(|finding| finding.check == "admission"), "{findings:?}");
    }
}

/// A pool that answers a signed request as an unsigned one.
#[test]
fn a_key_that_was_passed_is_not_asked_for() {
    let mut facts = well();
    reply(&mut facts).admission = Admission::MembersOnly;
    let findings = evaluate(&facts);
    let found = findings.iter().find(|finding| finding.check == "admission").unwrap();
    assert_eq!(found.verdict, Verdict::Warning);
    assert!(!found.hint.contains("--nodekey"), "{}", found.hint);
}

#[test]
fn over_protocol_2_what_only_a_signed_request_shows_is_skipped() {
    let mut facts = well();
    facts.wants.agent.protocol2 = Some(Protocol2Config { update_interval_ms: 60_000 });
    for admission in [Admission::Allowed, Admission::MembersOnly] {
        reply(&mut facts).admission = admission;
        assert!(matches!(&ills(&facts)[..], [ill] if ill.check == "admission" && ill.verdict == Verdict::Skipped));
    }
    refused(&mut facts, ErrorCode::Unsuitable);
    assert!(matches!(&ills(&facts)[..], [ill] if ill.check == "admission" && ill.verdict == Verdict::Error));
}

#[test]
fn only_a_client_needs_other_hosts_on_its_chain() {
    let mut facts = well();
    reply(&mut facts).no_hosts = Some("no host here".to_owned());
    for (client, slots, verdict) in
        [(true, 10, Verdict::Warning), (true, 0, Verdict::Error), (false, 10, Verdict::Skipped)]
    {
        (facts.wants.client, facts.wants.agent.host) = (client, Some(host(slots)));
        assert!(matches!(&ills(&facts)[..], [ill] if ill.check == "partners" && ill.verdict == verdict));
    }
}

#[test]
fn all_is_well_where_nothing_is_spoiled() {
    assert_eq!(ills(&well()), []);
    let checks: Vec<_> = evaluate(&well()).iter().map(|finding| finding.check).collect();
    let all = ["node", "admin", "key", "chain", "head", "slots", "peers", "dial_slots", "pool", "pool_id"];
    assert_eq!(checks[..10], all);
    assert_eq!(checks[10..], ["admission", "clock", "port"]);
}

/// A client's hosts are peers that the node does not trust, so only its agent can distinguish them.
#[test]
fn own_peers_are_counted_as_by_the_running_agent() {
    let text = |own_peers| {
        let mut facts = well();
        node(&mut facts).own_peers = own_peers;
        evaluate(&facts).into_iter().find(|finding| finding.check == "peers").unwrap().text
    };
    assert_eq!(text(None), "The node has 1 peer, 1 of its own");
    assert_eq!(text(Some(0)), "The node has 1 peer, 0 of its own");
}

#[test]
fn a_pool_without_an_id_is_missed_beyond_this_machine_only() {
    for (pin, verdicts) in [(PinFound::Never, &[][..]), (PinFound::None, &[Verdict::Skipped])] {
        let mut facts = well();
        let pool = facts.pool.as_mut().unwrap().as_mut().unwrap();
        pool.reached.pool_id = None;
        pool.pin = pin;
        let found: Vec<_> = ills(&facts).into_iter().map(|finding| finding.verdict).collect();
        assert_eq!(found, verdicts, "{pin:?}");
    }
}

#[test]
fn each_problem_of_the_node_has_its_hint() {
    finds(&[
        (
            |facts| node(facts).exposed = Some(vec!["http://10.0.0.1:8545".into()]),
            "admin",
            Verdict::Warning,
            "--http.addr 127.0.0.1",
        ),
        (|facts| node(facts).exposed = None, "admin", Verdict::Skipped, ""),
        (|facts| node(facts).key = Some(Err(fault())), "key", Verdict::Error, "fix it"),
        (
            |facts| node(facts).key = Some(Ok(KeyFacts::Delegated { until: NOW.plus(DAY) })),
            "key",
            Verdict::Warning,
            "--nodekey",
        ),
        (|facts| node(facts).facts.full = false, "chain", Verdict::Error, "vipnode client"),
        (|facts| node(facts).head = Err(fault()), "head", Verdict::Error, "fix it"),
        (
            |facts| node(facts).head = Err(NodeError::NoBlock { at: "/x/geth.ipc".to_owned() }.into()),
            "head",
            Verdict::Error,
            "Wait until the node has read its database",
        ),
        (|facts| facts.now = NOW.plus(601_000), "head", Verdict::Error, "consensus client"),
        (
            |facts| facts.wants.agent.host = Some(host(35)),
            "slots",
            Verdict::Error,
            "geth with --maxpeers 51 and pass --node-max-peers 51, or pass --slots 34",
        ),
        (
            |facts| node(facts).facts.protocols = ["eth", "les"].map(|name| name.parse().unwrap()).to_vec(),
            "light_slots",
            Verdict::Skipped,
            "",
        ),
        (|facts| node(facts).peers = Err(fault()), "peers", Verdict::Error, "fix it"),
        (|facts| table(facts, 51, Direction::Inbound, false), "peers", Verdict::Warning, "--node-max-peers"),
        (|facts| table(facts, 50, Direction::Inbound, true), "peers", Verdict::Warning, "geth with --maxpeers 66"),
        (
            |facts| table(facts, 16, Direction::Outbound, false),
            "dial_slots",
            Verdict::Warning,
            "geth with --maxpeers 59",
        ),
    ]);
}

#[test]
fn each_problem_of_the_pool_has_its_hint() {
    finds(&[
        (|facts| facts.pool = Some(Err(fault())), "pool", Verdict::Error, "fix it"),
        (|facts| reply(facts).port = Some(Reach::Refused), "port", Verdict::Error, "ufw allow 30303"),
        (|facts| reply(facts).port = Some(Reach::Timeout), "port", Verdict::Error, "geth with --nat extip:8.8.4.4"),
        (client_refused, "port", Verdict::Warning, "ufw allow 30303"),
        (|facts| reply(facts).port = None, "port", Verdict::Error, "--enode enode://"),
        (|facts| reply(facts).address = [9, 9, 9, 9].into(), "address", Verdict::Warning, "--enode.host 9.9.9.9"),
        (|facts| reply(facts).time_ms = NOW.plus(6_000), "clock", Verdict::Warning, "set-ntp"),
        (|facts| reply(facts).time_ms = NOW.minus(301_000), "clock", Verdict::Error, "set-ntp"),
        (|facts| refused(facts, ErrorCode::NotMember), "admission", Verdict::Error, "run another"),
        (|facts| refused(facts, ErrorCode::Unsuitable), "admission", Verdict::Error, "run another"),
        (|facts| reply(facts).admission = Admission::MembersOnly, "admission", Verdict::Warning, "update the pool"),
        (|facts| reply(facts).no_hosts = Some("no host here".to_owned()), "partners", Verdict::Warning, "genesis"),
        (|facts| reply(facts).port_error = Some(WireError::busy("no", 7)), "port", Verdict::Warning, "7 ms"),
        (|facts| reached(facts).reply = Err(WireError::busy("no", 7)), "admission", Verdict::Error, "7 ms"),
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
    facts.wants.agent.host = None;
    node(&mut facts).facts.full = false;
    assert_eq!(ills(&facts), []);
    facts.now = NOW.plus(601_000);
    assert!(matches!(&ills(&facts)[..], [ill] if ill.check == "head" && ill.verdict == Verdict::Warning));
}

#[test]
fn a_syncing_node_sells_nothing() {
    let mut facts = well();
    node(&mut facts).head.as_mut().unwrap().syncing = true;
    assert!(matches!(&ills(&facts)[..], [ill] if ill.check == "head" && ill.verdict == Verdict::Error));
    facts.wants.agent.host = None;
    assert_eq!(ills(&facts), [], "a client's node may sync");
}

#[test]
fn a_host_that_sells_nothing_lacks_nothing_that_only_sales_need() {
    let mut facts = well();
    facts.wants.agent.host = Some(host(0));
    facts.wants.client = false;
    facts.now = NOW.plus(601_000);
    reply(&mut facts).port = Some(Reach::Refused);
    reply(&mut facts).time_ms = facts.now;
    reached(&mut facts).heard = facts.now;
    node(&mut facts).facts.full = false;
    let ills = ills(&facts);
    assert!(ills.iter().all(|ill| ill.verdict != Verdict::Error), "{ills:?}");
}

/// Each client in its own words, over each transport.
#[test]
fn missing_calls_have_a_hint_with_the_flags_of_the_client() {
    for (client, at, flags) in [
        (
            "Geth/v1.17.5",
            "http://h",
            "geth with --http --http.addr 127.0.0.1 --http.api admin,eth,net,web3, or pass --rpc <datadir>/geth.ipc",
        ),
        (
            "reth/v2.5.1",
            "ws://h",
            "reth with --ws --ws.addr 127.0.0.1 --ws.api admin,eth,net,web3, or pass --rpc /tmp/reth.ipc",
        ),
        ("erigon/3.1", "http://h", "erigon with --http"),
        ("besu/v26", "ws://h", "besu with --rpc-ws-enabled --rpc-ws-host=127.0.0.1 --rpc-ws-api=ADMIN,ETH,NET,WEB3"),
        ("Nethermind/v1.37", "http://h", "nethermind with --JsonRpc.Enabled true"),
        ("bor/v2", "http://h", "geth with --http"),
    ] {
        let mut facts = well();
        let missing = NodeMissing::NoCalls { at: at.into(), client: client.into(), what: "no admin".into() };
        facts.node = Err(missing);
        let ills = ills(&facts);
        assert!(
            matches!(&ills[..], [ill] if ill.check == "admin" && ill.hint.strip_prefix("Start ").is_some_and(|hint| hint.starts_with(flags))),
            "{ills:?}"
        );
    }
    assert_eq!(ClientFlags::of("besu/v26").max_peers(51), "Start besu with --max-peers=51");
    assert_eq!(
        ClientFlags::of("Nethermind/v1").address("9.9.9.9"),
        "Start nethermind with --Network.ExternalIp 9.9.9.9"
    );
}

#[test]
fn without_a_node_the_pool_is_looked_at_all_the_same() {
    let mut facts = well();
    facts.node = Err(NodeMissing::Error(fault()));
    reply(&mut facts).admission = refusal(ErrorCode::NotMember);
    let ills: Vec<_> = ills(&facts).iter().map(|ill| ill.check).collect();
    assert_eq!(ills, ["node", "admission"]);
}

/// Each client in its own words.
#[test]
fn what_closes_a_node_to_strangers_is_said_where_they_are_disconnected() {
    for (client, flags) in [
        ("Geth/v1.17.5", "geth with --nodiscover --netrestrict "),
        ("reth/v2.5.1", "reth with --disable-discovery --netrestrict "),
        ("erigon/3.1", "erigon with --nodiscover --netrestrict "),
        ("besu/v26", "besu with --discovery-enabled=false --net-restrict="),
        ("Nethermind/v1.37", "nethermind with --Init.DiscoveryEnabled false --Network.OnlyStaticPeers true"),
    ] {
        let mut facts = well();
        facts.wants.agent.strict = true;
        node(&mut facts).facts.client_version = client.to_owned();
        let ills = ills(&facts);
        assert!(
            matches!(&ills[..], [ill] if ill.check == "strict" && ill.hint.strip_prefix("Start ").is_some_and(|hint| hint.starts_with(flags))),
            "{ills:?}"
        );
        assert_eq!(ills[0].verdict, Verdict::Skipped);
    }
}

#[test]
fn without_a_pool_whom_the_user_named_is_looked_for_and_nothing_is_signed() {
    let mut facts = well();
    facts.pool = None;
    node(&mut facts).key = None;
    let (there, away) = (Enode::id_only(NodeId::new([1; 64])), Enode::id_only(NodeId::new([2; 64])));
    facts.wants.agent.direct = DirectConfig { hosts: vec![there.clone()], allow: vec![there] };
    assert_eq!(ills(&facts), []);
    let checks: Vec<_> = evaluate(&facts).iter().map(|finding| finding.check).collect();
    assert_eq!(checks, ["node", "admin", "chain", "head", "slots", "peers", "dial_slots", "direct", "direct"]);
    facts.wants.agent.direct = DirectConfig { hosts: vec![away.clone()], allow: vec![away] };
    let ills = ills(&facts);
    assert_eq!(ills.iter().map(|ill| ill.verdict).collect::<Vec<_>>(), [Verdict::Warning, Verdict::Skipped]);
    assert!(ills[0].hint.contains(&format!("--allow {}", NodeId::new([7; 64]))), "{ills:?}");
    facts.wants.agent.host = Some(host(34));
    let places = evaluate(&facts).into_iter().find(|finding| finding.check == "slots").unwrap();
    assert!(places.verdict == Verdict::Error && places.hint.ends_with("or pass --slots 33"), "{places:?}");
}

/// The flags in a text that are vipnode's, as far as an agent that is host and client has them.
fn agent_flags(text: &str, role: &str) -> Vec<String> {
    let has = |role: &str, flag: &str| {
        let command = Cli::command();
        let command = command.find_subcommand(role).unwrap();
        command.get_arguments().any(|arg| arg.get_long() == Some(flag))
    };
    let words = text.split([' ', '`', ',', '(', ')', '=']).filter_map(|word| word.strip_prefix("--"));
    let own = words.map(|word| word.trim_end_matches(['.', ':', ';']));
    own.filter(|flag| has("agent", flag) && !has(role, flag)).map(ToOwned::to_owned).collect()
}

/// `vipnode client` has no flags of a host, and `vipnode host` none of a client.
#[test]
fn each_flag_in_a_hint_is_one_that_the_role_takes() {
    let spoils: [fn(&mut Facts); 9] = [
        |facts| node(facts).exposed = Some(vec!["http://10.0.0.1:8545".into()]),
        |facts| node(facts).facts.full = false,
        |facts| node(facts).head.as_mut().unwrap().syncing = true,
        |facts| facts.now = NOW.plus(601_000),
        |facts| table(facts, 51, Direction::Inbound, false),
        |facts| table(facts, 50, Direction::Outbound, true),
        |facts| reply(facts).port = Some(Reach::Refused),
        |facts| reply(facts).port = None,
        |facts| reply(facts).admission = Admission::MembersOnly,
    ];
    for (role, spoil) in ["host", "client"].into_iter().flat_map(|role| spoils.map(|spoil| (role, spoil))) {
        let mut facts = well();
        facts.wants.agent.strict = true;
        match role {
            "host" => (facts.wants.client, facts.wants.agent.min_peers) = (false, 0),
            _ => facts.wants.agent.host = None,
        }
        spoil(&mut facts);
        for ill in ills(&facts) {
            let hint = ill.hint.replace("--node-max-peers N to `vipnode doctor`", "");
            let hint = hint.replace("--node-max-peers 59 to `vipnode doctor`", "");
            assert_eq!(agent_flags(&hint, role), [""; 0], "{role}: {ill:?}");
            let text = agent_flags(&ill.text, role);
            assert!(text.iter().all(|flag| flag == "node-max-peers"), "{role}: {ill:?}");
        }
    }
}

#[test]
fn snapshot_of_findings() {
    let mut ill = well();
    let found = node(&mut ill);
    found.exposed = Some(vec!["http://10.0.0.1:8545".into()]);
    found.key = Some(Ok(KeyFacts::Delegated { until: NOW.plus(DAY) }));
    found.head = Ok(HeadFact { number: 0, timestamp_s: 0, syncing: false });
    found.facts.protocols = ["eth", "les"].map(|name| name.parse().unwrap()).to_vec();
    table(&mut ill, 50, Direction::Outbound, true);
    reply(&mut ill).port = Some(Reach::Refused);
    reply(&mut ill).time_ms = NOW.plus(6_000);
    refused(&mut ill, ErrorCode::NotMember);
    ill.wants.agent.host = Some(host(35));
    ill.wants.agent.strict = true;
    let named = Enode::id_only(NodeId::new([2; 64]));
    ill.wants.agent.direct = DirectConfig { hosts: vec![named.clone()], allow: vec![named] };
    let mut none = well();
    none.node = Err(NodeMissing::NoCalls {
        at: "http://127.0.0.1:8545".into(),
        client: "Geth/v1.17.5".into(),
        what: "the node offers no admin calls".into(),
    });
    none.pool = Some(Err(fault()));
    let shown = [well(), ill, none].into_iter().flat_map(|facts| evaluate(&facts)).map(|finding| {
        let hint = if finding.hint.is_empty() { String::new() } else { format!("\n  -> {}", finding.hint) };
        format!("{}: {}{hint}\n", finding.verdict.name(), finding.text)
    });
    let shown = shown.collect::<String>();
    insta::assert_snapshot!("doctor", crate::tests::pages(|width| crate::output::wrap(&shown, width)));
}

fn fault() -> CliError {
    CliError { message: "it is broken".to_owned(), hint: "fix it".to_owned() }
}

fn table(facts: &mut Facts, count: u8, direction: Direction, trusted: bool) {
    node(facts).peers = Ok((0..count).map(|n| peer(n, direction, trusted)).collect());
}

fn client_refused(facts: &mut Facts) {
    facts.wants.agent.host = None;
    reply(facts).port = Some(Reach::Refused);
}

fn refused(facts: &mut Facts, code: ErrorCode) {
    reply(facts).admission = refusal(code);
}

fn refusal(code: ErrorCode) -> Admission {
    Admission::Refused(WireError::new(code, "no", "run another node"))
}
