use vipnode_types::{
    Ms,
    wire::{EvictReason, PairFault, Side},
};

use crate::{
    Core, Row, RowKey,
    leases::{
        calls_in_flight::{Eviction, Unpaired},
        lease::{Lease, UNSEEN},
        pricing::Pricing,
    },
    metering::{billed_period::Ends, unpaired::Pair},
    output::Output,
};

impl Core {
    /// Ends a lease: fixes both ends of its meter, deletes its row, and evicts on both sides. What the sides have yet to report
    /// is billed once they have evicted. The host's eviction holds the slot until it is done. `by` is the side that ended the
    /// lease; `cut` is the time at which a side last saw the other, if it is not the usual one.
    pub(crate) fn end_lease(
        &mut self,
        output: &mut Output,
        index: u32,
        reason: EvictReason,
        by: Option<Side>,
        cut: Option<(Side, Ms)>,
    ) {
        let Some(lease) = self.leases.get(index) else { return };
        let (id, pricing) = (lease.id(), self.leases.pricing(lease).unwrap_or_default());
        let mut ends = Ends::of(lease, &self.agents);
        match cut {
            Some((Side::Client, at)) => ends.client = at,
            Some((Side::Host, at)) if lease.host_down() == UNSEEN => ends.host = at,
            _ => {}
        }
        let pair = Pair { client: lease.client(), host: lease.host() };
        let (lone_host, host_until) = (lease.sees(Side::Host), self.host_saw_until(lease).max(ends.host));
        let part = self.final_part(lease, ends, by);
        let later_ms = part.as_ref().map_or(0, |part| part.most_ms);
        let carry = self.close_period(output, index, ends, host_until.minus(later_ms));
        if let Some(part) = part {
            self.await_answers(part.carrying(carry), output.now);
        }
        let used_up = reason == EvictReason::NotConnected && lone_host && self.is_used_up(pair);
        let reason = if used_up { EvictReason::Unpaired } else { reason };
        output.persist(Row::Delete(RowKey::Lease(id)));
        let Some(lease) = self.leases.end(index) else { return };
        self.matching.forget_selection(lease.id());
        self.matching.new_host_settled(lease.id());
        self.agents.drop_observation(lease.host(), lease.id(), &self.limits);
        if lease.is_running() {
            self.matching.host_unpaired(lease.host());
        } else {
            let share = self.share_of((lease.client(), lease.host()), lease.counted());
            let (matching, context) = self.matching();
            matching.offer_settled(lease.client(), share, context);
        }
        if lease.is_known_to_client() {
            let (matching, context) = self.matching();
            matching.pair_dialed(&lease, context);
        }
        self.counters.count_end(reason);
        self.evict_at_host(output, &lease, reason, by, pricing);
        self.evict_at_client(output, &lease, reason, by);
        let (matching, context) = self.matching();
        matching.refresh_open_hosts(lease.host(), context);
        matching.refresh_waiting(lease.client(), context);
        matching.serve_soon(context.now);
        self.forget_description(lease.client());
        self.forget_description(lease.host());
    }

    /// Evicts on the host's side. A host whose admit is in flight evicts when that call ends.
    fn evict_at_host(
        &mut self,
        output: &mut Output,
        lease: &Lease,
        reason: EvictReason,
        by: Option<Side>,
        pricing: Pricing,
    ) {
        let Some(other) = self.agents.id(lease.client()) else { return };
        if lease.is_admitting() {
            return;
        }
        // The client does not count it as connected, but the host sees it until it has evicted.
        let lone = lease.sees(Side::Host) && (by == Some(Side::Client) || lease.client_up() == UNSEEN);
        let client = self.agents.handle(lease.client()).filter(|_| lone);
        let unpaired = client.map(|client| Unpaired { client, since: output.now, pricing });
        let given_loopback = || self.gave_loopback(lease, reason).then_some(PairFault::Loopback);
        let fault = lease.fault().or_else(given_loopback);
        let eviction = Eviction { fault, unpaired, ..Eviction::at_host(other, reason) };
        self.call_evict(output, lease.host(), lease.id(), eviction);
    }

    /// Whether a client that did not connect was given a loopback address of the host.
    fn gave_loopback(&self, lease: &Lease, reason: EvictReason) -> bool {
        let unseen = reason == EvictReason::NotConnected && lease.is_known_to_client() && !lease.sees(Side::Host);
        let given = || self.agents.dialed_by(lease.host(), lease.client(), &self.limits)?.ip();
        unseen && given().is_some_and(|ip| ip.to_canonical().is_loopback())
    }

    fn evict_at_client(&mut self, output: &mut Output, lease: &Lease, reason: EvictReason, by: Option<Side>) {
        let Some(other) = self.agents.id(lease.host()) else { return };
        let knows = by == Some(Side::Client) && reason != EvictReason::NoReports;
        if lease.is_known_to_client() && !knows {
            let eviction = Eviction { fault: lease.fault(), ..Eviction::new(other, reason) };
            self.call_evict(output, lease.client(), lease.id(), eviction);
        }
    }
}
