use std::net::IpAddr;

use vipnode_types::{
    ChainSpec, NodeId,
    wire::{EvictReason, Side, WireError},
};

use crate::{
    AddressBlock, ConnectionId, Core, Credentials, Effect, NodeRow, Row, RowKey, SendWhen,
    agents::{Changed, hello::Hello},
    core_error::CoreError,
    leases::lease::{CountedAs, UNSEEN},
    output::Output,
};

impl Core {
    /// Returns the index of a node at an address, known or new with these credentials, on the chain that it follows.
    pub(crate) fn node_on(
        &mut self,
        output: &mut Output,
        (id, address): (NodeId, IpAddr),
        chain: ChainSpec,
        credentials: &Credentials,
    ) -> Result<u32, WireError> {
        let room = if self.has_room_for(&id) || self.make_room(output) { Some(0) } else { None };
        let charged_to = self.check_node((id, address), &chain, room)?;
        if let Some(index) = self.agents.find(&id) {
            if self.is_silent(index) {
                self.go_down(output, index);
            }
            self.change_chain(output, index, chain)?;
            return Ok(index);
        }
        let full = CoreError::PoolFull { nodes: self.limits.nodes, retry_ms: self.limits.report_interval_ms };
        let chain = self.agents.join_chain(chain).ok_or_else(|| full.clone())?;
        let index = self.agents.insert(id, credentials.clone(), output.now, (chain, charged_to)).ok_or(full)?;
        if self.agents.take_delegation(&id) {
            output.persist(Row::Delete(RowKey::Delegation(id)));
        }
        Ok(index)
    }

    /// Whether a node is known, or the pool may remember one more.
    pub(crate) fn has_room_for(&self, id: &NodeId) -> bool {
        self.agents.find(id).is_some() || self.agents.len() < self.limits.nodes as usize
    }

    /// Checks that there is room for a node and its chain. Returns the block that pays for them. `room` is the number of
    /// nodes that a full pool would forget for it; `None` if it does not fit.
    pub(crate) fn check_node(
        &self,
        (id, address): (NodeId, IpAddr),
        chain: &ChainSpec,
        room: Option<usize>,
    ) -> Result<Option<AddressBlock>, WireError> {
        let retry_ms = self.limits.report_interval_ms;
        let charged_to = self.agents.charged_to(&id, address, &self.limits);
        if !self.agents.may_use_chain(chain, charged_to) {
            let chain = Box::new(*chain);
            return Err(match self.agents.has_all_chains() {
                true => CoreError::ChainsFull { chain, retry_ms }.into(),
                false => CoreError::ChainsOfBlock { chain, retry_ms }.into(),
            });
        }
        if self.agents.find(&id).is_some() {
            return Ok(charged_to);
        }
        let Some(forgets) = room else {
            return Err(CoreError::PoolFull { nodes: self.limits.nodes, retry_ms }.into());
        };
        if charged_to.is_some_and(|block| !self.agents.has_room(block, forgets, &self.limits)) {
            return Err(CoreError::NodesOfBlock { retry_ms }.into());
        }
        Ok(charged_to)
    }

    /// Moves a node to another chain. Of its leases, those go on that run with nodes of joined chains.
    fn change_chain(&mut self, output: &mut Output, index: u32, chain: ChainSpec) -> Result<(), WireError> {
        let Some(old) = self.agents.get(index).and_then(|node| self.agents.chain(node.chain())) else { return Ok(()) };
        if *old == chain {
            return Ok(());
        }
        let retry_ms = self.limits.report_interval_ms;
        let full = CoreError::ChainsFull { chain: Box::new(chain), retry_ms };
        let new = self.agents.join_chain(chain).ok_or(full)?;
        self.detach(output, index);
        for (lease, side) in self.leases.of(index) {
            let runs = self.leases.get(lease).filter(|lease| lease.is_running());
            let other = runs.and_then(|lease| self.agents.get(lease.node(side.other())));
            if !other.is_some_and(|other| self.agents.are_joined(new, other.chain(), &self.limits)) {
                self.end_lease(output, lease, EvictReason::Disconnected, Some(side), None);
            }
        }
        self.agents.move_to_chain(index, new);
        Ok(())
    }

    /// Gives a node its connection and stores its description. Returns the address of an older connection that was still open.
    pub(crate) fn present(
        &mut self,
        output: &mut Output,
        index: u32,
        connection: ConnectionId,
        (address, callable): (IpAddr, bool),
        hello: Hello<'_>,
    ) -> Option<IpAddr> {
        let before = self.agents.row(index);
        let replaced = self.attach(output, index, connection, (address, callable));
        let changed = self.take_in(output, index, hello, before.as_ref());
        self.refresh(&changed);
        self.agents.watch(index, &self.clock, &self.limits);
        replaced
    }

    /// Gives a node its new connection and closes an older one, whose address it returns.
    pub(super) fn attach(
        &mut self,
        output: &mut Output,
        index: u32,
        connection: ConnectionId,
        from: (IpAddr, bool),
    ) -> Option<IpAddr> {
        let mut replaced = None;
        if let Some(other) = self.agents.at(connection).filter(|&other| other != index) {
            self.detach(output, other);
        }
        if let Some(old) = self.agents.get(index).and_then(crate::agents::node::Node::connection) {
            if old != connection {
                let reason = "a newer connection of this node replaced this one".to_owned();
                output.push(Effect::Close { connection: old, reason, when: SendWhen::Now });
                replaced = self.agents.address(index);
            }
            self.detach(output, index);
        }
        // What an offer counts to depends on the addresses of both sides.
        let pending = self.leases.of_client(index).chain(self.leases.of_host(index));
        let pending: Vec<((u32, u32), CountedAs)> = pending
            .filter(|(_, lease)| !lease.is_running())
            .map(|(_, lease)| ((lease.client(), lease.host()), lease.counted()))
            .collect();
        let before: Vec<_> = pending.iter().map(|(pair, counted)| self.share_of(*pair, *counted)).collect();
        // Not refreshed here: the old description is outdated, and the new one is stored next.
        let _stale = self.agents.attach(index, connection, from, output.now, &self.limits);
        for (before, (pair, counted)) in before.into_iter().zip(pending) {
            let after = self.share_of(pair, counted);
            self.matching.offer_moves(before, after);
        }
        replaced
    }

    /// Stores the description of a node, whose row was `before`.
    fn take_in(&mut self, output: &mut Output, index: u32, hello: Hello<'_>, before: Option<&NodeRow>) -> Changed {
        for (lease, side) in self.leases.of(index) {
            let reason = match side {
                Side::Client if !hello.client => EvictReason::Left,
                Side::Host if hello.host.is_none() => EvictReason::Drained,
                _ => continue,
            };
            self.end_lease(output, lease, reason, Some(side), None);
        }
        if let Some((_, Some(payout))) = hello.host {
            // The agent may still send an order that a newer one replaced. The answer names the account that counts.
            let _is_older = self.take_payout(output, index, payout);
        }
        let mut leases = self.leases.of(index).into_iter();
        let unseen = leases.all(|(lease, side)| self.leases.get(lease).is_none_or(|lease| lease.up(side) == UNSEEN));
        // If no meter depends on it, a connect counts as being seen.
        let seen_from = unseen.then_some(output.now);
        let (changed, row) = self.agents.take_in(index, hello, before, seen_from, &self.limits);
        if let Some(row) = row {
            output.persist(Row::Node(Box::new(row)));
        }
        changed
    }

    /// Handles a closed socket.
    pub(crate) fn disconnected(&mut self, output: &mut Output, connection: ConnectionId) {
        if let Some(index) = self.agents.at(connection) {
            self.detach(output, index);
        }
    }

    /// Handles the answer to a ping.
    pub(crate) fn latency(&mut self, connection: ConnectionId, rtt_us: u32) {
        if let Some(index) = self.agents.at(connection) {
            self.agents.note_latency(index, rtt_us);
        }
    }

    /// Removes a node's connection. Its leases continue; whatever belonged to the connection ends.
    pub(crate) fn detach(&mut self, output: &mut Output, index: u32) {
        let changed = self.agents.detach(index, output.now);
        self.matching.disconnected(index);
        self.refresh(&changed);
        self.end_unanswered(output, index);
        self.leases.free_held_slots(index);
        self.forget_description(index);
    }

    /// Forgets the description of a node that has neither a connection nor a lease, so that what strangers describe takes
    /// room only while they are there, and plans to forget a never-paired node.
    pub(crate) fn forget_description(&mut self, index: u32) {
        if self.is_gone(index) {
            self.agents.forget_description(index);
            self.schedule_forget(index);
        }
    }

    /// Ends a node's leases that wait for an answer to an admit, which could not be passed on.
    pub(crate) fn end_unanswered(&mut self, output: &mut Output, index: u32) {
        for (lease, side) in self.leases.of(index) {
            let Some(lease_now) = self.leases.get(lease).filter(|lease| lease.is_admitting()) else { continue };
            let client = lease_now.client();
            self.end_lease(output, lease, EvictReason::TooLate, Some(side), None);
            if side == Side::Host {
                self.go_on_asking(output, client);
            }
        }
    }
}
