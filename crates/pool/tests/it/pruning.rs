//! The journals of a pool, of which a part is removed while the pool runs.

use std::path::Path;

use vipnode_pool::{
    DataDir, PoolConfig, PoolLimits, PoolServer, PruneOrder, PrunePlan, ReadLimits, SqliteReader,
    admin::{AdminClient, AuditRequest, FoldRequest, LedgerOrder, LedgerRequest, PruneRequest, admin_socket},
};
use vipnode_pool_core::{
    AccountFigures, AccountRow, BalanceSheet, LeaseRow, LedgerEntry, Limits, MergedPeriods, MeteredPeriod,
    OperatorOrder, Row, Transaction,
};
use vipnode_store::{SqliteStore, Store as _};
use vipnode_types::{Account, Amount, LeaseId, PaymentMode, Price, UtcDay, meter::Seen};

use crate::common::{Keys, config, wall};

/// Ten credits of long ago, the first two of which have a key, and one of now.
fn credits(dir: &Path) {
    let (mut sheet, now) = (BalanceSheet::default(), wall());
    let mut rows = vec![Row::Clock(now), Row::NextLease(100), Row::Payment(PaymentMode::Credit)];
    for number in 1..=11 {
        let key = (number <= 2).then(|| format!("key {number}"));
        let order = OperatorOrder { by: None, reason: "a test".to_owned(), key };
        let transaction = Transaction::Credit { payer: Account::new([1; 20]), amount: Amount::new(5), order };
        sheet.apply(&transaction, |_| AccountFigures::default()).unwrap();
        let at = if number > 10 { now } else { now.minus(1_000_000) };
        rows.push(Row::Entry(Box::new(LedgerEntry { number, at, transaction })));
    }
    rows.extend(sheet.accounts().map(|(account, figures)| Row::Account(AccountRow { account, figures })));
    // A database without the key of its pool is not opened.
    drop(DataDir::open(dir).unwrap());
    SqliteStore::open(dir).unwrap().apply(&rows).unwrap();
}

/// Four billing periods of a lease, one per minute, on a day long ago.
fn billing_periods(dir: &Path) {
    let (mut sheet, day) = (BalanceSheet::default(), UtcDay::of(wall()).minus_days(40));
    let mut rows = vec![Row::Clock(wall()), Row::NextLease(100), Row::Payment(PaymentMode::Credit)];
    let (payer, payee, lease) = (Account::new([1; 20]), Account::new([2; 20]), LeaseId::new(1));
    let order = OperatorOrder { by: None, reason: "a test".to_owned(), key: None };
    let transaction = Transaction::Credit { payer, amount: Amount::new(1_000), order };
    sheet.apply(&transaction, |_| AccountFigures::default()).unwrap();
    rows.push(Row::Entry(Box::new(LedgerEntry { number: 1, at: day.start(), transaction })));
    for row in 0..4_u32 {
        let at = |row: u32| day.start().plus(u64::from(row) * 60_000);
        let (from, cost, fee) = (Amount::new(u128::from(row) * 60), Amount::new(60), Amount::ZERO);
        let seen = Some(Seen { up: at(row), end: at(row + 1) });
        let (client, host, price) = (Keys::new(1).id(), Keys::new(2).id(), Price::per_minute(60));
        let leased = LeaseRow {
            id: lease,
            row,
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
        let (billed_ms, ended, earlier, folded) = (60_000, at(row + 1), MergedPeriods::default(), 0);
        let period = MeteredPeriod { lease: leased, client: seen, host: seen, billed_ms, cost, ended, earlier, folded };
        let transaction = Transaction::Lease { payer, payee, lease, row, from, cost, collected: cost, fee };
        sheet.apply(&transaction, |_| AccountFigures::default()).unwrap();
        rows.push(Row::Metered(Box::new(period)));
        let number = u64::from(row) + 2;
        rows.push(Row::Entry(Box::new(LedgerEntry { number, at: ended, transaction })));
    }
    rows.extend(sheet.accounts().map(|(account, figures)| Row::Account(AccountRow { account, figures })));
    drop(DataDir::open(dir).unwrap());
    SqliteStore::open(dir).unwrap().apply(&rows).unwrap();
}

fn problems(dir: &Path) -> Vec<String> {
    SqliteReader::open(dir, ReadLimits::WHOLE_DATABASE).unwrap().check().unwrap().problems
}

#[tokio::test]
async fn a_running_pool_removes_a_part_of_its_journals_step_by_step_and_works_in_between() {
    let root = tempfile::tempdir().unwrap();
    let (dir, file) = (root.path().join("pool"), root.path().join("removed"));
    credits(&dir);
    let core = Limits { payment: PaymentMode::Credit, ..config().core };
    let limits = PoolLimits { prune_rows: 4, ..PoolLimits::default() };
    let config = PoolConfig { core, limits, ..config() };
    let _pool = PoolServer::spawn_in(config, DataDir::open(&dir).unwrap()).await.unwrap();
    let admin = AdminClient::new(admin_socket(&dir));
    let PrunePlan { order, .. } = PrunePlan::write(&dir, wall().minus(500_000), &file).unwrap();
    let PruneOrder { before: before_ms, last_entry, last_position } = order;
    assert_eq!((last_entry, std::fs::read_to_string(&file).unwrap().lines().count()), (10, 10));
    let mut request = PruneRequest { before_ms, last_entry, last_position, position: None };
    let mut steps = Vec::new();
    loop {
        let step = admin.prune(&request).await.unwrap();
        assert_eq!(problems(&dir), Vec::<String>::new());
        let change = LedgerOrder::Credit { account: Account::new([2; 20]), amount: Amount::new(7) };
        let order = LedgerRequest { change, reason: "in between".to_owned(), key: None, allow_negative: false };
        admin.change_ledger(&order).await.unwrap();
        steps.push(step.entries);
        request.position = Some(step.position);
        if step.is_done {
            break;
        }
    }
    assert_eq!(steps, [4, 4, 2, 0]);
    assert_eq!(problems(&dir), Vec::<String>::new());
    let audit = admin.audit(&AuditRequest { most: 100, ..AuditRequest::default() }).await.unwrap();
    let orders = audit.records.iter().filter(|record| record.method == "vipnode_poolPrune");
    assert_eq!(orders.count(), 1, "one order has many steps");
}

/// A key lives as long as its entry, and not until the next start.
#[tokio::test]
async fn the_key_of_a_removed_entry_is_free_before_a_restart_and_after_it() {
    let root = tempfile::tempdir().unwrap();
    let (dir, file) = (root.path().join("pool"), root.path().join("removed"));
    credits(&dir);
    let start = async || {
        let core = Limits { payment: PaymentMode::Credit, ..config().core };
        PoolServer::spawn_in(PoolConfig { core, ..config() }, DataDir::open(&dir).unwrap()).await.unwrap()
    };
    let admin = AdminClient::new(admin_socket(&dir));
    let repeats = async |key: &str| {
        let change = LedgerOrder::Credit { account: Account::new([1; 20]), amount: Amount::new(5) };
        let (reason, key) = ("a test".to_owned(), Some(key.to_owned()));
        let order = LedgerRequest { change, reason, key, allow_negative: false };
        admin.change_ledger(&order).await.unwrap().repeated
    };
    let pool = start().await;
    assert!(repeats("key 1").await);
    let PruneOrder { before: before_ms, last_entry, last_position } =
        PrunePlan::write(&dir, wall().minus(500_000), &file).unwrap().order;
    let mut request = PruneRequest { before_ms, last_entry, last_position, position: None };
    loop {
        let step = admin.prune(&request).await.unwrap();
        request.position = Some(step.position);
        if step.is_done {
            break;
        }
    }
    assert!(!repeats("key 1").await, "it is posted again");
    assert!(repeats("key 1").await);
    pool.shutdown().await.unwrap();
    let _pool = start().await;
    assert!(!repeats("key 2").await, "and so is the other one");
    assert!(repeats("key 1").await);
}

#[tokio::test]
async fn a_running_pool_folds_billing_periods_step_by_step() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("pool");
    billing_periods(&dir);
    let core = Limits { payment: PaymentMode::Credit, ..config().core };
    let limits = PoolLimits { prune_rows: 2, ..PoolLimits::default() };
    let config = PoolConfig { core, limits, ..config() };
    let _pool = PoolServer::spawn_in(config, DataDir::open(&dir).unwrap()).await.unwrap();
    let admin = AdminClient::new(admin_socket(&dir));
    let (before_ms, mut after, mut steps) = (wall(), None, Vec::new());
    loop {
        let step = admin.fold(&FoldRequest { before_ms, after }).await.unwrap();
        assert_eq!(problems(&dir), Vec::<String>::new());
        steps.push(step.folded);
        after = Some(step.position);
        if step.is_done {
            break;
        }
    }
    assert_eq!(steps, [1, 2, 0]);
    let audit = admin.audit(&AuditRequest { most: 100, ..AuditRequest::default() }).await.unwrap();
    assert_eq!(audit.records.iter().filter(|record| record.method == "vipnode_poolFold").count(), 1);
}
