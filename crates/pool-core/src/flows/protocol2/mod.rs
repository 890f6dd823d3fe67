//! The calls of protocol 2, translated to the same steps as those of protocol 3. May call what other flows may. What
//! the dialect
//! decides about a node does not belong here but in `protocol2`.

mod ask;
mod balance;
mod connect;
mod invalid_peers;
mod update;

pub(crate) use update::median;

use std::net::IpAddr;

use vipnode_types::{
    NodeId,
    protocol2::{self, Call},
    wire::WireError,
};

use crate::{
    ConnectionId, Core, Reply, RequestId, Signer,
    core_error::CoreError,
    output::Output,
    protocol2::nonce_check::{CallerNonce, check_nonce},
};

/// The port of a node that did not send one.
const PORT: u16 = 30303;

/// The caller of a call with a valid signature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Protocol2Caller {
    pub(crate) connection: ConnectionId,
    pub(crate) node: NodeId,
    pub(crate) nonce: u64,
    pub(crate) address: IpAddr,
    pub(crate) callable: bool,
}

impl Core {
    pub(crate) fn protocol2(&mut self, output: &mut Output, caller: &Protocol2Caller, request: RequestId, call: Call) {
        let at = (caller.connection, request);
        let done = match call {
            Call::Connect(hello) => self.connect2(output, caller, request, &hello),
            Call::Host(hello) => self.host2(output, caller, request, &hello),
            Call::Client(hello) => self.client2(output, caller, request, &hello),
            Call::Update(update) => self.connected2(caller).map(|index| self.update2(output, index, at, update)),
            Call::Peer(peer) => self.connected2(caller).and_then(|index| self.peer2(output, index, at, &peer)),
        };
        if let Err(error) = done {
            output.reply(caller.connection, request, Err(error.for_protocol2()));
        }
    }

    /// Checks the nonce of a connecting call. It is accepted together with the rest of the call.
    fn may_connect(&self, caller: &Protocol2Caller) -> Result<(), WireError> {
        let node = self.agents.known(&caller.node);
        if node.is_some_and(|node| matches!(node.credentials().signer, Signer::Agent { protocol2: false, .. })) {
            return Err(CoreError::SpeaksProtocol3.into());
        }
        let started = self.clock.started();
        let known = CallerNonce {
            newest: node.map_or(0, |node| node.credentials().nonce()),
            connected: node.is_some_and(|node| node.is_connected() || node.since() > started),
        };
        Ok(self.check_nonce2(known, caller.nonce, true)?)
    }

    /// Nonces are dated by the callers' clocks.
    fn check_nonce2(&self, known: CallerNonce, nonce: u64, connects: bool) -> Result<(), CoreError> {
        let [now, started] = [self.clock.now(), self.clock.started()].map(|at| self.clock.wall(at));
        check_nonce(&self.limits, now, started, known, nonce, connects)
    }

    /// Returns the calling node if it connected on this connection, and accepts its nonce.
    pub(super) fn connected2(&mut self, caller: &Protocol2Caller) -> Result<u32, WireError> {
        let index = self.agents.at(caller.connection).ok_or(CoreError::NotConnected)?;
        let node = self.agents.get(index).ok_or(CoreError::NotConnected)?;
        if node.id() != caller.node || !node.credentials().is_node_key() {
            return Err(CoreError::NotConnected.into());
        }
        let known = CallerNonce { newest: node.credentials().nonce(), connected: true };
        self.check_nonce2(known, caller.nonce, false)?;
        self.agents.raise_nonce(index, caller.nonce);
        Ok(index)
    }
}

pub(super) fn reply(reply: protocol2::Protocol2Reply) -> Reply {
    Reply::Protocol2(Box::new(reply))
}
