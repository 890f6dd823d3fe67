//! Which hosts and clients the pool matches, based on what real geths serve and run.

use crate::support::{NodeSetup, STILL, Vipnode, enode, until};
use vipnode_node::testing::{Geth, GethSpec};

fn words(event: &serde_json::Value) -> String {
    event["text"].as_str().unwrap().to_owned()
}

/// geth names what it runs without versions, and gives the versions to its peers only.
#[tokio::test]
async fn snap_is_served_where_it_is_needed_and_les_by_no_geth_of_today() {
    let (host, client) = tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()));
    let (at_host, at_client) = (host.node().await, client.node().await);
    let own: Vec<String> = at_host.facts().await.unwrap().protocols.iter().map(ToString::to_string).collect();
    assert!(own.contains(&"eth".to_owned()) && own.contains(&"snap".to_owned()), "{own:?}");
    let (_pool, url) = Vipnode::pool(&[]).await;
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let mut host_agent = host_setup.agent("host", &url, STILL);
    host_agent.events(&["offering", "joined"]).await;
    let mut agent = client_setup.agent("client", &url, &["--min-peers", "1", "--need", "snap/1,les"]);
    assert!(words(&agent.event("hosts_missing").await).contains("does not serve les (--need)"));
    assert!(agent.interrupt().await.success());
    let mut agent = client_setup.agent("client", &url, &["--min-peers", "1", "--need", "snap/1"]);
    let id = enode(&host).await.id;
    assert_eq!(agent.event("host_connected").await["peer"], id.to_string());
    let peers = until(&*at_client, "the host reports its capabilities", |peers| {
        peers.iter().any(|peer| peer.id == id && !peer.caps.is_empty())
    });
    let caps: Vec<String> = peers.await[0].caps.iter().map(ToString::to_string).collect();
    assert!(caps.contains(&"snap/1".to_owned()), "{caps:?}");
    assert!(agent.interrupt().await.success());
}

#[tokio::test]
async fn a_version_too_low_is_refused_on_either_side() {
    let (host, client) = tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()));
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let (_pool, url) = Vipnode::pool(&[]).await;
    let ask = |rules: &[&str]| client_setup.agent("client", &url, &[&["--min-peers", "1"], rules].concat());
    let mut host_agent = host_setup.agent("host", &url, STILL);
    host_agent.events(&["offering", "joined"]).await;
    let mut agent = ask(&["--min-client-version", "reth/9.0,geth/999.0.0"]);
    let why = words(&agent.event("hosts_missing").await);
    assert!(why.contains("runs a version older than geth/999.0.0 (--min-client-version)"), "{why}");
    assert!(agent.interrupt().await.success());
    assert!(host_agent.interrupt().await.success());

    for (flag, value, reported) in
        [("--min-client-version", "geth/999.0.0", false), ("--reject-client", "(?i)^geth/", true)]
    {
        let mut host_agent = host_setup.agent("host", &url, &[STILL, &[flag, value]].concat());
        host_agent.events(&["offering", "joined"]).await;
        let mut agent = ask(&[]);
        let why = words(&agent.event("hosts_missing").await);
        assert!(why.contains("rejects your node's version"), "{flag}: {why}");
        if reported {
            // Only its agent knows the pattern: the client was offered to it once.
            assert!(words(&host_agent.event("unsuitable").await).contains(flag));
        }
        assert!(agent.interrupt().await.success());
        assert!(host_agent.interrupt().await.success());
    }
}
