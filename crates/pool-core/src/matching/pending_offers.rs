use std::collections::BTreeMap;

use crate::{
    agents::node::Node,
    collections::{address_block::AddressBlock, block_shares::BlockShares},
    matching::{Context, Matching, host_group::HostGroup},
};

/// Counts of leases not yet seen by both sides.
///
/// A client that is offered a slot and never connects holds it until the offer ends, and ids are free. So never-proven clients in
/// an address block hold at most as many pending offers on a chain as slots remain free there that were used before: one
/// operator cannot hold the free slots of all hosts without ever connecting. Claims of slots cost as little, so what hosts
/// only claim does not count, but for a few slots while no host has served a client. Each block may always hold a minimum.
/// Offers of hosts that report with their updates only last several times as long, so they have a share of their own: as many
/// as remain free on such hosts. A flood would hold all slots of these hosts with a share of all slots.
///
/// Strangers can have their hosts used by their own clients in other networks. Beyond the minimum, a block therefore also
/// holds at most as many offers of the hosts in one wide block as slots remain free there: free slots of a stranger's hosts
/// give the stranger no share of the slots of others. Members of a closed pool are known to its operator and do not have a
/// share.
#[derive(Debug)]
pub(crate) struct PendingOffers {
    /// Offers of never-proven clients, for each chain ID on which there are any: nodes of protocol 2 that name no genesis
    /// are on a chain of their own here, and are matched with those of the same ID.
    chains: BTreeMap<u64, BlockShares>,
    /// Those of them of hosts that report with their updates only.
    late: BTreeMap<u64, BlockShares>,
    /// All of them, by the hosts that are offered.
    groups: BTreeMap<(u64, HostGroup), BlockShares>,
    len: u32,
    minimum: u32,
}

/// The share that an offer counts to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfferShare {
    pub(crate) client: ClientShare,
    /// The hosts that are offered. If they report with their updates only, it also counts to the share of these.
    pub(crate) hosts: HostGroup,
}

/// The share that offers of any hosts to a client count to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientShare {
    chain: u64,
    pub(crate) block: AddressBlock,
}

/// Which part of its minimum a block may always hold as offers of hosts that report with their updates only, while any slot
/// of such a host is free; rounded up.
const LATE_PART: u32 = 2;
/// Offers of the hosts in one wide block that a block may always hold, while any slot is free: those of which as many were used
/// before as are used now have none that counts as free.
const MINIMUM_OF_GROUP: u32 = 1;

impl PendingOffers {
    /// Nothing is pending. Each block may always hold `minimum` offers of a chain while any slot is free there.
    pub(crate) const fn new(minimum: u32) -> Self {
        Self { chains: BTreeMap::new(), late: BTreeMap::new(), groups: BTreeMap::new(), len: 0, minimum }
    }

    /// Adds an offer; `None` for one that counts to no share.
    pub(crate) fn add(&mut self, share: Option<OfferShare>) {
        self.len = self.len.saturating_add(1);
        let Some(OfferShare { client: ClientShare { chain, block }, hosts }) = share else { return };
        self.chains.entry(chain).or_insert_with(|| BlockShares::new(self.minimum)).take(block);
        self.groups.entry((chain, hosts)).or_insert(const { BlockShares::new(MINIMUM_OF_GROUP) }).take(block);
        if hosts.late {
            let none = self.no_late();
            self.late.entry(chain).or_insert(none).take(block);
        }
    }

    /// Removes an offer that was added with the same share.
    pub(crate) fn sub(&mut self, share: Option<OfferShare>) {
        self.len = self.len.saturating_sub(1);
        let Some(OfferShare { client: ClientShare { chain, block }, hosts }) = share else { return };
        give_back(&mut self.chains, &chain, block);
        give_back(&mut self.groups, &(chain, hosts), block);
        if hosts.late {
            give_back(&mut self.late, &chain, block);
        }
    }

    /// Whether one more offer may count to a share, while slots are free on its chain, `shown` of which were used before.
    fn may_add(&self, ClientShare { chain, block }: ClientShare, shown: u32) -> bool {
        let none = BlockShares::new(self.minimum);
        self.chains.get(&chain).unwrap_or(&none).may_take_of(block, shown)
    }

    /// As [`Self::may_add`], among the offers of hosts that report with their updates only.
    fn may_add_late(&self, ClientShare { chain, block }: ClientShare, shown: u32) -> bool {
        let none = self.no_late();
        self.late.get(&chain).unwrap_or(&none).may_take_of(block, shown)
    }

    /// As [`Self::may_add`], among the offers of these hosts.
    fn may_add_of(&self, OfferShare { client: ClientShare { chain, block }, hosts }: OfferShare, shown: u32) -> bool {
        let none = const { BlockShares::new(MINIMUM_OF_GROUP) };
        self.groups.get(&(chain, hosts)).unwrap_or(&none).may_take_of(block, shown)
    }

    /// Whether one more offer is within what a block may always have.
    fn is_within_minimum(&self, ClientShare { chain, block }: ClientShare) -> bool {
        let none = BlockShares::new(self.minimum);
        self.chains.get(&chain).unwrap_or(&none).is_within_minimum(block)
    }

    const fn no_late(&self) -> BlockShares {
        BlockShares::new(self.minimum.div_ceil(LATE_PART))
    }

    /// The number of pending offers.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// The sums over the shares, for checks: all, and those of hosts that report with their updates only.
    pub(crate) fn shared(&self) -> [u64; 2] {
        [&self.chains, &self.late]
            .map(|chains| chains.values().fold(0_u64, |sum, shares| sum.saturating_add(shares.held().into())))
    }

    /// The offers of the hosts in each wide block, for checks.
    pub(crate) fn of_groups(&self) -> BTreeMap<(u64, HostGroup), u32> {
        self.groups.iter().map(|(group, shares)| (*group, shares.held())).collect()
    }
}

fn give_back<K: Ord>(shares: &mut BTreeMap<K, BlockShares>, of: &K, block: AddressBlock) {
    let Some(held) = shares.get_mut(of) else { return };
    held.give_back(block);
    if held.is_empty() {
        shares.remove(of);
    }
}

impl OfferShare {
    /// Its chain and hosts, by which it is counted.
    pub(crate) const fn group(self) -> (u64, HostGroup) {
        (self.client.chain, self.hosts)
    }
}

impl Matching {
    /// Whether a client may have an offer beyond the number of hosts that it wants, besides its own limit. Never-proven clients in
    /// an address block share those of one client, or each free id would have several hosts admit it.
    pub(crate) fn may_have_spare_offer(&self, client: u32, context: Context<'_>) -> bool {
        let limited = context.agents.is_limited(client, context.limits);
        let share = context.client_share(client).filter(|_| limited);
        let held = |ClientShare { chain, block }| {
            self.pending_offers.chains.get(&chain).map_or(0, |shares| shares.held_by(block))
        };
        share.is_none_or(|share| held(share) <= context.limits.extra_offers)
    }

    /// Whether the address block of a client has as many pending offers as it may. False where no slot is free: then that
    /// is the reason.
    pub(crate) fn offers_exhausted(&self, client: u32, context: Context<'_>) -> bool {
        if !context.agents.is_limited(client, context.limits) {
            return false;
        }
        let Some(share) = context.client_share(client) else { return false };
        let Some(chain) = context.agents.get(client).map(Node::chain) else { return false };
        let shown = u32::try_from(self.shown_on(chain, context)).unwrap_or(u32::MAX);
        self.free_on(chain, context) > 0 && !self.pending_offers.may_add(share, shown)
    }

    /// Whether the address block of a client has as many pending offers of hosts that report with their updates only as it may,
    /// so that it gets none of those hosts that count to the share.
    pub(in crate::matching) fn late_offers_exhausted(&self, client: u32, context: Context<'_>) -> bool {
        let limited = context.agents.is_limited(client, context.limits);
        let Some(share) = context.client_share(client).filter(|_| limited) else { return false };
        let Some(chain) = context.agents.get(client).map(Node::chain) else { return false };
        let shown = u32::try_from(self.late_shown_on(chain, context)).unwrap_or(u32::MAX);
        !self.pending_offers.may_add_late(share, shown)
    }

    /// The share of a client's address block, if the block has as many pending offers as it may always have.
    pub(in crate::matching) fn share_beyond_minimum(&self, client: u32, context: Context<'_>) -> Option<ClientShare> {
        let limited = context.agents.is_limited(client, context.limits);
        let share = context.client_share(client).filter(|_| limited)?;
        Some(share).filter(|share| !self.pending_offers.is_within_minimum(*share))
    }

    /// Whether an address block beyond its minimum has as many pending offers of hosts like this one as it may, on a chain.
    pub(in crate::matching) fn host_offers_exhausted(
        &self,
        client: ClientShare,
        (host, chain): (&Node, u32),
        context: Context<'_>,
    ) -> bool {
        let hosts = HostGroup::of(host);
        let shown = u32::try_from(self.shown_in(hosts, chain, context)).unwrap_or(u32::MAX);
        !self.pending_offers.may_add_of(OfferShare { client, hosts }, shown)
    }
}

impl Context<'_> {
    /// The share that offers of a client count to, where they count; `None` while its address is unknown.
    pub(crate) fn client_share(&self, client: u32) -> Option<ClientShare> {
        let node = self.agents.get(client)?;
        let chain = self.agents.chain(node.chain())?.chain_id;
        Some(ClientShare { chain, block: AddressBlock::of(node.address()?) })
    }
}
