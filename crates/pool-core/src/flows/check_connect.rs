use std::net::IpAddr;

use vipnode_types::wire::{ConnectRequest, HostSupply, WireError};

use crate::{
    ConnectionId, Core, Identity, Reply, RequestId,
    agents::profile::Profile,
    matching::{funding::Funding, newcomer::Newcomer},
    output::Output,
};

impl Core {
    /// Checks whether a connect would be accepted, by the rules of a connect. Nothing connects, and a connection of the same
    /// node stays.
    pub(crate) fn check_connect(
        &mut self,
        output: &mut Output,
        (connection, request): (ConnectionId, RequestId),
        (identity, address): (&Identity, IpAddr),
        hello: &ConnectRequest,
    ) {
        let checked = self.checked(output, (identity, address), hello);
        let reply = checked.map(|supply| Reply::Checked(Box::new(supply)));
        output.reply(connection, request, reply);
    }

    /// Returns which hosts the pool has for the node. It takes the core by shared reference, so a check changes nothing.
    fn checked(
        &self,
        output: &mut Output,
        (identity, address): (&Identity, IpAddr),
        hello: &ConnectRequest,
    ) -> Result<HostSupply, WireError> {
        self.check_hello(identity, hello)?;
        self.check_delegation_room(identity, address)?;
        let room = if self.has_room_for(&identity.node) {
            Some(0)
        } else {
            let (forgets, looks) = self.room_to_make(output.now);
            output.count_steps(Some(address), looks);
            (forgets > 0).then_some(forgets)
        };
        self.check_node((identity.node, address), &hello.chain, room)?;
        let need = hello.client.as_ref().map_or(&[][..], |client| &client.required_capabilities);
        let newcomer = Newcomer {
            node: identity.node,
            chain: &hello.chain,
            address,
            host: hello.host.is_some(),
            max_price: self.max_price(hello).ok().flatten(),
            client_version: &hello.client_version,
            rules: Profile::rules(need, &hello.min_versions, &self.limits),
        };
        let (supply, looks) = self.matching.supply_for(&newcomer, self.context());
        output.count_steps(Some(address), looks);
        let index = self.agents.find(&identity.node);
        let funding = hello.client.as_ref().map(|_| self.context().funding_of(&identity.node, index, Some(address)));
        let unpaid = match funding {
            Some(Funding::Short(shortage)) => Some(shortage.error(self.limits.unfunded_retry_ms).into()),
            _ => None,
        };
        let in_trial = matches!(funding, Some(Funding::Trial | Funding::InTrial));
        let client = index.filter(|_| funding.is_some());
        let leases = index.into_iter().flat_map(|client| self.leases.of_client(client));
        let served = leases.filter(|(_, lease)| lease.is_running()).count();
        let served = u32::try_from(served).unwrap_or(u32::MAX);
        Ok(HostSupply {
            terms: self.payment_terms(),
            unpaid,
            served,
            trial_left_ms: in_trial.then(|| self.client_trial_left_ms(index)),
            funds_low: client.and_then(|client| self.funds_low(client)),
            fee_bps: self.limits.fee_bps,
            drained: self.agents.drains_node(&identity.node),
            ..supply
        })
    }
}
