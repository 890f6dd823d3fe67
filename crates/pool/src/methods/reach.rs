//! `vipnode_reach`: how the pool sees somebody who has not joined.
//!
//! A port is tried at the address that the caller comes from and at no other, so that nobody can have the pool knock
//! at a stranger's door; behind trusted proxies it is the address that they name.

use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use serde_json::value::{RawValue, to_raw_value};
use tokio::{net::TcpStream, time::timeout};
use vipnode_types::wire::{Admission, ErrorCode, Reach, ReachReply, ReachRequest, WireError};

use crate::{
    Membership,
    auth::signed_params::Call,
    engine::{clock, gateway::Gateway},
    error,
    fairness::block::Block,
};

/// Answers one call. `nonce` is what a proof of the join secret has to be made for.
pub(crate) async fn answer(
    gateway: &Gateway,
    address: IpAddr,
    block: &Arc<Block>,
    nonce: &str,
    params: &RawValue,
) -> Result<Box<RawValue>, WireError> {
    let request: ReachRequest = Call::read(params)?.parse()?;
    let admission = admission(gateway, &request, nonce);
    let port = match request.port {
        Some(0) => return Err(error::invalid_params("the port is not 1..=65535")),
        Some(port) => Some(knock(gateway, block, SocketAddr::new(address.to_canonical(), port)).await?),
        None => None,
    };
    // Last, so that the caller knows best how old it is.
    let reply = ReachReply { address: address.to_canonical(), port, admission, time_ms: clock::wall() };
    to_raw_value(&reply).map_err(|error| WireError::new(ErrorCode::Internal, error.to_string(), ""))
}

fn admission(gateway: &Gateway, request: &ReachRequest, nonce: &str) -> Admission {
    let rules = gateway.rules();
    if let Some(Err(error)) = rules.network.map(|network| network.admits(request.chain_id)) {
        return Admission::Refused(error);
    }
    match &rules.members {
        // Whoever asks may ask of any node: who is a member is nobody's business.
        Membership::Members(_) => Admission::MembersOnly,
        members => match members.admits(&request.node, request.join.as_ref(), nonce) {
            Ok(()) => Admission::Allowed,
            Err(error) => Admission::Refused(error),
        },
    }
}

async fn knock(gateway: &Gateway, block: &Block, target: SocketAddr) -> Result<Reach, WireError> {
    block.reaches.take(Instant::now()).map_err(|retry_ms| {
        WireError::busy("this pool has tried many ports for your address and its neighbours", retry_ms)
    })?;
    let Ok(_permit) = gateway.reaches.try_acquire() else {
        return Err(error::crowded(gateway.limits.retry_ms()));
    };
    Ok(match timeout(gateway.limits.reach_wait, TcpStream::connect(target)).await {
        Ok(Ok(_open)) => Reach::Open,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Reach::Refused,
        Ok(Err(_)) | Err(_) => Reach::Timeout,
    })
}
