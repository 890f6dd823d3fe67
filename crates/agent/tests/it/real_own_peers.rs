//! A real geth whose own peers an agent leaves alone.
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use serde_json::json;

use vipnode_agent::{NodeKeyAt, RunnerConfig, local};
use vipnode_node::{
    finder::{FinderEnvironment, kept_peers},
    sim::SimSpec,
    testing::{Geth, GethSpec},
};
use vipnode_types::{PeerCommand, Price, wire::method};

use crate::fake_pool::{Running, Toy};

/// Admit, dial and evict, one right after the other, for a node that dialed this geth by itself.
#[tokio::test]
async fn real_geth_keeps_a_peer_that_the_agent_did_not_bring() {
    let (geth, other) = tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()));
    let (node, own) = (geth.node().await, other.node().await);
    let (at_geth, client) = (node.facts().await.unwrap(), own.facts().await.unwrap());
    let mut toy = Toy::new();
    toy.id = at_geth.id;
    let config = RunnerConfig { node: node.clone(), node_key: NodeKeyAt::File(geth.node_key()), ..toy.config() };
    let agent = Running::of(config);
    let mut end = toy.accept(json!([])).await;
    end.expect(method::REPORT).await.1.respond(Ok(json!({})));
    let ready = async || node.peers().await.unwrap().iter().any(|peer| peer.id == client.id && peer.ready);

    own.call(PeerCommand::Dial(at_geth.enode)).await.unwrap();
    while !ready().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    end.call(method::ADMIT, json!({"lease": 1, "client": client.id, "price": Price::FREE})).await.unwrap();
    let socket = toy.root.path().join("state/agents").join(format!("{}.sock", toy.id.short()));
    let lease = loop {
        let lease = local::status(&socket).await.unwrap().host.unwrap().leases.remove(0);
        if lease.connected.is_some() {
            break lease;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(lease.latency_us.is_some_and(|us| us < 1_000_000), "{lease:?}");
    end.call(method::EVICT, json!({"lease": 1, "peer": client.id, "reason": "left"})).await.unwrap();
    let mut gone = node.events().await.unwrap();
    for lease in 2..12 {
        end.call(method::ADMIT, json!({"lease": lease, "client": client.id, "price": Price::FREE})).await.unwrap();
        let dial = json!({"lease": lease, "side": "host", "peer": client.enode, "price": Price::FREE});
        end.call(method::DIAL, dial).await.unwrap();
        let evict = json!({"lease": lease, "peer": client.id, "reason": "left"});
        end.call(method::EVICT, evict).await.unwrap();
        assert!(ready().await, "lease {lease}: the connection is the node's own");
    }
    assert!(gone.next().now_or_never().is_none(), "and stood all the while");
    let peers = node.peers().await.unwrap();
    let peer = peers.iter().find(|peer| peer.id == client.id).unwrap();
    assert_eq!((peer.trusted, peer.is_static), (Some(false), Some(false)), "it is as it was");
    agent.runner.abort().await;
}

/// No call lists static and trusted peers that are not connected; the file that geth was started with names them.
#[tokio::test]
async fn real_geth_names_in_its_settings_which_peers_it_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config.toml");
    let (kept, trusted) = (SimSpec::new("kept", 1).id, SimSpec::new("trusted", 2).id);
    let text = format!(
        "[Node.P2P]\nStaticNodes = [\"enode://{kept}@127.0.0.9:1\"]\nTrustedNodes = [\"enode://{trusted}@127.0.0.9:2\"]\n"
    );
    std::fs::write(&config, text).unwrap();
    let flags = vec!["--config".to_owned(), config.display().to_string()];
    let geth = Geth::start(GethSpec { flags, ..GethSpec::default() }).await;
    let node = geth.node().await;
    let found = kept_peers(&*node, &geth.endpoint(), &FinderEnvironment::here()).await;
    assert_eq!(found, [kept, trusted].into());
}
