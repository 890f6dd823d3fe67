//! The leases: their offer, whether both sides are connected to each other, the calls to agents about them, and their
//! end. May read agents. The selection of hosts and the cost of leases do not belong here.

pub(crate) mod calls_in_flight;
pub(crate) mod deadlines;
pub(crate) mod end;
pub(crate) mod held_slots;
pub(crate) mod lease;
pub(crate) mod lease_progress;
pub(crate) mod offer;
pub(crate) mod pairing;
pub(crate) mod price_consents;
pub(crate) mod pricing;
pub(crate) mod table;

use std::collections::BTreeSet;

use vipnode_types::{
    Account, LeaseId, Ms, Price,
    wire::{PairFault, Side},
};

use crate::{
    LeaseRow, Row,
    agents::Agents,
    collections::{by_index::ByIndex, interner::Interner, seeded_rng::SeededRng, slab::NIL},
    leases::{
        calls_in_flight::CallsInFlight,
        deadlines::LeaseDeadlines,
        held_slots::{HeldSlots, TimedSlots},
        lease::{Lease, UNSEEN},
        price_consents::PriceConsents,
        pricing::Pricing,
        table::{LeaseTable, List},
    },
    output::Output,
};

/// All leases, the lists of each node's leases, and the calls that agents have not answered.
#[derive(Debug)]
pub(crate) struct Leases {
    table: LeaseTable,
    nodes: ByIndex<NodeLeases>,
    prices: Interner<Pricing>,
    /// The number of the next lease.
    next: u64,
    /// Numbers below this are durably reserved.
    reserved: u64,
    running: u64,
    calls: CallsInFlight,
    deadlines: LeaseDeadlines,
    timed_slots: TimedSlots,
    consents: PriceConsents,
    /// The leases that are trials, the newest last.
    trials: BTreeSet<LeaseId>,
}

/// The leases of one node: two lists through the leases, and their lengths.
#[derive(Debug)]
struct NodeLeases {
    first_as_client: u32,
    client_count: u16,
    /// The number of its leases as a client that the host has not admitted yet.
    admitting: u16,
    first_as_host: u32,
    host_count: u16,
    /// Leases of which it is the host and that it has not answered.
    host_admitting: u16,
    held: HeldSlots,
}

impl Default for NodeLeases {
    fn default() -> Self {
        Self {
            first_as_client: NIL,
            client_count: 0,
            admitting: 0,
            first_as_host: NIL,
            host_count: 0,
            host_admitting: 0,
            held: HeldSlots::default(),
        }
    }
}

impl Leases {
    pub(crate) fn new(rng: &mut SeededRng) -> Self {
        Self {
            table: LeaseTable::new(rng.keys()),
            nodes: ByIndex::new(),
            prices: Interner::new(rng.keys(), u32::MAX),
            next: 1,
            reserved: 1,
            running: 0,
            calls: CallsInFlight::default(),
            deadlines: LeaseDeadlines::new(),
            timed_slots: TimedSlots::default(),
            consents: PriceConsents::default(),
            trials: BTreeSet::new(),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.table.len()
    }

    /// The number of leases that both sides have seen.
    pub(crate) const fn running(&self) -> u64 {
        self.running
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Lease> {
        self.table.get(index)
    }

    /// The index of a lease.
    pub(crate) fn find(&self, id: LeaseId) -> Option<u32> {
        self.table.find(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Lease)> {
        self.table.iter()
    }

    /// The lease with the oldest running period.
    pub(crate) fn oldest(&self) -> Option<u32> {
        self.table.oldest()
    }

    /// The price of a lease.
    pub(crate) fn price(&self, lease: &Lease) -> Option<Price> {
        self.prices.get(lease.price().into()).map(|pricing| pricing.price)
    }

    /// Returns the number of a price, with one more use. `None` if so many others are in use that its number is too large for a
    /// lease.
    fn keep_price(&mut self, pricing: Pricing) -> Option<u16> {
        let number = self.prices.keep(pricing)?;
        let kept = u16::try_from(number).ok();
        if kept.is_none() {
            self.prices.release(number);
        }
        kept
    }

    /// The price of a lease, and the fee.
    pub(crate) fn pricing(&self, lease: &Lease) -> Option<Pricing> {
        self.prices.get(lease.price().into()).copied()
    }

    /// Whether a lease is a trial.
    pub(crate) fn is_trial(&self, lease: &Lease) -> bool {
        self.pricing(lease).is_some_and(|pricing| pricing.trial)
    }

    /// How many leases are trials.
    pub(crate) fn num_trials(&self) -> u32 {
        u32::try_from(self.trials.len()).unwrap_or(u32::MAX)
    }

    /// The leases that are trials, the newest first.
    pub(crate) fn trials(&self) -> impl Iterator<Item = LeaseId> {
        self.trials.iter().rev().copied()
    }

    /// Notes whether a lease is a trial.
    fn note_trial(&mut self, index: u32) {
        let Some(lease) = self.get(index) else { return };
        let id = lease.id();
        if self.is_trial(lease) {
            self.trials.insert(id);
        } else {
            self.trials.remove(&id);
        }
    }

    /// The trial of a client, which has at most one at a time.
    pub(crate) fn trial_of(&self, client: u32) -> Option<(u32, &Lease)> {
        self.of_client(client).find(|(_, lease)| self.is_trial(lease))
    }

    /// The use count of each price, for checks.
    pub(crate) fn price_uses(&self) -> std::collections::BTreeMap<u32, u32> {
        self.prices.references()
    }

    /// The number of the next lease, and the end of the durably reserved numbers.
    pub(crate) const fn numbers(&self) -> (u64, u64) {
        (self.next, self.reserved)
    }

    /// Numbers new leases from `first` on, unless a higher number is already in use.
    pub(crate) const fn number_from(&mut self, first: u64) {
        if first > self.next {
            (self.next, self.reserved) = (first, first);
        }
    }

    /// Names a lease; the numbers are reserved durably by the thousand.
    fn name(&mut self, output: &mut Output) -> LeaseId {
        let number = self.next;
        self.next = number.saturating_add(1);
        if number >= self.reserved {
            self.reserved = number.saturating_add(1_000);
            output.persist(Row::NextLease(self.reserved));
        }
        LeaseId::new(number)
    }

    /// The leases of a node, with its side.
    pub(crate) fn of(&self, node: u32) -> Vec<(u32, Side)> {
        let at = self.nodes.get(node);
        let client = self.table.walk(List::Client, at.first_as_client).map(|(lease, _)| (lease, Side::Client));
        let host = self.table.walk(List::Host, at.first_as_host).map(|(lease, _)| (lease, Side::Host));
        client.chain(host).collect()
    }

    /// The leases of which a node is the client.
    pub(crate) fn of_client(&self, node: u32) -> impl Iterator<Item = (u32, &Lease)> {
        self.table.walk(List::Client, self.nodes.get(node).first_as_client)
    }

    /// The leases of which a node is the host.
    pub(crate) fn of_host(&self, node: u32) -> impl Iterator<Item = (u32, &Lease)> {
        self.table.walk(List::Host, self.nodes.get(node).first_as_host)
    }

    /// The number of leases of which a node is the client.
    pub(crate) fn client_count(&self, node: u32) -> u32 {
        self.nodes.get(node).client_count.into()
    }

    /// The number of leases of which a node is the host.
    pub(crate) fn host_count(&self, node: u32) -> u32 {
        self.nodes.get(node).host_count.into()
    }

    /// The number of a client's leases that wait for their host to admit.
    pub(crate) fn admitting(&self, node: u32) -> u32 {
        self.nodes.get(node).admitting.into()
    }

    /// The number of leases that a client knows of.
    pub(crate) fn known_count(&self, node: u32) -> u32 {
        self.client_count(node).saturating_sub(self.admitting(node))
    }

    /// Whether a node has a lease on either side.
    pub(crate) fn any(&self, node: u32) -> bool {
        let at = self.nodes.get(node);
        at.client_count > 0 || at.host_count > 0
    }

    /// Returns a lease by id, with the node's side, if the node is a side of it and knows of it.
    pub(crate) fn own(&self, node: u32, id: LeaseId) -> Option<(u32, Side)> {
        let index = self.find(id)?;
        let lease = self.get(index)?;
        let side = lease.side_of(node)?;
        (side == Side::Host || !lease.is_admitting()).then_some((index, side))
    }

    /// Remembers the fault of the pair that a side reported.
    pub(crate) fn note_fault(&mut self, index: u32, fault: Option<PairFault>) {
        if let Some(lease) = self.table.get_mut(index) {
            lease.set_fault(fault);
        }
    }

    /// Returns the row to store for a lease that this account pays for.
    pub(crate) fn row(&self, lease: &Lease, agents: &Agents, payer: Option<Account>) -> Option<LeaseRow> {
        let (host, pricing) = (agents.get(lease.host())?, self.prices.get(lease.price().into())?);
        let seen = |up: Ms, down: Ms| (up != UNSEEN).then(|| (up, (down != UNSEEN).then_some(down)));
        Some(LeaseRow {
            id: lease.id(),
            row: lease.row(),
            client: agents.id(lease.client())?,
            host: host.id(),
            payee: host.payout(),
            payer,
            price: pricing.price,
            fee_bps: pricing.fee_bps,
            trial: pricing.trial,
            carry: lease.carry(),
            offered: lease.offered(),
            client_seen: seen(lease.client_up(), UNSEEN),
            host_seen: seen(lease.host_up(), lease.host_down()),
        })
    }

    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        self.table.heap_bytes()
    }

    #[cfg(test)]
    pub(crate) fn node_heap_bytes(&self) -> usize {
        self.nodes.heap_bytes()
    }
}
