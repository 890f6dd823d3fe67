//! One scenario for all examples: Ben's light node gets a slot on Ana's node. The private keys of the examples are
//! public.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use vipnode_types::{
    Account, AccountKey, AgentKey, ChainSpec, Delegation, Enode, LeaseId, Ms, NodeId, NodeKey, PayoutOrder, PoolId,
    PoolKey, Price,
    protocol2::{method, signed_params},
    signed::Envelope,
    wire::{AccountQuery, LinkRequest, PayoutRequest},
};

/// Which pool the agents mean.
const AUDIENCE: &str = "wss://pool.example.org";
/// The value of the header `vipnode-challenge` in the examples.
pub(super) const CHALLENGE: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";
/// A moment: Unix milliseconds.
pub(super) const NOW: Ms = Ms::new(1_795_000_000_000);
const NS_A_MS: u64 = 1_000_000;
const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1_000;

pub(super) const LEASE: LeaseId = LeaseId::new(1_795_000_000_000_001);
pub(super) const OTHER_LEASE: LeaseId = LeaseId::new(1_795_000_000_000_002);
pub(super) const GETH: &str = "Geth/v1.17.5-stable/linux-amd64/go1.26.0";
pub(super) const LIGHT: &str = "Geth/v1.12.0-stable/linux-amd64/go1.20.5";

/// Ben's node.
fn key() -> Option<NodeKey> {
    NodeKey::read(&[7; 32]).ok()
}

pub(super) fn client() -> NodeId {
    key().map_or(NodeId::new([7; 64]), |key| key.id())
}

pub(super) fn host() -> NodeId {
    NodeKey::read(&[5; 32]).map_or(NodeId::new([5; 64]), |key| key.id())
}

pub(super) fn pool_key() -> Option<PoolKey> {
    PoolKey::from_random([6; 32]).ok()
}

pub(super) fn pool_id() -> Option<PoolId> {
    pool_key().map(|key| key.id())
}

pub(super) fn host_enode() -> Enode {
    Enode::at(host(), [203, 0, 113, 5].into(), 30_303)
}

pub(super) fn client_enode() -> Enode {
    Enode::at(client(), [198, 51, 100, 7].into(), 30_303)
}

pub(super) fn price() -> Price {
    Price::per_minute(100_000_000_000)
}

pub(super) const fn account() -> Account {
    Account::new([0x5a; 20])
}

/// The key of the account that pays for Ben's node.
fn payer_key() -> Option<AccountKey> {
    AccountKey::from_bytes([0x46; 32]).ok()
}

pub(super) fn payer() -> Account {
    payer_key().map_or(Account::new([0x46; 20]), |key| key.account())
}

/// A link of Ben's node, signed by the account.
pub(super) fn link_request() -> Option<LinkRequest> {
    let key = payer_key()?;
    let mut request = LinkRequest { account: key.account(), chain_id: 1, counter: NOW, signature: key.sign("") };
    request.signature = key.sign(&request.signed_by_account(pool_id()?, client()).text());
    Some(request)
}

/// An order of Ana's node.
pub(super) fn payout_request() -> Option<PayoutRequest> {
    let key = NodeKey::read(&[5; 32]).ok()?;
    Some(PayoutRequest { node: key.id(), order: PayoutOrder::sign(&key, account(), NOW) })
}

/// A query of the account's figures.
pub(super) fn account_query() -> Option<AccountQuery> {
    let key = payer_key()?;
    let mut query = AccountQuery { account: key.account(), counter: NOW, signature: key.sign("") };
    query.signature = key.sign(&query.signed_by_account(pool_id()?).text());
    Some(query)
}

pub(super) fn chain() -> ChainSpec {
    ChainSpec::public(1).unwrap_or(ChainSpec::without_genesis(1))
}

/// Params of a call that nobody signs.
pub(super) fn bare(argument: &impl Serialize) -> Option<Vec<Box<RawValue>>> {
    Some(vec![to_raw_value(argument).ok()?])
}

/// Params of a call signed by Ben's agent.
pub(super) fn signed(method: &str, nonce: &str, argument: &impl Serialize) -> Option<Vec<Box<RawValue>>> {
    let object = to_raw_value(argument).ok()?;
    let agent = AgentKey::from_random([9; 32]).ok()?;
    let delegation = Delegation::sign(&key()?, agent.public(), NOW, NOW.plus(YEAR_MS));
    let envelope = Envelope::sign(&agent, delegation, method, AUDIENCE, nonce, object.get());
    Some(vec![object, to_raw_value(&envelope).ok()?])
}

/// Params of a call over HTTP, where the nonce is the time.
pub(super) fn over_http(method: &str, argument: &impl Serialize) -> Option<Vec<Box<RawValue>>> {
    signed(method, &NOW.get().to_string(), argument)
}

/// Params of a call signed by Ben's node, as the original does it.
pub(super) fn by_node(method: &str, argument: &impl Serialize) -> Option<Vec<Box<RawValue>>> {
    let argument = vipnode_types::protocol2::go_json(argument).ok()?;
    serde_json::from_str(&signed_params(&key()?, method, NOW.get().checked_mul(NS_A_MS)?, &argument)).ok()
}

/// An update that was recorded from the original; `protocol2/signature.rs` holds its signature.
pub(super) fn of_the_original() -> Option<Vec<Box<RawValue>>> {
    let key = BASE64.decode("Qz7wmX+MXfvY85IsJMnMFd8fOI4msOT24bp6Iw/NuPo=").ok()?;
    let argument = r#"{"peers_info":[{"id":"x","name":"a\u003cb\u003e\u0026c","caps":null,"protocols":null,"network":{"localAddress":"","remoteAddress":""}}],"block_number":0}"#;
    let params = signed_params(&NodeKey::read(&key).ok()?, method::UPDATE, 1_600_000_000_000_000_000, argument);
    serde_json::from_str(&params).ok()
}
