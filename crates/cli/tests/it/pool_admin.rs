//! The operator of a running pool: bans and drains, by the real binary.

use crate::support::{Sim, Vipnode, error_of, ran, text};
use serde_json::Value;
use vipnode_node::sim::sim_key;
use vipnode_types::NodeKey;

/// Runs `vipnode pool admin` and returns its answer.
async fn admin(datadir: &str, args: &[&str]) -> Value {
    let output = ran(&[&["pool", "admin"], args, &["--datadir", datadir, "--json"]].concat()).await;
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_banned_agent_is_out_until_the_ban_is_removed_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let (pool, url) = Vipnode::pool(&["--datadir", &datadir]).await;
    let sim = Sim::start().await;
    let mut agent = sim.agent(&["client", &url]);
    agent.event("joined").await;
    let node = NodeKey::read(sim_key("node").as_slice()).unwrap().id().to_string();
    let nodes = admin(&datadir, &["nodes"]).await;
    assert_eq!((&nodes["nodes"][0]["node"], &nodes["nodes"][0]["client"]), (&Value::from(&*node), &Value::Bool(true)));
    let top = admin(&datadir, &["top", "--by", "in"]).await;
    assert_eq!(top["blocks"][0]["block"], "127.0.0.0/24", "{top}");

    let banned = admin(&datadir, &["ban", &node[..12], "--reason", "flood"]).await;
    assert_eq!((&banned["ended_nodes"], &banned["kept"]), (&Value::from(1), &Value::Bool(true)), "{banned}");
    let refused = agent.event("pool_refused").await;
    let why = refused["text"].as_str().unwrap();
    assert!(why.contains("banned this node") && why.contains("flood"), "{refused}");
    agent.kill().await;
    assert!(pool.interrupt().await.success());

    let (pool, url) = Vipnode::pool(&["--datadir", &datadir]).await;
    assert_eq!(admin(&datadir, &["bans"]).await["bans"][0]["target"], *node);
    let [rpc, key, state] = sim.args();
    let error = error_of(&["client", &url, &rpc, &key, &state]).await;
    assert!(error["text"].as_str().unwrap().contains("banned this node: flood"), "{error}");
    assert_eq!(admin(&datadir, &["unban", &node[..8]]).await["bans"], Value::Array(Vec::new()));
    let mut agent = sim.agent(&["client", &url]);
    agent.event("joined").await;

    let drained = admin(&datadir, &["drain", &node[..12]]).await;
    assert_eq!(drained["nodes"][0], *node);
    assert_eq!(admin(&datadir, &["nodes"]).await["nodes"][0]["drained"], true);
    assert_eq!(admin(&datadir, &["drain", &node, "--stop"]).await["nodes"], Value::Array(Vec::new()));
    assert!(agent.interrupt().await.success() && pool.interrupt().await.success());
}

#[tokio::test]
async fn without_a_pool_the_commands_name_the_flag_that_helps() {
    let dir = tempfile::tempdir().unwrap();
    let output = ran(&["pool", "admin", "top", "--datadir", dir.path().to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.contains("no pool responds") && error.contains("--datadir"), "{error}");
}

#[tokio::test]
async fn a_rotated_key_is_a_new_id_and_a_running_pool_keeps_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let datadir = dir.path().join("pool").to_str().unwrap().to_owned();
    let id = async |mut pool: Vipnode| {
        let id = pool.event("pool_id").await["id"].as_str().unwrap().to_owned();
        (pool, id)
    };
    let (pool, first) = id(Vipnode::start(&["pool", "--bind", "127.0.0.1:0", "--datadir", &datadir])).await;
    let rotate = ["pool", "key", "rotate", "--datadir", &datadir, "--json"];
    let refused = ran(&rotate).await;
    assert!(!refused.status.success() && text(&refused.stderr).contains("Stop the other pool"), "{refused:?}");
    assert!(pool.interrupt().await.success());
    let rotated = ran(&rotate).await;
    let rotated: Value = serde_json::from_slice(&rotated.stdout).unwrap();
    assert_eq!(rotated["old"], *first);
    let (pool, second) = id(Vipnode::start(&["pool", "--bind", "127.0.0.1:0", "--datadir", &datadir])).await;
    assert!(rotated["id"] == *second && first != second);
    assert!(pool.interrupt().await.success());
}
