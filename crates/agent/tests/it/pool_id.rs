//! An agent and the ID of its pool: remembered at first use, and nothing is sent to another pool.

use crate::fake_pool::{CHALLENGE, Running, Toy, within};
use serde_json::{Value, json};
use vipnode_agent::{AcceptedPool, AgentNotice, PinChange, PinReason, PoolAddress, RunnerConfig, state};
use vipnode_agent_core::Notice;
use vipnode_rpc::PoolHeaders;
use vipnode_types::{Ms, PoolId, PoolKey, PoolKeyChange, PoolKeyChanges, Price, wire::method};

const URL: &str = "wss://pool.example/";

fn key(number: u8) -> PoolKey {
    PoolKey::from_random([number; 32]).unwrap()
}

fn headers(key: &PoolKey) -> PoolHeaders {
    let proof = Some(key.prove(CHALLENGE).to_string());
    PoolHeaders { id: Some(key.id().to_string()), proof, changes: None }
}

/// Next to a pool at a URL that is not this machine's.
fn config(toy: &Toy, accepted: Option<AcceptedPool>) -> RunnerConfig {
    let mut config = toy.config();
    let pool = config.pool.as_mut().unwrap();
    pool.address = PoolAddress::read(URL).unwrap();
    pool.accepted = accepted;
    config
}

fn presents(toy: &Toy, headers: PoolHeaders) {
    *toy.connector.headers.lock().unwrap() = headers;
}

fn pinned(toy: &Toy) -> Option<PoolId> {
    state::pinned_pool(&toy.root.path().join("state"), toy.id, URL).unwrap()
}

async fn pin_notice(agent: &mut Running) -> PinChange {
    loop {
        if let AgentNotice::PoolPinned { change, .. } = within(agent.notices.recv()).await.unwrap() {
            return change;
        }
    }
}

/// The pool takes the agent, which pins its ID; then the agent stops.
async fn join_and_stop(toy: &mut Toy, key: &PoolKey, accepted: Option<AcceptedPool>) -> PinChange {
    let mut agent = Running::of(config(toy, accepted));
    let change = pin_notice(&mut agent).await;
    let end = toy.accept_as(json!(key.id()), json!([])).await;
    let pool = tokio::spawn(end.answer_all());
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
    change
}

#[tokio::test(start_paused = true)]
async fn another_pool_or_one_without_an_id_gets_not_a_word() {
    let (mut toy, first, other) = (Toy::new(), key(1), key(2));
    presents(&toy, headers(&first));
    assert_eq!(join_and_stop(&mut toy, &first, None).await.reason, PinReason::FirstUse);
    assert_eq!(pinned(&toy), Some(first.id()));
    let unproven = PoolHeaders { proof: headers(&other).proof, ..headers(&first) };
    for shown in [headers(&other), PoolHeaders::default(), unproven] {
        presents(&toy, shown);
        let agent = Running::of(config(&toy, None));
        let error = within(agent.runner.join()).await.unwrap_err();
        assert!(error.to_string().contains(URL), "{error}");
        let mut end = within(toy.ends.recv()).await.unwrap();
        assert!(within(end.incoming.recv()).await.is_none(), "nothing was signed");
    }
    assert_eq!(pinned(&toy), Some(first.id()));
    // The user accepts it.
    presents(&toy, headers(&other));
    let accepted = Some(AcceptedPool::Id(other.id()));
    assert_eq!(join_and_stop(&mut toy, &other, accepted).await.reason, PinReason::Accepted);
    assert_eq!(pinned(&toy), Some(other.id()));
}

#[tokio::test(start_paused = true)]
async fn a_change_signed_by_the_old_key_needs_no_user() {
    let (mut toy, first, next) = (Toy::new(), key(1), key(2));
    presents(&toy, headers(&first));
    join_and_stop(&mut toy, &first, None).await;
    let mut changes = PoolKeyChanges::default();
    changes.push(PoolKeyChange::sign(&first, next.id(), Ms::new(1)));
    presents(&toy, PoolHeaders { changes: Some(changes.to_string()), ..headers(&next) });
    let change = join_and_stop(&mut toy, &next, None).await;
    assert_eq!((change.old, change.reason), (Some(first.id()), PinReason::Signed));
    assert_eq!(pinned(&toy), Some(next.id()));
}

#[tokio::test(start_paused = true)]
async fn while_another_pool_answers_no_lease_ends() {
    let (mut toy, first, other) = (Toy::new(), key(1), key(2));
    let client = toy.peer("client", 2);
    presents(&toy, headers(&first));
    let mut agent = Running::of(config(&toy, None));
    let end = toy.accept_as(json!(first.id()), json!([])).await;
    let admit = json!({"lease": 2, "client": client.id, "price": Price::FREE});
    end.call(method::ADMIT, admit).await.unwrap();
    presents(&toy, headers(&other));
    end.close("restarting");
    let why = agent.notice(|notice| match notice {
        Notice::PoolUntrusted { why } => Some(why.to_string()),
        _ => None,
    });
    let why = why.await;
    assert!(why.contains(&first.id().to_string()) && why.contains(&other.id().to_string()), "{why}");
    let mut end = within(toy.ends.recv()).await.unwrap();
    assert!(within(end.incoming.recv()).await.is_none(), "nothing was signed");
    assert!(toy.trusted(client.id) && toy.journaled() == 1);
    // The pool is back.
    presents(&toy, headers(&first));
    let lease = json!([{"lease": 2, "side": "host", "peer": client.enode(), "price": Price::FREE}]);
    while toy.ends.try_recv().is_ok() {}
    let end = toy.accept_as(json!(first.id()), lease).await;
    assert!(toy.trusted(client.id));
    let pool = tokio::spawn(end.answer_all());
    agent.stop().await.unwrap();
    within(pool).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_names_another_id_than_the_socket_proved_is_refused() {
    let (mut toy, first) = (Toy::new(), key(1));
    presents(&toy, headers(&first));
    for claimed in [json!(key(2).id()), Value::Null] {
        let agent = Running::of(config(&toy, None));
        drop(toy.accept_as(claimed, json!([])).await);
        let error = within(agent.runner.join()).await.unwrap_err();
        assert!(error.to_string().contains("does not prove"), "{error}");
    }
}
