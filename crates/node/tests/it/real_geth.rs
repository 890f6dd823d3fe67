//! Real geths: what the driver and the finder report about them, and blocks through the engine API.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use tokio::time::timeout;
use vipnode_node::{
    Capabilities, DryRun, Endpoint, NodeAccess, NodeError, NodeFamily,
    finder::{FinderEnvironment, Os, find, find_node_key, kept_peers},
    round_trips,
    testing::{Geth, GethSpec, free_port, make_blocks},
};
use vipnode_types::TypedError;
use vipnode_types::{Enode, PeerCommand};

fn http(port: u16, api: &str) -> GethSpec {
    let flags = ["--http", "--http.port", &port.to_string(), "--http.api", api].map(ToOwned::to_owned).into();
    GethSpec { flags, ..GethSpec::default() }
}

#[tokio::test]
async fn a_head_is_old_until_blocks_are_made() {
    let (a, b) = tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()));
    let node = a.node().await;
    let before = node.head().await.unwrap();
    assert_eq!((before.number, before.timestamp_s, before.syncing), (0, 0, true));
    make_blocks(&[&a, &b], 5).await;
    for geth in [&a, &b] {
        let head = geth.node().await.head().await.unwrap();
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert_eq!((head.number, head.syncing), (5, false));
        assert!(now_s.abs_diff(head.timestamp_s) < 60, "{head:?} at {now_s}");
    }
}

#[tokio::test]
async fn http_without_admin_is_distinguished_from_http_with_it() {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let geth = Geth::start(http(port, "eth,net,web3")).await;
    let error = url.parse::<Endpoint>().unwrap().open(&NodeAccess::default()).await.err().unwrap();
    assert_eq!(error, NodeError::NotOffered { at: url.clone(), method: "admin_nodeInfo".into() });
    assert!(error.hint().unwrap().contains("--http.api admin,eth,net,web3"));
    drop(geth);

    let port = free_port();
    let _geth = Geth::start(http(port, "admin,eth,net,web3")).await;
    let node =
        format!("http://127.0.0.1:{port}").parse::<Endpoint>().unwrap().open(&NodeAccess::default()).await.unwrap();
    assert!(node.facts().await.unwrap().client_version.starts_with("Geth/"));
    assert!(node.events().await.is_none(), "HTTP pushes nothing");

    let port = free_port();
    let _geth = Geth::start(http(port, "admin")).await;
    let error = format!("http://127.0.0.1:{port}")
        .parse::<Endpoint>()
        .unwrap()
        .open(&NodeAccess::default())
        .await
        .err()
        .unwrap();
    assert!(matches!(&error, NodeError::NotOffered { method, .. } if method.starts_with("eth_")), "{error}");
}

/// geth answers 403 where the Host header is a name that it does not know.
#[tokio::test]
async fn a_foreign_host_name_is_refused_with_the_flag_that_allows_it() {
    let port = free_port();
    let mut spec = http(port, "admin,eth,net,web3");
    spec.flags.extend(["--http.vhosts", "node.example"].map(ToOwned::to_owned));
    let _geth = Geth::start(spec).await;
    let error = format!("http://localhost:{port}")
        .parse::<Endpoint>()
        .unwrap()
        .open(&NodeAccess::default())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, NodeError::HostRefused { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--http.vhosts"));
}

#[tokio::test]
async fn ws_reports_peers() {
    let port = free_port();
    let flags = ["--ws", "--ws.port", &port.to_string(), "--ws.api", "admin,eth,net,web3"];
    let flags = flags.map(ToOwned::to_owned).into();
    let _geth = Geth::start(GethSpec { flags, ..GethSpec::default() }).await;
    let node =
        format!("ws://127.0.0.1:{port}").parse::<Endpoint>().unwrap().open(&NodeAccess::default()).await.unwrap();
    assert!(node.events().await.is_some());
}

/// geth takes one inbound attempt per public address and 30 s, trusted or not; the simulated node does the same.
#[tokio::test]
async fn two_trusted_clients_of_one_public_address_come_35_s_apart() {
    let added = tokio::process::Command::new("ip").args(["addr", "add", "11.0.0.1/32", "dev", "lo"]).status().await;
    assert!(added.is_ok(), "ip, of the package iproute2, is needed: {added:?}");
    let flags: Vec<String> = ["--netrestrict", "11.0.0.0/8"].map(ToOwned::to_owned).into();
    let start = || Geth::start(GethSpec { flags: flags.clone(), ..GethSpec::default() });
    let (host, first, second) = tokio::join!(start(), start(), start());
    let (host, first, second) = tokio::join!(host.node(), first.node(), second.node());
    let mut at = host.facts().await.unwrap().enode;
    at = at.with_ip("11.0.0.1".parse().unwrap());
    let mut events = host.events().await.unwrap();
    let dialed = tokio::time::Instant::now();
    for client in [&first, &second] {
        let id = client.facts().await.unwrap().id;
        host.call(PeerCommand::Admit(Enode::id_only(id))).await.unwrap();
        client.call(PeerCommand::Dial(at.clone())).await.unwrap();
        timeout(Duration::from_secs(50), events.next()).await.expect("a peer comes").unwrap();
    }
    let after = dialed.elapsed();
    assert!(after > Duration::from_secs(34) && after < Duration::from_secs(45), "{after:?}");
    assert_eq!(host.peers().await.unwrap().len(), 2);
}

/// Fault D40 (docs/faults.md): a node that goes offline does not end its driver.
#[tokio::test]
async fn d40_a_killed_node_is_unreachable_and_reconnects_by_itself() {
    let mut geth = Geth::start(GethSpec::default()).await;
    let node = geth.node().await;
    let id = node.facts().await.unwrap().id;
    let events = node.events().await.unwrap();
    geth.kill().await;
    timeout(Duration::from_secs(10), events.for_each(|_| std::future::ready(()))).await.expect("the events end");
    let error = node.peers().await.unwrap_err();
    assert!(error.is_offline() && error.hint().unwrap().contains("--rpc"), "{error}");
    geth.again().await;
    assert_eq!(node.facts().await.unwrap().id, id);
    assert!(node.events().await.is_some());
}

#[tokio::test]
async fn the_key_is_found_next_to_the_ipc_file() {
    let geth = Geth::start(GethSpec::default()).await;
    let node = geth.node().await;
    let id = node.facts().await.unwrap().id;
    let nowhere = FinderEnvironment { os: Os::Linux, home: None, local_app_data: None, processes: None };
    let found = find_node_key(&*node, &geth.endpoint(), id, &nowhere).await.unwrap();
    assert_eq!((found.key.id(), found.path), (id, geth.node_key()));
    assert!(node.exposure().await.is_empty(), "IPC in a namespace is exposed to nobody");
}

#[tokio::test]
async fn a_running_geth_is_found_by_its_arguments() {
    let _geth = Geth::start(GethSpec::default()).await;
    let nowhere = FinderEnvironment { home: None, ..FinderEnvironment::here() };
    let found = find(&nowhere, None, &NodeAccess::default()).await.unwrap();
    // Tests that run at the same time have geths of their own in the same process table.
    assert!(found.running.unwrap().starts_with("geth, process "), "{:?}", found.endpoint);
    assert!(found.node.facts().await.unwrap().client_version.starts_with("Geth/"));
}

#[tokio::test]
async fn a_dry_run_prints_each_call_and_makes_none() {
    let (a, b) = tokio::join!(Geth::start(GethSpec::default()), Geth::start(GethSpec::default()));
    let (node, other) = (a.node().await, b.node().await);
    let enode = other.facts().await.unwrap().enode;
    let (sender, receiver) = std::sync::mpsc::channel();
    let dry = DryRun::new(node.clone(), move |call| sender.send(call.to_string()).unwrap());
    use vipnode_node::Node;
    dry.call(PeerCommand::Dial(enode.clone())).await.unwrap();
    dry.call(PeerCommand::Evict(Enode::id_only(enode.id))).await.unwrap();
    let calls: Vec<String> = receiver.try_iter().collect();
    assert_eq!(calls[0], format!("admin_addPeer {enode}"));
    assert_eq!(calls[1], format!("admin_removeTrustedPeer enode://{}", enode.id));
    assert_eq!(calls.len(), 3);
    // Dialed the other way round they connect, and then the direction shows who dialed.
    let mut events = node.events().await.unwrap();
    let own = node.facts().await.unwrap().enode;
    other.call(PeerCommand::Dial(own)).await.unwrap();
    timeout(Duration::from_secs(10), events.next()).await.unwrap();
    let peer = node.peers().await.unwrap().remove(0);
    assert_eq!(peer.direction, vipnode_types::Direction::Inbound);
    // Each end knows the round trip of this connection by its two addresses.
    for (node, peer) in [(&node, peer.id), (&other, node.facts().await.unwrap().id)] {
        let known = round_trips(&node.connections().await.unwrap());
        assert_eq!(known.keys().collect::<Vec<_>>(), [&peer]);
        assert!(known[&peer] < Duration::from_secs(1), "{known:?}");
    }
}

#[tokio::test]
async fn d39_geth_offers_all_that_its_driver_needs() {
    let geth = Geth::start(GethSpec::default()).await;
    let capabilities = Capabilities::probe(&geth.endpoint().transport(&NodeAccess::default()).unwrap()).await.unwrap();
    assert_eq!(capabilities.family(), Some(NodeFamily::Trusting));
}

/// geth logs a warning for each call that fails: "WARN […] Served admin_addPeer … err=…".
#[tokio::test]
async fn the_start_of_an_agent_leaves_no_warning_in_the_log_of_geth() {
    let port = free_port();
    let mut spec = http(port, "eth,net,web3");
    spec.flags.extend(["--http.addr", "0.0.0.0"].map(ToOwned::to_owned));
    let geth = Geth::start(spec).await;
    let node = geth.node().await;
    node.facts().await.unwrap();
    node.head().await.unwrap();
    node.peers().await.unwrap();
    let events = node.events().await;
    assert!(events.is_some() && node.exposure().await.is_empty());
    kept_peers(&*node, &geth.endpoint(), &FinderEnvironment::here()).await;
    find_node_key(&*node, &geth.endpoint(), node.facts().await.unwrap().id, &FinderEnvironment::here()).await.unwrap();
    // A call that fails, to see that such lines are seen.
    let transport = geth.endpoint().transport(&NodeAccess::default()).unwrap();
    let params = serde_json::value::RawValue::from_string("[]".to_owned()).unwrap();
    transport.call("admin_addPeer", params, Duration::from_secs(5)).await.unwrap_err();
    let warnings = async {
        loop {
            match geth.logged(&["WARN", "Served"]) {
                none if none.is_empty() => tokio::time::sleep(Duration::from_millis(10)).await,
                lines => return lines,
            }
        }
    };
    let warnings = timeout(Duration::from_secs(10), warnings).await.expect("the warning of the failing call");
    assert!(warnings.len() == 1 && warnings[0].contains("admin_addPeer"), "{warnings:#?}");
}
