use std::{collections::BTreeSet, net::IpAddr};

use proptest::prelude::*;
use vipnode_types::{
    NodeId,
    wire::{AskRequest, ClientCriteria, ErrorCode, Excluded, ExplainReply, Score},
};

use super::pool::{Pool, address, chain, client, host, node, wei};
use crate::{CallOutcome, Command, Limits};

/// The answer to client 2 after `prepare` in a pool with host 1.
fn reply_after(prepare: impl FnOnce(&mut Pool)) -> ExplainReply {
    let mut pool = Pool::priced();
    pool.connect(1, host(1, 4)).unwrap();
    pool.connect(2, client(2)).unwrap();
    prepare(&mut pool);
    pool.explain(2).unwrap()
}

fn asks_avoiding(pool: &mut Pool, agent: u32, avoid: Vec<NodeId>) {
    let ask = Box::new(AskRequest { want: 1, avoid });
    pool.handle(Command::Ask { connection: pool.connection(agent), request: 2, ask });
}

#[test]
fn each_reason_is_counted_where_it_holds_first() {
    let only = |count: fn(&mut Excluded)| {
        let mut excluded = Excluded::default();
        count(&mut excluded);
        excluded
    };
    let fits = reply_after(|_| ());
    assert_eq!((fits.candidates, fits.excluded, fits.examined, fits.connected_hosts), (1, Excluded::default(), 1, 1));
    let chain = reply_after(|pool| {
        pool.disconnect(1);
        pool.connect(1, on_chain(1, 2)).unwrap();
    });
    assert_eq!(chain.excluded, only(|excluded| excluded.other_chain = 1));
    let yours = reply_after(|pool| {
        pool.ask(2, 1);
        pool.admit(1);
    });
    assert_eq!(yours.excluded, only(|excluded| excluded.already_leased = 1));
    let price = reply_after(|pool| {
        let mut criteria = client(2);
        criteria.client = Some(ClientCriteria { max_price: Some(wei(59_999)), ..ClientCriteria::default() });
        pool.connect(2, criteria).unwrap();
    });
    assert_eq!(price.excluded, only(|excluded| excluded.too_expensive = 1));
    let full = reply_after(|pool| {
        for agent in 10..14 {
            pool.connect(agent, client(agent)).unwrap();
            pool.ask(agent, 1);
            pool.admit(1);
        }
    });
    assert_eq!(full.excluded, only(|excluded| excluded.full = 1));
    let avoided = reply_after(|pool| asks_avoiding(pool, 2, vec![node(1)]));
    assert_eq!(avoided.excluded, only(|excluded| excluded.avoided = 1));
    let failed = reply_after(|pool| {
        pool.full(2, &[]);
        pool.ask(2, 1);
        pool.admit(1);
        pool.pass(16_000);
    });
    assert_eq!(failed.excluded, only(|excluded| excluded.recently_failed = 1));
    let near = reply_after(|pool| {
        pool.connect_from(3, client(3), address(2), true).unwrap();
        pool.ask(3, 1);
        pool.admit(1);
    });
    assert_eq!(near.excluded, only(|excluded| excluded.same_address = 1));
    for reply in [chain, yours, price, full, avoided, failed, near] {
        assert_eq!((reply.examined, reply.candidates), (1, 0), "{reply:?}");
    }
}

fn on_chain(agent: u32, id: u64) -> vipnode_types::wire::ConnectRequest {
    vipnode_types::wire::ConnectRequest { chain: chain(id), ..host(agent, 4) }
}

#[test]
fn what_is_missing_is_said_as_an_ask_says_it() {
    let missing = reply_after(|pool| {
        pool.disconnect(1);
        pool.ask(2, 3);
    });
    assert_eq!((missing.want, missing.missing), (3, 3));
    assert!(missing.reason.unwrap().contains("no host"));
    let price = reply_after(|pool| {
        let mut criteria = client(2);
        criteria.client = Some(ClientCriteria { max_price: Some(wei(59_999)), ..ClientCriteria::default() });
        pool.connect(2, criteria).unwrap();
        pool.ask(2, 1);
    });
    assert!(price.reason.unwrap().contains("--max-price"));
    let avoided = reply_after(|pool| asks_avoiding(pool, 2, vec![node(1)]));
    assert!(avoided.reason.unwrap().contains("failed a moment ago"));
    let served = reply_after(|pool| {
        pool.ask(2, 1);
        pool.admit(1);
    });
    assert_eq!((served.want, served.missing, served.reason), (1, 0, None));
}

#[test]
fn a_host_is_explained_with_its_score() {
    let mut pool = Pool::new();
    pool.connect(1, host(1, 4)).unwrap();
    pool.connect(3, host(3, 4)).unwrap();
    pool.handle(Command::Latency { connection: pool.connection(1), rtt_us: 10_000 });
    pool.handle(Command::Latency { connection: pool.connection(3), rtt_us: 500_000 });
    pool.connect(2, client(2)).unwrap();
    pool.pass(30_000);
    for agent in [1, 2, 3] {
        pool.full(agent, &[]);
    }
    pool.pass(30_000);
    pool.ask(2, 1);
    assert_eq!(pool.explain(2).unwrap().hosts, [], "nobody said yes yet");
    let lease = pool.admit(1);
    // What changes later changes nothing of why it won.
    pool.handle(Command::Latency { connection: pool.connection(1), rtt_us: 900_000 });
    let given = pool.explain(2).unwrap().hosts;
    let [given] = &given[..] else { panic!("{given:?}") };
    assert_eq!((given.lease, given.host), (lease, node(1)));
    let won = given.selection.unwrap();
    assert_eq!(won.candidates, 2);
    assert_eq!(won.score, Score { latency: 40, total: 40, ..Score::default() });
}

#[test]
fn points_sum_up_and_speak_of_operators_once() {
    let mut pool = Pool::new();
    pool.connect(1, host(1, 4)).unwrap();
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[]);
    pool.ask(2, 2);
    let first = pool.admit(1);
    pool.delta(2, &[first], &[]);
    let mut kin = host(3, 4);
    kin.host = host(1, 4).host;
    pool.connect_from(3, kin, address(1), true).unwrap();
    pool.pass(2_000);
    pool.admit(3);
    let given = pool.explain(2).unwrap().hosts;
    let score = given.iter().find(|given| given.host == node(3)).unwrap().selection.unwrap().score;
    assert_eq!(score, Score { latency: 20, same_operator: -160, total: -140, ..Score::default() });
    assert_eq!(score, score.summed());
}

#[test]
fn the_cost_of_an_answer_does_not_grow_with_the_pool() {
    let mut pool = Pool::with(Limits { explained_hosts: 8, ..Limits::default() });
    for agent in 10..40 {
        pool.connect(agent, host(agent, 4)).unwrap();
    }
    pool.connect(2, client(2)).unwrap();
    pool.ask(2, 1);
    let reply = pool.explain(2).unwrap();
    assert_eq!((reply.connected_hosts, reply.examined, reply.candidates + reply.excluded.already_leased), (30, 8, 8));
    assert_eq!(reply.reason, None, "what was not looked at is not spoken of");
}

#[test]
fn so_many_leases_are_remembered_and_the_oldest_forgotten() {
    let mut pool = Pool::with(Limits { explained_leases: 2, ..Limits::default() });
    for agent in [10, 11, 12] {
        pool.connect(agent, host(agent, 4)).unwrap();
    }
    pool.connect(2, client(2)).unwrap();
    pool.full(2, &[]);
    pool.ask(2, 3);
    let mut leases = Vec::new();
    for _ in 0..3 {
        let asked = [10, 11, 12].into_iter().find_map(|agent| pool.take_admit(agent));
        let (call, lease) = asked.unwrap();
        pool.done(call, CallOutcome::Done);
        pool.delta(2, &[lease], &[]);
        leases.push(lease);
        pool.pass(2_000);
    }
    let remembered = |pool: &mut Pool| {
        let given = pool.explain(2).unwrap().hosts;
        let won: BTreeSet<_> =
            given.iter().filter(|given| given.selection.is_some()).map(|given| given.lease).collect();
        (given.len(), won)
    };
    assert_eq!(remembered(&mut pool), (3, leases[1..].iter().copied().collect()));
    // After a start the pool knows the leases, and no longer why.
    pool.restart(Limits::default());
    pool.connect(2, client(2)).unwrap();
    assert_eq!(remembered(&mut pool), (3, BTreeSet::new()));
}

#[test]
fn only_a_connected_client_gets_an_explanation() {
    let mut pool = Pool::new();
    assert!(pool.explain(2).unwrap_err().is(ErrorCode::Unauthorized));
    pool.connect(1, host(1, 4)).unwrap();
    assert!(pool.explain(1).unwrap_err().is(ErrorCode::Unsuitable));
    pool.connect(2, client(2)).unwrap();
    pool.disconnect(2);
    assert!(pool.explain(2).unwrap_err().is(ErrorCode::Unauthorized));
}

/// One thing that an agent of the pool does.
#[derive(Debug, Clone)]
enum Step {
    Ask(u32, u32),
    Avoid(u32, u32),
    Admit(u32),
    Refuse(u32),
    Leave(u32),
    Pass(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6_u32, 0..4_u32).prop_map(|(client, want)| Step::Ask(client, want)),
        (0..6_u32, 0..6_u32).prop_map(|(client, host)| Step::Avoid(client, host)),
        (0..6_u32).prop_map(Step::Admit),
        (0..6_u32).prop_map(Step::Refuse),
        (0..12_u32).prop_map(Step::Leave),
        (0..20_000_u32).prop_map(Step::Pass),
    ]
}

const HOSTS: u32 = 100;
const CLIENTS: u32 = 200;

fn take(pool: &mut Pool, step: &Step) {
    let answer = |pool: &mut Pool, agent: u32, outcome: CallOutcome| {
        if let Some((call, _)) = pool.take_admit(HOSTS + agent) {
            pool.done(call, outcome);
        }
    };
    match *step {
        Step::Ask(agent, want) => drop(pool.ask(CLIENTS + agent, want)),
        Step::Avoid(agent, other) => asks_avoiding(pool, CLIENTS + agent, vec![node(HOSTS + other)]),
        Step::Admit(agent) => answer(pool, agent, CallOutcome::Done),
        Step::Refuse(agent) => answer(pool, agent, CallOutcome::Expired),
        Step::Leave(agent) => pool.disconnect(if agent < 6 { HOSTS + agent } else { CLIENTS + agent - 6 }),
        Step::Pass(ms) => pool.pass(ms.into()),
    }
}

/// The nodes that a text names, by their ids or the beginnings by which people know them.
fn nodes_in(text: &str) -> BTreeSet<NodeId> {
    let agents = (HOSTS..HOSTS + 6).chain(CLIENTS..CLIENTS + 6);
    agents.map(node).filter(|id| text.contains(&id.short())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_other_node_is_named_than_the_hosts_it_was_given(steps in prop::collection::vec(step(), 1..60)) {
        let mut pool = Pool::new();
        let near: IpAddr = "8.8.8.8".parse().unwrap();
        for agent in 0..6 {
            pool.connect(HOSTS + agent, host(HOSTS + agent, 2)).unwrap();
            let home = if agent < 3 { near } else { address(CLIENTS + agent) };
            pool.connect_from(CLIENTS + agent, client(CLIENTS + agent), home, true).unwrap();
        }
        for step in &steps {
            take(&mut pool, step);
            for agent in CLIENTS..CLIENTS + 6 {
                let Ok(reply) = pool.explain(agent) else { continue };
                let index = pool.core.agents.find(&node(agent)).unwrap();
                let leases = pool.core.leases.of(index).into_iter();
                let own = leases.filter_map(|(lease, _)| pool.core.leases.get(lease)).filter(|lease| lease.is_known_to_client());
                let own: BTreeSet<NodeId> = own.filter_map(|lease| pool.core.agents.id(lease.host())).collect();
                let text = serde_json::to_string(&reply).unwrap();
                prop_assert_eq!(&nodes_in(&text), &own, "{}", text);
                for word in ["8.8.8", "enode", "payout", "0x"] {
                    prop_assert!(!text.contains(word), "{word}: {text}");
                }
                let Excluded { other_chain, already_leased, full, too_expensive, avoided, recently_failed, same_address, unreachable, incompatible } = reply.excluded;
                let out = other_chain + already_leased + full + too_expensive + avoided + recently_failed + same_address + unreachable + incompatible;
                prop_assert_eq!(out + reply.candidates, reply.examined);
            }
        }
    }
}
