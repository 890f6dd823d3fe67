use std::net::IpAddr;

use vipnode_types::{
    Account, Capability, ChainSpec, MinVersion, NodeId, Price,
    wire::{ConnectReply, ConnectRequest, EvictReason, LeaseView, PROTOCOL, Side, WireError},
};

use crate::{
    ConnectionId, Core, Credentials, Effect, Identity, Reply, RequestId, Row, RowKey, Signer,
    agents::node::{ANY_PRICE, Endpoint, Node},
    error,
    leases::lease::NIL,
    output::Output,
};

/// What the pool calls itself.
pub(crate) const POOL_VERSION: &str = concat!("vipnode/", env!("CARGO_PKG_VERSION"));

/// What an agent says of itself, in either protocol.
#[derive(Debug)]
pub(crate) struct Hello<'a> {
    pub(crate) credentials: Credentials,
    pub(crate) endpoint: Option<Endpoint>,
    /// A host's places in all, and who earns.
    pub(crate) host: Option<(u32, Option<Account>)>,
    /// The dearest place that a client takes.
    pub(crate) client: Option<Price>,
    pub(crate) agent_version: &'a str,
    pub(crate) client_version: &'a str,
    pub(crate) serves: &'a [Capability],
    pub(crate) need: &'a [Capability],
    pub(crate) min_versions: &'a [MinVersion],
}

impl Core {
    #[expect(clippy::too_many_arguments, reason = "the fields of one command")]
    pub(crate) fn connect(
        &mut self,
        output: &mut Output,
        peer: ConnectionId,
        request: RequestId,
        identity: &Identity,
        address: IpAddr,
        callable: bool,
        hello: &ConnectRequest,
    ) {
        match self.enter(output, identity, hello) {
            Ok(index) => {
                let said = Hello {
                    credentials: self.delegated(identity, hello),
                    endpoint: hello.enode.as_ref().map(Endpoint::of),
                    host: hello.host.as_ref().map(|host| (host.slots, host.payout)),
                    client: hello.client.as_ref().map(|client| client.max_price.unwrap_or(ANY_PRICE)),
                    agent_version: &hello.agent_version,
                    client_version: &hello.client_version,
                    serves: &hello.capabilities,
                    need: hello.client.as_ref().map_or(&[], |client| &client.required_capabilities),
                    min_versions: &hello.min_versions,
                };
                self.present(output, index, peer, address, callable, said);
                let reply = Reply::Connect(Box::new(self.welcome(index)));
                output.reply_durably(peer, request, reply);
            }
            Err(error) => {
                self.counters.refused_connects = self.counters.refused_connects.saturating_add(1);
                output.reply(peer, request, Err(error));
            }
        }
    }

    /// The node that connects, known or made, on the chain it follows.
    fn enter(&mut self, output: &mut Output, identity: &Identity, hello: &ConnectRequest) -> Result<u32, WireError> {
        if hello.protocol != PROTOCOL {
            return Err(error::protocol(hello.protocol, PROTOCOL));
        }
        if hello.enode.as_ref().is_some_and(|enode| enode.id != identity.node) {
            return Err(error::foreign_enode());
        }
        let known = self.nodes.find(&identity.node).and_then(|index| self.nodes.get(index));
        if known.is_some_and(|node| identity.issued < node.credentials.issued) {
            return Err(error::old_delegation());
        }
        self.name_chain(hello.chain);
        let credentials = self.delegated(identity, hello);
        self.node_on(output, identity.node, hello.chain, &credentials)
    }

    /// An agent that speaks for a node from now on.
    fn delegated(&self, identity: &Identity, hello: &ConnectRequest) -> Credentials {
        let signer = Signer::Agent { key: identity.agent, protocol2: hello.allow_protocol2 };
        Credentials { issued: identity.issued, ..self.spoken_by(&identity.node, signer) }
    }

    /// A node, known or not, whose next words come from `voice`.
    pub(crate) fn spoken_by(&self, id: &NodeId, signer: Signer) -> Credentials {
        let known = self.nodes.find(id).and_then(|index| self.nodes.get(index));
        known.map_or_else(|| Credentials::new(signer), |node| node.credentials.with(signer))
    }

    /// A node, known or made by `speaker`'s word, on the chain that it follows.
    pub(crate) fn node_on(
        &mut self,
        output: &mut Output,
        id: NodeId,
        chain: ChainSpec,
        credentials: &Credentials,
    ) -> Result<u32, WireError> {
        let retry = self.limits.report_interval_ms;
        if let Some(index) = self.nodes.find(&id) {
            if self.is_silent(index) {
                self.go_down(output, index);
            }
            self.change_chain(output, index, chain)?;
            return Ok(index);
        }
        let full = error::pool_full(self.limits.nodes, retry);
        if self.nodes.len() >= self.limits.nodes as usize && !self.make_room(output) {
            return Err(full);
        }
        let chain = self.chains.acquire(chain).ok_or_else(|| error::chains_full(&chain, retry))?;
        let node = Node::new(id, credentials.clone(), output.now, chain);
        self.nodes.insert(node).ok_or(full)
    }

    /// A genesis is told. Nodes of protocol 2 tell a network id alone: where this is the first chain of that id here
    /// they follow it, as those do that come later (`chain_of`).
    fn name_chain(&mut self, chain: ChainSpec) {
        let untold = ChainSpec::untold(chain.chain_id);
        let told = |other: &ChainSpec| other.chain_id == chain.chain_id && *other != untold;
        if chain != untold && self.chains.knows(&untold) && !self.chains.values().any(told) {
            self.chains.rename(&untold, chain);
        }
    }

    /// A node that follows another chain than before begins anew there.
    fn change_chain(&mut self, output: &mut Output, index: u32, chain: ChainSpec) -> Result<(), WireError> {
        let old = self.nodes.get(index).map(|node| node.chain);
        let Some(old) = old.filter(|&old| self.chains.get(old) != Some(&chain)) else { return Ok(()) };
        let retry = self.limits.report_interval_ms;
        let new = self.chains.acquire(chain).ok_or_else(|| error::chains_full(&chain, retry))?;
        self.detach(output, index);
        for (lease, side) in self.leases_of(index) {
            self.end_lease(output, lease, EvictReason::Disconnected, Some(side), None);
        }
        if let Some(node) = self.nodes.get_mut(index) {
            node.chain = new;
        }
        self.chains.release(old);
        Ok(())
    }

    /// Gives a node its socket and takes in what it said.
    pub(crate) fn present(
        &mut self,
        output: &mut Output,
        index: u32,
        peer: ConnectionId,
        address: IpAddr,
        callable: bool,
        said: Hello<'_>,
    ) {
        self.attach(output, index, peer, address, callable);
        self.take_in(output, index, said);
        self.refresh_connected(index);
        self.refresh_open_hosts(index);
        self.refresh_waiting(index);
        self.watch(index);
    }

    /// Gives a node its new socket; an older one is closed.
    fn attach(&mut self, output: &mut Output, index: u32, peer: ConnectionId, address: IpAddr, callable: bool) {
        if let Some(other) = self.nodes.at_peer(peer).filter(|&other| other != index) {
            self.detach(output, other);
        }
        if let Some(old) = self.nodes.get(index).and_then(|node| node.peer) {
            if old != peer {
                let reason = "a newer connection of this node took its place".to_owned();
                output.push(Effect::Close { peer: old, reason });
            }
            self.detach(output, index);
        }
        self.nodes.set_peer(index, Some(peer));
        let waiting = self.leases_of(index).into_iter().filter(|(lease, side)| {
            *side == Side::Client && self.leases.get(*lease).is_some_and(|lease| !lease.paired)
        });
        let waiting = waiting.count();
        let Some(node) = self.nodes.get_mut(index) else { return };
        let before = node.address.replace(address);
        node.callable = callable;
        node.since = output.now;
        node.seq = 0;
        node.light_full = false;
        node.hash = vipnode_types::LeaseSetHash::default();
        // Outstanding offers move with the client to its new block.
        for _ in 0..waiting {
            self.pending_offers.sub(before);
            self.pending_offers.add(Some(address));
        }
    }

    /// Takes in what an agent says of itself.
    fn take_in(&mut self, output: &mut Output, index: u32, said: Hello<'_>) {
        let gone =
            |side| (side == Side::Client && said.client.is_none()) || (side == Side::Host && said.host.is_none());
        for (lease, side) in self.leases_of(index) {
            if gone(side) {
                let reason = if side == Side::Client { EvictReason::Left } else { EvictReason::Drained };
                self.end_lease(output, lease, reason, Some(side), None);
            }
        }
        let before = self.node_row(index);
        if let Some((_, payout)) = said.host {
            self.change_payout(output, index, payout);
        }
        self.set_versions(index, &said);
        self.set_profile(index, &said);
        let unseen = self.leases_of(index).into_iter().all(|(lease, side)| {
            self.leases.get(lease).is_none_or(|lease| lease.up(side) == crate::leases::lease::UNSEEN)
        });
        let (now, slots_a_host) = (output.now, self.limits.slots_a_host.min(1_000));
        let Some(node) = self.nodes.get_mut(index) else { return };
        let new_host = said.host.is_some() && !node.ever_host;
        let new_client = said.client.is_some() && !node.ever_client;
        self.roles.hosts = self.roles.hosts.saturating_add(u64::from(new_host));
        self.roles.clients = self.roles.clients.saturating_add(u64::from(new_client));
        node.credentials = said.credentials;
        node.endpoint = said.endpoint;
        node.hosting = said.host.is_some();
        node.slots = said.host.map_or(0, |(slots, _)| slots.min(slots_a_host));
        node.ever_host |= said.host.is_some();
        node.consuming = said.client.is_some();
        node.max_price = said.client.unwrap_or(ANY_PRICE);
        node.ever_client |= said.client.is_some();
        if unseen {
            // Nothing is metered by it, so this is a sign of life and no more.
            node.seen = now;
        }
        let after = self.node_row(index);
        let same = |(a, b): (&crate::NodeRow, &crate::NodeRow)| crate::NodeRow { seen: b.seen, ..a.clone() } == *b;
        let known = self.nodes.get(index).is_some_and(|node| node.stored);
        if !(known && before.as_ref().zip(after.as_ref()).is_some_and(same))
            && let Some(row) = after
        {
            output.persist(Row::Node(Box::new(row)));
        }
        if let Some(node) = self.nodes.get_mut(index) {
            node.stored = true;
        }
    }

    fn set_versions(&mut self, index: u32, said: &Hello<'_>) {
        let agent = self.intern_version(said.agent_version);
        let client = self.intern_version(said.client_version);
        let Some(node) = self.nodes.get_mut(index) else { return };
        let old =
            [std::mem::replace(&mut node.agent_version, agent), std::mem::replace(&mut node.client_version, client)];
        for number in old {
            self.versions.release(number);
        }
    }

    fn intern_version(&mut self, text: &str) -> u32 {
        let cut: String = text.chars().filter(|c| !c.is_control()).take(self.limits.version_chars as usize).collect();
        self.versions.acquire(cut.into_boxed_str()).unwrap_or(NIL)
    }

    fn welcome(&self, index: u32) -> ConnectReply {
        let leases = self.leases_of(index).into_iter().filter_map(|(lease, side)| self.view(lease, side));
        ConnectReply {
            pool_version: POOL_VERSION.to_owned(),
            welcome: None,
            report_interval_ms: self.limits.report_interval_ms,
            price: self.limits.price,
            leases: leases.collect(),
        }
    }

    /// A lease as one of its sides is shown it; `None` while that side does not know of it.
    fn view(&self, lease: u32, side: Side) -> Option<LeaseView> {
        let lease = self.leases.get(lease).filter(|lease| !lease.admitting)?;
        let other = self.nodes.get(lease.node(side.other()))?;
        let price = self.prices.get(lease.price).copied()?;
        Some(LeaseView { lease: lease.id, side, peer: other.named(self.limits.closed), price })
    }

    pub(crate) fn node_row(&self, index: u32) -> Option<crate::NodeRow> {
        let node = self.nodes.get(index)?;
        Some(node.row(*self.chains.get(node.chain)?))
    }

    /// Forgets some node that may be forgotten; false where a bounded search finds none.
    fn make_room(&mut self, output: &mut Output) -> bool {
        let before = self.nodes.len();
        self.sweep(output, 1_000);
        self.nodes.len() < before
    }

    /// Looks at some nodes in turn and forgets those that were away for long.
    pub(crate) fn sweep(&mut self, output: &mut Output, looks: u32) {
        for _ in 0..looks.min(self.nodes.capacity()) {
            let index = self.timers.sweep_at;
            let next = index.saturating_add(1);
            self.timers.sweep_at = if next >= self.nodes.capacity() { 0 } else { next };
            let Some(node) = self.nodes.get(index) else { continue };
            let away = output.now.since(node.seen) > self.limits.prune_ms;
            if away && node.peer.is_none() && !node.leased() && output.now >= self.window_ends {
                self.forget(output, index);
            }
        }
    }

    fn forget(&mut self, output: &mut Output, index: u32) {
        self.refresh_waiting(index);
        self.forget_profile(index);
        let Some(node) = self.nodes.remove(index) else { return };
        self.chains.release(node.chain);
        self.roles.hosts = self.roles.hosts.saturating_sub(u64::from(node.ever_host));
        self.roles.clients = self.roles.clients.saturating_sub(u64::from(node.ever_client));
        for number in [node.agent_version, node.client_version] {
            self.versions.release(number);
        }
        self.counters.pruned = self.counters.pruned.saturating_add(1);
        output.persist(Row::Delete(RowKey::Node(node.id)));
    }
}
