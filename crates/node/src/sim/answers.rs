//! The RPC of a simulated node, in the shapes of geth 1.17.

use serde_json::{Value, json, value::RawValue};
use vipnode_types::{Enode, EnodeHost, NodeId};

use super::{SimFamily, SimHead, SimKind, SimPeer, SimSpec, World};

/// Seconds between the blocks of a fresh head.
const BLOCK_S: u64 = 12;

/// An error as JSON-RPC has it.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: i64,
    pub(super) message: String,
}

/// Answers a call to a running node. `wall_s` is the time of day, for the age of blocks.
pub(super) fn answer(
    world: &mut World,
    node: NodeId,
    method: &str,
    params: &RawValue,
    wall_s: u64,
) -> Result<Value, Fault> {
    let Some(spec) = world.spec(node).cloned() else {
        return Err(Fault { code: -32000, message: "no such simulated node".to_owned() });
    };
    let is_trust = matches!(method, "admin_addTrustedPeer" | "admin_removeTrustedPeer");
    match method {
        _ if is_trust && spec.family == SimFamily::Besu => Err(missing(method)),
        "admin_nodeInfo" => Ok(node_info(&spec)),
        "admin_peers" => Ok(world.peers(node).iter().map(|peer| peer_info(world, &spec, peer)).collect()),
        "admin_addPeer" => change(&spec, params, |peer| world.add_peer(node, peer)),
        "admin_removePeer" => change(&spec, params, |peer| world.remove_peer(node, peer.id)),
        "admin_addTrustedPeer" => change(&spec, params, |peer| world.trust(node, peer.id)),
        "admin_removeTrustedPeer" => change(&spec, params, |peer| world.untrust(node, peer.id)),
        "web3_clientVersion" => Ok(json!(spec.client_version)),
        "net_version" => Ok(json!(spec.chain.chain_id.to_string())),
        "eth_chainId" => Ok(json!(format!("{:#x}", spec.chain.chain_id))),
        "eth_syncing" => Ok(syncing(&spec)),
        "eth_getBlockByNumber" => block(&spec, params, wall_s),
        _ => Err(missing(method)),
    }
}

fn missing(method: &str) -> Fault {
    Fault { code: -32601, message: format!("the method {method} does not exist/is not available") }
}

fn node_info(spec: &SimSpec) -> Value {
    let eth = json!({ "network": spec.chain.chain_id, "genesis": spec.chain.genesis });
    let mut protocols = serde_json::Map::new();
    for cap in capabilities(spec) {
        let name = cap.split('/').next().unwrap_or_default();
        // The others run it and do not list it.
        if name == "snap" && spec.family != SimFamily::Geth {
            continue;
        }
        protocols.insert(name.to_owned(), if name == "snap" { json!({}) } else { eth.clone() });
    }
    json!({
        "id": const_hex::encode(spec.id.devp2p_hash()),
        "name": spec.client_version,
        "enode": spec.enode(),
        "ip": spec.ip,
        "ports": { "discovery": 0, "listener": spec.port },
        "listenAddr": format!("[::]:{}", spec.port),
        "protocols": protocols,
    })
}

/// The capabilities that it announces.
fn capabilities(spec: &SimSpec) -> Vec<&'static str> {
    let (eth, les) = match spec.kind {
        SimKind::Full { light_max_peers } => (true, light_max_peers > 0),
        SimKind::Light => (false, true),
    };
    let all = [(eth, "eth/69"), (eth && spec.snap, "snap/1"), (les, "les/4")];
    all.into_iter().filter(|(serves, _)| *serves).map(|(_, cap)| cap).collect()
}

fn peer_info(world: &World, own: &SimSpec, peer: &SimPeer) -> Value {
    let Some(spec) = world.spec(peer.id) else { return Value::Null };
    // The port of a peer that dialed is not the one it listens at.
    let port = if peer.inbound { 49_152 | spec.port } else { spec.port };
    let light = own.kind == SimKind::Light || spec.kind == SimKind::Light;
    let protocols = match (peer.ready, light) {
        (true, false) if own.snap && spec.snap => json!({ "eth": { "version": 69 }, "snap": { "version": 1 } }),
        (true, false) => json!({ "eth": { "version": 69 } }),
        (true, true) => json!({ "les": { "version": 4 } }),
        (false, _) => json!({ "snap": "handshake" }),
    };
    json!({
        "enode": Enode::at(spec.id, spec.ip, port),
        "id": const_hex::encode(spec.id.devp2p_hash()),
        "name": spec.client_version,
        "caps": capabilities(spec),
        "network": {
            "localAddress": std::net::SocketAddr::new(own.ip, own.port).to_string(),
            "remoteAddress": std::net::SocketAddr::new(spec.ip, port).to_string(),
            "inbound": peer.inbound,
            "trusted": peer.trusted,
            "static": !peer.inbound,
        },
        "protocols": protocols,
    })
}

/// geth returns `true` in any case.
fn change(spec: &SimSpec, params: &RawValue, apply: impl FnOnce(Enode)) -> Result<Value, Fault> {
    let Ok(list) = serde_json::from_str::<Vec<String>>(params.get()) else {
        return Err(Fault { code: -32602, message: "invalid argument 0: not a string".to_owned() });
    };
    let Some(text) = list.first() else {
        return Err(Fault { code: -32602, message: "missing value for required argument 0".to_owned() });
    };
    let code = match spec.family {
        SimFamily::Geth | SimFamily::Besu => -32000,
        SimFamily::Reth | SimFamily::Nethermind => -32602,
    };
    let enode = text.parse::<Enode>();
    let enode = enode.map_err(|error| Fault { code, message: format!("invalid enode: {error}") })?;
    if spec.family == SimFamily::Nethermind && enode.host == EnodeHost::None {
        return Err(Fault { code, message: "invalid enode: the address is missing".to_owned() });
    }
    apply(enode);
    Ok(Value::Bool(true))
}

fn head(spec: &SimSpec, wall_s: u64) -> (u64, u64) {
    match spec.head {
        SimHead::At { number, timestamp_s, .. } => (number, timestamp_s),
        SimHead::Fresh => {
            let number = wall_s.checked_div(BLOCK_S).unwrap_or(0);
            (number, number.saturating_mul(BLOCK_S))
        }
    }
}

fn syncing(spec: &SimSpec) -> Value {
    match spec.head {
        SimHead::At { number, syncing: true, .. } => {
            json!({ "currentBlock": format!("{number:#x}"), "highestBlock": format!("{:#x}", number.saturating_add(1)) })
        }
        SimHead::At { .. } | SimHead::Fresh => Value::Bool(false),
    }
}

fn block(spec: &SimSpec, params: &RawValue, wall_s: u64) -> Result<Value, Fault> {
    let Ok((which, _)) = serde_json::from_str::<(String, bool)>(params.get()) else {
        return Err(Fault { code: -32602, message: "missing value for required argument 0".to_owned() });
    };
    match which.as_str() {
        "0x0" => Ok(json!({ "number": "0x0", "timestamp": "0x0", "hash": spec.chain.genesis })),
        "latest" => {
            let (number, timestamp_s) = head(spec, wall_s);
            Ok(json!({ "number": format!("{number:#x}"), "timestamp": format!("{timestamp_s:#x}") }))
        }
        // Other blocks are not simulated.
        _ => Ok(Value::Null),
    }
}
