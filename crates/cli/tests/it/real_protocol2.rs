//! Protocol 2 between real geths: host and client as agents of the original would be, at our pool.

use crate::support::{NodeSetup, Vipnode, enode, has, stats_until, trusts, until};
use vipnode_node::testing::{Geth, GethSpec};

const PROTOCOL_2: &[&str] = &["--protocol", "2", "--update-interval", "6s"];

#[tokio::test]
async fn real_geths_meet_over_protocol_2_and_are_as_before_in_the_end() {
    let (host, client) = tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()));
    let (at_host, at_client) = (host.node().await, client.node().await);
    let (host_enode, client_enode) = (enode(&host).await, enode(&client).await);
    let (_pool, url) = Vipnode::pool(&["--welcome", "hello"]).await;
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let mut host_agent = host_setup.agent("host", &url, &[PROTOCOL_2, &["--max-head-age", "off"]].concat());
    host_agent.events(&["signs_each_call", "joined"]).await;
    let mut client_agent = client_setup.agent("client", &url, &[PROTOCOL_2, &["--min-peers", "1"]].concat());
    assert!(client_agent.event("joined").await["text"].as_str().unwrap().contains("hello"));
    assert_eq!(client_agent.event("host_connected").await["peer"], host_enode.id.to_string());
    host_agent.event("client_connected").await;
    let peers = until(&*at_host, "the client shows", |peers| has(peers, client_enode.id)).await;
    assert_eq!(peers.iter().find(|peer| peer.id == client_enode.id).unwrap().trusted, Some(true));

    stats_until(&url, "both sides see the lease", |stats| stats.num_running_leases == 1).await;

    // The client stops: at its next update the host hears that it is to let go.
    assert!(client_agent.interrupt().await.success());
    host_agent.event("client_evicted").await;
    until(&*at_host, "the client goes", |peers| !has(peers, client_enode.id)).await;
    assert!(!has(&at_client.peers().await.unwrap(), host_enode.id));
    assert!(!trusts(&*at_host, &client_enode).await);

    // A host that is killed leaves trust behind, and a release takes it back without a pool.
    until(&*at_host, "the probing connection goes", |peers| !has(peers, client_enode.id)).await;
    let mut client_agent = client_setup.agent("client", &url, &[PROTOCOL_2, &["--min-peers", "1"]].concat());
    client_agent.event("host_connected").await;
    host_agent.kill().await;
    assert!(client_agent.interrupt().await.success());
    assert_eq!(host_setup.release().event("released").await["leases"], 1);
    assert!(!trusts(&*at_host, &client_enode).await);
}
