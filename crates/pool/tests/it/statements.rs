//! Statements over real sockets: who may read one, and that its pages fit together.

use std::path::Path;

use crate::common::{Agent, Keys, config, http_url, post, wall};
use serde_json::json;
use vipnode_pool::{
    DataDir, PoolConfig, PoolLimits, PoolServer,
    admin::{AccountStatementRequest, AdminClient, LedgerOrder, LedgerRequest, admin_socket},
};
use vipnode_pool_core::Limits;
use vipnode_rpc::{RpcLimits, http};
use vipnode_types::{
    Account, AccountKey, Amount, PaymentMode, PoolId, SignedAmount,
    wire::{
        AccountQuery, ConnectReply, ErrorCode, PoolStatus, Statement, StatementCursor, StatementKind, StatementRange,
        StatementRequest, WireError, method,
    },
};

fn key(seed: u8) -> AccountKey {
    AccountKey::from_bytes([seed; 32]).unwrap()
}

/// A pool whose clients pay, and its operator.
async fn paid(dir: &Path, limits: PoolLimits) -> (PoolServer, AdminClient) {
    let core = Limits { payment: PaymentMode::Credit, ..config().core };
    let config = PoolConfig { core, limits, ..config() };
    let pool = PoolServer::spawn_in(config, DataDir::open(dir).unwrap()).await.unwrap();
    (pool, AdminClient::new(admin_socket(dir)))
}

async fn credit(admin: &AdminClient, account: Account, units: u128) {
    let (change, reason) = (LedgerOrder::Credit { account, amount: Amount::new(units) }, format!("invoice {units}"));
    admin.change_ledger(&LedgerRequest { change, reason, key: None, allow_negative: false }).await.unwrap();
}

async fn pool_id(agent: &Agent) -> PoolId {
    agent.call::<PoolStatus>(method::STATUS, &[(); 0]).await.unwrap().pool_id.unwrap()
}

fn request(signer: &AccountKey, account: Account, pool: PoolId, range: StatementRange) -> StatementRequest {
    let unsigned = AccountQuery { account, counter: wall(), signature: signer.sign("") };
    let signature = signer.sign(&unsigned.signed_by_account(pool).text());
    StatementRequest { account: Some(AccountQuery { signature, ..unsigned }), range }
}

async fn read(agent: &Agent, request: StatementRequest) -> Result<Statement, WireError> {
    agent.call(method::STATEMENT, &[request]).await
}

#[tokio::test]
async fn d46_an_account_reads_its_own_statement_page_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let (pool, admin) = paid(dir.path(), PoolLimits { statement_entries: 2, ..PoolLimits::default() }).await;
    let (own, other) = (key(7), key(8));
    for units in [5, 6, 7] {
        credit(&admin, own.account(), units).await;
        credit(&admin, other.account(), 1_000).await;
    }
    let agent = Agent::open(&pool).await;
    let id = pool_id(&agent).await;
    let range = StatementRange { most: 100, ..StatementRange::default() };
    let first = read(&agent, request(&own, own.account(), id, range)).await.unwrap();
    let shown: Vec<_> = first.lines.iter().map(|line| (line.entry, line.kind, line.change.to_string())).collect();
    let credit = StatementKind::Credit;
    assert_eq!(shown, [(1, credit, "5".to_owned()), (3, credit, "6".to_owned())], "two entries a page, its own only");
    assert_eq!(first.lines[0].reason.as_deref(), Some("invoice 5"));
    let next = StatementRange { after: first.next, ..range };
    let second = read(&agent, request(&own, own.account(), id, next)).await.unwrap();
    assert_eq!((second.lines.len(), second.opening, second.next), (1, first.closing, None));
    let paid = SignedAmount::difference(Amount::new(18), Amount::ZERO);
    assert_eq!(second.closing.unwrap().payer, paid);

    let after = first.next.map(|cursor| StatementCursor { balances: None, ..cursor });
    let bare = read(&agent, request(&own, own.account(), id, StatementRange { after, ..range })).await.unwrap_err();
    assert!(bare.is(ErrorCode::InvalidParams) && bare.message.contains("range.after"), "{bare:?}");

    let forged = read(&agent, request(&other, own.account(), id, range)).await.unwrap_err();
    assert!(forged.is(ErrorCode::Unauthorized) && forged.message.contains("the account's signature"), "{forged:?}");
    let asked = AccountStatementRequest { account: own.account(), range };
    assert_eq!(admin.statement(&asked).await.unwrap(), first, "the operator reads the same");
    let late = StatementRange { from_ms: Some(wall().plus(3_600_000)), ..range };
    let late = admin.statement(&AccountStatementRequest { account: own.account(), range: late }).await.unwrap();
    assert!(late.lines.is_empty() && late.opening == late.closing && late.closing.unwrap().payer == paid);
}

#[tokio::test]
async fn only_a_connected_agent_reads_the_statement_of_its_node() {
    let dir = tempfile::tempdir().unwrap();
    let (pool, _admin) = paid(dir.path(), PoolLimits::default()).await;
    let (agent, ben) = (Agent::open(&pool).await, Keys::new(2));
    let own = json!({"range": {"most": 10}});
    let unsigned = agent.call::<Statement>(method::STATEMENT, &[&own]).await.unwrap_err();
    assert!(unsigned.is(ErrorCode::Unauthorized), "{unsigned:?}");
    agent.connect(&ben, &ben.client()).await.unwrap();
    let statement = agent.call::<Statement>(method::STATEMENT, &[&own]).await.unwrap();
    assert_eq!((statement.lines, statement.opening), (Vec::new(), None));

    let (rpc, url, eve) = (http(&http_url(&pool), &RpcLimits::default()).unwrap(), http_url(&pool), Keys::new(3));
    let call = async |nonce: u64| post::<Statement>(&rpc, &eve, &url, method::STATEMENT, nonce, &own).await;
    let now = wall().get();
    assert!(call(now).await.unwrap_err().is(ErrorCode::Unauthorized), "its agent has not connected");
    post::<ConnectReply>(&rpc, &eve, &url, method::CONNECT, now + 1, &eve.client()).await.unwrap();
    assert_eq!(call(now + 2).await.unwrap().lines, []);
    let replayed = call(now + 2).await.unwrap_err();
    assert!(replayed.message.contains("already used"), "{replayed:?}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_refused_and_a_pool_without_ledger_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let limits = PoolLimits { statement_time: std::time::Duration::ZERO, ..PoolLimits::default() };
    let (_pool, admin) = paid(dir.path(), limits).await;
    let range = StatementRange { most: 1, ..StatementRange::default() };
    let asked = AccountStatementRequest { account: key(7).account(), range };
    let slow = admin.statement(&asked).await.unwrap_err().to_string();
    assert!(slow.contains("took longer than 0 s"), "{slow}");

    let dir = tempfile::tempdir().unwrap();
    let _free = PoolServer::spawn_in(config(), DataDir::open(dir.path()).unwrap()).await.unwrap();
    let refused = AdminClient::new(admin_socket(dir.path())).statement(&asked).await.unwrap_err().to_string();
    assert!(refused.contains("no ledger"), "{refused}");
}
