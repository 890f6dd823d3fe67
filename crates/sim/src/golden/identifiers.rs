//! Ids, amounts, moments and what else has one form everywhere.

use vipnode_agent_core::NodeTask;
use vipnode_pool_core::{CallId, ConnectionId};
use vipnode_types::{
    Account, AgentPublic, Amount, Capability, ChainSpec, Enode, LeaseId, LeaseSetHash, MinVersion, Ms, NodeId, Price,
    QuotedPrice,
};

use super::{Encode, Encoder};

impl Encode for NodeId {
    fn encode(&self, out: &mut Encoder) {
        out.bytes(self.as_bytes());
    }
}

impl Encode for LeaseId {
    fn encode(&self, out: &mut Encoder) {
        out.number(self.get());
    }
}

impl Encode for CallId {
    fn encode(&self, out: &mut Encoder) {
        out.number(self.0);
    }
}

impl Encode for ConnectionId {
    fn encode(&self, out: &mut Encoder) {
        let Self { gateway, connection, generation } = self;
        gateway.encode(out);
        connection.encode(out);
        generation.encode(out);
    }
}

impl Encode for NodeTask {
    fn encode(&self, out: &mut Encoder) {
        out.number(self.0);
    }
}

impl Encode for Ms {
    fn encode(&self, out: &mut Encoder) {
        out.number(self.get());
    }
}

impl Encode for Amount {
    fn encode(&self, out: &mut Encoder) {
        out.wide(self.get());
    }
}

impl Encode for Price {
    fn encode(&self, out: &mut Encoder) {
        self.amount().encode(out);
        out.number(self.period_ms().get().into());
        out.text(self.asset().symbol());
    }
}

impl Encode for QuotedPrice {
    fn encode(&self, out: &mut Encoder) {
        out.text(&self.to_string());
    }
}

impl Encode for Account {
    fn encode(&self, out: &mut Encoder) {
        out.bytes(self.as_bytes());
    }
}

impl Encode for AgentPublic {
    fn encode(&self, out: &mut Encoder) {
        out.bytes(self.as_bytes());
    }
}

impl Encode for ChainSpec {
    fn encode(&self, out: &mut Encoder) {
        let Self { chain_id, genesis } = self;
        chain_id.encode(out);
        out.bytes(genesis.as_slice());
    }
}

/// As it is written on the wire.
impl Encode for Enode {
    fn encode(&self, out: &mut Encoder) {
        out.text(&self.to_string());
    }
}

/// As it is written on the wire.
impl Encode for Capability {
    fn encode(&self, out: &mut Encoder) {
        out.text(&self.to_string());
    }
}

/// As it is written on the wire.
impl Encode for MinVersion {
    fn encode(&self, out: &mut Encoder) {
        out.text(&self.to_string());
    }
}

/// As it is written on the wire.
impl Encode for LeaseSetHash {
    fn encode(&self, out: &mut Encoder) {
        out.bytes(self.as_bytes());
    }
}
