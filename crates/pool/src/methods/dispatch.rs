//! The dispatch of calls, the same over WebSocket and HTTP.

use std::net::IpAddr;

use serde_json::value::{RawValue, to_raw_value};
use vipnode_pool_core::{Command, ConnectionId, Identity};
use vipnode_types::{
    NodeId, PoolMethod,
    wire::{ConnectRequest, ReachRequest, StatementRequest, WireError},
};

use crate::{
    auth::{Arrival, SignedParams},
    call_refusal::CallRefusal,
    engine::{NOBODY, PreparedCommand, wall_clock},
    fairness::{FairPermit, PermitClass},
    methods::{
        Service,
        account_call::{AccountCall, verify_query},
        protocol2::{NodeCall, WalletCall},
        request::{AgentRequest, ParsedCall, RequestSender},
        statements::{PageCall, StatementCall, StatementOf},
    },
};

/// A call that was checked: what is left to do.
#[derive(Debug)]
pub(crate) enum Dispatched {
    /// The answer is known.
    Answer(Box<RawValue>),
    /// The pool's status is the answer.
    Status,
    /// The store answers.
    Statement(StatementCall),
    /// `reach` answers, which may take seconds.
    Reach(Box<ReachCall>),
    /// The core answers.
    Command(PreparedCommand),
}

/// A question how the pool sees the caller.
#[derive(Debug)]
pub(crate) struct ReachCall {
    pub(crate) request: ReachRequest,
    /// For a connect that is only checked: what the core checks, or why the connect would be refused before.
    pub(crate) check: Option<Result<PreparedCommand, WireError>>,
    /// Whether the pool does not know the caller's address.
    pub(crate) hides_caller: bool,
}

/// Why a call gets no answer from the core. `E` is why the connection ended in the meantime.
#[derive(Debug)]
pub(crate) enum CallEnd<E> {
    Refused(WireError),
    Ended(E),
}

/// The remote end of a connection that makes calls, over WebSocket or HTTP.
pub(crate) trait CallSource {
    /// Why the connection ended while a call waited.
    type Ended;

    /// Waits for a permit to check a signature.
    async fn check_permit(&mut self) -> Result<FairPermit, CallEnd<Self::Ended>>;

    /// Returns a call of protocol 3 and its sender, if the sender may make it.
    async fn agent(
        &mut self,
        method: PoolMethod,
        signed: &SignedParams<'_>,
        call: Result<AgentRequest, WireError>,
    ) -> Result<(RequestSender, AgentRequest), CallEnd<Self::Ended>>;

    /// Returns the connection and the node of a connected agent that makes a call; the core knows whether it accepted the agent.
    async fn session(
        &mut self,
        method: PoolMethod,
        signed: &SignedParams<'_>,
    ) -> Result<(ConnectionId, NodeId), CallEnd<Self::Ended>>;

    /// Returns the address of the remote end, and whether the pool can call it.
    fn origin(&self) -> (IpAddr, bool);

    /// Returns how its calls reached the pool.
    fn arrival(&self) -> &Arrival;

    /// Checks the nonce of a connect that is only checked, whose signature is valid.
    fn check_nonce(&self, nonce: &str) -> Result<(), WireError>;

    /// Accepts the nonce of a call that changes something without a connect, whose signature is valid. The call cannot be
    /// replayed.
    fn use_nonce(&self, identity: &Identity, nonce: &str) -> Result<(), WireError>;

    /// Returns the connection of a node that signed a call of protocol 2, if it may make the call; `connects` is whether
    /// the call connects the node.
    fn node(&mut self, node: NodeId, connects: bool) -> Result<ConnectionId, WireError>;
}

/// Parses and checks a call.
pub(crate) async fn dispatch<C: CallSource>(
    service: &Service,
    client: &mut C,
    method: &str,
    params: &RawValue,
) -> Result<Dispatched, CallEnd<C::Ended>> {
    let method = PoolMethod::named(method).ok_or_else(|| CallRefusal::unknown_method(method))?;
    match ParsedCall::parse(method, params)? {
        ParsedCall::Ping => Ok(Dispatched::Answer(to_raw_value("pong").unwrap_or_else(|_| RawValue::NULL.to_owned()))),
        ParsedCall::Status => Ok(Dispatched::Status),
        ParsedCall::Reach(signed, mut request) => {
            let check = match request.connect.take() {
                Some(hello) => Some(check_connect(service, client, (&signed, request.node), hello).await?),
                None => None,
            };
            let hides_caller = service.access.hides_caller(client.arrival());
            Ok(Dispatched::Reach(Box::new(ReachCall { request: *request, check, hides_caller })))
        }
        ParsedCall::Agent(signed, call) => {
            let (sender, mut call) = client.agent(method, &signed, call).await?;
            if service.access.hides_caller(client.arrival()) {
                call.drop_claimed_address(sender.address);
            }
            if let AgentRequest::Voucher(voucher) = &call {
                let _permit = client.check_permit().await?;
                service.verify_voucher(voucher)?;
            }
            let class = call.permit_class();
            Ok(Dispatched::Command(service.gateway.prepare(class, |request| call.command(sender, request))?))
        }
        ParsedCall::Account(call) => dispatch_account(service, client, &call).await,
        ParsedCall::Statement(signed, request) => dispatch_statement(service, client, &signed, *request).await,
        ParsedCall::DailyStatement(signed, request) => {
            let (connection, node) = client.session(method, &signed).await?;
            Ok(Dispatched::Statement(StatementCall::Daily(node, connection, request)))
        }
        ParsedCall::Node(call) => {
            let dispatched = dispatch_node(service, client, call).await;
            dispatched.map_err(|failure| failure.map_refusal(WireError::for_protocol2))
        }
        ParsedCall::Wallet(call) => dispatch_wallet(client, &call).await,
    }
}

/// Checks a connect that is not made, in the same way as a connect before it reaches the core.
async fn check_connect<C: CallSource>(
    service: &Service,
    client: &mut C,
    (signed, named): (&SignedParams<'_>, NodeId),
    hello: Box<ConnectRequest>,
) -> Result<Result<PreparedCommand, WireError>, CallEnd<C::Ended>> {
    let permit = client.check_permit().await?;
    let verified = signed.verify(&service.access, client.arrival(), PoolMethod::Reach.name(), wall_clock()).await;
    let checked = verified.and_then(|(identity, nonce)| {
        if identity.node != named {
            return Err(CallRefusal::invalid_params(&"`connect` is signed for a node other than `node`").into());
        }
        client.check_nonce(nonce)?;
        service.access.admit(&identity, &hello, nonce)?;
        let (address, _callable) = client.origin();
        let command = |request| Command::CheckConnect { connection: NOBODY, request, identity, address, hello };
        service.gateway.prepare(PermitClass::Connect, command)
    });
    drop(permit);
    Ok(checked)
}

/// Checks a call about an account.
async fn dispatch_account<C: CallSource>(
    service: &Service,
    client: &mut C,
    call: &AccountCall<'_>,
) -> Result<Dispatched, CallEnd<C::Ended>> {
    let permit = client.check_permit().await?;
    let (verified, signer) = call.verify(service, client.arrival()).await?;
    drop(permit);
    if let Some((identity, nonce)) = signer {
        client.use_nonce(&identity, nonce)?;
    }
    let (address, _callable) = client.origin();
    let prepared = service.gateway.prepare(verified.permit_class(), |request| verified.command(address, request))?;
    Ok(Dispatched::Command(prepared))
}

/// Checks who asks for a statement: the account that signed, or the agent of the node.
async fn dispatch_statement<C: CallSource>(
    service: &Service,
    client: &mut C,
    signed: &SignedParams<'_>,
    StatementRequest { account, range }: StatementRequest,
) -> Result<Dispatched, CallEnd<C::Ended>> {
    let of = if let Some(query) = account {
        let _permit = client.check_permit().await?;
        StatementOf::Account(verify_query(service, &query)?)
    } else {
        let (connection, node) = client.session(PoolMethod::Statement, signed).await?;
        StatementOf::Node(node, connection)
    };
    Ok(Dispatched::Statement(StatementCall::Page(PageCall { of, range })))
}

/// Checks a node's call in protocol 2.
async fn dispatch_node<C: CallSource>(
    service: &Service,
    client: &mut C,
    call: NodeCall<'_>,
) -> Result<Dispatched, CallEnd<C::Ended>> {
    let permit = client.check_permit().await?;
    let mut call = call.verify(&service.access)?;
    drop(permit);
    let (connection, origin) = (client.node(call.node, call.connects())?, client.origin());
    if service.access.hides_caller(client.arrival()) {
        call.drop_claimed_address(origin.0);
    }
    let class = call.permit_class();
    let prepared = service.gateway.prepare(class, |request| call.command(connection, origin, request))?;
    Ok(Dispatched::Command(prepared.refused_by(WireError::for_protocol2)))
}

/// Answers a call of a wallet's page.
async fn dispatch_wallet<C: CallSource>(
    client: &mut C,
    call: &WalletCall<'_>,
) -> Result<Dispatched, CallEnd<C::Ended>> {
    let _permit = client.check_permit().await?;
    Ok(Dispatched::Answer(call.answer().map_err(WireError::for_protocol2)?))
}

impl<E> From<WireError> for CallEnd<E> {
    fn from(error: WireError) -> Self {
        Self::Refused(error)
    }
}

impl<E> From<CallRefusal> for CallEnd<E> {
    fn from(refusal: CallRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl<E> CallEnd<E> {
    /// Changes the refusal.
    pub(crate) fn map_refusal(self, map: impl FnOnce(WireError) -> WireError) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(map(error)),
            Self::Ended(ended) => Self::Ended(ended),
        }
    }
}
