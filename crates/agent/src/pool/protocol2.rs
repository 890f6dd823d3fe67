use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use vipnode_agent_core::{FromPool, PoolAnswer, ToPool};
use vipnode_rpc::RpcClient;
use vipnode_types::{
    AgentMethod, Failure, NodeId, NodeKey,
    protocol2::{Call, Protocol2Reply, UpdateRequest, go_json, method, signed_params},
    wire::WireError,
};

use super::{
    PoolAddress, call_responder,
    protocol3::{PoolOutcome, answered, not_sent},
};
use crate::{AgentError, clock, request_error::RequestError, state::Nonces};

/// Sends requests over protocol 2: each signed by the node's own key, with a nonce larger than the one before, one after
/// the other, so that they arrive in the order of their nonces.
#[derive(Debug)]
pub(crate) struct Protocol2 {
    key: NodeKey,
    nonces: Arc<Mutex<Nonces>>,
    send_lock: tokio::sync::Mutex<()>,
    /// The longest wait for an answer.
    deadline: Duration,
}

impl Protocol2 {
    pub(crate) fn new(key: NodeKey, nonces: Nonces, deadline: Duration) -> Self {
        Self { key, nonces: Arc::new(Mutex::new(nonces)), send_lock: tokio::sync::Mutex::new(()), deadline }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// Why the connection can no longer be used.
    pub(super) async fn send(&self, to: &RpcClient, request: ToPool) -> Result<PoolOutcome, Failure> {
        let ToPool::Protocol2(call) = request else {
            return Ok(Some(Err(RequestError::OtherProtocol.into())));
        };
        let (name, argument) = match text(&call) {
            Ok(text) => text,
            Err(error) => return Ok(Some(Err(not_sent(&error)))),
        };
        let _turn = self.send_lock.lock().await;
        let nonce = match self.nonce().await {
            Ok(nonce) => nonce,
            Err(error) => return Ok(Some(Err(error.into()))),
        };
        let params = match RawValue::from_string(signed_params(&self.key, name, nonce, &argument)) {
            Ok(params) => params,
            Err(error) => return Ok(Some(Err(not_sent(&error)))),
        };
        answered(to.call_raw(name, params, self.deadline).await, |answer| read_answer(&call, answer))
    }

    /// Durable before it is used: a nonce that a crash lost would be used again, and rejected.
    async fn nonce(&self) -> Result<u64, AgentError> {
        let nonces = self.nonces.clone();
        let next = tokio::task::spawn_blocking(move || {
            let mut nonces = nonces.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            nonces.next(clock::wall())
        });
        next.await.map_err(AgentError::internal)?
    }
}

/// Reads a call of the pool, which is `vipnode_whitelist` alone.
pub(super) fn read_call(name: &str, params: &RawValue) -> Result<FromPool, WireError> {
    match AgentMethod::named(name) {
        Some(AgentMethod::Whitelist) => call_responder::one::<NodeId>(params).map(FromPool::Whitelist),
        Some(
            AgentMethod::Admit | AgentMethod::Evict | AgentMethod::Dial | AgentMethod::Price | AgentMethod::Notice,
        )
        | None => Err(call_responder::no_method(name)),
    }
}

/// See [`Protocol::name_of`](super::Protocol::name_of).
pub(super) fn name_of(pool: &PoolAddress) -> String {
    format!("{} (protocol 2)", pool.url())
}

/// The method and its argument, as Go would write it.
fn text(call: &Call) -> Result<(&'static str, String), serde_json::Error> {
    Ok(match call {
        Call::Connect(request) => (method::CONNECT, go_json(request)?),
        Call::Update(update) => {
            (method::UPDATE, go_json(&UpdateRequest::of(update.peers.iter().copied(), update.block_number))?)
        }
        Call::Peer(request) => (method::PEER, go_json(request)?),
        Call::Host(request) => (method::HOST, go_json(request)?),
        Call::Client(request) => (method::CLIENT, go_json(request)?),
    })
}

fn read_answer(call: &Call, answer: &RawValue) -> Result<PoolAnswer, WireError> {
    let reply = match call {
        Call::Connect(_) => parse(answer).map(Protocol2Reply::Connect),
        Call::Update(_) => parse(answer).map(Protocol2Reply::Update),
        Call::Peer(_) => parse(answer).map(Protocol2Reply::Peer),
        Call::Host(_) => parse(answer).map(Protocol2Reply::Host),
        Call::Client(_) => parse(answer).map(Protocol2Reply::Client),
    };
    reply.map(PoolAnswer::Protocol2)
}

/// Go answers `null` where it has nothing to say.
fn parse<T: DeserializeOwned + Default>(answer: &RawValue) -> Result<T, WireError> {
    let read = serde_json::from_str::<Option<T>>(answer.get()).map(Option::unwrap_or_default);
    read.map_err(|error| RequestError::Protocol2Answer { why: error.to_string() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let root = tempfile::tempdir().unwrap();
        let key = NodeKey::read(&[7; 32]).unwrap();
        let state = crate::state::StateDir::open(root.path(), &key.id()).unwrap();
        let text = format!("{:?}", Protocol2::new(key, state.nonces().unwrap(), Duration::ZERO));
        assert!(!text.contains("0707") && !text.contains("7, 7"), "{text}");
    }
}
