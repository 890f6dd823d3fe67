//! The statements that a pool signs to a host for each day, by the real binary.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use crate::support::{SOON, Sim, Vipnode, ran, text};

/// `vipnode account daily-statements`, and whether it found no problem.
async fn checked(state: &str) -> (bool, Value) {
    let output = ran(&["account", "daily-statements", "--state-dir", state, "--json"]).await;
    let shown = text(&output.stdout);
    (
        output.status.success(),
        serde_json::from_str(&shown).unwrap_or_else(|_| panic!("{shown}{}", text(&output.stderr))),
    )
}

/// Has the host's own meter begin three days ago: of a day before it, a host keeps no empty statement.
fn has_metered_for_days(state: &Path) {
    let mut files = walkdir::WalkDir::new(state).into_iter().map(|file| file.unwrap().into_path());
    let is_meter = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().starts_with("meter-");
    let file = files.find(is_meter).unwrap();
    let mut meter: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    meter["since"] = (meter["since"].as_u64().unwrap() - 3 * 24 * 60 * 60 * 1_000).into();
    std::fs::write(&file, meter.to_string()).unwrap();
}

#[tokio::test]
async fn a_host_keeps_the_signed_statement_of_yesterday_and_a_changed_one_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let terms =
        ["--payment=credit", "--asset=USDC:6", "--price=1 USDC/day", "--limit=flush_ms=1s", "--datadir", &datadir];
    let (_pool, url) = Vipnode::pool(&terms).await;
    let sim = Sim::start().await;
    let state = sim.dir.path().to_str().unwrap().to_owned();
    assert_eq!(checked(&state).await.1["statements"], Value::from(Vec::<Value>::new()));
    let limits = ["--limit=daily_statement_days=1", "--limit=daily_statement_wait=0s"];
    let first = [&["host", &url], &limits[..]].concat();
    let mut host = sim.agent(&first);
    host.event("joined").await;
    assert!(host.interrupt().await.success());
    has_metered_for_days(sim.dir.path());
    let mut host = sim.agent(&first);
    host.event("joined").await;
    let asked = async {
        loop {
            let (is_good, shown) = checked(&state).await;
            assert!(is_good, "{shown}");
            match &shown["statements"][0] {
                Value::Null => tokio::time::sleep(Duration::from_millis(50)).await,
                statement => return statement.clone(),
            }
        }
    };
    let statement = tokio::time::timeout(SOON, asked).await.expect("the pool signs a statement");
    let pool = statement["pool"].as_str().unwrap();
    assert!(pool.starts_with(&url) && statement["problem"].is_null(), "{statement}");
    assert_eq!((&statement["kept_pages"], &statement["pages"]), (&1.into(), &1.into()), "{statement}");
    assert!(host.interrupt().await.success());

    let file = statement["file"].as_str().unwrap();
    let kept = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, kept.replace("\"cost\":\"0\"", "\"cost\":\"1\"")).unwrap();
    let (is_good, shown) = checked(&state).await;
    let problem = shown["statements"][0]["problem"].as_str().unwrap();
    assert!(!is_good && problem.contains("signature does not match"), "{shown}");
}
