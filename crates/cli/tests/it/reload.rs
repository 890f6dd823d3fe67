//! SIGHUP: a running pool and a running agent read their settings again.

use std::path::Path;

use crate::support::{Sim, Vipnode};
use serde_json::{Value, json};
use vipnode_node::sim::sim_key;
use vipnode_types::NodeKey;

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

fn names(said: &Value, field: &str) -> Vec<String> {
    said[field].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_pool_takes_what_it_can_and_says_what_it_cannot() {
    let dir = tempfile::tempdir().unwrap();
    let (file, members) = (dir.path().join("pool.toml"), dir.path().join("members"));
    let config = file.to_str().unwrap();
    write(&file, "[pool]\nwelcome = \"first\"\n");
    let (mut pool, url) = Vipnode::pool(&["--config", config]).await;
    let sim = Sim::start().await;
    let mut agent = sim.agent(&["client", &url]);
    let joined = agent.event("joined").await;
    assert!(joined["text"].as_str().unwrap().contains("first"), "{joined}");

    // Closed to all but another node: the connected agent is disconnected, with the reason.
    write(&members, &format!("{}\n", "0a".repeat(64)));
    let closed = format!(
        "[pool]\nwelcome = \"second\"\nprice = \"3 gwei\"\nmembers = \"{}\"\npublic-url = [\"wss://new.example\"]\n\
         limit = [\"connections=7\", \"leases_a_client=9\", \"chains=5\"]\n",
        members.display()
    );
    write(&file, &closed);
    pool.signal("-HUP").await;
    let said = pool.event("reloaded").await;
    assert_eq!(names(&said, "changed"), ["members", "welcome", "price", "limit"]);
    let said = pool.event("restart_needed").await;
    assert_eq!(names(&said, "settings"), ["public-url", "limit chains", "limit connections"]);
    let said = pool.event("members_changed").await;
    assert_eq!((&said["added"], &said["removed"], &said["disconnected"]), (&1.into(), &0.into(), &1.into()), "{said}");
    let price = pool.event("price_changed").await;
    assert!(price["text"].as_str().unwrap().contains("from nothing to 3 gwei/minute"), "{price}");
    agent.event("pool_refused").await;
    agent.kill().await;

    // Its node becomes a member: only the file of members changed, and it counts.
    let id = NodeKey::read(sim_key("node").as_slice()).unwrap().id();
    write(&members, &format!("{id}\n"));
    pool.signal("-HUP").await;
    let reloaded = "Reloaded the settings and the files that they name";
    assert_eq!(pool.event("reloaded").await["text"], reloaded);
    let said = pool.event("members_changed").await;
    assert_eq!((&said["added"], &said["removed"]), (&1.into(), &1.into()), "{said}");
    pool.signal("-HUP").await;
    let same = format!("{reloaded}. No setting that can be reloaded has changed");
    assert_eq!(pool.event("reloaded").await["text"], same);
    let mut agent = sim.agent(&["client", &url]);
    let joined = agent.event("joined").await;
    assert!(joined["text"].as_str().unwrap().contains("second"), "{joined}");
    assert_eq!(
        joined["price"],
        json!({"asset": {"symbol": "ETH", "decimals": 18}, "amount": "50000", "period_ms": 1}),
        "3 gwei/minute"
    );

    // Neither does another asset, as a whole: 0.5 USDC would mean something else in this one.
    write(&file, "[pool]\nwelcome = \"third\"\nprice = \"0.5 USDC/month\"\nasset = \"USDC:6\"\n");
    pool.signal("-HUP").await;
    let said = pool.event("settings_kept").await;
    assert!(said["reason"].as_str().unwrap().contains("charges in ETH:18"), "{said}");

    // What is wrong changes nothing.
    write(&file, "[pool]\nwelcom = \"third\"\n");
    pool.signal("-HUP").await;
    let said = pool.event("settings_kept").await;
    assert!(said["reason"].as_str().unwrap().contains("\"welcome\""), "{said}");
    assert!(agent.interrupt().await.success() && pool.interrupt().await.success());
}

#[tokio::test]
async fn an_agent_takes_what_it_can_and_says_what_it_cannot() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("host.toml");
    let config = file.to_str().unwrap();
    write(&file, "[host]\nslots = 3\n");
    let (pool, url) = Vipnode::pool(&[]).await;
    let sim = Sim::start().await;
    let mut host = sim.agent(&["host", &url, "--config", config]);
    assert_eq!(host.event("offering").await["slots"], 3);

    write(&file, "[host]\nslots = 5\nprotocol = 3\nnodekey = \"/elsewhere\"\ndry-run = true\n");
    host.signal("-HUP").await;
    assert_eq!(names(&host.event("reloaded").await, "changed"), ["slots"]);
    // The node's key was named on the line.
    assert_eq!(names(&host.event("restart_needed").await, "settings"), ["dry-run"]);
    assert_eq!(host.event("offering").await["slots"], 5);
    host.event("joined").await;

    write(&file, "[host]\nslots = 40\n");
    host.signal("-HUP").await;
    let said = host.event("settings_kept").await;
    assert!(said["text"].as_str().unwrap().contains("--slots 40"), "{said}");
    assert!(host.interrupt().await.success() && pool.interrupt().await.success());
}

/// An agent that waits for its node is ready for its service manager, which may have it reload its settings.
#[tokio::test]
async fn a_hangup_while_an_agent_waits_for_its_node_is_kept_until_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("host.toml");
    write(&file, "[host]\nslots = 3\n");
    let (pool, url) = Vipnode::pool(&[]).await;
    let sim = Sim::start().await;
    let node = NodeKey::read(sim_key("node").as_slice()).unwrap().id();
    sim.net.with(|world| world.stop(node));
    let mut host = sim.agent(&["host", &url, "--config", file.to_str().unwrap()]);
    host.event("waiting_for_node").await;
    write(&file, "[host]\nslots = 5\n");
    host.signal("-HUP").await;
    sim.net.with(|world| world.start(node));
    host.events(&["reloaded", "joined"]).await;
    assert!(host.interrupt().await.success() && pool.interrupt().await.success());
}
