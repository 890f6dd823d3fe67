use vipnode_types::{
    Enode, Ms, NodeFacts,
    wire::{ClientCriteria, ConnectRequest, HostOffer, PROTOCOL},
};

use crate::{Advertise, AgentCore};

impl AgentCore {
    /// How the agent presents itself and its node; `None` before the node is known or while it is away.
    pub(crate) fn hello(&self, now: Ms) -> Option<ConnectRequest> {
        let facts = self.node.facts.as_ref().filter(|_| self.node.up)?;
        let host = self.config.host.as_ref().map(|host| HostOffer { slots: self.offer(now).0, payout: host.payout });
        let wish = || ClientCriteria { max_price: self.config.max_price, required_capabilities: self.needs() };
        let client = (self.config.min_peers > 0).then(wish);
        Some(ConnectRequest {
            protocol: PROTOCOL,
            agent_version: self.config.agent_version.clone(),
            client_version: facts.client_version.clone(),
            capabilities: facts.protocols.clone(),
            min_versions: self.config.policy.rules.min_versions.clone(),
            chain: facts.chain,
            enode: self.advertised(facts),
            host,
            client,
            join: None,
            allow_protocol2: self.config.allow_protocol2,
        })
    }

    /// Where others are told to dial the node; `None` where it takes no connections.
    pub(crate) fn advertised(&self, facts: &NodeFacts) -> Option<Enode> {
        let listens = (facts.enode.port != 0).then(|| facts.enode.clone());
        match &self.config.advertise {
            Advertise::Node => listens,
            Advertise::Host(host) => listens.map(|enode| Enode { host: host.clone(), ..enode }),
            Advertise::Enode(enode) => Some(enode.clone()),
        }
    }
}
