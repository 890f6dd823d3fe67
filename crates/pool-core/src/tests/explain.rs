use std::{collections::BTreeSet, net::IpAddr};

use proptest::prelude::*;
use vipnode_types::{
    NodeId,
    wire::{ConnectRequest, ErrorCode, Excluded, ExplainReply, Score},
};

use super::{
    pool::{Pool, address, chain, client, host, node},
    scenario::{CLIENT, HOST, SECOND_CLIENT, SECOND_HOST, SLOTS, other_clients, other_hosts, paying_at_most},
};
use crate::{CallOutcome, Limits};

/// The answer to [`CLIENT`] after `prepare` in a pool with [`HOST`].
fn reply_after(prepare: impl FnOnce(&mut Pool)) -> ExplainReply {
    let mut pool = Pool::priced().with_host(HOST, SLOTS).with_client(CLIENT);
    prepare(&mut pool);
    pool.explain(CLIENT).unwrap()
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
        pool.disconnect(HOST);
        pool.connect(HOST, ConnectRequest { chain: chain(2), ..host(HOST, SLOTS) }).unwrap();
    });
    assert_eq!(chain.excluded, only(|excluded| excluded.other_chain = 1));
    let yours = reply_after(|pool| {
        pool.ask(CLIENT, 1);
        pool.admit(HOST);
    });
    assert_eq!(yours.excluded, only(|excluded| excluded.already_leased = 1));
    let price = reply_after(|pool| {
        pool.connect(CLIENT, paying_at_most("59999 wei/minute")).unwrap();
    });
    assert_eq!(price.excluded, only(|excluded| excluded.too_expensive = 1));
    let full = reply_after(|pool| {
        for agent in other_clients(SLOTS) {
            pool.connect(agent, client(agent)).unwrap();
            pool.ask(agent, 1);
            pool.admit(HOST);
        }
    });
    assert_eq!(full.excluded, only(|excluded| excluded.full = 1));
    let none_offered = reply_after(|pool| {
        pool.disconnect(HOST);
        pool.connect(HOST, host(HOST, 0)).unwrap();
    });
    assert_eq!(none_offered.excluded, only(|excluded| excluded.offers_none = 1));
    let resting = reply_after(|pool| {
        pool.ask(CLIENT, 1);
        let (call, _) = pool.take_admit(HOST).unwrap();
        pool.done(call, CallOutcome::Expired);
    });
    assert_eq!(resting.excluded, only(|excluded| excluded.waiting = 1));
    let avoided = reply_after(|pool| drop(pool.ask_avoiding(CLIENT, 1, vec![node(HOST)])));
    assert_eq!(avoided.excluded, only(|excluded| excluded.avoided = 1));
    let failed = reply_after(|pool| {
        pool.full(CLIENT, &[]);
        pool.ask(CLIENT, 1);
        pool.admit(HOST);
        pool.pass(16_000);
    });
    assert_eq!(failed.excluded, only(|excluded| excluded.recently_failed = 1));
    // The pair is kept apart for 35 s from the offer.
    let why = failed.reason.clone().unwrap();
    assert_eq!(why, "the only host on mainnet failed to connect to your node a moment ago (next try in 19 s)");
    let near = reply_after(|pool| {
        pool.connect_from(SECOND_CLIENT, client(SECOND_CLIENT), address(CLIENT)).unwrap();
        pool.ask(SECOND_CLIENT, 1);
        pool.admit(HOST);
    });
    assert_eq!(near.excluded, only(|excluded| excluded.same_address = 1));
    for reply in [chain, yours, price, full, none_offered, resting, avoided, failed, near] {
        assert_eq!((reply.examined, reply.candidates), (1, 0), "{reply:?}");
    }
}

#[test]
fn what_is_missing_is_said_as_an_ask_says_it() {
    let missing = reply_after(|pool| {
        pool.disconnect(HOST);
        pool.ask(CLIENT, 3);
    });
    assert_eq!((missing.want, missing.missing), (3, 3));
    assert_eq!(missing.reason.unwrap(), "no host is connected to the pool");
    let price = reply_after(|pool| {
        pool.connect(CLIENT, paying_at_most("59999 wei/minute")).unwrap();
        pool.ask(CLIENT, 1);
    });
    assert!(price.reason.unwrap().contains("--max-price"));
    let avoided = reply_after(|pool| drop(pool.ask_avoiding(CLIENT, 1, vec![node(HOST)])));
    assert_eq!(avoided.reason.unwrap(), "the only host on mainnet is avoided by your agent after a failed connection");
    let served = reply_after(|pool| {
        pool.ask(CLIENT, 1);
        pool.admit(HOST);
    });
    assert_eq!((served.want, served.missing, served.reason), (1, 0, None));
}

#[test]
fn a_host_that_could_be_assigned_does_not_contradict_that_none_is() {
    let suspended = reply_after(|pool| {
        pool.disconnect(HOST);
        pool.ask(CLIENT, 1);
        pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    });
    assert_eq!((suspended.missing, suspended.candidates), (1, 1));
    assert_eq!(suspended.reason.unwrap(), "1 of 1 host on mainnet can be assigned; the pool keeps trying");
}

#[test]
fn a_host_is_explained_with_its_score() {
    let mut pool = Pool::new().with_host(HOST, SLOTS).with_host(SECOND_HOST, SLOTS);
    pool.latency(HOST, 10_000);
    pool.latency(SECOND_HOST, 500_000);
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.pass(30_000);
    for agent in [HOST, CLIENT, SECOND_HOST] {
        pool.full(agent, &[]);
    }
    pool.pass(30_000);
    pool.ask(CLIENT, 1);
    assert_eq!(pool.explain(CLIENT).unwrap().hosts, [], "nobody said yes yet");
    let lease = pool.admit(HOST);
    // What changes later changes nothing of why it won.
    pool.latency(HOST, 900_000);
    let given = pool.explain(CLIENT).unwrap().hosts;
    let [given] = &given[..] else { panic!("{given:?}") };
    assert_eq!((given.lease, given.host), (lease, node(HOST)));
    let won = given.selection.unwrap();
    assert_eq!(won.candidates, 2);
    assert_eq!(won.score, Score { latency: 40, total: 40, ..Score::default() });
}

#[test]
fn points_sum_up_and_speak_of_operators_once() {
    let mut pool = Pool::new().with_host(HOST, SLOTS).with_client(CLIENT).reported(CLIENT);
    pool.ask(CLIENT, 2);
    let first = pool.admit(HOST);
    pool.reports_up(CLIENT, first);
    let of_the_same_operator = ConnectRequest { host: host(HOST, SLOTS).host, ..host(SECOND_HOST, SLOTS) };
    pool.connect_from(SECOND_HOST, of_the_same_operator, address(HOST)).unwrap();
    pool.pass(2_000);
    pool.admit(SECOND_HOST);
    let given = pool.explain(CLIENT).unwrap().hosts;
    let score = given.iter().find(|given| given.host == node(SECOND_HOST)).unwrap().selection.unwrap().score;
    assert_eq!(score, Score { latency: 20, same_operator: -160, total: -140, ..Score::default() });
    assert_eq!(score, score.summed());
}

#[test]
fn the_cost_of_an_answer_does_not_grow_with_the_pool() {
    let mut pool = Pool::with(Limits { explained_hosts: 8, ..Limits::default() });
    for agent in other_hosts(30) {
        pool.connect(agent, host(agent, SLOTS)).unwrap();
    }
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.ask(CLIENT, 1);
    let reply = pool.explain(CLIENT).unwrap();
    assert_eq!((reply.connected_hosts, reply.examined, reply.candidates + reply.excluded.already_leased), (30, 8, 8));
    assert_eq!(reply.reason, None, "what was not looked at is not spoken of");
}

#[test]
fn so_many_leases_are_remembered_and_the_oldest_forgotten() {
    // Of four, a block that is alone has two.
    let mut pool = Pool::with(Limits { explained_leases: 4, ..Limits::default() });
    for agent in other_hosts(3) {
        pool.connect(agent, host(agent, SLOTS)).unwrap();
    }
    pool.join(CLIENT, client(CLIENT));
    pool.ask(CLIENT, 3);
    let mut leases = Vec::new();
    for _ in 0..3 {
        let asked = other_hosts(3).find_map(|agent| pool.take_admit(agent));
        let (call, lease) = asked.unwrap();
        pool.done(call, CallOutcome::Done);
        pool.reports_up(CLIENT, lease);
        leases.push(lease);
        pool.pass(2_000);
    }
    let remembered = |pool: &mut Pool| {
        let given = pool.explain(CLIENT).unwrap().hosts;
        let won: BTreeSet<_> =
            given.iter().filter(|given| given.selection.is_some()).map(|given| given.lease).collect();
        (given.len(), won)
    };
    assert_eq!(remembered(&mut pool), (3, leases[1..].iter().copied().collect()));
    // After a start the pool knows the leases, and no longer why.
    pool.restart(Limits::default());
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    assert_eq!(remembered(&mut pool), (3, BTreeSet::new()));
}

#[test]
fn only_a_connected_client_gets_an_explanation() {
    let mut pool = Pool::new();
    assert!(pool.explain(CLIENT).unwrap_err().is(ErrorCode::Unauthorized));
    pool.connect(HOST, host(HOST, SLOTS)).unwrap();
    assert!(pool.explain(HOST).unwrap_err().is(ErrorCode::Unsuitable));
    pool.connect(CLIENT, client(CLIENT)).unwrap();
    pool.disconnect(CLIENT);
    assert!(pool.explain(CLIENT).unwrap_err().is(ErrorCode::Unauthorized));
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
        (0..EACH, 0..4_u32).prop_map(|(client, want)| Step::Ask(client, want)),
        (0..EACH, 0..EACH).prop_map(|(client, host)| Step::Avoid(client, host)),
        (0..EACH).prop_map(Step::Admit),
        (0..EACH).prop_map(Step::Refuse),
        (0..2 * EACH).prop_map(Step::Leave),
        (0..20_000_u32).prop_map(Step::Pass),
    ]
}

/// How many hosts there are, and how many clients.
const EACH: u32 = 6;
/// The first of the hosts.
const HOSTS: u32 = 100;
/// The first of the clients.
const CLIENTS: u32 = 200;

fn take(pool: &mut Pool, step: &Step) {
    let answer = |pool: &mut Pool, agent: u32, outcome: CallOutcome| {
        if let Some((call, _)) = pool.take_admit(HOSTS + agent) {
            pool.done(call, outcome);
        }
    };
    match *step {
        Step::Ask(agent, want) => drop(pool.ask(CLIENTS + agent, want)),
        Step::Avoid(agent, other) => drop(pool.ask_avoiding(CLIENTS + agent, 1, vec![node(HOSTS + other)])),
        Step::Admit(agent) => answer(pool, agent, CallOutcome::Done),
        Step::Refuse(agent) => answer(pool, agent, CallOutcome::Expired),
        Step::Leave(agent) => pool.disconnect(if agent < EACH { HOSTS + agent } else { CLIENTS + agent - EACH }),
        Step::Pass(ms) => pool.pass(ms.into()),
    }
}

/// The nodes that a text names, by their ids or the beginnings by which people know them.
fn nodes_in(text: &str) -> BTreeSet<NodeId> {
    let agents = (HOSTS..HOSTS + EACH).chain(CLIENTS..CLIENTS + EACH);
    agents.map(node).filter(|id| text.contains(&id.short())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_other_node_is_named_than_the_hosts_it_was_given(steps in prop::collection::vec(step(), 1..60)) {
        let mut pool = Pool::new();
        let near: IpAddr = "8.8.8.8".parse().unwrap();
        for agent in 0..EACH {
            pool.connect(HOSTS + agent, host(HOSTS + agent, 2)).unwrap();
            let home = if agent < 3 { near } else { address(CLIENTS + agent) };
            pool.connect_from(CLIENTS + agent, client(CLIENTS + agent), home).unwrap();
        }
        for step in &steps {
            take(&mut pool, step);
            for agent in CLIENTS..CLIENTS + EACH {
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
                let Excluded { other_chain, already_leased, full, offers_none, waiting, too_expensive, no_trials, avoided, recently_failed, same_address, unreachable, incompatible } = reply.excluded;
                let out = other_chain + already_leased + full + offers_none + waiting + too_expensive + no_trials + avoided + recently_failed + same_address + unreachable + incompatible;
                prop_assert_eq!(out + reply.candidates, reply.examined);
            }
        }
    }
}
