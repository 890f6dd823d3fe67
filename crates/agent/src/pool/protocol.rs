use std::{fmt::Display, sync::Arc, time::Duration};

use serde_json::value::{RawValue, to_raw_value};
use vipnode_agent_core::{AgentConfig, FromPool, ToPool};
use vipnode_rpc::{CallError, Responder, RpcClient};
use vipnode_types::{
    Failure, JoinSecret, NodeKey, PayoutOrder,
    wire::{DailyStatementRequest, ExplainReply, NodeFunds, PoolStatus, SignedDailyStatement, WireError, method},
};

use super::{
    CallResponder, PoolAddress,
    known_pool::Presented,
    protocol2,
    protocol2::Protocol2,
    protocol3,
    protocol3::{PoolOutcome, Proof, Protocol3},
};
use crate::{
    AgentError,
    limits::{REQUEST_DEADLINE, REQUEST_SLACK},
    local::PoolQuery,
    request_error::RequestError,
    state::{AgentIdentity, Nonces},
};

/// The protocol that the agent uses with its pool.
#[derive(Debug)]
pub(crate) enum Protocol {
    /// Signed once by the agent's key, for which the node has delegated.
    V3(Protocol3),
    /// Each call signed by the node's own key.
    V2(Protocol2),
}

impl Protocol {
    /// The protocol that the agent is configured for. Of the two ways to sign, only the one that is needed is awaited:
    /// an identity and the payout order for protocol 3, the node's key and its nonces for protocol 2.
    ///
    /// # Errors
    /// Why the identity or the key is not available.
    pub(crate) async fn configured(
        config: &AgentConfig,
        pool: &PoolAddress,
        join: Option<JoinSecret>,
        identity: impl Future<Output = Result<(AgentIdentity, Option<PayoutOrder>), AgentError>>,
        node_key: impl Future<Output = Result<(NodeKey, Nonces), AgentError>>,
    ) -> Result<Self, AgentError> {
        let deadline = Duration::from_millis(config.request_ms).saturating_add(REQUEST_SLACK);
        match config.protocol2 {
            None => {
                let (identity, payout) = identity.await?;
                let audience = pool.url().to_owned();
                Ok(Self::V3(Protocol3::new(Arc::new(identity), audience, (join, payout), deadline)))
            }
            Some(_) => {
                let (key, nonces) = node_key.await?;
                Ok(Self::V2(Protocol2::new(key, nonces, deadline)))
            }
        }
    }

    /// The version number: 2 or 3.
    pub(crate) const fn version(&self) -> u32 {
        match self {
            Self::V2(_) => 2,
            Self::V3(_) => 3,
        }
    }

    /// Returns the name of a pool in the state directory. Lease IDs of one protocol mean nothing in the other, so the
    /// same pool has two names.
    pub(crate) fn name_of(&self, pool: &PoolAddress) -> String {
        match self {
            Self::V2(_) => protocol2::name_of(pool),
            Self::V3(_) => pool.url().to_owned(),
        }
    }

    /// Whether a socket without a challenge is useless.
    pub(super) const fn needs_challenge(&self) -> bool {
        matches!(self, Self::V3(_))
    }

    /// Sends a request of the agent core and waits for its answer.
    ///
    /// # Errors
    /// Why the connection can no longer be used.
    pub(super) async fn send(&self, to: &RpcClient, proof: &Proof, request: ToPool) -> Result<PoolOutcome, Failure> {
        match self {
            Self::V3(protocol) => protocol.send(to, proof, request).await,
            Self::V2(protocol) => protocol.send(to, request).await,
        }
    }

    /// Forwards a query of the agent's user to the pool.
    pub(super) async fn ask(&self, to: &RpcClient, proof: &Proof, presented: Presented, query: PoolQuery) {
        // The user may have disconnected in the meantime.
        match query {
            PoolQuery::Why(asker) => drop(asker.send(self.explain(to, proof).await)),
            PoolQuery::Pool(asker) => drop(asker.send(pool_status(to).await)),
            PoolQuery::Funds(asker) => drop(asker.send(self.funds(to, proof).await)),
            PoolQuery::Daily(request, asker) => {
                drop(asker.send(self.daily_statement(to, proof, presented, request).await));
            }
        }
    }

    async fn explain(&self, to: &RpcClient, proof: &Proof) -> Result<ExplainReply, WireError> {
        match self {
            Self::V3(protocol) => protocol.explain(to, proof).await,
            Self::V2(_) => Err(RequestError::NoExplainOverProtocol2.into()),
        }
    }

    async fn funds(&self, to: &RpcClient, proof: &Proof) -> Result<NodeFunds, WireError> {
        match self {
            Self::V3(protocol) => protocol.funds(to, proof).await,
            Self::V2(_) => Err(RequestError::NoFundsOverProtocol2.into()),
        }
    }

    async fn daily_statement(
        &self,
        to: &RpcClient,
        proof: &Proof,
        presented: Presented,
        request: DailyStatementRequest,
    ) -> Result<SignedDailyStatement, WireError> {
        match (self, presented) {
            (Self::V3(protocol), Presented::Proven(Some(pool))) => {
                protocol.daily_statement(to, proof, pool, request).await
            }
            (Self::V3(_), Presented::Proven(None) | Presented::Unproven) => Err(RequestError::NoProvenPool.into()),
            (Self::V2(_), _) => Err(RequestError::OtherProtocol.into()),
        }
    }

    /// Reads a call of the pool.
    pub(super) fn read_call(&self, name: &str, params: &RawValue) -> Result<FromPool, WireError> {
        match self {
            Self::V3(_) => protocol3::read_call(name, params),
            Self::V2(_) => protocol2::read_call(name, params),
        }
    }

    /// Returns where the answer to a call of the pool goes.
    pub(super) const fn responder(&self, responder: Responder) -> CallResponder {
        match self {
            Self::V3(_) => CallResponder::Object(responder),
            Self::V2(_) => CallResponder::Null(responder),
        }
    }
}

/// The same call in both protocols, unsigned: a socket that has joined is a member's.
async fn pool_status(to: &RpcClient) -> Result<PoolStatus, WireError> {
    let fault = |error: &dyn Display| WireError::from(RequestError::NoStatus { why: error.to_string() });
    let none = to_raw_value(&[(); 0]).map_err(|error| fault(&error))?;
    match to.call_raw(method::STATUS, none, REQUEST_DEADLINE).await {
        Ok(answer) => serde_json::from_str(answer.get()).map_err(|error| fault(&error)),
        Err(CallError::Remote(error)) => Err(error),
        Err(error) => Err(fault(&error)),
    }
}
