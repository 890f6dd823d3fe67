//! A prune that was killed, by the real binary.

use std::path::Path;

use serde_json::{Value, json};
use vipnode_pool::PrunePlan;
use vipnode_pool_core::{AccountFigures, AccountRow, BalanceSheet, LedgerEntry, OperatorOrder, Row, Transaction};
use vipnode_store::{SqliteStore, Store as _};
use vipnode_types::{Account, Amount, Ms};

use crate::support::{Vipnode, ran, text};

/// Decades ago.
const LONG_AGO: Ms = Ms::new(1_000_000);
/// Between that and now.
const BEFORE: Ms = Ms::new(2_000_000);
const OLD: u64 = 10;

/// Ten credits of long ago, and one of a moment ago. Four of them are removed when the prune is killed.
fn killed(datadir: &Path, file: &Path) {
    let mut sheet = BalanceSheet::default();
    let now = Ms::new(u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap());
    let mut rows = Vec::new();
    for number in 1..=OLD + 1 {
        let order = OperatorOrder { by: None, reason: "a test".to_owned(), key: None };
        let transaction = Transaction::Credit { payer: Account::new([1; 20]), amount: Amount::new(5), order };
        sheet.apply(&transaction, |_| AccountFigures::default()).unwrap();
        let at = if number > OLD { now } else { LONG_AGO };
        rows.push(Row::Entry(Box::new(LedgerEntry { number, at, transaction })));
    }
    rows.extend(sheet.accounts().map(|(account, figures)| Row::Account(AccountRow { account, figures })));
    let mut store = SqliteStore::open(datadir).unwrap();
    store.apply(&rows).unwrap();
    let PrunePlan { order, .. } = PrunePlan::write(datadir, BEFORE, file).unwrap();
    store.prune(order, 0, 4).unwrap();
}

async fn prune(datadir: &str, to: &Path) -> Vec<Value> {
    let output = ran(&["pool", "prune", "--to", to.to_str().unwrap(), "--datadir", datadir, "--json"]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn the_next_prune_finishes_one_that_was_killed() {
    let dir = tempfile::tempdir().unwrap();
    let flags = |datadir: &str| ["--datadir", datadir, "--payment", "credit", "--asset", "USDC:6"].map(str::to_owned);
    for (number, runs) in [(1, false), (2, true)] {
        let [path, file, other] = ["pool", "file", "other"].map(|name| dir.path().join(format!("{name}-{number}")));
        let datadir = path.to_str().unwrap();
        let flags = flags(datadir);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let flags = [&flags[..], &["--price", "1 USDC/day"]].concat();
        let (pool, _) = Vipnode::pool(&flags).await;
        assert!(pool.interrupt().await.success());
        killed(&path, &file);
        let pool = if runs { Some(Vipnode::pool(&flags).await.0) } else { None };
        let written = std::fs::read(&file).unwrap();
        let lines = prune(datadir, if runs { &file } else { &other }).await;
        let finished = [&lines[0]["event"], &lines[0]["entries"], &lines[0]["file"]];
        assert_eq!(finished, [&json!("prune_finished"), &json!(6), &json!(file.to_str().unwrap())], "{lines:?}");
        // With its own file, it is done; with another one, a new prune follows.
        let next: Vec<_> = lines[1..].iter().map(|line| (&line["event"], &line["entries"])).collect();
        let expected = [(&json!("pruned"), &json!(0))];
        assert_eq!(next, if runs { &[][..] } else { &expected[..] });
        assert_eq!((std::fs::read(&file).unwrap(), other.exists()), (written, false));
        assert_eq!(prune(datadir, &other).await[0]["event"], "pruned", "it is forgotten");
        if let Some(pool) = pool {
            assert!(pool.interrupt().await.success());
        }
        assert!(ran(&["pool", "verify", "--datadir", datadir]).await.status.success());
    }
}
