//! Tests of the findings: of the node and the pool, and which flags the hints name.

mod flags;
mod node;
mod pool;

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use vipnode_agent::Reached;
use vipnode_agent_core::{Advertise, AgentConfig, DirectConfig, HostConfig, PeerPolicy, Protocol2Config};
use vipnode_node::NodeError;
use vipnode_types::{
    Account, Amount, Asset, ChainSpec, Direction, Enode, HeadFact, Ms, NodeFacts, NodeId, PaymentMode, PeerFact,
    PoolId, PoolKey, Price,
    wire::{Admission, ErrorCode, FundsLow, HostSupply, PaymentTerms, Reach, ReachReply, WireError},
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
        supply: Some(HostSupply { hosts: 2, candidates: 2, ..HostSupply::default() }),
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
        pay: None,
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
    HostConfig {
        slots,
        reserve: 16,
        node_max_peers: 50,
        payout: None,
        min_price: None,
        no_trials: false,
        max_head_age_s: Some(600),
    }
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

#[test]
fn all_is_well_where_nothing_is_spoiled() {
    assert_eq!(ills(&well()), []);
    let checks: Vec<_> = evaluate(&well()).iter().map(|finding| finding.check).collect();
    let all = ["node", "admin", "key", "chain", "head", "slots", "peers", "dial_slots", "pool", "pool_id"];
    assert_eq!(checks[..10], all);
    assert_eq!(checks[10..], ["admission", "price", "partners", "clock", "port"]);
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
