use std::{fmt::Display, net::IpAddr};

use futures_util::{Sink, Stream};
use vipnode_pool_core::{ConnectionId, Identity};
use vipnode_rpc::{Frame, Session, SessionEnd};
use vipnode_types::{NodeId, PoolMethod, wire::WireError};

use super::Socket;
use crate::{
    auth::{Arrival, SignedParams},
    call_refusal::CallRefusal,
    engine::wall_clock,
    fairness::FairPermit,
    methods::{
        dispatch::{CallEnd, CallSource},
        request::{AgentRequest, RequestSender},
    },
};

/// A socket that makes a call, and its session, which continues to work while the call waits.
pub(super) struct SocketClient<'a, 'b, S> {
    pub(super) socket: &'a mut Socket<'b>,
    pub(super) session: &'a mut Session<S>,
}

impl<S, E> CallSource for SocketClient<'_, '_, S>
where
    S: Stream<Item = Result<Frame, E>> + Sink<Frame> + Unpin,
    <S as Sink<Frame>>::Error: Display,
    E: Into<SessionEnd>,
{
    type Ended = SessionEnd;

    async fn check_permit(&mut self) -> Result<FairPermit, CallEnd<SessionEnd>> {
        let service = self.socket.service;
        match service.try_check(self.socket.caller) {
            Ok(permit) => Ok(permit),
            Err(wait) => {
                let waited = self.session.work_while(Box::pin(service.wait_for_check(wait))).await;
                Ok(waited.map_err(CallEnd::Ended)??)
            }
        }
    }

    /// Only a connect is signed. Later calls are made by the identity that it named; the core knows whether it accepted
    /// that.
    async fn agent(
        &mut self,
        method: PoolMethod,
        signed: &SignedParams<'_>,
        call: Result<AgentRequest, WireError>,
    ) -> Result<(RequestSender, AgentRequest), CallEnd<SessionEnd>> {
        let (identity, call) = if method == PoolMethod::Connect {
            let _permit = self.check_permit().await?;
            self.socket.connect(signed, call).await?
        } else {
            (self.socket.claimed.ok_or(CallRefusal::NotAuthenticated)?, call?)
        };
        let (address, callable) = self.origin();
        Ok((RequestSender { connection: self.socket.connection(), identity, address, callable }, call))
    }

    async fn session(
        &mut self,
        _method: PoolMethod,
        _signed: &SignedParams<'_>,
    ) -> Result<(ConnectionId, NodeId), CallEnd<SessionEnd>> {
        let identity = self.socket.claimed.ok_or(CallRefusal::NotAuthenticated)?;
        Ok((self.socket.connection(), identity.node))
    }

    fn origin(&self) -> (IpAddr, bool) {
        (self.socket.caller.address, true)
    }

    fn arrival(&self) -> &Arrival {
        &self.socket.arrival
    }

    fn check_nonce(&self, nonce: &str) -> Result<(), WireError> {
        self.socket.check_nonce(nonce)
    }

    /// A call of another socket has another challenge.
    fn use_nonce(&self, _identity: &Identity, nonce: &str) -> Result<(), WireError> {
        self.socket.check_nonce(nonce)
    }

    /// One socket is for one node, in one protocol.
    fn node(&mut self, node: NodeId, connects: bool) -> Result<ConnectionId, WireError> {
        let socket = &mut *self.socket;
        if socket.claimed.is_some() || socket.signed_by.is_some_and(|other| other != node) {
            return Err(CallRefusal::OtherNode.into());
        }
        if socket.signed_by.is_none() && !connects {
            return Err(CallRefusal::NotAuthenticated.into());
        }
        socket.signed_by = Some(node);
        socket.authenticated();
        Ok(socket.connection())
    }
}

impl Socket<'_> {
    /// The signature of a connect covers the challenge.
    fn check_nonce(&self, nonce: &str) -> Result<(), WireError> {
        if nonce == self.challenge { Ok(()) } else { Err(CallRefusal::Challenge.into()) }
    }

    /// Verifies a connect, whose signature covers the challenge.
    async fn connect(
        &mut self,
        signed: &SignedParams<'_>,
        call: Result<AgentRequest, WireError>,
    ) -> Result<(Identity, AgentRequest), WireError> {
        let (access, method) = (&self.service.access, PoolMethod::Connect.name());
        let (identity, nonce) = signed.verify(access, &self.arrival, method, wall_clock()).await?;
        self.check_nonce(nonce)?;
        let other = self.claimed.as_ref().is_some_and(|claimed| claimed.node != identity.node);
        if other || self.signed_by.is_some() {
            return Err(CallRefusal::OtherNode.into());
        }
        let call = call?;
        if let AgentRequest::Connect(hello) = &call {
            self.service.access.admit(&identity, hello, nonce)?;
        }
        self.claimed = Some(identity);
        self.authenticated();
        Ok((identity, call))
    }

    /// The node's key signed a call, and the node may call this pool. From now on, the members of a closed pool are charged to
    /// no address block.
    fn authenticated(&mut self) {
        if !self.entry.is_reported() && self.service.access.is_closed() {
            self.caller.set_member();
        }
        self.entry.set_reported();
    }
}
