//! Calls that accounts sign, over real sockets. What a link changes is tested in the core.

use crate::common::{Agent, Keys, config, http_url, post, wall};
use serde_json::json;
use vipnode_pool::{PoolConfig, PoolServer};
use vipnode_rpc::{RpcLimits, http};
use vipnode_types::{
    AccountKey, Ms, PayoutOrder, PoolId, PoolKey,
    wire::{
        AccountQuery, AccountView, ConnectReply, ConnectRequest, Done, ErrorCode, LinkRequest, NodeFunds,
        PayoutRequest, PayoutView, UnlinkRequest, WireError, method,
    },
};

fn account() -> AccountKey {
    AccountKey::from_bytes([0x46; 32]).unwrap()
}

async fn pool_with_key() -> (PoolServer, PoolId) {
    let key = PoolKey::from_random([1; 32]).unwrap();
    let id = key.id();
    (PoolServer::spawn(PoolConfig { key: Some(key.into()), ..config() }).await.unwrap(), id)
}

fn link(pool: PoolId, keys: &Keys, counter: Ms) -> LinkRequest {
    let key = account();
    let unsigned = LinkRequest { account: key.account(), chain_id: 1337, counter, signature: key.sign("") };
    LinkRequest { signature: key.sign(&unsigned.signed_by_account(pool, keys.id()).text()), ..unsigned }
}

fn query(pool: PoolId, counter: Ms) -> AccountQuery {
    let key = account();
    let unsigned = AccountQuery { account: key.account(), counter, signature: key.sign("") };
    AccountQuery { signature: key.sign(&unsigned.signed_by_account(pool).text()), ..unsigned }
}

/// The pool charges nothing, so a call whose signatures are valid is refused by the core.
fn reaches_the_core<T: std::fmt::Debug>(reply: Result<T, WireError>) -> bool {
    let error = reply.unwrap_err();
    assert!(error.hint().unwrap_or_default().contains("pool's operator"), "callers did not start the pool");
    error.is(ErrorCode::Unsuitable) && error.message.contains("no ledger")
}

fn unsigned<T: std::fmt::Debug>(reply: Result<T, WireError>) -> String {
    let error = reply.unwrap_err();
    assert!(error.is(ErrorCode::Unauthorized), "{error:?}");
    error.message
}

#[tokio::test]
async fn d7_d12_a_link_needs_both_signatures_for_this_pool() {
    let (pool, id) = pool_with_key().await;
    let (agent, ben, eve) = (Agent::open(&pool).await, Keys::new(2), Keys::new(3));
    let signed = |keys: &Keys, request: &LinkRequest| keys.sign(method::LINK, &agent.url, &agent.challenge(), request);
    let call = async |params: &serde_json::value::RawValue| agent.call::<Done>(method::LINK, &params).await;
    let good = link(id, &ben, wall());
    assert!(reaches_the_core(call(&signed(&ben, &good)).await));
    assert!(unsigned(agent.call::<Done>(method::LINK, &[good]).await).contains("not signed"), "the node did not agree");
    assert!(unsigned(call(&signed(&eve, &good)).await).contains("the account's signature"), "of another node");
    let elsewhere = link(PoolKey::from_random([2; 32]).unwrap().id(), &ben, wall());
    assert!(unsigned(call(&signed(&ben, &elsewhere)).await).contains("the account's signature"));
    let other_socket = ben.sign(method::LINK, &agent.url, "c0ffee", &good);
    assert!(unsigned(call(&other_socket).await).contains("challenge"));

    let (rpc, url) = (http(&http_url(&pool), &RpcLimits::default()).unwrap(), http_url(&pool));
    assert!(reaches_the_core(post::<Done>(&rpc, &ben, &url, method::LINK, wall().get(), &good).await));
    let old = post::<Done>(&rpc, &ben, &url, method::LINK, wall().get() - 3_600_000, &good).await;
    assert!(unsigned(old).contains("nonce"));
}

#[tokio::test]
async fn d9_over_http_the_nonces_of_a_nodes_link_and_unlink_are_used_up() {
    let (pool, id) = pool_with_key().await;
    let (rpc, url) = (http(&http_url(&pool), &RpcLimits::default()).unwrap(), http_url(&pool));
    let ben = Keys::new(2);
    let linked = link(id, &ben, wall());
    let ended = UnlinkRequest { account: account().account(), node: ben.id(), counter: wall(), signature: None };
    let first = wall().get();
    let links = async |nonce| post::<Done>(&rpc, &ben, &url, method::LINK, nonce, &linked).await;
    let ends = async |nonce| post::<Done>(&rpc, &ben, &url, method::UNLINK, nonce, &ended).await;
    assert!(reaches_the_core(links(first).await));
    assert!(unsigned(links(first).await).contains("already used"));
    assert!(reaches_the_core(ends(first + 1).await));
    assert!(unsigned(ends(first + 1).await).contains("already used"), "replayed, it would end a newer link");
    assert!(unsigned(ends(first).await).contains("already used"), "one nonce counts for all methods");
    assert!(reaches_the_core(ends(first + 2).await));
    let connect = async |nonce| -> Result<vipnode_types::wire::ConnectReply, _> {
        post(&rpc, &ben, &url, method::CONNECT, nonce, &ben.client()).await
    };
    assert!(unsigned(connect(first + 2).await).contains("already used"));
    connect(first + 3).await.unwrap();
    assert!(unsigned(ends(first + 3).await).contains("already used"));
}

#[tokio::test]
async fn either_side_ends_a_link_and_nobody_else() {
    let (pool, id) = pool_with_key().await;
    let (agent, ben, eve) = (Agent::open(&pool).await, Keys::new(2), Keys::new(3));
    let by_agent = UnlinkRequest { account: account().account(), node: ben.id(), counter: wall(), signature: None };
    let signature = account().sign(&by_agent.signed_by_account(id).text());
    let by_account = UnlinkRequest { signature: Some(signature), ..by_agent };
    let signed = |keys: &Keys| keys.sign(method::UNLINK, &agent.url, &agent.challenge(), &by_agent);
    assert!(reaches_the_core(agent.call::<Done>(method::UNLINK, &signed(&ben)).await));
    assert!(reaches_the_core(agent.call::<Done>(method::UNLINK, &[by_account]).await));
    assert!(unsigned(agent.call::<Done>(method::UNLINK, &[by_agent]).await).contains("not signed"));
    assert!(unsigned(agent.call::<Done>(method::UNLINK, &signed(&eve)).await).contains("its own node"));
    let changed = UnlinkRequest { counter: wall().plus(1), ..by_account };
    assert!(unsigned(agent.call::<Done>(method::UNLINK, &[changed]).await).contains("the account's signature"));
}

#[tokio::test]
async fn d46_the_figures_of_an_account_are_for_its_own_key() {
    let (pool, id) = pool_with_key().await;
    let agent = Agent::open(&pool).await;
    let ask = async |query: AccountQuery| agent.call::<AccountView>(method::ACCOUNT, &[query]).await;
    let good = query(id, wall());
    assert!(reaches_the_core(ask(good).await));
    let stranger = AccountKey::from_bytes([1; 32]).unwrap();
    let forged = AccountQuery { signature: stranger.sign(&good.signed_by_account(id).text()), ..good };
    assert!(unsigned(ask(forged).await).contains("the account's signature"));
    // It is valid for an hour, not for one before and one after the time that was signed.
    for counter in [wall().minus(3_700_000), wall().plus(360_000)] {
        let refused = unsigned(ask(query(id, counter)).await);
        assert!(refused.contains("one hour") && refused.contains("300 s in the future"), "{refused}");
    }
    for counter in [wall().minus(3_500_000), wall().plus(240_000)] {
        assert!(reaches_the_core(ask(query(id, counter)).await));
    }
    let unread = agent.call::<AccountView>(method::ACCOUNT, &[json!({"account": "0x00"})]).await.unwrap_err();
    assert!(unread.is(ErrorCode::InvalidParams), "{unread:?}");
}

#[tokio::test]
async fn only_a_connected_agent_asks_for_the_funds_of_its_node() {
    let (pool, _) = pool_with_key().await;
    let (agent, ben) = (Agent::open(&pool).await, Keys::new(2));
    unsigned(agent.call::<NodeFunds>(method::FUNDS, &[json!({})]).await);
    agent.connect(&ben, &ben.client()).await.unwrap();
    assert!(reaches_the_core(agent.call::<NodeFunds>(method::FUNDS, &[json!({})]).await));
}

#[tokio::test]
async fn an_account_signs_nothing_for_a_pool_without_an_id() {
    let pool = crate::common::pool().await;
    let agent = Agent::open(&pool).await;
    let id = PoolKey::from_random([1; 32]).unwrap().id();
    let error = agent.call::<AccountView>(method::ACCOUNT, &[query(id, wall())]).await.unwrap_err();
    assert!(error.is(ErrorCode::Unsuitable) && error.message.contains("has no ID"), "{error:?}");
}

#[tokio::test]
async fn only_the_node_key_names_a_payout_account() {
    let pool = PoolServer::spawn(config()).await.unwrap();
    let (agent, ana, eve) = (Agent::open(&pool).await, Keys::new(2), Keys::new(3));
    let account = account().account();
    let order = PayoutOrder::sign(&ana.node, account, wall());
    let call = async |node, order: &PayoutOrder| {
        agent.call::<PayoutView>(method::PAYOUT, &[PayoutRequest { node, order: order.clone() }]).await
    };
    let error = call(ana.id(), &order).await.unwrap_err();
    assert!(error.message.contains("does not know the node"), "its signature is valid: {error:?}");
    assert!(unsigned(call(eve.id(), &order).await).contains("node's key"), "of another node");
    let later = PayoutOrder { counter: wall().plus(1), ..order.clone() };
    assert!(unsigned(call(ana.id(), &later).await).contains("node's key"));

    let hello = |order: &PayoutOrder| {
        let mut hello = ana.host(3);
        hello.host.as_mut().unwrap().payout = Some(order.clone());
        hello
    };
    let connects = async |hello: &ConnectRequest| -> Result<ConnectReply, WireError> {
        let agent = Agent::open(&pool).await;
        agent.call(method::CONNECT, &ana.sign(method::CONNECT, &agent.url, &agent.challenge(), hello)).await
    };
    assert!(unsigned(connects(&hello(&later)).await).contains("node's key"), "the agent's signature is not enough");
    let reply = connects(&hello(&order)).await.unwrap();
    assert_eq!(reply.payout, Some(PayoutView { account, next: None }));
    let other = PayoutOrder::sign(&ana.node, AccountKey::from_bytes([1; 32]).unwrap().account(), wall().plus(9));
    assert!(call(ana.id(), &other).await.unwrap().next.is_some());
}
