//! Calls over HTTP: each is signed, and the key that signs identifies a connection.

use std::{convert::Infallible, net::IpAddr, sync::Arc};

use serde_json::value::RawValue;
use vipnode_pool_core::{ConnectionId, Identity};
use vipnode_types::{NodeId, PoolMethod, wire::WireError};

use crate::{
    auth::{Arrival, SignedParams},
    call_refusal::CallRefusal,
    engine::{Transport, reply_text, wall_clock},
    fairness::{Block, Caller, FairPermit},
    methods::{
        Service,
        dispatch::{CallEnd, CallSource, Dispatched, dispatch},
        http_sessions::{Begins, HttpSessions, SessionKey},
        reach,
        request::{AgentRequest, RequestSender},
    },
};

/// The answer to a call, whose bytes are charged.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) result: Result<Box<RawValue>, WireError>,
    /// What the call was charged to: the caller's address block, or the members of a closed pool.
    pub(crate) charged_to: Arc<Block>,
}

/// Answers one call.
pub(crate) async fn answer(
    service: &Service,
    caller: &Caller,
    arrival: Arrival,
    method: &str,
    params: &RawValue,
) -> HttpAnswer {
    let mut client = HttpClient { service, caller, arrival, member: false, new: None, bye: None };
    let mut result = client.answer(method, params).await;
    let charged_to = Arc::clone(client.charged_to());
    if let Ok(answer) = &result
        && let Err(busy) = service.charge(&charged_to, answer.get().len()).await
    {
        result = Err(busy.into());
    }
    HttpAnswer { result, charged_to }
}

/// The remote end of an HTTP connection, for one call.
struct HttpClient<'a> {
    service: &'a Service,
    caller: &'a Caller,
    arrival: Arrival,
    /// Whether a member of a closed pool signed this call.
    member: bool,
    /// The session that this call begins.
    new: Option<NewSession<'a>>,
    /// The session that this call ends, once the core has answered.
    bye: Option<(SessionKey, ConnectionId)>,
}

/// A session that the core has not accepted yet. It is closed if the core refuses it, or if the caller no longer waits
/// for the answer.
struct NewSession<'a> {
    sessions: &'a HttpSessions,
    key: SessionKey,
    connection: ConnectionId,
    stays: bool,
}

impl Drop for NewSession<'_> {
    fn drop(&mut self) {
        if !self.stays {
            self.sessions.close(self.key, self.connection);
        }
    }
}

impl HttpClient<'_> {
    async fn answer(&mut self, method: &str, params: &RawValue) -> Result<Box<RawValue>, WireError> {
        let (service, caller) = (self.service, self.caller);
        let command = match dispatch(service, self, method, params).await {
            Ok(Dispatched::Answer(answer)) => return Ok(answer),
            Ok(Dispatched::Status) => return service.status(false).await,
            Ok(Dispatched::Statement(call)) => return call.answer(service, caller).await,
            Ok(Dispatched::Reach(call)) => return reach::answer(service, caller, "", *call).await,
            Ok(Dispatched::Command(command)) => command,
            Err(CallEnd::Refused(error)) => return Err(error),
            Err(CallEnd::Ended(never)) => match never {},
        };
        let reply = service.gateway.answer(self.charged_to(), command).await?;
        if let Some(new) = &mut self.new {
            new.stays = true;
        }
        if let Some((key, connection)) = self.bye {
            service.sessions.close(key, connection);
        }
        reply_text(&reply)
    }

    /// What the call is charged to. Other callers may share the connection, so a member is exempt for this call only.
    fn charged_to(&self) -> &Arc<Block> {
        if self.member { self.caller.members() } else { self.caller.charged_to() }
    }

    /// Returns the connection of a session, unless the core closed it.
    fn connection(&self, key: SessionKey, node: NodeId) -> Option<ConnectionId> {
        let connection = self.service.sessions.connection(key, node);
        connection.filter(|connection| self.service.connections.is_open(*connection))
    }

    /// Whether a call may begin a session.
    fn begins(&self, connects: bool) -> Begins {
        match connects {
            true if self.service.access.is_closed() => Begins::ForMember,
            true => Begins::InBlock(self.caller.address_block()),
            false => Begins::No,
        }
    }

    /// Returns the connection of a session; a call that connects begins a new session if there is none.
    fn connection_or_new(&mut self, key: SessionKey, node: NodeId, connects: bool) -> Result<ConnectionId, WireError> {
        if let Some(connection) = self.connection(key, node) {
            return Ok(connection);
        }
        if !connects {
            return Err(CallRefusal::NotAuthenticated.into());
        }
        let entry = self.service.connections.add(Transport::Http);
        let connection = entry.connection();
        self.service.sessions.open(key, node, entry, self.begins(connects))?;
        self.new = Some(NewSession { sessions: &self.service.sessions, key, connection, stays: false });
        Ok(connection)
    }
}

impl CallSource for HttpClient<'_> {
    type Ended = Infallible;

    async fn check_permit(&mut self) -> Result<FairPermit, CallEnd<Infallible>> {
        Ok(self.service.acquire_check(self.caller).await?)
    }

    async fn agent(
        &mut self,
        method: PoolMethod,
        signed: &SignedParams<'_>,
        mut call: Result<AgentRequest, WireError>,
    ) -> Result<(RequestSender, AgentRequest), CallEnd<Infallible>> {
        let permit = self.check_permit().await?;
        let (identity, nonce) = signed.verify(&self.service.access, &self.arrival, method.name(), wall_clock()).await?;
        let connects = method == PoolMethod::Connect;
        if connects {
            let connect = call?;
            if let AgentRequest::Connect(hello) = &connect {
                // In a closed pool, strangers get no entry in the table of sessions.
                self.service.access.admit(&identity, hello, nonce)?;
            }
            call = Ok(connect);
        }
        drop(permit);
        self.service.sessions.use_nonce(&identity, nonce, wall_clock(), self.begins(connects))?;
        let key = SessionKey::of(&identity);
        let connection = self.connection_or_new(key, identity.node, connects)?;
        self.member = self.service.access.is_closed();
        let call = call?;
        if matches!(call, AgentRequest::Bye) {
            self.bye = Some((key, connection));
        }
        Ok((RequestSender { connection, identity, address: self.caller.address, callable: false }, call))
    }

    async fn session(
        &mut self,
        method: PoolMethod,
        signed: &SignedParams<'_>,
    ) -> Result<(ConnectionId, NodeId), CallEnd<Infallible>> {
        let permit = self.check_permit().await?;
        let (identity, nonce) = signed.verify(&self.service.access, &self.arrival, method.name(), wall_clock()).await?;
        drop(permit);
        self.service.sessions.use_nonce(&identity, nonce, wall_clock(), self.begins(false))?;
        let connection = self.connection_or_new(SessionKey::of(&identity), identity.node, false)?;
        self.member = self.service.access.is_closed();
        Ok((connection, identity.node))
    }

    /// The pool cannot call over HTTP.
    fn origin(&self) -> (IpAddr, bool) {
        (self.caller.address, false)
    }

    fn arrival(&self) -> &Arrival {
        &self.arrival
    }

    /// It is not used up: nothing follows from a connect that is only checked.
    fn check_nonce(&self, nonce: &str) -> Result<(), WireError> {
        Ok(self.service.sessions.check_time(nonce, wall_clock()).map(drop)?)
    }

    /// A stranger to a closed pool may sign too, so the nonce takes part in the share of the caller's block.
    fn use_nonce(&self, identity: &Identity, nonce: &str) -> Result<(), WireError> {
        self.service.sessions.use_nonce(identity, nonce, wall_clock(), Begins::InBlock(self.caller.address_block()))
    }

    fn node(&mut self, node: NodeId, connects: bool) -> Result<ConnectionId, WireError> {
        let connection = self.connection_or_new(SessionKey::Node(node), node, connects)?;
        self.member = self.service.access.is_closed();
        Ok(connection)
    }
}
