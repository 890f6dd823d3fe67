use std::time::Duration;

use serde_json::value::RawValue;
use vipnode_pool_core::ConnectionId;
use vipnode_types::{NodeId, wire::WireError};

use super::SignedBy;
use crate::{
    engine::{
        connections::Transport,
        gateway::{Gateway, reply_text},
    },
    error,
    fairness::connection_limiter::Caller,
};

/// Answers a node's call over HTTP, where nobody can be called: it can be a client, and no host.
pub(crate) async fn answer(
    gateway: &Gateway,
    caller: &Caller,
    method: &str,
    params: &RawValue,
) -> Result<Box<RawValue>, WireError> {
    take(gateway, caller, method, params).await.map_err(WireError::for_protocol2)
}

async fn take(gateway: &Gateway, caller: &Caller, method: &str, params: &RawValue) -> Result<Box<RawValue>, WireError> {
    let permit = gateway.acquire_check(&caller.block).await?;
    let call = SignedBy::read(method, params, gateway)?;
    drop(permit);
    let node = call.node;
    let known = gateway.http_nodes.heard(&node).filter(|peer| gateway.connections.is_open(*peer));
    let peer = match known {
        Some(peer) => peer,
        None if call.connects() => begin(gateway, &call)?,
        None => return Err(error::not_authenticated()),
    };
    let mut presented = Presented { gateway, node, peer, stays: known.is_some() };
    let reply = gateway.answered(&caller.block, |request| call.command(peer, caller, false, request)).await?;
    presented.stays = true;
    reply_text(&reply)
}

/// A connection that the core has not said yes to. Who does not get in, by a nonce used before or otherwise, and who
/// does not wait for the answer leaves nothing behind.
struct Presented<'a> {
    gateway: &'a Gateway,
    node: NodeId,
    peer: ConnectionId,
    stays: bool,
}

impl Drop for Presented<'_> {
    fn drop(&mut self) {
        if !self.stays {
            drop(self.gateway.http_nodes.remove(&self.node, self.peer));
        }
    }
}

fn begin(gateway: &Gateway, call: &SignedBy) -> Result<ConnectionId, WireError> {
    let entry = gateway.connections.add(Transport::Http);
    let peer = entry.peer();
    drop(gateway.http_nodes.set(call.node, entry)?);
    Ok(peer)
}

/// Ends the connections of nodes that were not heard for `idle`.
pub(crate) fn expire(gateway: &Gateway, idle: Duration) {
    drop(gateway.http_nodes.expire(idle));
}
