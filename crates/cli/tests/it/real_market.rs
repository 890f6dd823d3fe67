//! The main use case, between real geths: pool, host, and client as processes on real sockets.

use crate::support::{NodeSetup, SOON, STILL, Vipnode, enode, fill, has, ran, text, trusts, until};
use tokio::time::timeout;
use vipnode_node::testing::{Geth, GethSpec, make_blocks};
use vipnode_types::Enode;

fn small() -> GethSpec {
    GethSpec { max_peers: 2, ..GethSpec::default() }
}

/// Flags that fit a geth with `--maxpeers 2`.
const ONE_PLACE: &[&str] = &["--slots", "1", "--reserve", "1", "--node-max-peers", "2"];

/// `vipnode status` for each: the slot that is taken, the host's own peer, and why this host.
async fn status_shows_both_sides(host_setup: &NodeSetup, client_setup: &NodeSetup, host: &Enode, client: &Enode) {
    let status = &host_setup.status().await["agents"][0];
    assert_eq!((&status["node"]["own_peers"], &status["host"]["sold"]), (&1.into(), &1.into()), "{status}");
    assert_eq!(status["host"]["leases"][0]["peer"], client.id.to_string(), "{status}");
    let page = text(&ran(&["status", "--state-dir", host_setup.state_dir()]).await.stdout);
    assert!(page.contains("host with geth 1.17") && page.contains("1 slot: 1 sold"), "{page}");
    let why = text(&ran(&["status", "--why", "--state-dir", client_setup.state_dir()]).await.stdout);
    let won = format!("host {} was the only host that could be assigned", host.id.short());
    assert!(why.contains(&won) && why.contains("a slot costs 100 gwei/minute"), "{why}");
}

/// A host whose places are filled refuses strangers, takes in a client of the pool, and keeps its own peers.
/// Ctrl-C on either side leaves nobody trusted and nobody connected (fault D51, docs/faults.md).
#[tokio::test]
async fn d51_refused_without_us_connected_with_us() {
    let (host, filler, stranger, client) = tokio::join!(
        Geth::start(small()),
        Geth::start(GethSpec::default()),
        Geth::start(GethSpec::default()),
        Geth::start(GethSpec::default())
    );
    make_blocks(&[&host], 5).await;
    let (at_host, at_client) = (host.node().await, client.node().await);
    let (host_enode, client_enode) = (enode(&host).await, enode(&client).await);
    let own = enode(&filler).await.id;
    // Without us: the one inbound place is taken, a stranger stays out.
    fill(&host, &filler, &stranger).await;

    // With us. A fresh head, so the default of --max-head-age holds.
    let (_pool, url) = Vipnode::pool(&["--welcome", "hello", "--price", "100 gwei"]).await;
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let mut host_agent = host_setup.agent("host", &url, ONE_PLACE);
    host_agent.events(&["offering", "joined"]).await;
    let mut client_agent = client_setup.agent("client", &url, &["--min-peers", "1"]);
    assert!(client_agent.event("joined").await["text"].as_str().unwrap().contains("hello"));
    assert_eq!(client_agent.event("host_connected").await["peer"], host_enode.id.to_string());
    host_agent.event("client_connected").await;
    let peers = at_host.peers().await.unwrap();
    assert!(has(&peers, own), "the host keeps its own peers");
    let leased = peers.iter().find(|peer| peer.id == client_enode.id).unwrap();
    assert_eq!(leased.trusted, Some(true));
    status_shows_both_sides(&host_setup, &client_setup, &host_enode, &client_enode).await;

    // The client stops: it is out, and the host has its node as before.
    assert!(client_agent.interrupt().await.success());
    host_agent.event("client_evicted").await;
    until(&*at_host, "the client goes", |peers| !has(peers, client_enode.id)).await;
    assert!(!trusts(&*at_host, &client_enode).await);
    // Asking whether it is trusted takes a probing connection, which each side sees go in its own time.
    until(&*at_host, "the probing connection goes", |peers| !has(peers, client_enode.id)).await;
    until(&*at_client, "it goes here too", |peers| !has(peers, host_enode.id)).await;

    // And again; now the host stops.
    let mut client_agent = client_setup.agent("client", &url, &["--min-peers", "1"]);
    client_agent.event("host_connected").await;
    assert!(host_agent.interrupt().await.success());
    client_agent.event("host_lost").await;
    until(&*at_host, "the client goes", |peers| !has(peers, client_enode.id) && has(peers, own)).await;
    assert!(!trusts(&*at_host, &client_enode).await);
}

/// A host that dies, node and agent, is replaced.
#[tokio::test]
async fn a_host_is_killed_and_its_client_moves() {
    let spec = GethSpec::default;
    let (one, two, client) = tokio::join!(Geth::start(spec()), Geth::start(spec()), Geth::start(spec()));
    let (_pool, url) = Vipnode::pool(&[]).await;
    let mut agents = Vec::new();
    let mut geths = vec![one, two];
    for geth in &geths {
        let setup = NodeSetup::new(geth);
        let mut agent = setup.agent("host", &url, STILL);
        agent.event("joined").await;
        agents.push((enode(geth).await.id.to_string(), agent, setup));
    }
    let client_setup = NodeSetup::new(&client);
    let mut client_agent = client_setup.agent("client", &url, &["--min-peers", "1"]);
    let first = client_agent.event("host_connected").await["peer"].as_str().unwrap().to_owned();
    let index = agents.iter().position(|(id, ..)| *id == first).unwrap();
    let (_, agent, _state) = agents.remove(index);
    agent.kill().await;
    geths[index].kill().await;
    assert_eq!(client_agent.event("host_lost").await["peer"], first.as_str());
    let second = client_agent.event("host_connected").await["peer"].as_str().unwrap().to_owned();
    assert_eq!(second, agents[0].0);
}

/// An agent killed with -9 leaves its client trusted; `vipnode release` undoes that without a pool.
#[tokio::test]
async fn release_undoes_what_a_crash_left() {
    let (host, client) = tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()));
    let (at_host, client_enode) = (host.node().await, enode(&client).await);
    let (pool, url) = Vipnode::pool(&[]).await;
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let mut host_agent = host_setup.agent("host", &url, STILL);
    host_agent.event("joined").await;
    let mut client_agent = client_setup.agent("client", &url, &["--min-peers", "1"]);
    client_agent.event("host_connected").await;
    host_agent.event("client_connected").await;
    host_agent.kill().await;
    client_agent.kill().await;
    pool.kill().await;
    let left = at_host.peers().await.unwrap();
    assert_eq!(left.iter().find(|peer| peer.id == client_enode.id).unwrap().trusted, Some(true));

    for (setup, whom) in [(&host_setup, client_enode.id), (&client_setup, enode(&host).await.id)] {
        let mut release = setup.release();
        assert_eq!(release.event("undone").await["peer"], whom.to_string());
        assert_eq!(release.event("released").await["leases"], 1);
        assert!(release.ended().await.success());
    }
    until(&*at_host, "the client goes", |peers| !has(peers, client_enode.id)).await;
    assert!(!trusts(&*at_host, &client_enode).await);
    let mut again = host_setup.release();
    assert_eq!(again.event("released").await["leases"], 0);
}

/// A pool that goes away and comes back, and a node that does, are picked up again without a restart
/// (fault D40, docs/faults.md).
#[tokio::test]
async fn d40_pool_and_node_come_back() {
    let (mut host, client) = tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()));
    let bind = format!("127.0.0.1:{}", vipnode_node::testing::free_port());
    let url = format!("ws://{bind}");
    let mut pool = Vipnode::start(&["pool", "--bind", &bind]);
    pool.event("listening").await;
    let (host_setup, client_setup) = (NodeSetup::new(&host), NodeSetup::new(&client));
    let mut host_agent = host_setup.agent("host", &url, STILL);
    host_agent.event("joined").await;
    let mut client_agent = client_setup.agent("client", &url, &["--min-peers", "1"]);
    client_agent.event("host_connected").await;

    pool.kill().await;
    host_agent.event("pool_disconnected").await;
    let mut pool = Vipnode::start(&["pool", "--bind", &bind]);
    pool.event("listening").await;
    host_agent.event("joined").await;
    client_agent.event("joined").await;
    let id = enode(&client).await.id;
    let at_host = host.node().await;
    until(&*at_host, "client and host are connected", |peers| has(peers, id)).await;
    drop(at_host);

    host.stop().await;
    host_agent.event("node_disconnected").await;
    host.again().await;
    host_agent.event("node_reconnected").await;
    let at_host = host.node().await;
    until(&*at_host, "client and host are connected again", |peers| has(peers, id)).await;
    assert!(host_agent.interrupt().await.success());
    assert!(client_agent.interrupt().await.success());
    assert!(pool.interrupt().await.success());
}

/// Every node of a fleet is host and client at once: a pool of members, no money.
#[tokio::test]
async fn a_fleet_peers_with_itself() {
    let spec = GethSpec::default;
    let (one, two) = tokio::join!(Geth::start(spec()), Geth::start(spec()));
    let (first, second) = (enode(&one).await.id, enode(&two).await.id);
    let members = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(members.path(), format!("{first} # one\n{second}\n")).unwrap();
    let (_pool, url) = Vipnode::pool(&["--members", members.path().to_str().unwrap()]).await;
    let (one_setup, two_setup) = (NodeSetup::new(&one), NodeSetup::new(&two));
    let flags = [STILL, &["--min-peers", "1"]].concat();
    let mut agent_one = one_setup.agent("agent", &url, &flags);
    let mut agent_two = two_setup.agent("agent", &url, &flags);
    agent_one.event("host_connected").await;
    agent_two.event("host_connected").await;
    let at_one = one.node().await;
    until(&*at_one, "the two are peers", |peers| has(peers, second)).await;
    timeout(SOON, async {
        assert!(agent_one.interrupt().await.success());
        assert!(agent_two.interrupt().await.success());
    })
    .await
    .unwrap();
    until(&*at_one, "nobody is left", |peers| !has(peers, second)).await;

    // A stranger is not admitted, and gets a hint.
    let stranger = Geth::start(spec()).await;
    let mut agent = NodeSetup::new(&stranger).agent("agent", &url, &flags);
    assert_eq!(agent.ended().await.code(), Some(2));
}
