//! Why two real geths do not connect, as reported to each side.

use crate::support::{NodeSetup, Vipnode};
use vipnode_node::testing::{Geth, GethSpec, old_full_node};

fn words(event: &serde_json::Value) -> String {
    event["text"].as_str().unwrap().to_owned()
}

/// geth 1.12 speaks eth/66 to 68, and 1.17 eth/69 on: the nodes know that at once, and so do their users. The pool
/// learns it too, and brings no such pair again.
#[tokio::test]
async fn releases_that_share_no_version_of_eth_are_named_and_not_tried_again() {
    let (host, client) = tokio::join!(old_full_node(), Geth::start(GethSpec::default()));
    let chains = [host.node().await.facts().await.unwrap().chain, client.node().await.facts().await.unwrap().chain];
    assert_eq!(chains[0], chains[1], "the pool has them fit");
    let (_pool, url) = Vipnode::pool(&[]).await;
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let mut host_agent = host_setup.agent("host", &url, &["--max-head-age", "off"]);
    host_agent.events(&["offering", "joined"]).await;
    let mut agent = client_setup.agent("client", &url, &["--min-peers", "1"]);
    let why = words(&agent.event("host_not_connected").await);
    assert!(why.contains("Geth/v1.12.0") && why.contains("have no eth version in common"), "{why}");
    let why = words(&host_agent.event("client_not_connected").await);
    assert!(why.contains("Geth/v1.17") && why.contains("have no eth version in common"), "{why}");
    let why = words(&agent.event("hosts_missing").await);
    // The client itself keeps away from it for a while too, and then the pool.
    let by_version = [
        "runs a version that your agent rejects",
        "rejects your node's version",
        "failed to connect",
        "is avoided by your agent",
    ];
    assert!(by_version.iter().any(|words| why.contains(words)), "{why}");
}
