//! A pool that is started again with its data directory, between real geths, which keep each other as peers.

use std::time::Instant;

use crate::{
    pool_restart::{DurablePool, leases},
    support::{NodeSetup, STILL, enode, has},
};
use futures_util::{FutureExt as _, StreamExt as _};
use vipnode_node::PeerEvent;
use vipnode_node::testing::{Geth, GethSpec};

#[tokio::test]
async fn a_restart_forgets_nothing_and_no_geth_loses_a_peer() {
    let (host, client) = tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()));
    let (at_host, pool) = (host.node().await, DurablePool::new());
    let id = enode(&client).await.id;
    let mut running = pool.start().await;
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let mut host_agent = host_setup.agent("host", &pool.url(), STILL);
    host_agent.event("joined").await;
    let mut client_agent = client_setup.agent("client", &pool.url(), &["--min-peers", "1"]);
    client_agent.event("host_connected").await;
    host_agent.event("client_connected").await;
    let connected = Instant::now();
    let before = leases(host_setup.state_dir()).await;
    let mut events = at_host.events().await.unwrap();
    for signal in ["-TERM", "-KILL"] {
        running = pool.restart(running, signal, &mut host_agent, &mut client_agent).await;
        assert_eq!(leases(host_setup.state_dir()).await, before, "after {signal}");
        assert_eq!(leases(client_setup.state_dir()).await, before, "after {signal}");
    }
    let peers = at_host.peers().await.unwrap();
    assert!(has(&peers, id) && peers.iter().any(|peer| peer.id == id && peer.trusted == Some(true)), "{peers:?}");
    while let Some(Some(event)) = events.next().now_or_never() {
        assert!(!matches!(event, PeerEvent::Gone(gone, _) if gone == id), "{event:?}");
    }
    pool.metered_since(connected, &mut host_agent, client_agent).await;
    assert!(host_agent.interrupt().await.success());
    assert!(running.interrupt().await.success());
}
