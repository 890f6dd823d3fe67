use vipnode_types::LeaseId;

use crate::{
    LeaseRow,
    leases::{
        Leases,
        lease::{CountedAs, FirstSeen, Lease, UNSEEN},
        lease_progress::LeaseState,
        pricing::Pricing,
        table::List,
    },
    output::Output,
};

/// A new lease that is not written yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewLease {
    pub(crate) index: u32,
    pub(crate) id: LeaseId,
}

/// What a lease is offered for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseTerms {
    pub(crate) client: u32,
    pub(crate) host: u32,
    pub(crate) pricing: Pricing,
    /// What it counts to while it is pending.
    pub(crate) counted: CountedAs,
}

impl Leases {
    /// Adds a lease that its host has yet to admit. Returns `None` at 2^32 - 1 leases or 65,536 prices.
    pub(crate) fn offer(&mut self, output: &mut Output, terms: LeaseTerms) -> Option<NewLease> {
        let LeaseTerms { client, host, pricing, counted } = terms;
        let price = self.keep_price(pricing)?;
        let id = self.name(output);
        let index = self.table.insert(Lease::new(id, client, host, price, output.now).counted_as(counted))?;
        self.link(index);
        self.note_trial(index);
        if let Some(node) = self.nodes.get_mut(client) {
            node.admitting = node.admitting.saturating_add(1);
        }
        if let Some(node) = self.nodes.get_mut(host) {
            node.host_admitting = node.host_admitting.saturating_add(1);
        }
        Some(NewLease { index, id })
    }

    /// Adds a lease from a stored row, which is not found by its id before [`Self::index_restored`]. Returns `None` at 2^32 - 1
    /// leases or 65,536 prices.
    pub(crate) fn restore(&mut self, row: &LeaseRow, client: u32, host: u32, counted: CountedAs) -> Option<u32> {
        let price = self.keep_price(Pricing { price: row.price, fee_bps: row.fee_bps, trial: row.trial })?;
        let client_up = row.client_seen.map_or(UNSEEN, |(up, _)| up);
        let (host_up, host_down) = row.host_seen.map_or((UNSEEN, UNSEEN), |(up, down)| (up, down.unwrap_or(UNSEEN)));
        let lease = Lease::new(row.id, client, host, price, row.offered).counted_as(counted);
        let index =
            self.table.restore(lease.restored(row.row, row.carry, FirstSeen { client_up, host_up, host_down }))?;
        self.link(index);
        self.note_trial(index);
        if self.get(index).is_some_and(Lease::is_running) {
            self.running = self.running.saturating_add(1);
            self.table.period_begins(index);
        }
        Some(index)
    }

    /// Makes restored leases found by their ids, before any lease ends.
    pub(crate) fn index_restored(&mut self) {
        self.table.index_restored();
    }

    /// Links a lease into the lists of both nodes.
    fn link(&mut self, index: u32) {
        let Some((client, host)) = self.get(index).map(|lease| (lease.client(), lease.host())) else { return };
        if let Some(node) = self.nodes.get_mut(client) {
            node.first_as_client = self.table.link(List::Client, node.first_as_client, index);
            node.client_count = node.client_count.saturating_add(1);
        }
        if let Some(node) = self.nodes.get_mut(host) {
            node.first_as_host = self.table.link(List::Host, node.first_as_host, index);
            node.host_count = node.host_count.saturating_add(1);
        }
    }

    /// Moves a lease on after its host admitted. `reachable` is whether the host has an address that the client can dial;
    /// without one, the lease is about to end.
    pub(crate) fn admitted(&mut self, index: u32, reachable: bool) {
        let Some(lease) = self.table.get_mut(index).filter(|lease| lease.is_admitting()) else { return };
        lease.set_state(if reachable { LeaseState::Offered } else { LeaseState::Evicting });
        let (client, host) = (lease.client(), lease.host());
        self.not_admitting(client, host);
    }

    /// Counts a lease as answered by its host.
    pub(in crate::leases) fn not_admitting(&mut self, client: u32, host: u32) {
        if let Some(node) = self.nodes.get_mut(client) {
            node.admitting = node.admitting.saturating_sub(1);
        }
        if let Some(node) = self.nodes.get_mut(host) {
            node.host_admitting = node.host_admitting.saturating_sub(1);
        }
    }
}
