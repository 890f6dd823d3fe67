//! Clients that we could not run: their answers as their sources write them, each with repository, file and line.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use serde_json::value::RawValue;
use vipnode_node::{Capabilities, Node, NodeError, NodeFamily, Pushes, Transport, TransportError, drive, limits};
use vipnode_types::{Direction, Enode, NodeId, PeerCommand, TypedError};

/// What a client answers: a result or an error of this code.
type Answer = Result<String, i64>;
/// The part of a client that differs from the others.
type Client = fn(method: &str, params: &str) -> Option<Answer>;

const OWN: &str = "4f2bd7a8a1b0f0b5d1b43e0ef8b3a6f2a7d5ef13c7f6de1a4e9d70d3a11c4fd84f2bd7a8a1b0f0b5d1b43e0ef8b3a6f2a7d5ef13c7f6de1a4e9d70d3a11c4fd8";
const PEER: &str = "8c1f6a3e9b7d5c2e4a6f8b0d1c3e5f7a9b8d6c4e2f0a1b3d5c7e9f8a6b4d2c0e8c1f6a3e9b7d5c2e4a6f8b0d1c3e5f7a9b8d6c4e2f0a1b3d5c7e9f8a6b4d2c0e";
/// A module that is not there, as jsonrpsee, geth's rpc and Besu say it.
const MISSING: i64 = -32601;

struct Fake {
    client: Client,
    calls: Mutex<Vec<String>>,
}

impl Fake {
    fn new(client: Client) -> Arc<Self> {
        Arc::new(Self { client, calls: Mutex::default() })
    }

    /// Calls that changed something, in order, since the last look.
    fn calls_made(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    async fn drive(self: &Arc<Self>) -> Result<Arc<dyn Node>, NodeError> {
        let node = drive(self.clone()).await;
        self.calls_made();
        node
    }

    fn answer(&self, method: &str, params: &str) -> Answer {
        // A node is never its own peer, so that asking it to forget itself changes nothing.
        let is_probe = params == "[]" || params.contains("no enode") || params.contains(OWN);
        if !is_probe && (method.starts_with("admin_add") || method.starts_with("admin_remove")) {
            self.calls.lock().unwrap().push(format!("{method} {params}"));
        }
        (self.client)(method, params).unwrap_or_else(|| match method {
            "eth_chainId" => Ok("\"0x1\"".to_owned()),
            "eth_syncing" => Ok("false".to_owned()),
            "eth_getBlockByNumber" if params == "[]" => Err(-32602),
            "eth_getBlockByNumber" => {
                let hash = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3";
                Ok(format!(r#"{{"number":"0x10","timestamp":"0x20","hash":"0x{hash}"}}"#))
            }
            _ => Err(MISSING),
        })
    }
}

impl Transport for Fake {
    fn call<'a>(
        &'a self,
        method: &'a str,
        params: Box<RawValue>,
        _deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<RawValue>, TransportError>> {
        let answer = self.answer(method, params.get());
        let answer = answer.map(|json| RawValue::from_string(json).unwrap());
        std::future::ready(answer.map_err(|code| TransportError::Remote { code, message: "no".to_owned() })).boxed()
    }

    fn subscribe<'a>(
        &'a self,
        _namespace: &'a str,
        _params: Box<RawValue>,
        _deadline: Duration,
    ) -> BoxFuture<'a, Result<Option<Pushes>, TransportError>> {
        // reth: "admin_peerEvents is not implemented yet" (paradigmxyz/reth 039657b, crates/rpc/rpc/src/admin.rs:183);
        // Besu has no such subscription.
        std::future::ready(Err(TransportError::Remote { code: -32603, message: "not implemented yet".into() })).boxed()
    }

    fn at(&self) -> String {
        "http://127.0.0.1:8545".to_owned()
    }

    fn is_local(&self) -> bool {
        true
    }
}

fn enode(port: u16) -> Enode {
    Enode::at(PEER.parse::<NodeId>().unwrap(), [10, 0, 0, 2].into(), port)
}

/// The field `id` is the key.
fn node_info(name: &str, eth: &str) -> Answer {
    node_info_with(OWN, name, eth)
}

/// The field `id` is the hash of the key, as in geth's p2p.NodeInfo.
fn node_info_with_hash(name: &str, eth: &str) -> Answer {
    let hash = OWN.parse::<NodeId>().unwrap().devp2p_hash().to_string();
    node_info_with(hash.trim_start_matches("0x"), name, eth)
}

fn node_info_with(id: &str, name: &str, eth: &str) -> Answer {
    let enode = format!("enode://{OWN}@127.0.0.1:30303");
    Ok(format!(r#"{{"id":"{id}","name":"{name}","enode":"{enode}","protocols":{{"eth":{eth}}}}}"#))
}

/// A peer that dialed: its enode has the port it dialed from.
fn peer_list(network: &str) -> Answer {
    let enode = format!("enode://{PEER}@10.0.0.2:49321");
    Ok(format!(
        r#"[{{"version":"0x5","id":"0x{PEER}","name":"x/v1","caps":["eth/69"],"enode":"{enode}","network":{network},"protocols":{{"eth":{{"version":69,"difficulty":"0x1"}}}}}}]"#
    ))
}

/// paradigmxyz/reth 039657b, crates/rpc/rpc/src/admin.rs: `true` whatever comes of it (:42, :48, :57, :63), a wrong
/// parameter is refused by jsonrpsee before the method is called (-32602), `difficulty` may be null (:168).
fn reth(method: &str, params: &str) -> Option<Answer> {
    match method {
        "web3_clientVersion" => Some(Ok("\"reth/v2.5.1\"".to_owned())),
        "admin_nodeInfo" => Some(node_info("reth/v2.5.1", r#"{"network":1,"difficulty":null}"#)),
        "admin_peers" => Some(peer_list(
            r#"{"remoteAddress":"10.0.0.2:49321","localAddress":"10.0.0.1:30303","inbound":true,"trusted":true,"static":false}"#,
        )),
        "admin_addPeer" | "admin_removePeer" | "admin_addTrustedPeer" | "admin_removeTrustedPeer" => {
            Some(if params.contains("enode://") { Ok("true".to_owned()) } else { Err(-32602) })
        }
        _ => None,
    }
}

/// hyperledger/besu 06d6879, …/jsonrpc/internal/methods/AdminAddPeer.java:61: whether the peer is new. 0673383,
/// …/methods/AdminNodeInfo.java:105 (`id` is the key), :125 (`difficulty` is a bare integer). 0c3e9a7,
/// …/results/PeerResult.java: `network` has two addresses and nothing about who dialed.
fn besu(method: &str, params: &str) -> Option<Answer> {
    match method {
        "web3_clientVersion" => Some(Ok("\"besu/v26.3.0\"".to_owned())),
        "admin_nodeInfo" => Some(node_info("besu/v26.3.0", r#"{"difficulty":58750003716598352816469,"network":1}"#)),
        "admin_peers" => Some(peer_list(r#"{"localAddress":"10.0.0.1:30303","remoteAddress":"10.0.0.2:49321"}"#)),
        "admin_addPeer" | "admin_removePeer" => Some(if params == "[]" { Err(-32602) } else { Ok("false".to_owned()) }),
        _ => None,
    }
}

/// hyperledger/besu, …/jsonrpc/internal/response/RpcErrorType.java, METHOD_NOT_ENABLED: the ADMIN module is off.
fn besu_without_admin(method: &str, _params: &str) -> Option<Answer> {
    method.starts_with("admin_").then_some(Err(-32604))
}

/// NethermindEth/nethermind 05c842c, src/Nethermind/Nethermind.JsonRpc/Modules/Admin/AdminRpcModule.cs: `true`
/// (:97, :113, :130, :139); the parameter is parsed as an enode, -32602 where it is none (:222, :236); the id of the node
/// is the hash of its key (:249).
fn nethermind(method: &str, params: &str) -> Option<Answer> {
    match method {
        "admin_nodeInfo" => Some(node_info_with_hash("Nethermind/v1.39.0", r#"{"networkId":1}"#)),
        "web3_clientVersion" => Some(Ok("\"Nethermind/v1.39.0\"".to_owned())),
        "admin_addPeer" | "admin_removePeer" | "admin_addTrustedPeer" | "admin_removeTrustedPeer" => {
            Some(if params.contains('@') { Ok("true".to_owned()) } else { Err(-32602) })
        }
        "admin_peers" => Some(Ok("[]".to_owned())),
        _ => reth(method, params),
    }
}

/// The same before its pull request 11489 (May 2026): the answer is the enode, and the dial is one.
fn older_nethermind(method: &str, params: &str) -> Option<Answer> {
    let adds = matches!(method, "admin_addPeer" | "admin_removePeer") && params.contains('@');
    if adds { Some(Ok(params.trim_matches(['[', ']']).to_owned())) } else { nethermind(method, params) }
}

/// NethermindEth/nethermind, src/Nethermind/Nethermind.JsonRpc/JsonRpcService.cs, `Validate`: a module that is not
/// enabled is an InvalidRequest.
fn nethermind_without_admin(method: &str, _params: &str) -> Option<Answer> {
    method.starts_with("admin_").then_some(Err(-32600))
}

/// erigontech/erigon 26276ff, rpc/jsonrpc/admin_api.go:57 to :94: nodeInfo of the first sentry, peers, addPeer and
/// removePeer, each with a bool; no trusted peers yet.
fn erigon_of_2025(method: &str, params: &str) -> Option<Answer> {
    match method {
        "web3_clientVersion" => Some(Ok("\"erigon/3.1.0\"".to_owned())),
        "admin_nodeInfo" => Some(node_info_with_hash("erigon/3.1.0", r#"{"network":1}"#)),
        "admin_addTrustedPeer" | "admin_removeTrustedPeer" => Some(Err(MISSING)),
        // go-ethereum's rpc, which Erigon has kept: missing value for required argument 0.
        "admin_addPeer" | "admin_removePeer" if params == "[]" => Some(Err(-32602)),
        "admin_addPeer" | "admin_removePeer" => Some(Ok("true".to_owned())),
        _ => reth(method, params),
    }
}

/// Since February 2026 with them, as in geth: a text that is not an enode is an error of the call.
fn erigon_of_2026(method: &str, params: &str) -> Option<Answer> {
    match method {
        "admin_addTrustedPeer" | "admin_removeTrustedPeer" if params == "[]" => Some(Err(-32602)),
        "admin_addTrustedPeer" | "admin_removeTrustedPeer" => {
            Some(if params.contains("enode://") { Ok("true".to_owned()) } else { Err(-32000) })
        }
        _ => erigon_of_2025(method, params),
    }
}

/// Before July 2025: no removePeer either.
fn erigon_of_2024(method: &str, params: &str) -> Option<Answer> {
    if method == "admin_removePeer" { Some(Err(MISSING)) } else { erigon_of_2025(method, params) }
}

#[tokio::test]
async fn a_family_is_recognized_by_its_calls_and_never_by_its_name() {
    // A fork of geth whose id is the key: it refuses a text that is not an enode as geth does.
    let fork: Client = |method, params| match method {
        "admin_nodeInfo" => reth(method, params),
        _ => erigon_of_2026(method, params),
    };
    let families: [(Client, NodeFamily); 7] = [
        (fork, NodeFamily::Trusting),
        (reth, NodeFamily::TrustingByAddress),
        (nethermind, NodeFamily::TrustingByAddress),
        (older_nethermind, NodeFamily::TrustingByAddress),
        (besu, NodeFamily::Maintaining),
        (erigon_of_2025, NodeFamily::Maintaining),
        (erigon_of_2026, NodeFamily::Trusting),
    ];
    for (number, (client, family)) in families.into_iter().enumerate() {
        let fake = Fake::new(client);
        let rpc: Arc<dyn Transport> = fake.clone();
        let found = Capabilities::probe(&rpc).await.unwrap();
        assert_eq!(found.family(), Some(family), "client {number}: {found:?}");
        assert!(fake.calls_made().is_empty(), "a probe changes nothing");
    }
}

#[tokio::test]
async fn what_is_missing_is_reported_with_its_hint() {
    for client in [besu_without_admin as Client, nethermind_without_admin] {
        let error = Fake::new(client).drive().await.err().unwrap();
        assert!(matches!(&error, NodeError::NotOffered { method, .. } if method.starts_with("admin_")), "{error}");
        assert!(
            error.hint().unwrap().contains("--rpc-http-api ADMIN")
                && error.hint().unwrap().contains("EnabledModules Admin")
        );
    }
    let error = Fake::new(erigon_of_2024).drive().await.err().unwrap();
    assert!(error.to_string().contains("admin_removePeer (erigon/3.1.0)"), "{error}");
    assert!(error.hint().unwrap().contains("July 2025"));
}

/// geth answers with an error until the fork of EIP-155, others with 0 or null.
#[tokio::test]
async fn before_eip_155_the_settings_of_the_node_name_the_chain() {
    fn chain(method: &str, id: Answer) -> Option<Answer> {
        match method {
            "eth_chainId" => Some(id),
            "admin_nodeInfo" => Some(node_info("x/v1", r#"{"network":7,"config":{"chainId":61}}"#)),
            other => reth(other, "[]"),
        }
    }
    let clients: [Client; 3] = [
        |method, _| chain(method, Ok("\"0x0\"".to_owned())),
        |method, _| chain(method, Ok("null".to_owned())),
        |method, _| chain(method, Err(-32000)),
    ];
    for client in clients {
        let node = Fake::new(client).drive().await.unwrap();
        assert_eq!(node.facts().await.unwrap().chain.chain_id, 61);
    }
    let named: Client = |method, _| chain(method, Ok("\"0x5\"".to_owned()));
    assert_eq!(Fake::new(named).drive().await.unwrap().facts().await.unwrap().chain.chain_id, 5);
}

#[tokio::test]
async fn the_number_of_the_network_is_the_last_resort_and_without_it_the_node_has_no_chain_yet() {
    fn legacy(method: &str, network: &str) -> Option<Answer> {
        match method {
            "eth_chainId" => Some(Ok("\"0x0\"".to_owned())),
            "net_version" => Some(Ok(network.to_owned())),
            "admin_nodeInfo" => Some(node_info("x/v1", "{}")),
            other => reth(other, "[]"),
        }
    }
    let named: Client = |method, _| legacy(method, "\"61\"");
    assert_eq!(Fake::new(named).drive().await.unwrap().facts().await.unwrap().chain.chain_id, 61);
    let without: [Client; 3] = [
        |method, _| legacy(method, "\"0\""),
        |method, _| match method {
            "eth_getBlockByNumber" => Some(Ok("null".to_owned())),
            other => legacy(other, "\"61\""),
        },
        |method, _| match method {
            "eth_getBlockByNumber" => Some(Err(-32000)),
            other => legacy(other, "\"61\""),
        },
    ];
    let unread = Fake::new(without[1]).drive().await.unwrap();
    assert!(matches!(unread.head().await, Err(NodeError::NoBlock { .. })));
    for client in without {
        let error = Fake::new(client).drive().await.unwrap().facts().await.unwrap_err();
        assert!(error.is_without_chain() && !error.is_offline(), "{error}");
        assert!(error.hint().is_some_and(|hint| !hint.is_empty()), "{error}");
    }
}

#[tokio::test]
async fn reth_gets_the_address_of_a_peer_before_it_trusts_it() {
    let fake = Fake::new(reth);
    let node = fake.drive().await.unwrap();
    let peer = enode(30303);
    node.call(PeerCommand::Admit(peer.clone())).await.unwrap();
    assert_eq!(
        fake.calls_made(),
        [format!("admin_addPeer [\"{peer}\"]"), format!("admin_addTrustedPeer [\"{peer}\"]")]
    );
    node.call(PeerCommand::Evict(peer.clone())).await.unwrap();
    assert_eq!(
        fake.calls_made(),
        [format!("admin_removeTrustedPeer [\"{peer}\"]"), format!("admin_removePeer [\"{peer}\"]")]
    );
    assert!(node.events().await.is_none(), "its stub of peer events is not an error: the peers are polled");
    let facts = node.facts().await.unwrap();
    assert_eq!((facts.id.to_string().as_str(), facts.full), (OWN, true));
    let seen = node.peers().await.unwrap().remove(0);
    assert_eq!((seen.id, seen.ready, seen.direction, seen.trusted), (peer.id, true, Direction::Inbound, Some(true)));
}

#[tokio::test]
async fn besu_admits_by_dialing_and_forgets_by_the_very_enode() {
    let fake = Fake::new(besu);
    let node = fake.drive().await.unwrap();
    let facts = node.facts().await.unwrap();
    assert!(facts.full && facts.client_version == "besu/v26.3.0");
    let seen = node.peers().await.unwrap().remove(0);
    assert_eq!((seen.id, seen.ready, seen.direction, seen.trusted), (enode(1).id, true, Direction::Unknown, None));
    // Its `false` means that the peer is there already.
    node.call(PeerCommand::Admit(enode(30303))).await.unwrap();
    node.call(PeerCommand::Evict(enode(40404))).await.unwrap();
    let added = enode(30303);
    assert_eq!(fake.calls_made(), [format!("admin_addPeer [\"{added}\"]"), format!("admin_removePeer [\"{added}\"]")]);
    // An agent that was started again knows the enode from its journal.
    let later = fake.drive().await.unwrap();
    later.call(PeerCommand::Evict(added.clone())).await.unwrap();
    assert_eq!(fake.calls_made(), [format!("admin_removePeer [\"{added}\"]")]);
}

#[tokio::test]
async fn besu_cannot_let_in_whom_it_cannot_dial() {
    let fake = Fake::new(besu);
    let node = fake.drive().await.unwrap();
    let error = node.call(PeerCommand::Admit(Enode::id_only(enode(1).id))).await.unwrap_err();
    assert!(matches!(error, NodeError::NoAddress { .. }) && error.hint().unwrap().contains("--enode.host"), "{error}");
    assert!(fake.calls_made().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_older_nethermind_is_called_again_while_the_peer_is_wanted() {
    let fake = Fake::new(older_nethermind);
    let node = fake.drive().await.unwrap();
    let peer = enode(30303);
    let add = format!("admin_addPeer [\"{peer}\"]");
    node.call(PeerCommand::Dial(peer.clone())).await.unwrap();
    node.peers().await.unwrap();
    assert_eq!(fake.calls_made().concat(), add);
    tokio::time::advance(limits::REDIAL).await;
    node.peers().await.unwrap();
    node.peers().await.unwrap();
    assert_eq!(fake.calls_made(), [add]);
    node.call(PeerCommand::Drop(peer)).await.unwrap();
    fake.calls_made();
    tokio::time::advance(limits::REDIAL).await;
    node.peers().await.unwrap();
    assert!(fake.calls_made().is_empty(), "no longer wanted");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_keeps_a_peer_is_not_called_again() {
    let fake = Fake::new(nethermind);
    let node = fake.drive().await.unwrap();
    node.call(PeerCommand::Dial(enode(30303))).await.unwrap();
    fake.calls_made();
    tokio::time::advance(limits::REDIAL).await;
    node.peers().await.unwrap();
    assert!(fake.calls_made().is_empty());
}

#[tokio::test]
async fn erigon_trusts_by_id_where_it_can() {
    let fake = Fake::new(erigon_of_2026);
    let node = fake.drive().await.unwrap();
    let peer = enode(30303);
    node.call(PeerCommand::Admit(peer.clone())).await.unwrap();
    assert_eq!(fake.calls_made(), [format!("admin_addTrustedPeer [\"enode://{}\"]", peer.id)]);
}
