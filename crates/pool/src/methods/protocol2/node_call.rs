use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use vipnode_pool_core::{Command, ConnectionId, RequestId};
use vipnode_types::{
    Enode, NodeId,
    protocol2::{Call, SignedCall, Update, method},
    wire::WireError,
};

use crate::{auth::AccessControl, call_refusal::CallRefusal, fairness::PermitClass};

/// A call that claims to be signed by a node's key.
#[derive(Debug)]
pub(crate) struct NodeCall<'a> {
    method: &'static str,
    signed: SignedCall<'a>,
    /// An error in the argument is kept until the signature is checked.
    call: Result<Call, WireError>,
}

/// A call that a node's key signed; the node may call this pool.
#[derive(Debug)]
pub(crate) struct VerifiedCall {
    pub(crate) node: NodeId,
    nonce: u64,
    call: Call,
}

impl<'a> NodeCall<'a> {
    pub(crate) fn connect(params: &'a RawValue) -> Result<Self, WireError> {
        Self::read(method::CONNECT, params, |argument| Ok(Call::Connect(Box::new(parse(argument)?))))
    }

    pub(crate) fn update(params: &'a RawValue) -> Result<Self, WireError> {
        Self::read(method::UPDATE, params, |argument| {
            Ok(Call::Update(Update::read(argument).map_err(|error| CallRefusal::invalid_params(&error))?))
        })
    }

    pub(crate) fn peer(params: &'a RawValue) -> Result<Self, WireError> {
        Self::read(method::PEER, params, |argument| parse(argument).map(Call::Peer))
    }

    pub(crate) fn host(params: &'a RawValue) -> Result<Self, WireError> {
        Self::read(method::HOST, params, |argument| parse(argument).map(Call::Host))
    }

    pub(crate) fn client(params: &'a RawValue) -> Result<Self, WireError> {
        Self::read(method::CLIENT, params, |argument| parse(argument).map(Call::Client))
    }

    fn read(
        method: &'static str,
        params: &'a RawValue,
        parse: impl FnOnce(&RawValue) -> Result<Call, WireError>,
    ) -> Result<Self, WireError> {
        let signed = SignedCall::read(params)?;
        let call = match signed.arguments.as_slice() {
            [argument] => parse(argument),
            _ => Err(CallRefusal::invalid_params(&"exactly one argument has to follow the nonce").into()),
        };
        Ok(Self { method, signed, call })
    }

    /// Checks the signature, and that the node may call this pool. The core checks the nonce after this (fault D8,
    /// docs/faults.md).
    pub(crate) fn verify(self, access: &AccessControl) -> Result<VerifiedCall, WireError> {
        let Self { method, signed, call } = self;
        let node = signed.verify_node(method)?;
        access.admit_member_protocol2(&node)?;
        let call = call?;
        if let Some(id) = network(&call) {
            access.admit_network(id)?;
        }
        Ok(VerifiedCall { node, nonce: signed.nonce, call })
    }
}

impl VerifiedCall {
    /// Whether the call connects the node.
    pub(crate) const fn connects(&self) -> bool {
        matches!(self.call, Call::Connect(_) | Call::Host(_) | Call::Client(_))
    }

    /// Replaces the address that a connecting node claims by the one that the pool observed. The core refuses a text that is
    /// not an enode.
    pub(crate) fn drop_claimed_address(&mut self, observed: IpAddr) {
        let node_uri = match &mut self.call {
            Call::Connect(hello) => &mut hello.node_uri,
            Call::Host(host) => &mut host.node_uri,
            Call::Client(_) | Call::Update(_) | Call::Peer(_) => return,
        };
        if let Ok(enode) = node_uri.parse::<Enode>() {
            *node_uri = enode.with_ip(observed).to_string();
        }
    }

    /// Returns the class of the corresponding call of protocol 3.
    pub(crate) const fn permit_class(&self) -> PermitClass {
        match &self.call {
            Call::Connect(_) | Call::Host(_) | Call::Client(_) => PermitClass::Connect,
            Call::Update(_) => PermitClass::Report,
            Call::Peer(_) => PermitClass::Other,
        }
    }

    pub(crate) fn command(
        self,
        connection: ConnectionId,
        (address, callable): (IpAddr, bool),
        request: RequestId,
    ) -> Command {
        let Self { node, nonce, call } = self;
        Command::Protocol2 { connection, request, node, nonce, address, callable, call }
    }
}

/// Returns the network of a node that connects; the older calls do not name it and mean mainnet.
fn network(call: &Call) -> Option<u64> {
    match call {
        // The core refuses a value that is not an id.
        Call::Connect(hello) => u64::try_from(hello.node_info.network).ok(),
        Call::Host(_) | Call::Client(_) => Some(1),
        Call::Update(_) | Call::Peer(_) => None,
    }
}

fn parse<T: DeserializeOwned>(argument: &RawValue) -> Result<T, WireError> {
    Ok(serde_json::from_str(argument.get()).map_err(|error| CallRefusal::invalid_params(&error))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_of_protocol_2_competes_with_the_corresponding_one_of_protocol_3() {
        let params: Box<RawValue> = serde_json::from_str(r#"["sig","id",1,{}]"#).unwrap();
        for (call, class) in [
            (NodeCall::connect(&params), PermitClass::Connect),
            (NodeCall::host(&params), PermitClass::Connect),
            (NodeCall::client(&params), PermitClass::Connect),
            (NodeCall::update(&params), PermitClass::Report),
            (NodeCall::peer(&params), PermitClass::Other),
        ] {
            let NodeCall { method, signed, call } = call.unwrap();
            let verified = VerifiedCall { node: NodeId::new([1; 64]), nonce: signed.nonce, call: call.unwrap() };
            assert_eq!(verified.permit_class(), class, "{method}");
        }
    }
}
