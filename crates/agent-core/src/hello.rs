use vipnode_types::{
    Ms,
    wire::{ClientWish, ConnectRequest, HostOffer, PROTOCOL},
};

use crate::AgentCore;

impl AgentCore {
    /// How the agent presents itself and its node; `None` before the node is known or while it is away.
    pub(crate) fn hello(&self, now: Ms) -> Option<ConnectRequest> {
        let facts = self.node.facts.as_ref().filter(|_| self.node.up)?;
        let host = self.config.host.as_ref().map(|host| HostOffer { slots: self.offer(now).0, payout: host.payout });
        let client = (self.config.min_peers > 0).then_some(ClientWish { max_price: self.config.max_price });
        Some(ConnectRequest {
            protocol: PROTOCOL,
            agent_version: self.config.agent_version.clone(),
            client_version: facts.client_version.clone(),
            chain: facts.chain,
            enode: (facts.enode.port != 0).then(|| facts.enode.clone()),
            host,
            client,
            join: None,
            protocol2: false,
        })
    }
}
