//! Statements over real sockets: who may read one, and that its pages fit together.

use std::path::Path;

use crate::common::{Agent, Keys, config, http_url, post, wall};
use serde_json::json;
use vipnode_pool::{
    DataDir, PoolConfig, PoolLimits, PoolServer,
    admin::{AccountStatementRequest, AdminClient, LedgerOrder, LedgerRequest, admin_socket},
};
use vipnode_pool_core::{
    AccountFigures, AccountRow, BalanceSheet, LeaseRow, LedgerEntry, Limits, MergedPeriods, MeteredPeriod, Row,
    Transaction, UnpaidRow,
};
use vipnode_rpc::{RpcLimits, http};
use vipnode_store::{SqliteStore, Store as _};
use vipnode_types::{
    Account, AccountKey, Amount, LeaseId, PaymentMode, PayoutOrder, PoolId, Price, SignedAmount, UtcDay,
    meter::Seen,
    wire::{
        AccountQuery, ConnectReply, ConnectRequest, DailyStatementRequest, ErrorCode, HostOffer, PoolStatus,
        SignedDailyStatement, Statement, StatementCursor, StatementKind, StatementRange, StatementRequest, WireError,
        method,
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

/// A day that is over, with three billing periods of host 1 and one of host 2, in the store of a pool that starts.
async fn with_a_day(dir: &Path, hosts: &[Keys]) -> (PoolServer, UtcDay) {
    let now = wall();
    let day = UtcDay::of(now).minus_days(1);
    let (payer, payee) = (Account::new([1; 20]), Account::new([2; 20]));
    let mut sheet = BalanceSheet::default();
    let mut rows = vec![Row::Clock(now), Row::NextLease(100), Row::Payment(PaymentMode::Credit)];
    for (number, host) in (1..).zip([0, 0, 1, 0]) {
        let (from, cost, none) = (Amount::new(u128::from(number) * 60), Amount::new(60), Amount::ZERO);
        let (client, host, price) = (Keys::new(9).id(), hosts[host].id(), Price::per_minute(60));
        let (lease, seen) = (LeaseId::new(number), Some(Seen { up: day.start(), end: day.start().plus(60_000) }));
        let row = LeaseRow {
            id: lease,
            row: 0,
            client,
            host,
            payee: Some(payee),
            payer: Some(payer),
            fee_bps: 0,
            price,
            trial: false,
            carry: 0,
            offered: day.start(),
            client_seen: None,
            host_seen: None,
        };
        let (ended, earlier) = (day.start().plus(60_000), MergedPeriods::default());
        let (billed_ms, folded) = (60_000, 0);
        let period = MeteredPeriod { lease: row, client: seen, host: seen, billed_ms, cost, ended, earlier, folded };
        let transaction = Transaction::Lease { payer, payee, lease, row: 0, from, cost, collected: none, fee: none };
        sheet.apply(&transaction, |_| AccountFigures::default()).unwrap();
        rows.push(Row::Metered(Box::new(period)));
        rows.push(Row::Entry(Box::new(LedgerEntry { number, at: day.start().plus(60_000), transaction })));
        rows.push(Row::Unpaid(UnpaidRow { entry: number, payer, payee, fee_bps: 0, cost, collected: none }));
    }
    rows.extend(sheet.accounts().map(|(account, figures)| Row::Account(AccountRow { account, figures })));
    // A database without the key of its pool is not opened.
    drop(DataDir::open(dir).unwrap());
    SqliteStore::open(dir).unwrap().apply(&rows).unwrap();
    let core = Limits { payment: PaymentMode::Credit, ..config().core };
    let limits = PoolLimits { daily_lines: 2, ..PoolLimits::default() };
    let config = PoolConfig { core, limits, ..config() };
    (PoolServer::spawn_in(config, DataDir::open(dir).unwrap()).await.unwrap(), day)
}

#[tokio::test]
async fn a_pool_signs_to_each_host_what_it_earned_on_a_day_that_is_over() {
    let (dir, hosts) = (tempfile::tempdir().unwrap(), [Keys::new(1), Keys::new(2)]);
    let (pool, day) = with_a_day(dir.path(), &hosts).await;
    let agents = [Agent::open(&pool).await, Agent::open(&pool).await];
    let id = pool_id(&agents[0]).await;
    let sign = async |agent: &Agent, day, page| {
        let request = DailyStatementRequest { day, page };
        agent.call::<SignedDailyStatement>(method::DAILY_STATEMENT, &[request]).await
    };
    let stranger = sign(&agents[0], day, 1).await.unwrap_err();
    assert!(stranger.is(ErrorCode::Unauthorized), "{stranger:?}");
    for (agent, host) in agents.iter().zip(&hosts) {
        let payout = PayoutOrder::sign(&host.node, Account::new([2; 20]), wall());
        let hello = host.hello();
        let hello =
            ConnectRequest { host: Some(HostOffer { slots: 1, payout: Some(payout), no_trials: false }), ..hello };
        agent.connect(host, &hello).await.unwrap();
    }
    let mut entries = Vec::new();
    for page in [2, 1] {
        let signed = sign(&agents[0], day, page).await.unwrap();
        let asked = DailyStatementRequest { day, page };
        assert_eq!((signed.answers(id, &hosts[0].id(), asked), signed.statement.problem()), (Ok(()), None));
        let statement = &signed.statement;
        assert_eq!((statement.pages, statement.day_sums.lines, statement.day_sums.cost), (2, 3, Amount::new(180)));
        entries.extend(statement.lines.iter().map(|line| (line.entry, line.meter)));
        assert_eq!(sign(&agents[0], day, page).await.unwrap(), signed, "it never changes");
    }
    let meter = entries[0].1;
    assert_eq!(entries, [4, 1, 2].map(|entry| (entry, meter)), "not the third, which is of another host");
    let other = sign(&agents[1], day, 1).await.unwrap().statement;
    assert_eq!(other.lines.iter().map(|line| (line.entry, line.meter)).collect::<Vec<_>>(), [(3, meter)]);
    let beyond = sign(&agents[1], day, 2).await.unwrap_err();
    assert!(beyond.is(ErrorCode::InvalidParams) && beyond.message.contains("pages are 1 to 1"), "{beyond:?}");
    let early = sign(&agents[0], UtcDay::of(wall()), 1).await.unwrap_err();
    assert!(early.is(ErrorCode::Busy) && early.message.contains("has not ended yet"), "{early:?}");

    // The first time that is written otherwise is minutes after the start.
    let new = tempfile::tempdir().unwrap();
    let core = Limits { payment: PaymentMode::Credit, ..config().core };
    let pool = PoolServer::spawn_in(PoolConfig { core, ..config() }, DataDir::open(new.path()).unwrap()).await.unwrap();
    let (agent, host) = (Agent::open(&pool).await, Keys::new(1));
    agent.connect(&host, &host.host(1)).await.unwrap();
    let nothing = sign(&agent, day, 1).await.unwrap().statement;
    assert_eq!((nothing.pages, nothing.day_sums.lines), (1, 0), "a day before the pool's first");
    let early = sign(&agent, UtcDay::of(wall()), 1).await.unwrap_err();
    assert!(early.is(ErrorCode::Busy) && early.message.contains("has not ended yet"), "{early:?}");

    let free = tempfile::tempdir().unwrap();
    let pool = PoolServer::spawn_in(config(), DataDir::open(free.path()).unwrap()).await.unwrap();
    let (agent, host) = (Agent::open(&pool).await, Keys::new(1));
    agent.connect(&host, &host.host(1)).await.unwrap();
    let refused = sign(&agent, day, 1).await.unwrap_err();
    assert!(refused.message.contains("no ledger"), "{refused:?}");
}
