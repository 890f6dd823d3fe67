//! Parses answers of clients, leniently and within limits: fields that are missing, oddly typed or too large count as
//! unknown, and `difficulty` is never read (Besu writes it as an integer beyond 64 bits).

use std::{collections::BTreeMap, net::SocketAddr};

use serde::Deserialize;
use serde_json::value::RawValue;
use vipnode_types::{Capability, Direction, Enode, Hash256, NodeId, PeerFact, Quantity, sanitize};

use crate::{AnswerError, PeerConnection, limits::MAX_CLIENT_VERSION};

/// The part of `admin_nodeInfo` that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeInfoAnswer {
    pub(crate) enode: Enode,
    /// Whether the field `id` is the hash of the key in the enode, as with geth.
    pub(crate) id_is_hash: bool,
    /// Whether it lists the protocol snap, as geth does.
    pub(crate) runs_snap: bool,
    pub(crate) name: String,
    pub(crate) full: bool,
    pub(crate) protocols: Vec<Capability>,
    /// The chain's ID by the node's settings, which it also has before the fork that gave chains an ID.
    pub(crate) chain_id: Option<u64>,
}

/// The part of a block that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) number: u64,
    pub(crate) timestamp_s: u64,
    pub(crate) hash: Option<Hash256>,
}

#[derive(Deserialize)]
struct RawInfo<'a> {
    enode: String,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    protocols: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawPeer<'a> {
    enode: String,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    caps: Option<&'a RawValue>,
    #[serde(borrow, default)]
    network: Option<&'a RawValue>,
    #[serde(borrow, default)]
    protocols: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct RawProtocols<'a> {
    #[serde(borrow, default)]
    eth: Option<&'a RawValue>,
    #[serde(borrow, default)]
    les: Option<&'a RawValue>,
    #[serde(borrow, default)]
    snap: Option<&'a RawValue>,
}

/// `protocols.eth` of `admin_nodeInfo`.
#[derive(Deserialize, Default)]
struct RawEth<'a> {
    #[serde(borrow, default)]
    network: Option<&'a RawValue>,
    #[serde(borrow, default)]
    config: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawConfig<'a> {
    #[serde(borrow, default)]
    chain_id: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawSyncing<'a> {
    #[serde(borrow, default)]
    current_block: Option<&'a RawValue>,
    #[serde(borrow, default)]
    highest_block: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawNetwork<'a> {
    #[serde(borrow, default)]
    local_address: Option<&'a RawValue>,
    #[serde(borrow, default)]
    remote_address: Option<&'a RawValue>,
    #[serde(borrow, default)]
    inbound: Option<&'a RawValue>,
    #[serde(borrow, default)]
    trusted: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "static")]
    is_static: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawBlock<'a> {
    #[serde(borrow)]
    number: &'a RawValue,
    #[serde(borrow)]
    timestamp: &'a RawValue,
    #[serde(borrow, default)]
    hash: Option<&'a RawValue>,
}

/// Reads `admin_nodeInfo`. The id is the key in the enode; the field `id` is a hash with some clients.
pub(crate) fn node_info(json: &RawValue) -> Result<NodeInfoAnswer, AnswerError> {
    let raw: RawInfo<'_> = serde_json::from_str(json.get())?;
    let enode = match raw.enode.parse::<Enode>() {
        Ok(enode) => enode,
        // The key is valid even with port 0 or an invalid host.
        Err(_) => Enode::id_only(key_of(&raw.enode).ok_or(AnswerError::NoKey)?),
    };
    // A light node supports les and not eth; a server of light nodes supports both.
    let running: RawProtocols<'_> = inner(raw.protocols);
    let chain: RawEth<'_> = inner(running.eth);
    let config: RawConfig<'_> = inner(chain.config);
    let chain_id = [config.chain_id, chain.network].into_iter().flatten().filter_map(number).find(|id| *id != 0);
    let protocols = protocols(raw.protocols);
    let id_is_hash = peer_hash(&text(raw.id)) == Some(enode.id.devp2p_hash());
    let runs_snap = is_object(running.snap);
    Ok(NodeInfoAnswer {
        enode,
        id_is_hash,
        runs_snap,
        name: text(raw.name),
        full: is_object(running.eth),
        protocols,
        chain_id,
    })
}

/// Parses `admin_peers`. An invalid entry is left out; a list of more than `most` is an error.
pub(crate) fn peers(json: &RawValue, most: usize) -> Result<Vec<PeerFact>, AnswerError> {
    Ok(peer_list(json, most)?.into_iter().filter_map(peer).collect())
}

/// Parses `admin_peers` for the connections. An entry without both addresses, or with a host name in one, is left out.
pub(crate) fn connections(json: &RawValue, most: usize) -> Result<Vec<PeerConnection>, AnswerError> {
    Ok(peer_list(json, most)?.into_iter().filter_map(connection).collect())
}

fn peer_list(json: &RawValue, most: usize) -> Result<Vec<&RawValue>, AnswerError> {
    let raw: Vec<&RawValue> = serde_json::from_str(json.get())?;
    if raw.len() > most {
        return Err(AnswerError::TooManyPeers { peers: raw.len(), most });
    }
    Ok(raw)
}

/// Reads a block; `number` and `timestamp` may be hex or decimal.
pub(crate) fn block(json: &RawValue) -> Result<Block, AnswerError> {
    if json.get() == "null" {
        return Err(AnswerError::NoBlock);
    }
    let raw: RawBlock<'_> = serde_json::from_str(json.get())?;
    Ok(Block {
        number: number(raw.number).ok_or(AnswerError::NotANumber { field: "number" })?,
        timestamp_s: number(raw.timestamp).ok_or(AnswerError::NotANumber { field: "timestamp" })?,
        hash: raw.hash.and_then(|raw| serde_json::from_str(raw.get()).ok()),
    })
}

/// Reads `eth_syncing` of a node whose newest block is `newest`. A node that has all blocks up to the highest that it knows
/// is in sync, also while it still indexes transactions or states, which some clients report as syncing, and on chains whose
/// highest block is reported as lower than the current one. A block may come between the two answers. Nodes that have not heard
/// of any block yet report 0 of 0.
pub(crate) fn syncing(json: &RawValue, newest: u64) -> bool {
    if matches!(json.get(), "false" | "null") {
        return false;
    }
    let raw: RawSyncing<'_> = serde_json::from_str(json.get()).unwrap_or_default();
    let (current, highest) = (raw.current_block.and_then(number), raw.highest_block.and_then(number));
    !current.zip(highest).is_some_and(|(current, highest)| {
        let target = if highest == 0 { current } else { highest };
        current > 0 && current >= highest && newest.saturating_add(1) >= target
    })
}

/// A number as `"0x2a"`, `"42"` or `42`.
pub(crate) fn number(json: &RawValue) -> Option<u64> {
    if let Ok(number) = serde_json::from_str::<u64>(json.get()) {
        return Some(number);
    }
    let text: String = serde_json::from_str(json.get()).ok()?;
    match text.parse::<Quantity>() {
        Ok(quantity) => quantity.number().ok(),
        Err(_) => text.parse().ok(),
    }
}

/// A string, shortened and sanitized; empty if the value is not a string.
pub(crate) fn text(json: Option<&RawValue>) -> String {
    let text = json.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok()).unwrap_or_default();
    sanitize(&text, MAX_CLIENT_VERSION)
}

/// The hash in a peer event, with or without `0x`.
pub(crate) fn peer_hash(text: &str) -> Option<Hash256> {
    let mut bytes = [0; 32];
    const_hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes).ok()?;
    Some(Hash256(bytes))
}

fn peer(json: &RawValue) -> Option<PeerFact> {
    let raw: RawPeer<'_> = serde_json::from_str(json.get()).ok()?;
    let id = key_of(&raw.enode)?;
    let network: RawNetwork<'_> = inner(raw.network);
    let protocols: RawProtocols<'_> = inner(raw.protocols);
    let remote = socket_address(network.remote_address).map(|address| address.ip());
    let direction = match flag(network.inbound) {
        Some(true) => Direction::Inbound,
        Some(false) => Direction::Outbound,
        None => Direction::Unknown,
    };
    Some(PeerFact {
        id,
        ready: is_object(protocols.eth) || is_object(protocols.les),
        direction,
        trusted: flag(network.trusted),
        is_static: flag(network.is_static),
        remote,
        client_version: text(raw.name),
        caps: caps(raw.caps),
    })
}

fn connection(json: &RawValue) -> Option<PeerConnection> {
    let raw: RawPeer<'_> = serde_json::from_str(json.get()).ok()?;
    let network: RawNetwork<'_> = inner(raw.network);
    let (local, remote) = (socket_address(network.local_address)?, socket_address(network.remote_address)?);
    Some(PeerConnection { peer: key_of(&raw.enode)?, local, remote })
}

fn socket_address(json: Option<&RawValue>) -> Option<SocketAddr> {
    serde_json::from_str::<String>(json?.get()).ok()?.parse().ok()
}

/// The protocols that a node runs: the names of the entries that are objects.
fn protocols(json: Option<&RawValue>) -> Vec<Capability> {
    let described: BTreeMap<String, &RawValue> = inner(json);
    let running = described.into_iter().filter(|(_, about)| is_object(Some(about)));
    running.filter_map(|(name, _)| name.parse().ok()).take(Capability::MOST).collect()
}

/// The capabilities that a peer announced: `["eth/69", "snap/1"]`.
fn caps(json: Option<&RawValue>) -> Vec<Capability> {
    let list: Vec<&RawValue> = inner(json);
    let texts = list.into_iter().filter_map(|one| serde_json::from_str::<String>(one.get()).ok());
    texts.filter_map(|text| text.parse().ok()).take(Capability::MOST).collect()
}

/// The public key in an enode whose address may be anything: an inbound peer's has an ephemeral port.
pub(crate) fn key_of(enode: &str) -> Option<NodeId> {
    let rest = enode.strip_prefix("enode://")?;
    let key = rest.split(['@', '?']).next()?;
    key.to_ascii_lowercase().parse().ok()
}

fn inner<'a, T: Deserialize<'a> + Default>(json: Option<&'a RawValue>) -> T {
    json.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

fn flag(json: Option<&RawValue>) -> Option<bool> {
    json.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

/// A sub-protocol that runs is an object; one that is about to fail is the text "handshake" or "unknown".
fn is_object(json: Option<&RawValue>) -> bool {
    json.is_some_and(|raw| raw.get().starts_with('{'))
}

#[cfg(test)]
mod tests;
