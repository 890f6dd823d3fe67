//! The metrics of an agent with a real geth follow what they measure.

use crate::support::{
    NodeSetup, Vipnode, enode, has,
    scrape::{number, numbers_until, shown_at},
    until,
};
use vipnode_node::testing::{Geth, GethSpec, make_blocks};
use vipnode_types::PeerCommand;

#[tokio::test]
async fn numbers_follow_leases_own_peers_trust_node_and_pool() {
    let spec = GethSpec::default;
    let (mut host, client, friend) = tokio::join!(Geth::start(spec()), Geth::start(spec()), Geth::start(spec()));
    make_blocks(&[&host], 5).await;
    let (at_host, at_client) = (host.node().await, client.node().await);
    let (host_enode, client_enode) = (enode(&host).await, enode(&client).await);
    let (pool, url) = Vipnode::pool(&[]).await;
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let mut host_agent = host_setup.agent("host", &url, &["--slots", "3", "--metrics-bind", "0"]);
    let shown = shown_at(&mut host_agent).await;
    host_agent.events(&["offering", "joined"]).await;
    let nobody = [("vipnode_agent_sold_slots", 0), ("vipnode_agent_free_slots", 3), ("vipnode_agent_own_peers", 0)];
    numbers_until(&shown, &nobody).await;
    numbers_until(&shown, &[("vipnode_agent_pool_connected", 1), ("vipnode_agent_head_block_number", 5)]).await;
    assert!(number(&shown, "vipnode_agent_head_timestamp_seconds").await > 1_700_000_000);

    // A lease and a peer of the node's own: each is counted where it belongs.
    let mut client_agent = client_setup.agent("client", &url, &["--min-peers", "1", "--metrics-bind", "127.0.0.1:0"]);
    let client_shown = shown_at(&mut client_agent).await;
    client_agent.event("host_connected").await;
    host_agent.event("client_connected").await;
    friend.node().await.call(PeerCommand::Dial(host_enode.clone())).await.unwrap();
    let held = [("vipnode_agent_sold_slots", 1), ("vipnode_agent_free_slots", 2), ("vipnode_agent_own_peers", 1)];
    numbers_until(&shown, &held).await;
    let trust = "vipnode_agent_trusted_peers_without_lease";
    numbers_until(&shown, &[("vipnode_agent_connected_clients", 1), ("vipnode_agent_admits_total", 1), (trust, 0)])
        .await;
    numbers_until(&client_shown, &[("vipnode_agent_connected_hosts", 1), ("vipnode_agent_wanted_hosts", 1)]).await;

    assert!(client_agent.interrupt().await.success());
    host_agent.event("client_evicted").await;
    numbers_until(&shown, &[("vipnode_agent_evictions_total{reason=\"left\"}", 1), (trust, 0)]).await;
    numbers_until(&shown, &nobody[..2]).await;

    // Trust that nobody took back: here, the test adds it by hand.
    until(&*at_client, "it goes here too", |peers| !has(peers, host_enode.id)).await;
    at_host.call(PeerCommand::Admit(client_enode.clone())).await.unwrap();
    at_client.call(PeerCommand::Dial(host_enode)).await.unwrap();
    numbers_until(&shown, &[(trust, 1)]).await;
    at_host.call(PeerCommand::Evict(client_enode)).await.unwrap();
    numbers_until(&shown, &[(trust, 0)]).await;

    pool.kill().await;
    numbers_until(&shown, &[("vipnode_agent_pool_connected", 0), ("vipnode_agent_pool_disconnects_total", 1)]).await;
    host.kill().await;
    numbers_until(&shown, &[("vipnode_agent_node_up", 0), ("vipnode_agent_own_peers", 0)]).await;
}
