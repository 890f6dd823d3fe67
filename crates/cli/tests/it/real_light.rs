//! The original use case, on the last geth that supports it: a full node serves a light node.

use std::time::Duration;

use crate::support::{NodeSetup, SOON, Vipnode, enode, has, until};
use tokio::time::timeout;
use vipnode_node::testing::{Geth, LightChain, balance};
use vipnode_types::PeerCommand;

const SOME_ACCOUNT: &str = "0x00000000000000000000000000000000000000aa";
/// Flags that fit a geth with `--maxpeers 20`.
const TWO_PLACES: &[&str] = &["--slots", "2", "--reserve", "10", "--node-max-peers", "20"];

/// Looks until a light node reads this balance: it follows blocks, and no event shows when it has asked for a state.
async fn reads(light: &Geth, wei: u64) {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        while balance(light, SOME_ACCOUNT).await != Ok(wei) {
            ticks.tick().await;
        }
    };
    timeout(SOON, looking).await.expect("the light node reads what was paid");
}

/// A light node gets a place on a host through the pool, and reads a balance that changed after genesis: nobody but
/// its host can have given it.
#[tokio::test]
async fn a_light_node_is_served_by_a_host_of_the_pool() {
    let chain = LightChain::new().await;
    let (full, light) = tokio::join!(chain.signer(10), chain.light());
    let (at_full, at_light) = (full.node().await, light.node().await);
    assert!(at_full.facts().await.unwrap().full && !at_light.facts().await.unwrap().full);
    chain.pay(&full, SOME_ACCOUNT, 12_345).await;
    assert_eq!(balance(&light, SOME_ACCOUNT).await, Ok(0), "alone it knows the genesis block only");

    let (_pool, url) = Vipnode::pool(&[]).await;
    let (full_setup, light_setup) = (NodeSetup::new(&full), NodeSetup::new(&light));
    let mut host = full_setup.agent("host", &url, TWO_PLACES);
    host.events(&["offering", "joined"]).await;
    let mut client = light_setup.agent("client", &url, &["--min-peers", "1"]);
    assert_eq!(client.event("host_connected").await["peer"], enode(&full).await.id.to_string());
    host.event("client_connected").await;
    reads(&light, 12_345).await;
    chain.pay(&full, SOME_ACCOUNT, 5).await;
    reads(&light, 12_350).await;

    let id = enode(&light).await.id;
    assert!(client.interrupt().await.success());
    host.event("client_evicted").await;
    until(&*at_full, "the light node goes", |peers| !has(peers, id)).await;
}

/// Trust does not get past `--light.maxpeers`: who is let in beyond it is thrown out at once. Its host hears why and
/// sells no such place on, and it gets another host.
#[tokio::test]
async fn a_light_node_that_finds_all_light_slots_taken_gets_another_host() {
    let chain = LightChain::new().await;
    let (first, second, own, light) = tokio::join!(chain.signer(1), chain.full(5), chain.light(), chain.light());
    let (at_first, at_second) = (first.node().await, second.node().await);
    let own_id = enode(&own).await.id;
    own.node().await.call(PeerCommand::Dial(enode(&first).await)).await.unwrap();
    until(&*at_first, "a light node of its owner takes the one light place", |peers| has(peers, own_id)).await;
    at_second.call(PeerCommand::Dial(enode(&first).await)).await.unwrap();

    let (_pool, url) = Vipnode::pool(&[]).await;
    let (first_setup, second_setup, light_setup) =
        (NodeSetup::new(&first), NodeSetup::new(&second), NodeSetup::new(&light));
    let mut host = first_setup.agent("host", &url, TWO_PLACES);
    host.events(&["offering", "joined"]).await;
    let mut client = light_setup.agent("client", &url, &["--min-peers", "1"]);
    let notice = client.event("host_not_connected").await;
    assert_eq!(notice["peer"], enode(&first).await.id.to_string());
    assert!(notice["text"].as_str().unwrap().contains("all of the host's light slots are taken"), "{notice}");
    let notice = host.event("client_not_connected").await;
    assert!(notice["hint"].as_str().unwrap().contains("--light.maxpeers"), "{notice}");
    client.event("hosts_missing").await;

    until(&*at_second, "the second follows the first", |peers| !peers.is_empty()).await;
    let mut other = second_setup.agent("host", &url, TWO_PLACES);
    other.events(&["joined", "offering"]).await;
    assert_eq!(client.event("host_connected").await["peer"], enode(&second).await.id.to_string());
    other.event("client_connected").await;
}

/// A light node sells nothing, and its agent reports why.
#[tokio::test]
async fn a_light_node_is_a_client_only() {
    let light = LightChain::new().await.light().await;
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut agent = NodeSetup::new(&light).agent("host", &url, &["--slots", "1", "--max-head-age", "off"]);
    let offer = agent.event("offering").await;
    assert_eq!(offer["slots"], 0);
    assert!(offer["text"].as_str().unwrap().contains("not a full node"), "{offer}");
}
