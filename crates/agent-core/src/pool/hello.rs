use vipnode_types::{
    Enode, NodeFacts,
    wire::{ClientCriteria, ConnectRequest, HostOffer, PROTOCOL},
};

use crate::{Advertise, AgentConfig, policy::suitability::needs};

/// Returns the hello of the agent and its node, which offers `slots` slots.
pub(crate) fn hello(config: &AgentConfig, facts: &NodeFacts, slots: u32) -> ConnectRequest {
    // The caller adds the payout account that the node key signed.
    let host = config.host.as_ref().map(|host| HostOffer { slots, payout: None, no_trials: host.no_trials });
    let wish = || ClientCriteria {
        max_price: config.max_price.clone(),
        required_capabilities: needs(&config.policy, !facts.full),
        dials_late: facts.dials_late,
    };
    ConnectRequest {
        protocol: PROTOCOL,
        agent_version: config.agent_version.clone(),
        client_version: facts.client_version.clone(),
        capabilities: facts.protocols.clone(),
        min_versions: config.policy.rules.min_versions.clone(),
        chain: facts.chain,
        enode: advertised(&config.advertise, facts),
        host,
        client: (config.min_peers > 0).then(wish),
        join: None,
        allow_protocol2: config.allow_protocol2,
    }
}

/// Returns the enode for others to dial; `None` if the node does not accept connections.
pub(crate) fn advertised(advertise: &Advertise, facts: &NodeFacts) -> Option<Enode> {
    let listens = (facts.enode.port != 0).then(|| facts.enode.clone());
    match advertise {
        Advertise::Node => listens,
        Advertise::Host(host) => listens.map(|enode| Enode { host: host.clone(), ..enode }),
        Advertise::Enode(enode) => Some(enode.clone()),
    }
}
