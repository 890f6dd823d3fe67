use vipnode_types::{
    LeaseId, Ms, NodeId,
    wire::{AdmitCall, DialCall, ErrorCode, EvictReason, LeasedHost, Side},
};

use crate::{
    CallOutcome, Core, Row,
    agents::node::Node,
    error::NoHost,
    leases::agent_calls::{AgentCall, Eviction},
    leases::lease::Lease,
    leases::table::List,
    output::Output,
};

impl Core {
    /// Finds a host for a client and asks it to let the client in.
    pub(crate) fn offer_slot(&mut self, output: &mut Output, client: u32) -> Result<(), NoHost> {
        if self.past_unpaired(client) {
            return Err(NoHost::Unpaired);
        }
        let address = self.nodes.get(client).and_then(|node| node.address);
        if self.pending_offers.of(address) >= self.limits.offers_a_block {
            return Err(NoHost::Block);
        }
        let (host, won) = self.find_host(client)?;
        let lease = self.begin_lease(output, client, host).ok_or(NoHost::NoneFits)?;
        self.selections.remember(lease, won, self.limits.explained_leases);
        Ok(())
    }

    fn begin_lease(&mut self, output: &mut Output, client: u32, host: u32) -> Option<LeaseId> {
        let price = self.limits.price;
        let client_id = self.nodes.get(client)?.id;
        let address = self.nodes.get(client)?.address;
        let number = self.prices.acquire(price)?;
        let id = self.name_lease(output);
        let lease = self.leases.insert(Lease::new(id, client, host, number, output.now))?;
        self.link_lease(lease);
        self.pending_offers.add(address);
        if let Some(node) = self.nodes.get_mut(client) {
            node.admitting = node.admitting.saturating_add(1);
        }
        let until = output.now.plus(self.limits.same_address_ms);
        self.recent_pairs.given(host, client, address, until, self.limits.recent_grants);
        self.counters.offered = self.counters.offered.saturating_add(1);
        self.persist_lease(output, lease);
        let peer = self.nodes.get(client).and_then(|node| node.dialed_at(self.limits.closed));
        let client_version = self.client_version(client);
        let light = self.nodes.get(client).is_some_and(|node| self.is_light(node));
        self.call_admit(
            output,
            host,
            AdmitCall { lease: id, client: client_id, price, client_enode: peer, client_version, light },
        );
        self.refresh_waiting(client);
        Some(id)
    }

    /// Hangs a lease on both its nodes' lists.
    pub(crate) fn link_lease(&mut self, index: u32) {
        let Some((client, host)) = self.leases.get(index).map(|lease| (lease.client, lease.host)) else { return };
        if let Some(node) = self.nodes.get_mut(client) {
            node.client_head = self.leases.link(List::Client, node.client_head, index);
            node.client_leases = node.client_leases.saturating_add(1);
        }
        if let Some(node) = self.nodes.get_mut(host) {
            node.host_head = self.leases.link(List::Host, node.host_head, index);
            node.host_leases = node.host_leases.saturating_add(1);
        }
        self.watch(client);
        self.watch(host);
        self.refresh_open_hosts(host);
    }

    /// A host answered an admit, or did not.
    pub(crate) fn admit_done(&mut self, output: &mut Output, call: &AgentCall, client: NodeId, outcome: &CallOutcome) {
        let waiting = self.leases.find(call.lease);
        let waiting = waiting.filter(|&index| self.leases.get(index).is_some_and(|lease| lease.admitting));
        match (waiting, outcome) {
            (Some(lease), CallOutcome::Done) => self.admitted(output, lease),
            (Some(lease), _) => self.not_admitted(output, lease, call, client, outcome),
            (None, CallOutcome::Done | CallOutcome::Expired) => self.too_late(output, call, client),
            (None, _) => {}
        }
    }

    /// The client has other places by now, or is gone. Its record may be gone too: the call remembers it.
    fn too_late(&mut self, output: &mut Output, call: &AgentCall, client: NodeId) {
        let Some(host) = self.still_there(call) else { return };
        let eviction = Eviction { other: client, reason: EvictReason::TooLate, fault: None, tries: 0, unpaired: None };
        self.call_evict(output, host, call.lease, eviction);
    }

    fn admitted(&mut self, output: &mut Output, index: u32) {
        let Some(lease) = self.leases.get_mut(index) else { return };
        lease.admitting = false;
        let (id, client, host, price) = (lease.id, lease.client, lease.host, lease.price);
        if let Some(node) = self.nodes.get_mut(host) {
            node.refusals = 0;
        }
        if let Some(node) = self.nodes.get_mut(client) {
            node.admitting = node.admitting.saturating_sub(1);
        }
        self.counters.admitted = self.counters.admitted.saturating_add(1);
        self.timers.offers.push(output.now.plus(self.offer_wait(client, host)), id);
        self.timers.dials.push(output.now.plus(self.limits.dial_after_ms), id);
        let enode = self.nodes.get(host).and_then(|node| node.dialed_at(self.limits.closed));
        let price = self.prices.get(price).copied().unwrap_or_default();
        let Some(enode) = enode else {
            self.end_lease(output, index, EvictReason::NotConnected, None, None);
            return;
        };
        if let Some(lease) = self.leases.get_mut(index) {
            lease.told = true;
        }
        if self.asks.contains_key(&client) {
            let client_version = self.client_version(host);
            self.granted(output, client, LeasedHost { lease: id, host: enode, price, client_version });
        } else if self.nodes.get(client).is_some_and(Node::can_dial) {
            let client_version = self.client_version(host);
            let call = DialCall { lease: id, side: Side::Client, peer: enode, price, client_version };
            self.call_dial(output, client, call);
        } else {
            self.end_lease(output, index, EvictReason::Left, Some(Side::Client), None);
            return;
        }
        self.refresh_waiting(client);
    }

    fn not_admitted(&mut self, output: &mut Output, index: u32, call: &AgentCall, id: NodeId, outcome: &CallOutcome) {
        let Some((client, host)) = self.leases.get(index).map(|lease| (lease.client, lease.host)) else { return };
        let rejected = matches!(outcome, CallOutcome::Refused(error) if error.is(ErrorCode::Unsuitable));
        if !(rejected && self.refuse_version(host, client)) {
            self.rest_host(output.now, host);
        }
        self.end_lease(output, index, EvictReason::TooLate, None, None);
        if *outcome == CallOutcome::Expired {
            // It may still do it, and nobody would come.
            self.too_late(output, call, id);
        }
        self.counters.not_admitted = self.counters.not_admitted.saturating_add(1);
        self.go_on_asking(output, client);
    }

    /// Leaves a host alone for a while that did not admit, longer each time.
    fn rest_host(&mut self, now: Ms, host: u32) {
        let Some(handle) = self.nodes.handle(host) else { return };
        let Some(node) = self.nodes.get_mut(host) else { return };
        let factor = 1_u64.checked_shl(u32::from(node.refusals)).unwrap_or(u64::MAX);
        node.refusals = node.refusals.saturating_add(1).min(32);
        let rest = self.limits.rest_ms.saturating_mul(factor).min(self.limits.max_rest_ms);
        if !node.resting {
            node.resting = true;
            self.timers.rests.push(now.plus(rest), handle);
        }
        self.refresh_open_hosts(host);
    }

    /// Writes a lease as it is now.
    pub(crate) fn persist_lease(&self, output: &mut Output, index: u32) {
        if let Some(row) = self.leases.get(index).and_then(|lease| self.lease_row(lease)) {
            output.persist(Row::Lease(Box::new(row)));
        }
    }
}
