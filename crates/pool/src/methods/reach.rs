//! `vipnode_reach`: how the pool sees a node that has not joined.
//!
//! A port is tested only at the caller's own address, so that no caller can make the pool test a stranger's port; behind
//! trusted proxies, it is the address that they name. Behind a proxy that the pool does not know, that would be a port of the
//! pool's own machine, so none is tested.

use std::{io::ErrorKind, net::SocketAddr, time::Instant};

use serde_json::value::{RawValue, to_raw_value};
use tokio::{net::TcpStream, time::timeout};
use vipnode_pool_core::Reply;
use vipnode_types::wire::{Admission, HostSupply, Reach, ReachReply, WireError};

use crate::{
    call_refusal::CallRefusal,
    engine::{PreparedCommand, wall_clock},
    fairness::{Caller, Rate},
    methods::{Service, dispatch::ReachCall},
};

/// Answers one call. `nonce` is the one that a proof of the join secret has to cover.
pub(crate) async fn answer(
    service: &Service,
    caller: &Caller,
    nonce: &str,
    ReachCall { request, check, hides_caller }: ReachCall,
) -> Result<Box<RawValue>, WireError> {
    let (admission, supply) = match check {
        None => (service.access.admission(&request, nonce), None),
        Some(check) => admission(service, caller, check).await,
    };
    let address = caller.address.to_canonical();
    let tested = match request.port {
        Some(0) => return Err(CallRefusal::invalid_params(&"the port is not 1..=65535").into()),
        Some(_) if hides_caller => Some(Err(CallRefusal::HiddenCaller.into())),
        Some(port) => Some(test_port(service, caller, SocketAddr::new(address, port)).await),
        None => None,
    };
    // A caller whose port is not tested still learns whether it may join.
    let (port, port_error) = match tested.transpose() {
        Ok(port) => (port, None),
        Err(error) => (None, Some(error)),
    };
    // Last, so that the caller knows its age best.
    let reply = ReachReply { address, port, port_error, admission, supply, time_ms: wall_clock() };
    Ok(to_raw_value(&reply).map_err(|error| CallRefusal::Internal { why: error.to_string() })?)
}

/// Returns whether the core would accept a connect, and which hosts it has for the node.
async fn admission(
    service: &Service,
    caller: &Caller,
    check: Result<PreparedCommand, WireError>,
) -> (Admission, Option<HostSupply>) {
    let checked = match check {
        Ok(command) => service.gateway.answer(caller.charged_to(), command).await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(Reply::Checked(supply)) => (Admission::Allowed, Some(*supply)),
        Ok(_) => (Admission::Allowed, None),
        Err(error) => (Admission::Refused(error), None),
    }
}

/// Opens a TCP connection to the port, within the limits of the caller's block.
async fn test_port(service: &Service, caller: &Caller, target: SocketAddr) -> Result<Reach, WireError> {
    let paced = caller.block().take(Rate::Reaches, Instant::now());
    paced.map_err(|retry_ms| CallRefusal::PortsTried { retry_ms })?;
    let Some(_test) = service.port_tests.begin(caller.address_block()) else {
        return Err(CallRefusal::Overloaded { retry_ms: service.limits.retry_ms() }.into());
    };
    Ok(match timeout(service.limits.reach_wait, TcpStream::connect(target)).await {
        Ok(Ok(_open)) => Reach::Open,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Reach::Refused,
        Ok(Err(_)) | Err(_) => Reach::Timeout,
    })
}
