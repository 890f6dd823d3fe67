//! `vipnode wallet`: a new account, whose keystore `vipnode account` can read.

use crate::support::{Vipnode, error_of, ran, text};
use serde_json::Value;

#[tokio::test]
async fn a_new_account_signs_with_its_keystore_and_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (out, password, datadir) = (path("wallet.json"), path("password"), path("pool"));
    std::fs::write(&password, "a password\n").unwrap();
    let new = ["wallet", "new", "--out", &*out, "--password-file", &*password, "--json"];
    let made = ran(&new).await;
    assert!(made.status.success(), "{}", text(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let again = ran(&new).await;
    assert!(!again.status.success() && text(&again.stderr).contains("already exists"), "{}", text(&again.stderr));

    let terms = ["--payment", "credit", "--asset", "USDC:6", "--price", "1 USDC/day"];
    let (pool, url) = Vipnode::pool(&[&["--datadir", &*datadir], &terms[..]].concat()).await;
    let show = ["account", "show", &*url, "--keystore", &*out, "--password-file", &*password, "--json"];
    let shown = ran(&show).await;
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!((&shown["account"], &shown["credited"]), (&made["account"], &"0".into()));
    assert!(pool.interrupt().await.success());
}

#[tokio::test]
async fn without_an_agent_account_show_names_what_helps() {
    let dir = tempfile::tempdir().unwrap();
    let error = error_of(&["account", "show", "--state-dir", dir.path().to_str().unwrap()]).await;
    let (said, hint) = (error["text"].as_str().unwrap(), error["hint"].as_str().unwrap());
    assert!(
        said.contains("no agent") && hint.contains("`vipnode status") && hint.contains("--keystore FILE"),
        "{error}"
    );
}
