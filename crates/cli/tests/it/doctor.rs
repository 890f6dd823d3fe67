//! `vipnode doctor` with a simulated node, and against pools of all kinds.

use crate::support::{Sim, Vipnode};
use serde_json::Value;
use tokio::process::Command;

/// Exit code and what each check came to.
async fn doctor(args: &[&str]) -> (Option<i32>, Vec<Value>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipnode"));
    let output = command.arg("doctor").args(args).arg("--json").output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code(), lines)
}

fn verdict<'a>(lines: &'a [Value], check: &str) -> &'a str {
    let line = lines.iter().find(|line| line["check"] == check);
    line.unwrap_or_else(|| panic!("no {check} in {lines:?}"))["verdict"].as_str().unwrap()
}

fn with<'a>(own: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    own.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn it_reports_what_is_wrong_and_changes_nothing() {
    let sim = Sim::start().await;
    let own = sim.args();
    let files = || std::fs::read_dir(sim.dir.path()).unwrap().count();
    let before = files();
    let (pool, url) = Vipnode::pool(&[]).await;
    let (code, lines) = doctor(&with(&own, &[&url, "--max-head-age", "off", "--role", "client"])).await;
    assert_eq!(code, Some(0), "{lines:?}");
    for check in ["node", "admin", "key", "chain", "pool", "admission", "clock"] {
        assert_eq!(verdict(&lines, check), "ok", "{check}");
    }
    // Nobody listens at the port of a simulated node.
    assert_eq!(verdict(&lines, "port"), "warning");
    let (code, lines) = doctor(&with(&own, &[&url, "--max-head-age", "off", "--role", "host"])).await;
    assert_eq!((code, verdict(&lines, "port")), (Some(1), "error"));
    crate::support::stats_until(&url, "nobody joined", |stats| stats.num_total_hosts + stats.num_total_clients == 0)
        .await;
    assert_eq!(files(), before, "the state directory is as it was");

    pool.kill().await;
    let (code, lines) = doctor(&with(&own, &[&url, "--role", "client"])).await;
    assert_eq!((code, verdict(&lines, "pool"), verdict(&lines, "node")), (Some(1), "error", "ok"));
}

#[tokio::test]
async fn a_closed_pool_wants_its_secret() {
    let sim = Sim::start().await;
    let own = sim.args();
    let (_pool, url) = Vipnode::pool(&["--join-secret", "sesame"]).await;
    for (secret, willing, exit) in [(None, "error", 1), (Some("wrong"), "error", 1), (Some("sesame"), "ok", 0)] {
        let mut args = with(&own, &[&url, "--role", "client"]);
        args.extend(secret.map(|secret| ["--join-secret", secret]).into_iter().flatten());
        let (code, lines) = doctor(&args).await;
        assert_eq!((code, verdict(&lines, "admission")), (Some(exit), willing), "{secret:?} {lines:?}");
    }
}

#[tokio::test]
async fn in_a_pipe_lines_are_plain() {
    let sim = Sim::start().await;
    let own = sim.args();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipnode"));
    let args = with(&own, &["ws://127.0.0.1:1", "--role", "client"]);
    let output = command.arg("doctor").args(args).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\n✗ ") && text.contains("\n  -> ") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(output.status.code(), Some(1));
}
