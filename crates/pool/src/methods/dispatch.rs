//! What becomes of a call, over WebSocket and HTTP alike.

use std::net::IpAddr;

use serde_json::value::{RawValue, to_raw_value};
use vipnode_pool_core::ConnectionId;
use vipnode_types::{
    NodeId, PoolMethod,
    wire::{ReachRequest, WireError},
};

use crate::{
    auth::SignedParams,
    engine::PreparedCommand,
    error::Refusal,
    fairness::FairPermit,
    methods::{
        Service, protocol2,
        request::{AgentCall, AgentSender, Request},
    },
};

/// A call that was judged: what is left to do.
#[derive(Debug)]
pub(crate) enum Dispatched {
    /// This is the answer.
    Answer(Box<RawValue>),
    /// The answer is the pool's status.
    Status,
    /// The answer comes from `reach`, which may take seconds.
    Reach(ReachRequest),
    /// The core answers.
    Command(PreparedCommand),
}

/// Why a call leads nowhere. `E` says why the connection ended meanwhile.
#[derive(Debug)]
pub(crate) enum Failure<E> {
    Refused(WireError),
    Ended(E),
}

/// The other end of a connection that makes calls, over WebSocket or HTTP.
pub(crate) trait Client {
    /// Why the connection ended while something was waited for.
    type Ended;

    /// Waits for a permit to check a signature.
    async fn check_permit(&mut self) -> Result<FairPermit, Failure<Self::Ended>>;

    /// Returns a call of protocol 3 and who makes it, if it may.
    async fn agent(
        &mut self,
        method: PoolMethod,
        signed: &SignedParams<'_>,
        call: Result<AgentCall, WireError>,
    ) -> Result<(AgentSender, AgentCall), Failure<Self::Ended>>;

    /// Returns its address, and whether the pool can call it.
    fn origin(&self) -> (IpAddr, bool);

    /// Returns the connection of a node that signed a call of protocol 2, if it may make it; `connects` says whether
    /// the call presents the node.
    fn node(&mut self, node: NodeId, connects: bool) -> Result<ConnectionId, WireError>;
}

/// Parses and judges a call.
pub(crate) async fn dispatch<C: Client>(
    service: &Service,
    client: &mut C,
    method: &str,
    params: &RawValue,
) -> Result<Dispatched, Failure<C::Ended>> {
    let method = PoolMethod::named(method).ok_or_else(|| Refusal::unknown_method(method))?;
    match Request::parse(method, params)? {
        Request::Ping => Ok(Dispatched::Answer(to_raw_value("pong").unwrap_or_else(|_| RawValue::NULL.to_owned()))),
        Request::Status => Ok(Dispatched::Status),
        Request::Reach(request) => Ok(Dispatched::Reach(request)),
        Request::Agent(signed, call) => {
            let (sender, call) = client.agent(method, &signed, call).await?;
            let class = call.permit_class();
            Ok(Dispatched::Command(service.gateway.prepare(class, |request| call.command(sender, request))?))
        }
        Request::Node(call) => protocol2::dispatch_node(service, client, call).await,
        Request::Wallet(call) => protocol2::dispatch_wallet(client, &call).await,
    }
}

impl<E> From<WireError> for Failure<E> {
    fn from(error: WireError) -> Self {
        Self::Refused(error)
    }
}

impl<E> From<Refusal> for Failure<E> {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl<E> Failure<E> {
    /// The same with another refusal.
    pub(crate) fn map_refusal(self, map: impl FnOnce(WireError) -> WireError) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(map(error)),
            Self::Ended(ended) => Self::Ended(ended),
        }
    }
}
