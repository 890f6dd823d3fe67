use vipnode_types::{
    LeaseId,
    wire::{AdmitCall, DialCall, EvictReason, LeasedHost, Selection, Side},
};

use crate::{
    Core,
    agents::node::Node,
    collections::address_block::AddressBlock,
    leases::{lease::CountedAs, offer::LeaseTerms, pricing::Pricing},
    matching::{
        funding::Funding, host_group::HostGroup, host_search::Apart, no_host::NoHost, pending_offers::OfferShare,
    },
    output::Output,
};

impl Core {
    /// Finds a host for a client and asks it to admit the client.
    pub(crate) fn offer_slot(&mut self, output: &mut Output, client: u32) -> Result<(), NoHost> {
        let first = self.offer_slot_of(output, client, Apart::Nothing)?;
        if self.agents.get(client).is_some_and(Node::can_dial) {
            self.await_pair(client, first);
        }
        Ok(())
    }

    /// Finds a host as [`Self::offer_slot`] does, apart from the client's hosts.
    pub(crate) fn offer_slot_of(&mut self, output: &mut Output, client: u32, apart: Apart) -> Result<LeaseId, NoHost> {
        self.check_client(client)?;
        let (matching, rng, context) = self.matching_with_rng();
        let mut steps = 0;
        let found = matching.find_host(client, apart, rng, &mut steps, context);
        output.count_steps(self.agents.address(client), steps);
        let (host, selection) = found?;
        self.offer_selected(output, client, (host, selection))
    }

    /// Asks this host to admit a client, if it fits the client and is apart from the client's hosts.
    pub(crate) fn offer_host(
        &mut self,
        output: &mut Output,
        client: u32,
        (host, apart): (u32, Apart),
    ) -> Result<(), NoHost> {
        self.check_client(client)?;
        output.count_steps(self.agents.address(client), 1);
        let selection = self.matching.select(client, (host, apart), self.context()).ok_or(NoHost::NoneFits)?;
        let lease = self.offer_selected(output, client, (host, selection))?;
        self.await_pair(client, lease);
        Ok(())
    }

    /// Has a client get further hosts unless this offer is paired soon.
    pub(crate) fn await_pair(&mut self, client: u32, lease: LeaseId) {
        if let Some(client) = self.agents.handle(client) {
            self.matching.await_pair(lease, client, self.clock.now().plus(self.limits.extra_host_ms));
        }
    }

    fn offer_selected(
        &mut self,
        output: &mut Output,
        client: u32,
        (host, selection): (u32, Selection),
    ) -> Result<LeaseId, NoHost> {
        let lease = self.begin_lease(output, client, host).ok_or(NoHost::NoneFits)?;
        let (matching, context) = self.matching();
        matching.selected(lease, client, selection, context);
        Ok(lease)
    }

    /// Checks what forbids any host.
    pub(crate) fn check_client(&self, client: u32) -> Result<(), NoHost> {
        if self.agents.is_drained(client) {
            return Err(NoHost::Drained);
        }
        if self.past_unpaired(client) {
            return Err(NoHost::Unpaired);
        }
        if self.lacks_periods(client) {
            return Err(NoHost::Periods);
        }
        match self.context().funding(client) {
            Funding::Trial => self.matching.why_trial_waits(client, self.context()).map_or(Ok(()), Err)?,
            Funding::Paid => {}
            Funding::InTrial => return Err(NoHost::InTrial(self.limits.payment)),
            Funding::Short(shortage) => return Err(NoHost::Payment(Box::new(shortage))),
        }
        if self.matching.offers_exhausted(client, self.context()) {
            return Err(NoHost::Block);
        }
        Ok(())
    }

    /// Whether a client has used up today's unpaired time.
    pub(crate) fn past_unpaired(&self, client: u32) -> bool {
        self.metering.past_unpaired(client, self.clock.now(), (&self.agents, &self.leases), &self.limits)
    }

    fn begin_lease(&mut self, output: &mut Output, client: u32, host: u32) -> Option<LeaseId> {
        let pricing = match self.context().funding(client) {
            Funding::Trial => Pricing::of_trial(self.limits.price.asset()),
            _ => self.pricing(),
        };
        let node = self.agents.get(client)?;
        let (client_id, address) = (node.id(), node.address());
        let shared = self.agents.is_limited(client, &self.limits)
            && self.matching.counts_to_share(host, node.chain(), self.context());
        let counted = self.counted_as(host, shared);
        let offer = self.leases.offer(output, LeaseTerms { client, host, pricing, counted })?;
        if let (true, Some(address), Some(handle)) = (pricing.trial, address, self.agents.handle(client)) {
            self.metering.trial_offered(output.now, AddressBlock::of(address), handle);
        }
        self.watch_pair(client, host);
        let share = self.share_of((client, host), counted);
        let (matching, context) = self.matching();
        matching.offered((host, client), share, context);
        matching.new_host_offered(offer.id, (client, host), context);
        self.counters.offered = self.counters.offered.saturating_add(1);
        self.persist_lease(output, offer.index);
        let admit = AdmitCall {
            lease: offer.id,
            client: client_id,
            price: pricing.price,
            client_enode: self.agents.dialed_by(client, host, &self.limits),
            client_version: self.agents.client_version(client),
            light: self.agents.is_light(client),
        };
        self.call_admit(output, host, admit);
        self.refresh_waiting(client);
        Some(offer.id)
    }

    /// Returns the share that an offer of a host to a client counts to, if it counts to one.
    pub(crate) fn share_of(&self, (client, host): (u32, u32), counted: CountedAs) -> Option<OfferShare> {
        let late = match counted {
            CountedAs::Unshared => return None,
            CountedAs::Shared => false,
            CountedAs::SharedLate => true,
        };
        let client = self.context().client_share(client)?;
        Some(OfferShare { client, hosts: HostGroup { late, ..HostGroup::of(self.agents.get(host)?) } })
    }

    /// What an offer of a host counts to, if it is `shared`.
    pub(crate) fn counted_as(&self, host: u32, shared: bool) -> CountedAs {
        match (shared, self.agents.dialect(host).reports_at_once()) {
            (false, _) => CountedAs::Unshared,
            (true, true) => CountedAs::Shared,
            (true, false) => CountedAs::SharedLate,
        }
    }

    /// Watches both sides of a new lease for silence, and counts the host's slot as taken.
    pub(crate) fn watch_pair(&mut self, client: u32, host: u32) {
        self.watch_sides(client, host);
        let (matching, context) = self.matching();
        matching.refresh_open_hosts(host, context);
    }

    /// Watches both sides of a lease for silence.
    pub(crate) fn watch_sides(&mut self, client: u32, host: u32) {
        for node in [client, host] {
            self.agents.watch(node, &self.clock, &self.limits);
        }
    }

    /// Handles a host that admitted a client: the client gets the address to dial.
    pub(crate) fn admitted(&mut self, output: &mut Output, index: u32) {
        let Some(lease) = self.leases.get(index) else { return };
        let (id, client, host) = (lease.id(), lease.client(), lease.host());
        let price = self.leases.price(lease).unwrap_or_default();
        let enode = self.agents.dialed_by(host, client, &self.limits);
        self.leases.admitted(index, enode.is_some());
        self.matching.host_admitted(host);
        self.counters.admitted = self.counters.admitted.saturating_add(1);
        self.leases.arm_offer(id, output.now.plus(self.first_offer_ms(client, host)));
        // reth, as a client, dials seconds after the call.
        let late = self.agents.get(client).is_some_and(Node::dials_late);
        self.leases.arm_dial(id, output.now.plus(if late { 0 } else { self.limits.dial_after_ms }));
        let Some(enode) = enode else {
            self.end_lease(output, index, EvictReason::NotConnected, None, None);
            return;
        };
        let (client_version, redial_ms) = (self.agents.client_version(host), self.redial_ms(client, host));
        if self.matching.asks().contains(client) {
            let leased = LeasedHost { lease: id, host: enode, price, client_version, redial_ms };
            self.add_host_to_answer(output, client, leased);
        } else if self.agents.get(client).is_some_and(Node::can_dial) {
            let call = DialCall { lease: id, side: Side::Client, peer: enode, price, client_version, redial_ms };
            self.call_dial(output, client, call);
        } else {
            self.end_lease(output, index, EvictReason::Left, Some(Side::Client), None);
            return;
        }
        self.refresh_waiting(client);
    }

    /// Returns how long the nodes of a client and a host may wait until one dials the other, in milliseconds, if they do.
    pub(crate) fn redial_ms(&self, client: u32, host: u32) -> Option<u64> {
        Some(self.matching.redial_ms(client, host, self.context())).filter(|ms| *ms > 0)
    }

    /// Updates a client's position in the queue.
    pub(crate) fn refresh_waiting(&mut self, client: u32) {
        let (matching, context) = self.matching();
        matching.refresh_waiting(client, context);
    }

    /// Offers one slot each to a bounded number of waiting clients, with a bounded number of steps, because all other commands
    /// wait meanwhile.
    pub(crate) fn serve_waiting(&mut self, output: &mut Output) {
        let mut budget = self.limits.served_a_tick;
        let last_step = output.steps().saturating_add(self.limits.steps_a_tick);
        let Some(mut left) = self.matching.chains_to_serve(output.now) else { return };
        while left > 0 && budget > 0 {
            let Some(chain) = self.matching.next_chain() else { break };
            if !self.serve_chain(output, chain, last_step, &mut budget) {
                left = usize::MAX;
                break;
            }
            left = left.saturating_sub(1);
            // One for the chain, so that many chains are bounded too.
            budget = budget.saturating_sub(1);
        }
        let (matching, context) = self.matching();
        matching.served(left, context);
    }

    /// Serves the waiting clients of a chain. Returns false if the step reached its limit first.
    fn serve_chain(&mut self, output: &mut Output, chain: u32, last_step: u32, budget: &mut u32) -> bool {
        while *budget > 0 {
            if output.steps() >= last_step {
                *budget = 0;
                return false;
            }
            let (matching, context) = self.matching();
            let Some(client) = matching.next_served(chain, context) else {
                self.displace_for_waiting(output, chain);
                return true;
            };
            *budget = budget.saturating_sub(1);
            if let Err(why) = self.offer_slot(output, client) {
                self.displace_for(output, client, &why);
                self.back_off(client);
            }
        }
        false
    }

    /// Suspends the search for a client's hosts for a while, because no host was found.
    pub(crate) fn back_off(&mut self, client: u32) {
        let (matching, context) = self.matching();
        matching.back_off(client, context);
    }
}
