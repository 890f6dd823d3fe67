//! Calls over HTTP: each is signed, and an agent's key stands for a connection.

use serde_json::value::{RawValue, to_raw_value};
use vipnode_pool_core::{Command, ConnectionId, Identity, Reply};
use vipnode_types::wire::{WireError, method};

use crate::{
    auth::signed_params::{self, Call},
    engine::{
        clock,
        connections::Transport,
        gateway::{Gateway, reply_text},
    },
    error,
    fairness::connection_limiter::Caller,
    methods::{agent_call::AgentCall, dispatch::Route, protocol2, reach},
};

/// Answers one call.
pub(crate) async fn answer(
    gateway: &Gateway,
    caller: &Caller,
    method: &str,
    params: &RawValue,
) -> Result<Box<RawValue>, WireError> {
    let route = Route::of(method, params).ok_or_else(|| error::unknown_method(method))?;
    match route {
        Route::Ping => return Ok(pong()),
        Route::Status => return gateway.status(false).await,
        Route::Reach => return reach::answer(gateway, caller.address, &caller.block, "", params).await,
        Route::Node => return protocol2::answer(gateway, caller, method, params).await,
        Route::Wallet => {
            let _permit = gateway.acquire_check(&caller.block).await?;
            return protocol2::wallet(method, params);
        }
        Route::Connect | Route::Agent => {}
    }
    let call = Call::read(params)?;
    let permit = gateway.acquire_check(&caller.block).await?;
    let (identity, nonce) = call.verify(gateway, method).await?;
    drop(permit);
    let reply = if route == Route::Connect {
        connect(gateway, caller, &call, identity, nonce).await?
    } else {
        gateway.http_agents.use_nonce(&identity, nonce, clock::wall())?;
        let peer = connected(gateway, &identity)?;
        let agent_call = AgentCall::read(method, &call)?;
        gateway.answered(&caller.block, |request| agent_call.command(peer, request)).await?
    };
    if method == method::BYE {
        leave(gateway, &identity);
    }
    reply_text(&reply)
}

async fn connect(
    gateway: &Gateway,
    caller: &Caller,
    call: &Call<'_>,
    identity: Identity,
    nonce: &str,
) -> Result<Reply, WireError> {
    // Strangers to a closed pool take no place in the table of agents.
    let hello = signed_params::admitted(gateway, call, &identity, nonce)?;
    gateway.http_agents.use_nonce(&identity, nonce, clock::wall())?;
    let peer = connected(gateway, &identity).unwrap_or_else(|_| begin(gateway, &identity));
    let mut presented = Presented { gateway, identity, stays: false };
    let make = |request| Command::Connect { peer, request, identity, address: caller.address, callable: false, hello };
    let reply = gateway.answered(&caller.block, make).await?;
    presented.stays = true;
    Ok(reply)
}

/// An agent that the core has not said yes to. Who does not get in, and who does not wait for the answer, leaves nothing
/// behind but its nonce.
struct Presented<'a> {
    gateway: &'a Gateway,
    identity: Identity,
    stays: bool,
}

impl Drop for Presented<'_> {
    fn drop(&mut self) {
        if !self.stays {
            leave(self.gateway, &self.identity);
        }
    }
}

/// The agent's connection, unless the core closed it.
fn connected(gateway: &Gateway, identity: &Identity) -> Result<ConnectionId, WireError> {
    let peer = gateway.http_agents.peer(identity);
    peer.filter(|peer| gateway.connections.is_open(*peer)).ok_or_else(error::not_authenticated)
}

fn begin(gateway: &Gateway, identity: &Identity) -> ConnectionId {
    let entry = gateway.connections.add(Transport::Http);
    let peer = entry.peer();
    drop(gateway.http_agents.set(identity, Some(entry)));
    peer
}

fn leave(gateway: &Gateway, identity: &Identity) {
    drop(gateway.http_agents.set(identity, None));
}

fn pong() -> Box<RawValue> {
    to_raw_value("pong").unwrap_or_else(|_| RawValue::NULL.to_owned())
}
