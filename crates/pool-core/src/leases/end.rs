use vipnode_types::{
    Ms,
    wire::{EvictReason, Side},
};

use crate::{
    Core, Row, RowKey,
    leases::agent_calls::{Eviction, Unpaired},
    leases::lease::{Lease, UNSEEN},
    leases::table::List,
    output::Output,
};

impl Core {
    /// Ends a lease: both ends are frozen, its row goes, its place is free, and both are told. `by` is
    /// the side that ended it and knows; `cut` a side's own last moment.
    pub(crate) fn end_lease(
        &mut self,
        output: &mut Output,
        index: u32,
        reason: EvictReason,
        by: Option<Side>,
        cut: Option<(Side, Ms)>,
    ) {
        let Some(lease) = self.leases.get(index) else { return };
        let Some(row) = self.lease_row(lease) else { return };
        let (client, price) = (lease.client, lease.price);
        let mut ends = self.ends(lease);
        match cut {
            Some((Side::Client, at)) => ends.client = at,
            Some((Side::Host, at)) if lease.host_down == UNSEEN => ends.host = at,
            _ => {}
        }
        let silent = reason == EvictReason::NoReports && by == Some(Side::Client);
        let unpaired = self.unpaired_of(lease, ends.client, silent);
        self.freeze(output, &row, ends);
        output.persist(Row::Delete(RowKey::Lease(row.id)));
        self.count_unpaired(client, price, unpaired);
        let Some(lease) = self.take_out(index) else { return };
        self.counters.count_end(reason);
        self.tell_host(output, &lease, reason, by, row.price);
        self.tell_client(output, &lease, reason, by);
        self.prices.release(lease.price);
        self.refresh_open_hosts(lease.host);
        self.refresh_waiting(lease.client);
        self.serve_soon();
    }

    /// Takes a lease out of every list and count.
    fn take_out(&mut self, index: u32) -> Option<Lease> {
        let (client, host) = self.leases.get(index).map(|lease| (lease.client, lease.host))?;
        self.leases.row_ends(index);
        if let Some(node) = self.nodes.get_mut(client) {
            node.client_head = self.leases.unlink(List::Client, node.client_head, index);
            node.client_leases = node.client_leases.saturating_sub(1);
        }
        if let Some(node) = self.nodes.get_mut(host) {
            node.host_head = self.leases.unlink(List::Host, node.host_head, index);
            node.host_leases = node.host_leases.saturating_sub(1);
        }
        let lease = self.leases.remove(index)?;
        self.selections.forget(lease.id);
        if lease.paired {
            self.counters.running = self.counters.running.saturating_sub(1);
        } else {
            self.pending_offers.sub(self.nodes.get(client).and_then(|node| node.address));
        }
        if let Some(node) = self.nodes.get_mut(client).filter(|_| lease.admitting) {
            node.admitting = node.admitting.saturating_sub(1);
        }
        Some(lease)
    }

    /// The host evicts. One whose admit is in flight is told when that comes to its end.
    fn tell_host(
        &mut self,
        output: &mut Output,
        lease: &Lease,
        reason: EvictReason,
        by: Option<Side>,
        price: vipnode_types::Price,
    ) {
        let Some(other) = self.nodes.get(lease.client).map(|node| node.id) else { return };
        if lease.admitting {
            return;
        }
        // The client does not hold it to be connected, and the host sees it until it has evicted.
        let lone = lease.sees(Side::Host) && (by == Some(Side::Client) || lease.client_up == UNSEEN);
        let client = self.nodes.handle(lease.client).filter(|_| lone);
        let unpaired = client.map(|client| Unpaired { client, since: output.now, price });
        let eviction = Eviction { other, reason, fault: lease.fault, tries: 0, unpaired };
        self.call_evict(output, lease.host, lease.id, eviction);
    }

    fn tell_client(&mut self, output: &mut Output, lease: &Lease, reason: EvictReason, by: Option<Side>) {
        let Some(other) = self.nodes.get(lease.host).map(|node| node.id) else { return };
        let knows = by == Some(Side::Client) && reason != EvictReason::NoReports;
        if lease.told && !knows {
            let eviction = Eviction { other, reason, fault: lease.fault, tries: 0, unpaired: None };
            self.call_evict(output, lease.client, lease.id, eviction);
        }
    }

    /// Not both saw each other in time.
    pub(crate) fn offer_due(&mut self, output: &mut Output, index: u32) {
        let Some(lease) = self.leases.get(index) else { return };
        if lease.paired {
            return;
        }
        if output.now < self.offers_wait && lease.offered < self.resumed {
            // Granted before the pool was away: its sides may still be on their way back.
            self.timers.offers.push(self.offers_wait, lease.id);
            return;
        }
        let (client, host) = (lease.client, lease.host);
        let until = output.now.plus(self.limits.same_address_ms);
        self.recent_pairs.failed(host, client, until, self.limits.recent_grants);
        if let Some(node) = self.nodes.get_mut(host) {
            node.strikes = node.strikes.saturating_add(1).min(3);
        }
        let lone_host = lease.sees(Side::Host);
        let used = self.unpaired_of(lease, Ms::ZERO, false);
        let price = lease.price;
        let free = self.prices.get(price).is_none_or(|price| price.is_free());
        let before = self.nodes.get(client).map_or(0, |node| node.unpaired.used(output.now));
        let past = !free && lone_host && before.saturating_add(used) >= self.limits.unpaired_ms_a_day;
        let reason = if past { EvictReason::Unpaired } else { EvictReason::NotConnected };
        self.end_lease(output, index, reason, None, None);
    }
}
