//! A pool on loopback and agents that speak to it as real ones do.

mod original;
mod raw;
mod store;

pub(crate) use original::{Original, code, connect_request, frame, nonce, update_request};
pub(crate) use raw::{RawSocket, exchange, get, post_text};
pub(crate) use store::{Mood, TestStore};

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, SystemTime},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use vipnode_pool::{PoolConfig, PoolServer};
use vipnode_rpc::{CallError, HttpRpc, Incoming, OpenSession, RpcLimits, open_ws};
use vipnode_types::{
    AgentKey, ChainSpec, Delegation, Enode, JoinProof, JoinSecret, Ms, NodeId, NodeKey,
    signed::Envelope,
    wire::{
        AskReply, AskRequest, ClientCriteria, ConnectReply, ConnectRequest, HostOffer, PROTOCOL, WireError, method,
    },
};

pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn config() -> PoolConfig {
    PoolConfig::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap()
}

pub(crate) async fn pool() -> PoolServer {
    PoolServer::spawn(config()).await.unwrap()
}

pub(crate) fn ws_url(pool: &PoolServer) -> String {
    format!("ws://{}", pool.local_addr())
}

pub(crate) fn http_url(pool: &PoolServer) -> String {
    format!("http://{}", pool.local_addr())
}

pub(crate) fn wall() -> Ms {
    Ms::new(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis().try_into().unwrap())
}

/// Keys of one node and its agent.
pub(crate) struct Keys {
    pub(crate) node: NodeKey,
    pub(crate) agent: AgentKey,
    pub(crate) issued: Ms,
}

impl Keys {
    pub(crate) fn new(seed: u8) -> Self {
        let agent = AgentKey::from_random([seed + 100; 32]).unwrap();
        Self { node: NodeKey::read(&[seed; 32]).unwrap(), agent, issued: wall().minus(1_000) }
    }

    pub(crate) fn id(&self) -> NodeId {
        self.node.id()
    }

    pub(crate) fn delegation(&self) -> Delegation {
        Delegation::sign(&self.node, self.agent.public(), self.issued, self.issued.plus(3_600_000))
    }

    pub(crate) fn hello(&self) -> ConnectRequest {
        ConnectRequest {
            protocol: PROTOCOL,
            agent_version: "vipnode/test".to_owned(),
            client_version: "Geth/test".to_owned(),
            capabilities: Vec::new(),
            min_versions: Vec::new(),
            chain: ChainSpec { chain_id: 1337, genesis: Default::default() },
            enode: Some(Enode::at(self.id(), IpAddr::V4(Ipv4Addr::LOCALHOST), 30303)),
            host: None,
            client: None,
            join: None,
            allow_protocol2: false,
        }
    }

    pub(crate) fn host(&self, slots: u32) -> ConnectRequest {
        ConnectRequest { host: Some(HostOffer { slots, payout: None, no_trials: false }), ..self.hello() }
    }

    pub(crate) fn client(&self) -> ConnectRequest {
        ConnectRequest { client: Some(ClientCriteria::default()), ..self.hello() }
    }

    pub(crate) fn with_secret(&self, hello: ConnectRequest, secret: &JoinSecret, nonce: &str) -> ConnectRequest {
        let join: JoinProof = secret.prove(&self.id(), nonce);
        ConnectRequest { join: Some(join), ..hello }
    }

    /// `[object, envelope]`.
    pub(crate) fn sign(&self, method: &str, audience: &str, nonce: &str, object: &impl Serialize) -> Box<RawValue> {
        let object = to_raw_value(object).unwrap();
        let envelope = Envelope::sign(&self.agent, self.delegation(), method, audience, nonce, object.get());
        to_raw_value(&(object, envelope)).unwrap()
    }
}

/// A request whose params are signed as they stand.
pub(crate) fn signed_text(method: &str, params: &RawValue) -> String {
    format!(r#"{{"id":1,"method":"{method}","params":{}}}"#, params.get())
}

/// A WebSocket to a pool.
pub(crate) struct Agent {
    pub(crate) opened: OpenSession,
    pub(crate) url: String,
}

impl Agent {
    pub(crate) async fn open(pool: &PoolServer) -> Self {
        let url = ws_url(pool);
        Self { opened: open_ws(&url, &RpcLimits::default()).await.unwrap(), url }
    }

    pub(crate) fn challenge(&self) -> String {
        self.opened.challenge.clone().unwrap()
    }

    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<T, WireError> {
        read(self.opened.peer.call(method, params, LONG).await)
    }

    pub(crate) async fn connect(&self, keys: &Keys, hello: &ConnectRequest) -> Result<ConnectReply, WireError> {
        self.call(method::CONNECT, &keys.sign(method::CONNECT, &self.url, &self.challenge(), hello)).await
    }

    pub(crate) async fn ask(&self, want: u32) -> Result<AskReply, WireError> {
        self.call(method::ASK, &[AskRequest { want, avoid: Vec::new() }]).await
    }

    /// Takes one call of the pool and answers it with `{}`.
    pub(crate) async fn take(&mut self) -> (String, Value) {
        let Some(Incoming::Request { method, params, responder }) = self.opened.incoming.recv().await else {
            panic!("the socket is gone: {}", self.opened.closed.wait().await)
        };
        responder.respond(Ok(serde_json::json!({})));
        let params: Vec<Value> = serde_json::from_str(params.get()).unwrap();
        (method, params.into_iter().next().unwrap())
    }
}

pub(crate) fn read<T: DeserializeOwned>(answer: Result<Box<RawValue>, CallError>) -> Result<T, WireError> {
    match answer {
        Ok(value) => Ok(serde_json::from_str(value.get()).unwrap()),
        Err(CallError::Remote(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

/// Calls over HTTP, each signed.
pub(crate) async fn post<T: DeserializeOwned>(
    http: &HttpRpc,
    keys: &Keys,
    audience: &str,
    method: &str,
    nonce: u64,
    object: &impl Serialize,
) -> Result<T, WireError> {
    let params = keys.sign(method, audience, &nonce.to_string(), object);
    read(http.call_raw(method, params, LONG).await)
}
