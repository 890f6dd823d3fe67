//! Hosts and clients that the user named, and `--strict-peers`, between real geths.

use crate::support::{NodeSetup, STILL, Vipnode, enode, fill, has, stats_until, trusts, until};
use futures_util::{FutureExt, StreamExt};
use vipnode_node::{
    PeerEvent,
    testing::{Geth, GethSpec, free_port},
};
use vipnode_types::PeerCommand;

/// A host whose places are filled refuses strangers and lets in whom its operator named, without a pool. The two find
/// each other again after a restart of the host's node, and a stop of either leaves nothing behind.
#[tokio::test]
async fn d51_named_nodes_are_peers_of_a_full_host_without_a_pool() {
    let small = GethSpec { max_peers: 2, ..GethSpec::default() };
    let (mut host, filler, stranger, client) = tokio::join!(
        Geth::start(small),
        Geth::start(GethSpec::default()),
        Geth::start(GethSpec::default()),
        Geth::start(GethSpec::default())
    );
    let at_host = host.node().await;
    let (host_enode, client_enode) = (enode(&host).await, enode(&client).await);
    let own = enode(&filler).await.id;
    fill(&host, &filler, &stranger).await;

    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let allow = format!("--allow={}", client_enode.id);
    let mut host_agent = host_setup.agent("host", &allow, &["--reserve", "1", "--node-max-peers", "2"]);
    host_agent.events(&["without_pool", "node"]).await;
    let mut client_agent = client_setup.agent("client", &host_enode.to_string(), &[]);
    assert_eq!(client_agent.event("host_connected").await["peer"], host_enode.id.to_string());
    host_agent.event("client_connected").await;
    let peers = at_host.peers().await.unwrap();
    assert!(has(&peers, own), "the host keeps its own peers");
    assert_eq!(peers.iter().find(|peer| peer.id == client_enode.id).unwrap().trusted, Some(true));
    drop(at_host);

    // The host's node restarts, and forgets whom it trusts.
    host.stop().await;
    host_agent.event("node_disconnected").await;
    client_agent.event("host_lost").await;
    host.again().await;
    host_agent.event("node_reconnected").await;
    client_agent.event("host_connected").await;

    // The client stops; its node leaves, and is let in again where it comes again.
    let at_host = host.node().await;
    assert!(client_agent.interrupt().await.success());
    until(&*at_host, "the client goes", |peers| !has(peers, client_enode.id)).await;
    assert!(trusts(&*at_host, &client_enode).await, "the host still lets it in");
    until(&*at_host, "the probing connection goes", |peers| !has(peers, client_enode.id)).await;
    assert!(host_agent.interrupt().await.success());
    assert!(!trusts(&*at_host, &client_enode).await);
}

/// Of a strict host and a strict client strangers are disconnected, and neither each other nor what the nodes keep by
/// themselves: not while the pool is unreachable, and not when it returns and knows nobody
/// (fault D33, docs/faults.md).
#[tokio::test]
async fn d33_strict_nodes_drop_strangers_and_keep_each_other_over_a_pool_that_forgot_them() {
    let spec = GethSpec::default;
    let (host, own, stranger, client) =
        tokio::join!(Geth::start(spec()), Geth::start(spec()), Geth::start(spec()), Geth::start(spec()));
    let (at_host, at_stranger) = (host.node().await, stranger.node().await);
    let (own_enode, stranger_id, id) = (enode(&own).await, enode(&stranger).await.id, enode(&client).await.id);
    at_host.call(PeerCommand::Dial(own_enode.clone())).await.unwrap();
    at_stranger.call(PeerCommand::Dial(enode(&host).await)).await.unwrap();
    until(&*at_host, "both are there", |peers| has(peers, own_enode.id) && has(peers, stranger_id)).await;

    let bind = format!("127.0.0.1:{}", free_port());
    let url = format!("ws://{bind}");
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let strict = [STILL, &["--strict-peers"]].concat();
    let mut host_agent = host_setup.agent("host", &url, &strict);
    host_agent.event("pool_unreachable").await;
    assert!(has(&at_host.peers().await.unwrap(), stranger_id), "nothing is known before the pool spoke");
    let mut pool = Vipnode::start(&["pool", "--bind", &bind]);
    pool.event("listening").await;
    assert_eq!(host_agent.event("unleased_peer_disconnected").await["peer"], stranger_id.to_string());
    until(&*at_host, "the stranger is out", |peers| !has(peers, stranger_id) && has(peers, own_enode.id)).await;

    let mut client_agent = client_setup.agent("client", &url, &["--min-peers", "1", "--strict-peers"]);
    client_agent.event("host_connected").await;
    host_agent.event("client_connected").await;
    let mut events = at_host.events().await.unwrap();
    pool.kill().await;
    host_agent.event("pool_disconnected").await;
    client_agent.event("pool_disconnected").await;
    let mut pool = Vipnode::start(&["pool", "--bind", &bind]);
    pool.event("listening").await;
    for agent in [&mut host_agent, &mut client_agent] {
        agent.event("last_list_kept").await;
    }
    stats_until(&url, "a new lease begins", |stats| stats.num_running_leases == 1).await;
    let peers = at_host.peers().await.unwrap();
    assert!(has(&peers, id) && has(&peers, own_enode.id), "{peers:?}");
    while let Some(Some(event)) = events.next().now_or_never() {
        assert!(!matches!(event, PeerEvent::Gone(gone, _) if gone == id || gone == own_enode.id), "{event:?}");
    }
    for agent in [client_agent, host_agent, pool] {
        assert!(agent.interrupt().await.success());
    }
    until(&*at_host, "the client goes", |peers| !has(peers, id) && has(peers, own_enode.id)).await;
}
