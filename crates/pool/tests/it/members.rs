//! A closed pool whose members are all at one address: they do not share the limits of an address block.

use std::{collections::BTreeSet, time::Duration};

use crate::common::{Agent, Keys, config, http_url, post, wall};
use serde_json::{Value, json};
use vipnode_pool::{Membership, PoolConfig, PoolLimits, PoolServer};
use vipnode_rpc::{RpcLimits, http};
use vipnode_types::wire::{ConnectReply, ErrorCode, method};

const FLEET: u8 = 5;
/// Calls that are far more than an address block may make.
const MANY: usize = 60;

async fn pool(members: Membership, limits: PoolLimits) -> PoolServer {
    PoolServer::spawn(PoolConfig { members, limits, ..config() }).await.unwrap()
}

fn fleet() -> Membership {
    Membership::Members((1..=FLEET).map(|seed| Keys::new(seed).id()).collect::<BTreeSet<_>>())
}

/// How many of many calls on sockets of the fleet are answered, until one is refused as the block's.
async fn answered(pool: &PoolServer, method: &str, params: &Value) -> usize {
    let mut agents = Vec::new();
    for seed in 1..=FLEET {
        let (agent, keys) = (Agent::open(pool).await, Keys::new(seed));
        agent.connect(&keys, &keys.client()).await.unwrap();
        agents.push(agent);
    }
    for call in 0..MANY {
        if let Err(error) = agents[call % agents.len()].call::<Value>(method, params).await {
            assert!(error.is(ErrorCode::Busy) && error.message.contains("address block"), "{error}");
            return call;
        }
    }
    MANY
}

#[tokio::test]
async fn members_of_a_closed_pool_call_as_often_as_their_sockets_may() {
    let block_burst = u32::from(FLEET) + 3;
    let limits =
        PoolLimits { block_calls_a_second: 1, block_burst, block_wait: Duration::ZERO, ..PoolLimits::default() };
    let open = pool(Membership::Open, limits.clone()).await;
    assert!(answered(&open, method::PING, &json!([])).await < MANY);
    let closed = pool(fleet(), limits).await;
    assert_eq!(answered(&closed, method::PING, &json!([])).await, MANY);
    let stranger = Agent::open(&closed).await;
    let mut refused = false;
    for _ in 0..MANY {
        refused |= stranger.call::<Value>(method::PING, &[(); 0]).await.is_err();
        if refused {
            break;
        }
    }
    assert!(refused, "before it authenticates, a socket shares the limits of its block");
}

fn few_bytes() -> PoolLimits {
    PoolLimits {
        block_bytes_a_second: 1 << 10,
        block_bytes_at_once: 10 << 10,
        block_wait: Duration::ZERO,
        ..PoolLimits::default()
    }
}

#[tokio::test]
async fn the_bytes_of_answers_to_members_of_a_closed_pool_are_no_blocks() {
    for (members, all) in [(Membership::Open, false), (fleet(), true)] {
        let pool = pool(members, few_bytes()).await;
        assert_eq!(answered(&pool, method::EXPLAIN, &json!([{}])).await == MANY, all);
    }
}

#[tokio::test]
async fn a_member_of_a_closed_pool_over_http_is_exempt_for_the_calls_that_it_signed() {
    for (members, all) in [(Membership::Open, false), (fleet(), true)] {
        let pool = pool(members, few_bytes()).await;
        let (url, keys, now) = (http_url(&pool), Keys::new(1), wall().get());
        let rpc = http(&url, &RpcLimits::default()).unwrap();
        post::<ConnectReply>(&rpc, &keys, &url, method::CONNECT, now, &keys.client()).await.unwrap();
        let mut answered = true;
        for call in 1..=MANY as u64 {
            answered &= post::<Value>(&rpc, &keys, &url, method::EXPLAIN, now + call, &json!({})).await.is_ok();
        }
        assert_eq!(answered, all);
    }
}
