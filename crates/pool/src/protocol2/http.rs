use std::time::Duration;

use serde_json::value::RawValue;
use vipnode_pool_core::ConnectionId;
use vipnode_types::wire::WireError;

use super::SignedBy;
use crate::{
    door::Guest,
    errors,
    gateway::{Gateway, reply_text},
    http_call::end,
    sockets::Line,
};

/// Answers a node's call over HTTP, where nobody can be called: it can be a client, and no host.
pub(crate) async fn answer(
    gateway: &Gateway,
    guest: &Guest,
    method: &str,
    params: &RawValue,
) -> Result<Box<RawValue>, WireError> {
    take(gateway, guest, method, params).await.map_err(WireError::for_protocol2)
}

async fn take(gateway: &Gateway, guest: &Guest, method: &str, params: &RawValue) -> Result<Box<RawValue>, WireError> {
    let turn = gateway.next_turn(&guest.block).await?;
    let call = SignedBy::read(method, params, gateway)?;
    drop(turn);
    let node = call.node;
    let known = gateway.http_nodes.heard(&node).filter(|peer| gateway.sockets.is_open(*peer));
    let peer = match known {
        Some(peer) => peer,
        None if call.connects() => begin(gateway, &call)?,
        None => return Err(errors::not_authenticated()),
    };
    let reply = gateway.answered(&guest.block, |request| call.command(peer, guest, false, request)).await;
    if reply.is_err() && known.is_none() {
        // Whoever did not get in, by a nonce used before or otherwise, leaves nothing behind.
        gateway.http_nodes.remove(&node);
        end(gateway, peer);
    }
    reply_text(&reply?)
}

fn begin(gateway: &Gateway, call: &SignedBy) -> Result<ConnectionId, WireError> {
    let peer = gateway.sockets.add(Line::Http);
    match gateway.http_nodes.set(call.node, peer) {
        Ok(old) => {
            if let Some(old) = old {
                end(gateway, old);
            }
            Ok(peer)
        }
        Err(error) => {
            gateway.sockets.remove(peer);
            Err(error)
        }
    }
}

/// Ends the connections of nodes that were not heard for `idle`.
pub(crate) fn expire(gateway: &Gateway, idle: Duration) {
    for peer in gateway.http_nodes.expire(idle) {
        end(gateway, peer);
    }
}
