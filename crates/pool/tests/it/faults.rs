//! Faults of the original, tried on a whole pool.

use crate::common::{Agent, Keys, RawSocket, pool, ws_url};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use vipnode_types::{
    AgentKey, Delegation, LeaseSetHash, NodeKey, protocol2,
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
    assert_eq!((reply.hosts.len(), reply.missing), (1, u32::MAX - 1), "one at once");
    assert!(reply.reason.unwrap().contains("at most 64 hosts"), "and no more in all than the limit");
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
        assert!(error.is(ErrorCode::Unauthorized) && !error.data.unwrap().hint.is_empty(), "{}", error.message);
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

/// Params of protocol 2 as an agent of the original signs them.
fn params(keys: &Keys, method: &str, nonce: u64, argument: &str) -> String {
    protocol2::signed_params(&keys.node, method, nonce, argument)
}

#[tokio::test]
async fn d6_d8_peer_is_signed_and_a_forged_call_uses_no_nonce() {
    let pool = pool().await;
    let keys = Keys::new(3);
    let mut socket = RawSocket::open(&ws_url(&pool)).await;
    // Not in the millisecond of the pool's start.
    let nonce = crate::common::wall().plus(10).get() * 1_000_000;
    let mut call = async |method: &str, params: &str| {
        socket.send(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)).await;
        socket.next().await
    };
    let client = r#"{"kind":"geth","version":"dev","num_hosts":1}"#;
    let connected = call("vipnode_client", &params(&keys, "vipnode_client", nonce, client)).await;
    assert!(connected["result"].is_object(), "{connected}");
    let far = nonce + 200_000_000_000;
    let good = params(&keys, "vipnode_peer", far, r#"{"num":1}"#);
    let unsigned = format!(r#"["","{}",{far},{{"num":1}}]"#, keys.id());
    let forged = params(&Keys::new(4), "vipnode_peer", far, r#"{"num":1}"#)
        .replace(&Keys::new(4).id().to_string(), &keys.id().to_string());
    for bad in [unsigned, forged, good.replace(r#"{"num":1}"#, r#"{"num":2}"#), r#"[{"num":1}]"#.to_owned()] {
        let answer = call("vipnode_peer", &bad).await;
        assert!(answer["error"]["message"].is_string(), "{bad}: {answer}");
    }
    let asked = call("vipnode_peer", &params(&keys, "vipnode_peer", nonce + 1, r#"{"num":1}"#)).await;
    assert!(!asked.to_string().contains("nonce") && !asked.to_string().contains("signature"), "{asked}");
    let again = call("vipnode_peer", &params(&keys, "vipnode_peer", nonce + 1, r#"{"num":1}"#)).await;
    assert!(again["error"]["message"].as_str().unwrap().contains("nonce"), "{again}");
}
