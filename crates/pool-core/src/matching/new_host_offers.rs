use std::collections::{BTreeMap, VecDeque};

use vipnode_types::{LeaseId, Ms};

use crate::{
    Limits,
    collections::address_block::{AddressBlock, WideBlock},
    matching::{Context, Matching, hosts_by_block::DrawnHost},
};

/// Offers of hosts that no client was ever connected with: each is a offer, while it is pending and for some time after
/// the host did not admit its client.
///
/// A host id is free. A host that admits and stays silent costs each of its clients seconds, and so does one that answers
/// "full" late. So the new hosts in an address block get few clients within a while, as long as the chain has an open host
/// that is known. A host is known once a client in another wide block (/16, /32) than its own connected with it: one in its own
/// may be its operator's.
///
/// A client id is free too, and one that never connects would use up the offers of honest new hosts. So for a client, the
/// offers to its own wide block all count, and of those to each other wide block a quarter of the limit at most.
#[derive(Debug, Default)]
pub(crate) struct NewHostOffers {
    leases: BTreeMap<LeaseId, NewHostOffer>,
    /// Offers of hosts that did not admit, and until when they count; the oldest first.
    used: VecDeque<(Ms, NewHostOffer)>,
    /// Of both, by the block of the hosts.
    of_blocks: OfferCounts<AddressBlock>,
    /// Of both, by the wide block of the hosts.
    of_wide_blocks: OfferCounts<WideBlock>,
}

/// Where the host and the client of such an offer are.
#[derive(Debug, Clone, Copy)]
struct NewHostOffer {
    hosts: AddressBlock,
    clients: WideBlock,
}

/// The number of offers for each wide block of clients, by where the hosts are.
#[derive(Debug)]
struct OfferCounts<K>(BTreeMap<K, Vec<(WideBlock, u32)>>);

/// Blocks of one wide block that may each have as many offers as a block.
const BLOCKS_OF_A_WIDE: u32 = 4;
/// How many wide blocks of clients together use up the offers of hosts for all others.
const CLIENT_BLOCKS: u32 = 4;

impl<K> Default for OfferCounts<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> OfferCounts<K> {
    fn add(&mut self, hosts: K, clients: WideBlock) {
        let counts = self.0.entry(hosts).or_default();
        match counts.iter_mut().find(|(of, _)| *of == clients) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => counts.push((clients, 1)),
        }
    }

    fn sub(&mut self, hosts: &K, clients: WideBlock) {
        let Some(counts) = self.0.get_mut(hosts) else { return };
        let Some(at) = counts.iter().position(|(of, _)| *of == clients) else { return };
        if let Some((_, count)) = counts.get_mut(at) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.swap_remove(at);
            }
        }
        if counts.is_empty() {
            self.0.remove(hosts);
        }
    }

    /// Whether hosts have as many offers as they may for one more client in a wide block.
    fn are_full(&self, hosts: &K, clients: WideBlock, most: u32) -> bool {
        let of_another = most.div_ceil(CLIENT_BLOCKS);
        let counts = self.0.get(hosts).into_iter().flatten();
        let counted = counts.map(|(of, count)| if *of == clients { *count } else { of_another.min(*count) });
        counted.fold(0, u32::saturating_add) >= most
    }

    fn all(&self) -> usize {
        self.0.values().flatten().fold(0, |sum, (_, count)| sum.saturating_add(*count as usize))
    }
}

impl NewHostOffers {
    fn is_full(&self, offer: NewHostOffer, limits: &Limits) -> bool {
        let (NewHostOffer { hosts, clients }, most) = (offer, limits.new_host_offers_a_block);
        // The wide blocks first: they are fewer, so this is likely to be in the CPU cache.
        self.of_wide_blocks.are_full(&hosts.wide(), clients, most.saturating_mul(BLOCKS_OF_A_WIDE))
            || self.of_blocks.are_full(&hosts, clients, most)
    }

    fn take(&mut self, NewHostOffer { hosts, clients }: NewHostOffer) {
        self.of_blocks.add(hosts, clients);
        self.of_wide_blocks.add(hosts.wide(), clients);
    }

    fn give_back(&mut self, NewHostOffer { hosts, clients }: NewHostOffer) {
        self.of_blocks.sub(&hosts, clients);
        self.of_wide_blocks.sub(&hosts.wide(), clients);
    }

    /// Remembers that such an offer was refused, unless there are as many as there may be: one more would change nothing.
    fn use_up(&mut self, offer: NewHostOffer, until: Ms, limits: &Limits) {
        if self.is_full(offer, limits) {
            return;
        }
        while self.used.len() >= limits.recent_pairs.max(1) as usize {
            self.forget_oldest();
        }
        self.used.push_back((until, offer));
        self.take(offer);
    }

    /// Forgets refused offers that are old enough.
    pub(in crate::matching) fn expire(&mut self, now: Ms) {
        while self.used.front().is_some_and(|(until, _)| *until <= now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, offer)) = self.used.pop_front() {
            self.give_back(offer);
        }
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.len()
    }

    /// Whether each such offer is counted for its address block and wide block, for checks.
    pub(crate) fn counts_right(&self) -> bool {
        let all = self.leases.len().saturating_add(self.used.len());
        [self.of_blocks.all(), self.of_wide_blocks.all()] == [all; 2]
    }

    /// Leases that are such offers, for checks.
    pub(crate) fn leases(&self) -> impl Iterator<Item = LeaseId> {
        self.leases.keys().copied()
    }
}

impl Matching {
    /// Whether a host is new, and its address block has as many offers of new hosts as it may for one more client like this one.
    pub(in crate::matching) fn awaits_first_clients(&self, host: u32, client: u32, context: Context<'_>) -> bool {
        if self.members_only || self.has_served(host, context) {
            return false;
        }
        self.new_host_offer(host, client, context)
            .is_some_and(|offer| self.new_host_offers.is_full(offer, context.limits))
    }

    /// As [`Self::awaits_first_clients`], for a host that a search drew. Whether a client was ever connected with it counts as when it was
    /// listed.
    pub(in crate::matching) fn drawn_awaits_first_clients(
        &self,
        DrawnHost { host, block }: DrawnHost,
        clients: WideBlock,
        limits: &Limits,
    ) -> bool {
        if self.members_only || !self.new_host_offers.is_full(NewHostOffer { hosts: block, clients }, limits) {
            return false;
        }
        let entry = self.nodes.get(host);
        !entry.open_has_served && !entry.paired.any_of_other_blocks()
    }

    fn new_host_offer(&self, host: u32, client: u32, context: Context<'_>) -> Option<NewHostOffer> {
        let block = |node: u32| context.agents.get(node).map(|node| self.block_of(node));
        Some(NewHostOffer { hosts: block(host)?, clients: block(client)?.wide() })
    }

    /// Whether an offer of a host to a client of a chain counts to the share of the client's address block. One of a host that is new does not, where
    /// others are known: it is limited as a offer. What new hosts claim is worth nothing, so it must not cost a client the
    /// further offers that lead it past hosts that stay silent.
    pub(crate) fn counts_to_share(&self, host: u32, chain: u32, context: Context<'_>) -> bool {
        self.has_served(host, context) || !self.knows_hosts_on(chain, context)
    }

    /// Whether a client in another wide block was ever connected with a host that the pool remembers; in a closed pool, any
    /// client.
    pub(crate) fn has_served(&self, host: u32, context: Context<'_>) -> bool {
        self.nodes.get(host).paired.any_of_other_blocks() || context.agents.is_proven(host)
    }

    /// A host was offered: counts the offer if the host is new.
    pub(crate) fn new_host_offered(&mut self, lease: LeaseId, (client, host): (u32, u32), context: Context<'_>) {
        let Some(offer) = self.new_host_offer(host, client, context).filter(|_| !self.has_served(host, context)) else {
            return;
        };
        self.new_host_offers.take(offer);
        self.new_host_offers.leases.insert(lease, offer);
    }

    /// An offer was paired or ended.
    pub(crate) fn new_host_settled(&mut self, lease: LeaseId) {
        if let Some(offer) = self.new_host_offers.leases.remove(&lease) {
            self.new_host_offers.give_back(offer);
        }
    }

    /// A host did not admit a client. If no client was ever connected with it, that was an offer of a new host, and the
    /// client gets hosts in other blocks first: else a few free ids that answer "full" in turn would hold it for good.
    /// What strangers make a known host answer costs that host nothing.
    pub(crate) fn new_host_refused(&mut self, lease: LeaseId, host: u32, client: u32, context: Context<'_>) {
        let Context { now, limits, .. } = context;
        self.new_host_settled(lease);
        if self.members_only || self.has_served(host, context) {
            return;
        }
        let Some(offer) = self.new_host_offer(host, client, context) else { return };
        let until = now.plus(limits.same_address_ms);
        self.new_host_offers.use_up(offer, until, limits);
        self.recent_pairs.failed_in(self.client_of(client, context), offer.hosts, until, limits);
    }

    /// Returns the offers of new hosts, for checks.
    pub(crate) const fn new_host_offers(&self) -> &NewHostOffers {
        &self.new_host_offers
    }
}
