//! `vipnode doctor` with a real geth: healthy, too small, without admin calls, stopped.

use crate::support::Vipnode;
use serde_json::Value;
use tokio::process::Command;
use vipnode_node::testing::{Geth, GethSpec, make_blocks};

async fn doctor(args: &[&str]) -> (Option<i32>, Vec<Value>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vipnode"));
    let output = command.arg("doctor").args(args).arg("--json").output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn finding<'a>(lines: &'a [Value], check: &str) -> &'a Value {
    lines.iter().find(|line| line["check"] == check).unwrap_or_else(|| panic!("no {check} in {lines:?}"))
}

#[tokio::test]
async fn a_real_node_is_examined() {
    let flags = ["--http", "--http.port", "8547", "--http.api", "eth,net,web3"].map(str::to_owned).to_vec();
    let mut geth = Geth::start(GethSpec { max_peers: 30, flags, ..GethSpec::default() }).await;
    make_blocks(&[&geth], 2).await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let state = tempfile::tempdir().unwrap();
    let (ipc, key) = (geth.ipc(), geth.node_key());
    let own = [&*url, "--nodekey", key.to_str().unwrap(), "--state-dir", state.path().to_str().unwrap()];
    let ipc = [&own[..], &["--rpc", ipc.to_str().unwrap()]].concat();

    let (code, lines) = doctor(&[&ipc[..], &["--node-max-peers", "30"]].concat()).await;
    assert_eq!(code, Some(0), "{lines:?}");
    let checks = lines.iter().filter(|line| line["event"] == "check");
    // It would be the pool's first host.
    let well = |line: &Value| line["verdict"] == "ok" || line["check"] == "partners";
    assert!(checks.clone().count() >= 12 && checks.clone().all(well), "{lines:?}");

    let (code, lines) = doctor(&[&ipc[..], &["--node-max-peers", "20"]].concat()).await;
    let places = finding(&lines, "slots");
    assert!(places["hint"].as_str().unwrap().starts_with("Start geth with --maxpeers 26 and pass"), "{places}");
    assert_eq!((code, &places["verdict"]), (Some(1), &"error".into()));

    let (code, lines) = doctor(&[&own[..], &["--rpc", "http://127.0.0.1:8547"]].concat()).await;
    let admin = finding(&lines, "admin");
    assert!(admin["hint"].as_str().unwrap().contains("--http.api admin,eth,net,web3"), "{admin}");
    assert_eq!((code, &admin["verdict"]), (Some(1), &"error".into()));

    geth.stop().await;
    let (code, lines) = doctor(&ipc).await;
    assert_eq!((code, &finding(&lines, "node")["verdict"]), (Some(1), &"error".into()));
    assert_eq!(finding(&lines, "pool")["verdict"], "ok");
    assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0, "nothing was made");
}
