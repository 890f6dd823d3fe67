//! `vipnode demo --pay` on a real EVM.

use std::{path::Path, time::Instant};

use serde_json::Value;

use crate::{
    real_deposits::amount,
    support::{Vipnode, gone},
};

fn start(dir: &Path) -> Vipnode {
    let anvil = std::env::var("VIPNODE_TEST_ANVIL")
        .expect("./test installs anvil and sets VIPNODE_TEST_ANVIL; set it to run this test alone");
    Vipnode::start_with(&["demo", "--pay", "--anvil", &anvil], &[("TMPDIR", dir.to_str().unwrap())])
}

/// No process is left that names the directory, as anvil and all agents do, and no file.
async fn nothing_is_left(dir: &Path) {
    gone(dir).await;
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0);
}

#[tokio::test]
async fn clients_pay_hosts_are_paid_and_the_table_adds_up() {
    let (dir, began) = (tempfile::tempdir().unwrap(), Instant::now());
    let mut demo = start(dir.path());
    let meters = demo.event("meters").await;
    assert!(meters["rows"].as_array().unwrap().iter().all(|row| row["runs"] == true), "{meters}");
    let balances = demo.event("balances").await;
    let rows = balances["rows"].as_array().unwrap();
    let of = |prefix: &str, field: &str| -> Vec<u128> {
        let rows = rows.iter().filter(|row| row["who"].as_str().unwrap().starts_with(prefix));
        rows.map(|row| amount(&row[field])).collect()
    };
    let sum = |prefix: &str, field: &str| of(prefix, field).iter().sum::<u128>();
    assert_eq!([of("client", "after").len(), of("host", "after").len(), of("treasury", "after").len()], [3, 2, 1]);
    assert_eq!(of("client", "before"), [20_000_000; 3]);
    assert_eq!((sum("host", "before"), sum("treasury", "before")), (0, 0));
    assert_eq!(sum("", "after"), 60_000_000, "{balances}");
    assert_eq!(of("client", "wallet"), [5_000_000; 3], "each deposited 15 USDC: {balances}");
    // At least four of the five seconds that each was served, at 0.01 USDC a second.
    let spent: Vec<u128> = of("client", "after").iter().map(|after| 20_000_000 - after).collect();
    assert!(spent.iter().all(|spent| (40_000..1_000_000).contains(spent)), "{spent:?}");
    let (spent, fee) = (spent.iter().sum::<u128>(), sum("treasury", "after"));
    assert_eq!(spent, sum("host", "after") + fee);
    // The fee of each billing period is rounded down; a lease has two at most, since its last part may be one of its own.
    assert!((spent - 40 * 6..=spent).contains(&(fee * 40)), "2.5%: {fee} of {spent}");
    let last: Value = demo.event("demo").await;
    assert!(last["text"].as_str().unwrap().contains("all amounts match to the smallest unit"), "{last}");
    assert_eq!(demo.ended().await.code(), Some(0));
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    nothing_is_left(dir.path()).await;
}

#[tokio::test]
async fn ctrl_c_stops_the_chain_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut demo = start(dir.path());
    demo.event("meters").await;
    demo.signal("-INT").await;
    assert_eq!(demo.ended().await.code(), Some(0));
    nothing_is_left(dir.path()).await;
}
