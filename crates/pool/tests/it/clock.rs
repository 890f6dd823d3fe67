//! A clock that had been ahead: what was billed for time that did not pass.

use std::path::Path;

use crate::common::{Keys, config, get, wall};
use vipnode_pool::{
    DataDir, PoolConfig, PoolLimits, PoolServer,
    admin::{AccountStatementRequest, AdminClient, AuditRequest, admin_socket},
};
use vipnode_pool_core::{
    AccountFigures, AccountRow, BalanceSheet, LeaseRow, LedgerEntry, Limits, MergedPeriods, MeteredPeriod, Row,
    Transaction, UnpaidRow,
};
use vipnode_store::{SqliteStore, Store as _};
use vipnode_types::{
    Account, Amount, LeaseId, Ms, PaymentMode, Price,
    meter::Seen,
    wire::{StatementKind, StatementRange},
};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// How far the clock was ahead.
const AHEAD_MS: u64 = 5 * DAY_MS;
const PAYER: Account = Account::new([1; 20]);
const PAYEE: Account = Account::new([2; 20]);

/// A finished period of `length_ms` at a unit a second, with the number of its lease.
fn period(number: u64, length_ms: u64, end: Ms) -> MeteredPeriod {
    let price = Price::per_minute(60);
    let lease = LeaseRow {
        id: LeaseId::new(number),
        row: 0,
        client: Keys::new(9).id(),
        host: Keys::new(8).id(),
        payee: Some(PAYEE),
        payer: Some(PAYER),
        fee_bps: 0,
        price,
        trial: false,
        carry: 0,
        offered: end.minus(length_ms),
        client_seen: None,
        host_seen: None,
    };
    let seen = Some(Seen { up: end.minus(length_ms), end });
    let (cost, _) = price.cost_from(length_ms, 0).unwrap();
    let earlier = MergedPeriods::default();
    MeteredPeriod { lease, client: seen, host: seen, billed_ms: length_ms, cost, ended: end, earlier, folded: 0 }
}

/// Writes the ledger of a pool whose clock was ahead. Entry 1 is about a period with a real downtime, entry 2 about one in which the
/// clock moved ahead, and `ordinary` further ones about periods of a minute.
fn fill(dir: &Path, ordinary: u64) {
    let (now, mut sheet, mut meter) = (wall(), BalanceSheet::default(), 0);
    let stored = now.plus(AHEAD_MS);
    let mut rows = vec![Row::Clock(stored), Row::NextLease(10_000), Row::Payment(PaymentMode::Credit)];
    let moved = period(2, AHEAD_MS + MINUTE_MS, stored.minus(60 * MINUTE_MS));
    let later = (3..3 + ordinary).map(|number| period(number, MINUTE_MS, stored.minus(MINUTE_MS)));
    let downtime = period(1, 7 * DAY_MS, now.minus(DAY_MS));
    for period in [downtime, moved].into_iter().chain(later) {
        let (number, cost, none) = (period.lease.id.get(), period.cost, Amount::ZERO);
        let (lease, from) = (period.lease.id, Amount::new(meter));
        let (payer, payee) = (PAYER, PAYEE);
        let transaction = Transaction::Lease { payer, payee, lease, row: 0, from, cost, collected: none, fee: none };
        sheet.apply(&transaction, |_| AccountFigures::default()).unwrap();
        meter += cost.get();
        rows.push(Row::Unpaid(UnpaidRow { entry: number, payer, payee, fee_bps: 0, cost, collected: none }));
        rows.push(Row::Entry(Box::new(LedgerEntry { number, at: period.ended, transaction })));
        rows.push(Row::Metered(Box::new(period)));
    }
    rows.extend(sheet.accounts().map(|(account, figures)| Row::Account(AccountRow { account, figures })));
    // A database without the key of its pool is not opened.
    drop(DataDir::open(dir).unwrap());
    SqliteStore::open(dir).unwrap().apply(&rows).unwrap();
}

/// Opens a data directory as soon as the threads of a pool that could not start have let go of it.
async fn opened(dir: &Path) -> DataDir {
    let opening = async {
        loop {
            match DataDir::open(dir) {
                Ok(opened) => return opened,
                Err(error) if format!("{error:?}").contains("InUse") => tokio::task::yield_now().await,
                Err(error) => panic!("{error:?}"),
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), opening).await.unwrap()
}

async fn start(dir: &Path, accept_clock: bool) -> Result<PoolServer, vipnode_pool::PoolError> {
    let core = Limits { payment: PaymentMode::Credit, ..config().core };
    let limits = PoolLimits { statement_entries: 10_000, ..PoolLimits::default() };
    PoolServer::spawn_in(PoolConfig { core, limits, accept_clock, ..config() }, opened(dir).await).await
}

/// The entries that are about overbilled ones, in the statement of an account.
async fn overbilled(admin: &AdminClient, account: Account) -> Vec<Option<u64>> {
    let range = StatementRange { most: 10_000, ..StatementRange::default() };
    let statement = admin.statement(&AccountStatementRequest { account, range }).await.unwrap();
    assert_eq!(statement.next, None);
    let lines = statement.lines.into_iter().filter(|line| line.kind == StatementKind::Overbilled);
    let lines = lines.inspect(|line| {
        let reason = line.reason.as_deref().unwrap();
        assert!(reason.contains("is for time that did not pass") && line.change.to_string() == "0", "{line:?}");
    });
    lines.map(|line| line.secures).collect()
}

#[tokio::test]
async fn what_was_billed_for_time_that_did_not_pass_is_posted_once_and_recorded() {
    let dir = tempfile::tempdir().unwrap();
    // More than the pool reads at once.
    fill(dir.path(), 1_100);
    assert!(start(dir.path(), false).await.is_err(), "the operator did not accept the clock");
    let admin = AdminClient::new(admin_socket(dir.path()));
    for starts in 1..=2 {
        let pool = start(dir.path(), true).await.unwrap();
        // Everything before is durable then.
        assert!(get(pool.local_addr(), "/health?full").await.starts_with("HTTP/1.1 200"));
        for account in [PAYER, PAYEE] {
            assert_eq!(overbilled(&admin, account).await, [Some(2)], "start {starts}");
        }
        let records = admin.audit(&AuditRequest { before: None, most: 10 }).await.unwrap().records;
        assert_eq!(records.len(), starts, "{records:?}");
        let newest = records.last().unwrap();
        assert_eq!((newest.method.as_str(), newest.process), ("--accept-clock", Some(std::process::id())));
        assert_eq!(newest.user.is_some(), cfg!(unix));
        let order = &newest.params[0];
        assert_eq!(order["running_leases"], 0, "{order}");
        let [stored, clock] = ["stored", "clock"].map(|name| order[name].as_str().unwrap().to_owned());
        assert!(stored > clock && clock.ends_with('Z'), "{order}");
        pool.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_cannot_be_recorded_is_not_accepted() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), 0);
    std::fs::create_dir(dir.path().join("audit.log")).unwrap();
    let refused = start(dir.path(), true).await.unwrap_err().to_string();
    assert!(refused.contains("the audit log cannot record that the clock was accepted"), "{refused}");
}
