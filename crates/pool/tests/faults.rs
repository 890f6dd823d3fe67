//! Faults of the original, tried on a whole pool.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod common;

use common::{Agent, Keys, pool};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use vipnode_types::{
    AgentKey, Delegation, LeaseSetHash, NodeKey,
    wire::{AskReply, ErrorCode, ReportReply, ReportRequest, method},
};

#[tokio::test]
async fn d2_an_ask_for_less_than_nothing_is_refused_and_one_for_all_gets_one() {
    let pool = pool().await;
    let mut hosts = Vec::new();
    for seed in 1..4 {
        let keys = Keys::new(seed);
        let host = Agent::open(&pool).await;
        host.connect(&keys, &keys.host(5)).await.unwrap();
        let report = ReportRequest {
            seq: 1,
            full: Some(Vec::new()),
            hash: Some(LeaseSetHash::default()),
            ..ReportRequest::default()
        };
        host.call::<ReportReply>(method::REPORT, &[report]).await.unwrap();
        hosts.push(host);
    }
    let keys = Keys::new(9);
    let client = Agent::open(&pool).await;
    client.connect(&keys, &keys.client()).await.unwrap();
    for want in [json!(-1), json!(i64::MIN), json!(1.5), json!("1"), json!(null)] {
        let error = client.call::<Value>(method::ASK, &[json!({"want": want})]).await.unwrap_err();
        assert!(error.is(ErrorCode::InvalidParams), "{want}: {error:?}");
    }
    let mut answers = JoinSet::new();
    for mut host in hosts {
        answers.spawn(async move {
            host.take().await;
            host
        });
    }
    let reply: AskReply = client.ask(u32::MAX).await.unwrap();
    assert_eq!((reply.hosts.len(), reply.missing), (1, 63), "one at once, at most 64 in all");
}

#[tokio::test]
async fn d7_nobody_speaks_for_a_node_whose_key_did_not_say_so() {
    let pool = pool().await;
    let ana = Keys::new(1);
    let thief = AgentKey::from_random([77; 32]).unwrap();
    let other = NodeKey::read(&[66; 32]).unwrap();
    let until = ana.issued.plus(3_600_000);
    let own = ana.delegation();
    let stolen = Delegation { agent: thief.public(), ..own.clone() };
    let by_another = Delegation { node: ana.id(), ..Delegation::sign(&other, thief.public(), ana.issued, until) };
    for delegation in [own, stolen, by_another] {
        let agent = Agent::open(&pool).await;
        let hello = serde_json::value::to_raw_value(&ana.host(5)).unwrap();
        let (url, challenge) = (agent.url.clone(), agent.challenge());
        let envelope =
            vipnode_types::signed::Envelope::sign(&thief, delegation, method::CONNECT, &url, &challenge, hello.get());
        let error = agent.call::<Value>(method::CONNECT, &(hello, envelope)).await.unwrap_err();
        assert!(error.is(ErrorCode::Unauthorized) && !error.data.unwrap().mend.is_empty(), "{}", error.message);
    }
}

#[tokio::test]
async fn d49_reports_at_once_all_count() {
    let pool = pool().await;
    let mut agents = JoinSet::new();
    for seed in 1..41 {
        let agent = Agent::open(&pool).await;
        agents.spawn(async move {
            let keys = Keys::new(seed);
            agent.connect(&keys, &keys.host(5)).await.unwrap();
            let mut resyncs = 0;
            for seq in 1..=50 {
                let full = (seq == 1).then(Vec::new);
                let report =
                    ReportRequest { seq, full, hash: Some(LeaseSetHash::default()), ..ReportRequest::default() };
                let reply: ReportReply = agent.call(method::REPORT, &[report]).await.unwrap();
                resyncs += u32::from(reply.resync);
            }
            resyncs
        });
    }
    assert_eq!(agents.join_all().await.iter().sum::<u32>(), 0);
}
