use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use vipnode_pool_core::{Command, ConnectionId, RequestId};
use vipnode_types::{
    NodeId,
    protocol2::{Call, SignatureError, SignedCall, Update, method},
    wire::{ErrorCode, WireError},
};

use crate::{engine::gateway::Gateway, error, fairness::connection_limiter::Caller};

/// A call and the node whose signature it bears.
#[derive(Debug)]
pub(crate) struct SignedBy {
    pub(crate) node: NodeId,
    nonce: u64,
    call: Call,
}

impl SignedBy {
    /// Reads and verifies a call. The nonce is the core's to judge, after this (D8).
    pub(crate) fn read(name: &str, params: &RawValue, gateway: &Gateway) -> Result<Self, WireError> {
        let signed = SignedCall::read(params).map_err(|error| error::invalid_params(&error.to_string()))?;
        let node = signed.verify_node(name).map_err(refuse)?;
        gateway.rules().members.admits_protocol2(&node)?;
        let [argument] = signed.arguments.as_slice() else {
            return Err(error::invalid_params("after the nonce comes one argument"));
        };
        let call = match name {
            method::UPDATE => Call::Update(Update::read(argument).map_err(|error| unreadable(&error))?),
            method::PEER => Call::Peer(parse(argument)?),
            method::HOST => Call::Host(parse(argument)?),
            method::CLIENT => Call::Client(parse(argument)?),
            _ => Call::Connect(Box::new(parse(argument)?)),
        };
        if let (Some(network), Some(id)) = (gateway.rules().network, network(&call)) {
            network.admits(id)?;
        }
        Ok(Self { node, nonce: signed.nonce, call })
    }

    /// Whether it presents the node.
    pub(crate) const fn connects(&self) -> bool {
        matches!(self.call, Call::Connect(_) | Call::Host(_) | Call::Client(_))
    }

    pub(crate) fn command(self, peer: ConnectionId, caller: &Caller, callable: bool, request: RequestId) -> Command {
        let Self { node, nonce, call } = self;
        Command::Protocol2 { peer, request, node, nonce, address: caller.address, callable, call }
    }
}

/// The network of a node that presents itself; the older forms are too old to say, and mean mainnet.
fn network(call: &Call) -> Option<u64> {
    match call {
        // What is no id is the core's to refuse.
        Call::Connect(hello) => u64::try_from(hello.node_info.network).ok(),
        Call::Host(_) | Call::Client(_) => Some(1),
        Call::Update(_) | Call::Peer(_) => None,
    }
}

fn parse<T: DeserializeOwned>(argument: &RawValue) -> Result<T, WireError> {
    serde_json::from_str(argument.get()).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> WireError {
    error::invalid_params(&error.to_string())
}

/// What the caller is told of a signature that does not hold.
pub(super) fn refuse(error: SignatureError) -> WireError {
    let hint = match error {
        SignatureError::Id(_) => "the id is the public key in the node's enode: 128 characters 0-9a-f, without 0x",
        SignatureError::Account => "the id is the wallet's address",
        SignatureError::NodeForm | SignatureError::WalletForm => "sign as the original's agents do",
        SignatureError::Wrong => "sign the method and [id,nonce,arguments…] byte by byte as they are sent",
    };
    WireError::new(ErrorCode::Unauthorized, error.to_string(), hint)
}
