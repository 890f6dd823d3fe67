//! A pool whose clock had been ahead, by the real binary.

use crate::{
    pool_admin::admin,
    support::{Vipnode, error_of, ran, text},
};
use std::{
    num::NonZeroU32,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use vipnode_pool_core::{
    AccountFigures, AccountRow, BalanceSheet, LeaseRow, LedgerEntry, MergedPeriods, MeteredPeriod, Row, Transaction,
    UnpaidRow,
};
use vipnode_store::{SqliteStore, Store as _};
use vipnode_types::{Account, Amount, LeaseId, Ms, NodeId, Price, meter::Seen};

const PAYER: Account = Account::new([1; 20]);
const PAYEE: Account = Account::new([2; 20]);
const HOUR_MS: u64 = 60 * 60_000;
/// How far the clock was ahead.
const AHEAD_MS: u64 = 120 * HOUR_MS;

/// Writes what a pool writes while its clock is ahead: the period of a lease in which the clock moved.
fn moved_ahead(datadir: &Path, price: Price) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let stored = Ms::new(u64::try_from(now).unwrap()).plus(AHEAD_MS);
    let (end, billed_ms) = (stored.minus(HOUR_MS), AHEAD_MS + HOUR_MS);
    let (payer, payee, none) = (PAYER, PAYEE, Amount::ZERO);
    let (lease, seen) = (LeaseId::new(1), Some(Seen { up: end.minus(billed_ms), end }));
    let (cost, _) = price.cost_from(billed_ms, 0).unwrap();
    let row = LeaseRow {
        id: lease,
        row: 0,
        client: NodeId::new([3; 64]),
        host: NodeId::new([4; 64]),
        payee: Some(payee),
        payer: Some(payer),
        price,
        fee_bps: 0,
        trial: false,
        carry: 0,
        offered: end.minus(billed_ms),
        client_seen: seen.map(|seen| (seen.up, None)),
        host_seen: seen.map(|seen| (seen.up, None)),
    };
    let earlier = MergedPeriods::default();
    let period =
        MeteredPeriod { lease: row, client: seen, host: seen, billed_ms, cost, ended: end, earlier, folded: 0 };
    let transaction = Transaction::Lease { payer, payee, lease, row: 0, from: none, cost, collected: none, fee: none };
    let mut sheet = BalanceSheet::default();
    sheet.apply(&transaction, |_| AccountFigures::default()).unwrap();
    let mut rows = vec![
        Row::Clock(stored),
        Row::Unpaid(UnpaidRow { entry: 1, payer, payee, fee_bps: 0, cost, collected: none }),
        Row::Entry(Box::new(LedgerEntry { number: 1, at: end, transaction })),
        Row::Metered(Box::new(period)),
    ];
    rows.extend(sheet.accounts().map(|(account, figures)| Row::Account(AccountRow { account, figures })));
    SqliteStore::open(datadir).unwrap().apply(&rows).unwrap();
}

#[tokio::test]
async fn an_accepted_clock_is_recorded_and_what_is_overbilled_is_in_both_statements() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pool");
    let datadir = path.to_str().unwrap().to_owned();
    let flags = ["--datadir", &*datadir, "--payment", "credit", "--asset", "USDC:6", "--price", "24 USDC/day"];
    let (pool, _) = Vipnode::pool(&flags).await;
    assert!(pool.interrupt().await.success());
    let hour = NonZeroU32::new(u32::try_from(HOUR_MS).unwrap()).unwrap();
    moved_ahead(&path, Price::new("USDC:6".parse().unwrap(), Amount::new(1_000_000), hour).unwrap());

    let refused = error_of(&[&["pool", "--bind", "127.0.0.1:0"], &flags[..]].concat()).await;
    assert!(refused["hint"].as_str().unwrap().contains("--accept-clock"), "{refused}");
    let (pool, _) = Vipnode::pool(&[&flags[..], &["--accept-clock"]].concat()).await;
    let audit = admin(&datadir, &["audit"]).await;
    assert_eq!(audit["records"][0]["method"], "--accept-clock", "{audit}");
    for account in [PAYER, PAYEE] {
        let statement = admin(&datadir, &["statement", &account.to_string()]).await;
        let lines = statement["lines"].as_array().unwrap();
        let kinds: Vec<_> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["lease", "overbilled"], "{statement}");
        let (cost, overbilled) = (&lines[0]["lease"]["cost"], &lines[1]);
        assert_eq!(
            (cost.as_str(), &overbilled["secures"], &overbilled["change"]),
            (Some("121000000"), &1.into(), &"0".into())
        );
        let reason = overbilled["reason"].as_str().unwrap();
        // The five days, less the time since they were written.
        assert!(reason.starts_with("about 119.9") && reason.contains("USDC is for time that did not pass"), "{reason}");
    }
    assert!(pool.interrupt().await.success());
    let verified = ran(&["pool", "verify", "--datadir", &datadir]).await;
    assert!(verified.status.success(), "{}", text(&verified.stdout));
}
