//! Simulated nodes of another process: the same driver, over a socket.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::timeout;
use vipnode_node::{
    NodeAccess, PeerEvent,
    sim::{SimNet, SimServer, SimSpec},
};
use vipnode_types::PeerCommand;

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn the_driver_of_geth_drives_them_over_a_socket() {
    let net = SimNet::new();
    let (alice, bob) = (SimSpec::new("alice", 30_303), SimSpec::new("bob", 30_304));
    net.add(alice.clone());
    net.add(bob.clone());
    let server = SimServer::start(net.clone()).await.unwrap();
    let text = server.endpoint("alice").to_string();
    let node = text.parse::<vipnode_node::Endpoint>().unwrap().open(&NodeAccess::default()).await.unwrap();

    let facts = node.facts().await.unwrap();
    assert_eq!((facts.id, facts.chain), (alice.id, alice.chain));
    assert!(facts.client_version.starts_with("simulated/"));

    let mut events = node.events().await.unwrap();
    node.call(PeerCommand::Dial(bob.enode())).await.unwrap();
    assert_eq!(timeout(SOON, events.next()).await.unwrap(), Some(PeerEvent::Added(bob.id)));

    net.stop(bob.id);
    assert_eq!(
        timeout(SOON, events.next()).await.unwrap(),
        Some(PeerEvent::Gone(bob.id, vipnode_types::DropCause::Unknown))
    );

    net.stop(alice.id);
    assert_eq!(timeout(SOON, events.next()).await.unwrap(), None);
    assert!(node.peers().await.unwrap_err().is_offline());
    net.start(alice.id);
    assert!(node.peers().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_missing_node_is_unreachable() {
    let server = SimServer::start(SimNet::new()).await.unwrap();
    let error = server.endpoint("nobody").open(&NodeAccess::default()).await.err().unwrap();
    assert!(error.is_offline(), "{error}");
}
