use std::net::IpAddr;

use vipnode_types::{
    Delegation, DelegationError, PayoutOrder, Price, ShortHash,
    wire::{ConnectReply, ConnectRequest, LeaseView, PROTOCOL, Side, WireError},
};

use super::POOL_VERSION;
use crate::{
    ConnectionId, Core, Credentials, Identity, NewPayout, Reply, RequestId, Signer,
    agents::{hello::Hello, host_payout::HostPayout, listen_address::ListenAddress},
    core_error::CoreError,
    output::Output,
};

impl Core {
    pub(crate) fn connect(
        &mut self,
        output: &mut Output,
        (connection, request): (ConnectionId, RequestId),
        identity: &Identity,
        (address, callable): (IpAddr, bool),
        hello: &ConnectRequest,
    ) {
        match self.enter(output, identity, address, hello) {
            Ok(index) => {
                let said = Hello {
                    credentials: self.delegated(identity, hello),
                    endpoint: hello.enode.as_ref().map(ListenAddress::of),
                    host: hello.host.as_ref().map(|host| (host.slots, host.payout.as_ref().map(new_payout))),
                    no_trials: hello.host.as_ref().is_some_and(|host| host.no_trials),
                    client: hello.client.is_some(),
                    max_price: self.max_price(hello).ok().flatten(),
                    dials_late: hello.client.as_ref().is_some_and(|client| client.dials_late),
                    agent_version: &hello.agent_version,
                    client_version: &hello.client_version,
                    serves: &hello.capabilities,
                    need: hello.client.as_ref().map_or(&[], |client| &client.required_capabilities),
                    min_versions: &hello.min_versions,
                };
                let replaced = self.present(output, index, connection, (address, callable), said);
                self.ask_prices_again(output, index);
                let no_hosts = hello.host.as_ref().and_then(|_| self.no_other_hosts(output, index, hello));
                let payout = hello.host.as_ref().and_then(|_| self.agents.get(index)?.host_payout());
                let payout = payout.map(HostPayout::view);
                let welcome = ConnectReply { replaced, no_hosts, payout, ..self.welcome(index) };
                let reply = Reply::Connect(Box::new(welcome));
                output.reply_durably(connection, request, reply);
            }
            Err(error) => {
                self.counters.refused_connects = self.counters.refused_connects.saturating_add(1);
                output.reply(connection, request, Err(error));
            }
        }
    }

    /// Explains why none of the pool's other hosts is on a node's chain, if that is so.
    fn no_other_hosts(&self, output: &mut Output, index: u32, hello: &ConnectRequest) -> Option<String> {
        let node = self.agents.id(index)?;
        let (no_hosts, looks) = self.matching.no_hosts_on(&hello.chain, node, self.context());
        if looks > 0 {
            output.count_steps(self.agents.address(index), looks);
        }
        no_hosts
    }

    /// Returns the index of the connecting node, known or new, on the chain that it follows.
    fn enter(
        &mut self,
        output: &mut Output,
        identity: &Identity,
        address: IpAddr,
        hello: &ConnectRequest,
    ) -> Result<u32, WireError> {
        self.check_hello(identity, hello)?;
        self.check_delegation_room(identity, address)?;
        let credentials = self.delegated(identity, hello);
        self.node_on(output, (identity.node, address), hello.chain, &credentials)
    }

    /// Checks an agent's description of itself and its node.
    pub(crate) fn check_hello(&self, identity: &Identity, hello: &ConnectRequest) -> Result<(), WireError> {
        if hello.protocol != PROTOCOL {
            return Err(CoreError::Protocol { theirs: hello.protocol, ours: PROTOCOL }.into());
        }
        if hello.enode.as_ref().is_some_and(|enode| enode.id != identity.node) {
            return Err(CoreError::ForeignEnode.into());
        }
        if Delegation::longest(identity.issued) <= self.clock.now() {
            return Err(DelegationError::Expired.into());
        }
        if identity.issued < self.agents.newest_delegation(&identity.node) {
            return Err(CoreError::OldDelegation.into());
        }
        if let Some(order) = hello.host.as_ref().and_then(|host| host.payout.as_ref()) {
            new_payout(order).check(self.clock.now(), &self.limits)?;
        }
        self.max_price(hello)?;
        let chain = hello.chain;
        if let Some(pinned) = self.limits.pinned_chain(chain.chain_id).filter(|pinned| *pinned != chain) {
            let (theirs, ours) = (ShortHash(chain.genesis).to_string(), ShortHash(pinned.genesis).to_string());
            return Err(CoreError::OtherGenesis { id: chain.chain_id, theirs, ours }.into());
        }
        Ok(())
    }

    /// Checks that the pool can remember a node's newest delegation for as long as older ones could hold.
    pub(crate) fn check_delegation_room(&self, identity: &Identity, address: IpAddr) -> Result<(), CoreError> {
        let may_show = self.agents.may_show_delegation(&identity.node, identity.issued, address, &self.limits);
        if may_show { Ok(()) } else { Err(CoreError::DelegationsOfBlock { retry_ms: self.limits.report_interval_ms }) }
    }

    /// The highest price that a client accepts, in the asset that this pool charges in; `None` for any.
    pub(crate) fn max_price(&self, hello: &ConnectRequest) -> Result<Option<Price>, CoreError> {
        let Some(quoted) = hello.client.as_ref().and_then(|client| client.max_price.as_ref()) else { return Ok(None) };
        let asset = self.limits.price.asset();
        let price = quoted.in_asset(asset);
        price.map(Some).map_err(|source| CoreError::MaxPrice {
            quoted: Box::new(quoted.clone()),
            asset,
            source: Box::new(source),
        })
    }

    /// Returns the node's credentials with this agent as the signer.
    fn delegated(&self, identity: &Identity, hello: &ConnectRequest) -> Credentials {
        let signer = Signer::Agent { key: identity.agent, protocol2: hello.allow_protocol2 };
        Credentials { issued: identity.issued, ..self.agents.credentials_with(&identity.node, signer) }
    }

    fn welcome(&self, index: u32) -> ConnectReply {
        let leases = self.leases.of(index).into_iter().filter_map(|(lease, side)| self.view(lease, side));
        ConnectReply {
            pool_version: POOL_VERSION.to_owned(),
            pool_id: None,
            welcome: None,
            report_interval_ms: self.limits.report_interval_ms,
            price: self.limits.price,
            fee_bps: self.limits.fee_bps,
            terms: self.payment_terms(),
            leases: leases.collect(),
            replaced: None,
            no_hosts: None,
            payout: None,
            next_price: self.next_price(),
        }
    }

    /// Returns a lease as one of its sides sees it; `None` while that side does not know of it.
    fn view(&self, lease: u32, side: Side) -> Option<LeaseView> {
        let lease = self.leases.get(lease).filter(|lease| !lease.is_admitting())?;
        let (own, other) = (self.agents.get(lease.node(side))?, self.agents.get(lease.node(side.other()))?);
        let price = self.leases.price(lease)?;
        Some(LeaseView { lease: lease.id(), side, peer: other.named_to(own, self.limits.members_only), price })
    }
}

const fn new_payout(order: &PayoutOrder) -> NewPayout {
    NewPayout { account: order.account, counter: order.counter }
}
