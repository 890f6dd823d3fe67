//! Protocol 2 of the original at the pool's port: every call is signed by the node's key, over its bytes as they came.

mod node_call;
mod wallet_call;

use serde_json::value::RawValue;
use vipnode_types::wire::WireError;

pub(crate) use node_call::NodeCall;
pub(crate) use wallet_call::WalletCall;

use crate::methods::{
    Service,
    dispatch::{Client, Dispatched, Failure},
};

/// Whether params begin as those of a call of protocol 2 do: with a signature. A connect of protocol 3 begins with an
/// object.
pub(crate) fn is_signed_by_node(params: &RawValue) -> bool {
    let first = params.get().trim_start().strip_prefix('[').unwrap_or_default();
    first.trim_start().starts_with('"')
}

/// Judges a node's call. Its refusals have the codes of protocol 2.
pub(super) async fn dispatch_node<C: Client>(
    service: &Service,
    client: &mut C,
    call: NodeCall<'_>,
) -> Result<Dispatched, Failure<C::Ended>> {
    judge_node(service, client, call).await.map_err(|failure| failure.map_refusal(WireError::for_protocol2))
}

async fn judge_node<C: Client>(
    service: &Service,
    client: &mut C,
    call: NodeCall<'_>,
) -> Result<Dispatched, Failure<C::Ended>> {
    let permit = client.check_permit().await?;
    let call = call.verify(&service.access)?;
    drop(permit);
    let (peer, from) = (client.node(call.node, call.connects())?, client.origin());
    let prepared = service.gateway.prepare(call.permit_class(), |request| call.command(peer, from, request))?;
    Ok(Dispatched::Command(prepared.refused_by(WireError::for_protocol2)))
}

/// Answers a wallet's page.
pub(super) async fn dispatch_wallet<C: Client>(
    client: &mut C,
    call: &WalletCall<'_>,
) -> Result<Dispatched, Failure<C::Ended>> {
    let _permit = client.check_permit().await?;
    Ok(Dispatched::Answer(call.answer().map_err(WireError::for_protocol2)?))
}
