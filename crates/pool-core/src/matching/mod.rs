//! The selection of hosts for clients: waiting clients, hosts with free slots, compatibility, scores, and explanations.
//! It may read agents, leases, and metering. It never changes a lease and never calls an agent.

pub(crate) mod client_turns;
pub(crate) mod compatibility;
pub(crate) mod displacers;
pub(crate) mod explain;
pub(crate) mod failed_searches;
pub(crate) mod funding;
pub(crate) mod host_backoff;
pub(crate) mod host_classes;
pub(crate) mod host_group;
pub(crate) mod host_search;
pub(crate) mod hosts_by_block;
pub(crate) mod new_host_offers;
pub(crate) mod newcomer;
pub(crate) mod no_host;
pub(crate) mod open_hosts;
pub(crate) mod paired_slots;
pub(crate) mod past_selections;
pub(crate) mod pending_asks;
pub(crate) mod pending_offers;
pub(crate) mod recent_pairs;
pub(crate) mod rejection;
pub(crate) mod score;
mod strikes;
pub(crate) mod survey;
pub(crate) mod unpaired_offers;
pub(crate) mod wait_queue;
pub(crate) mod waiting_blocks;

use std::collections::BTreeMap;

use vipnode_types::{LeaseId, Ms, NodeId, PaymentMode, REDIAL_MS, wire::Selection};

use crate::{
    Limits,
    agents::{Agents, node::Node, node_class::NodeClass},
    collections::{
        address_block::AddressBlock,
        by_index::ByIndex,
        deadlines::Deadlines,
        seeded_rng::SeededRng,
        slab::{Handle, NIL},
    },
    leases::{
        Leases,
        lease::{Lease, UNSEEN},
    },
    ledger::{
        Ledger,
        burn::BurnRate,
        shortage::{ChannelShortage, NoTrial, Shortage},
    },
    matching::{
        displacers::Displacers,
        new_host_offers::NewHostOffers,
        open_hosts::OpenHosts,
        paired_slots::PairedSlots,
        past_selections::PastSelections,
        pending_asks::PendingAsks,
        pending_offers::{OfferShare, PendingOffers},
        recent_pairs::{ClientOf, LIGHT_BLOCKS, PROVEN_LIGHT_BLOCKS, RecentPairs},
        strikes::Strikes,
        unpaired_offers::UnpairedOffers,
        wait_queue::{WaitKey, WaitQueue},
    },
    metering::Metering,
};

/// Waiting clients, hosts with free slots, and everything that decides about pairs.
#[derive(Debug)]
pub(crate) struct Matching {
    /// The pool's members are known and may all be at one address, so it does not distinguish address blocks.
    members_only: bool,
    nodes: ByIndex<NodeMatching>,
    /// The nodes that a client avoids, apart from its other state, because few clients avoid any.
    avoided: BTreeMap<u32, Box<[Handle]>>,
    open_hosts: OpenHosts,
    wait_queue: WaitQueue,
    asks: PendingAsks,
    recent_pairs: RecentPairs,
    selections: PastSelections,
    pending_offers: PendingOffers,
    unpaired_offers: UnpairedOffers,
    /// Hosts that have a free slot again, for the clients whose turn it is.
    opened: Vec<Handle>,
    new_host_offers: NewHostOffers,
    strikes: Strikes,
    displacers: Displacers,
    /// Hosts that get no offer for a while, because they did not admit.
    host_back_offs: Deadlines<Handle>,
    /// Clients whose search is suspended, because no host was found.
    back_offs: Deadlines<Handle>,
}

/// The state that matching may read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) now: Ms,
    pub(crate) limits: &'a Limits,
    pub(crate) agents: &'a Agents,
    pub(crate) leases: &'a Leases,
    pub(crate) metering: &'a Metering,
    /// Only while clients pay.
    pub(crate) ledger: Option<&'a Ledger>,
}

impl Context<'_> {
    /// Returns why a client cannot pay for one more lease; `None` if it can or need not.
    pub(crate) fn shortage(&self, client: u32) -> Option<Shortage> {
        self.shortage_of(&self.agents.id(client)?)
    }

    /// The same for a node that may be unknown.
    pub(crate) fn shortage_of(&self, client: &NodeId) -> Option<Shortage> {
        self.shortage_at(client, BurnRate::of(self.limits.price))
    }

    /// Returns why a client cannot pay for its leases and for what costs `rate` in addition.
    pub(crate) fn shortage_at(&self, client: &NodeId, rate: BurnRate) -> Option<Shortage> {
        let Self { now, limits, ledger, .. } = *self;
        let (price, ledger) = (limits.price, ledger.filter(|_| !limits.price.is_free())?);
        let no_payer = Shortage::NoPayer { payment: limits.payment, price, no_trial: NoTrial::NotOffered };
        let Some(payer) = ledger.payer_of(client) else { return Some(no_payer) };
        let lasts_ms = ledger.lasts_ms(payer, rate, now);
        let short = lasts_ms == 0 || lasts_ms < limits.funds_last_ms;
        let last_ms = limits.funds_last_ms;
        let channel = ledger.channel(payer).filter(|_| matches!(limits.payment, PaymentMode::X402));
        short.then(|| match channel {
            Some(row) => Shortage::Channel(ChannelShortage {
                channel: row.config.id(limits.chain_id()),
                signed: row.signed,
                deposited: row.state.covers(),
                used: ledger.owed_on(row, now),
                price,
                last_ms,
            }),
            // Only a payment channel could pay there.
            None if matches!(limits.payment, PaymentMode::X402) => no_payer,
            None => Shortage::Funds { payer, funds: ledger.funds(payer, now), price, last_ms },
        })
    }

    /// The other chain whose nodes a chain's nodes are matched with, if there is one.
    pub(crate) fn joined_chain(&self, chain: u32) -> Option<u32> {
        self.agents.joined_chain(chain, self.limits)
    }
}

/// A node's positions in the lists, and its recent behavior.
#[derive(Debug)]
struct NodeMatching {
    /// Its index in the list of connected hosts, or [`NIL`].
    host_position: u32,
    /// Its index in its chain's list of hosts with free slots, or [`NIL`].
    open_position: u32,
    /// Its index in the list of hosts of its class with free slots, while it has any.
    class_position: u32,
    /// The class by which it is listed among the hosts with free slots, while it is.
    open_class: NodeClass,
    paired: PairedSlots,
    /// It is listed as a host that clients were connected with.
    open_has_served: bool,
    /// The free slots that it adds to its chain's sum.
    open_free: u32,
    /// Those of them that it adds to its chain's sum of slots that clients in two wide blocks used before.
    open_shown: u16,
    /// Whether it adds them to the sums of hosts that report with their updates only.
    open_late: bool,
    /// Whether it is included in the count of connected clients.
    counted_client: bool,
    /// Whether it is a host that refused or was late, and gets no offer until a timer ends.
    host_backing_off: bool,
    refusals: u8,
    /// Whether it is a client for which no host was found, whose search continues after a timer.
    backing_off: bool,
    /// Whether it is a client that asked for hosts on this connection.
    asked: bool,
    /// The number of hosts that a client wants in total.
    want: u32,
    /// Its position in the queue, among the clients whose search is suspended or among the others.
    wait_key: Option<WaitKey>,
    is_suspended: bool,
    /// Whether it is a client whose hosts stay silent.
    is_slow: bool,
}

impl Default for NodeMatching {
    fn default() -> Self {
        Self {
            host_position: NIL,
            open_position: NIL,
            class_position: NIL,
            open_class: NodeClass::UNKNOWN,
            paired: PairedSlots::default(),
            open_has_served: false,
            open_free: 0,
            open_shown: 0,
            open_late: false,
            counted_client: false,
            host_backing_off: false,
            refusals: 0,
            backing_off: false,
            asked: false,
            want: 0,
            wait_key: None,
            is_suspended: false,
            is_slow: false,
        }
    }
}

impl Matching {
    pub(crate) fn new(rng: &mut SeededRng, limits: &Limits) -> Self {
        Self {
            members_only: false,
            nodes: ByIndex::new(),
            avoided: BTreeMap::new(),
            open_hosts: OpenHosts::default(),
            wait_queue: WaitQueue::default(),
            asks: PendingAsks::default(),
            recent_pairs: RecentPairs::new(rng.keys()),
            selections: PastSelections::new(),
            pending_offers: PendingOffers::new(limits.offers_minimum),
            unpaired_offers: UnpairedOffers::new(),
            opened: Vec::new(),
            new_host_offers: NewHostOffers::default(),
            strikes: Strikes::default(),
            displacers: Displacers::default(),
            host_back_offs: Deadlines::new(),
            back_offs: Deadlines::new(),
        }
    }

    /// The address block in whose turn hosts are drawn and clients are served. A node in a list stays in its block: it has
    /// another address on another connection only.
    fn block_of(&self, node: &Node) -> AddressBlock {
        node.address().filter(|_| !self.members_only).map_or(AddressBlock::ALL, AddressBlock::of)
    }

    /// Distinguishes address blocks in an open pool, and not in a closed one.
    pub(crate) fn group_by_blocks(&mut self, context: Context<'_>) {
        if std::mem::replace(&mut self.members_only, context.limits.members_only) == context.limits.members_only {
            return;
        }
        self.open_hosts.clear_open();
        self.wait_queue.clear();
        for (index, _) in context.agents.iter() {
            if let Some(entry) = self.nodes.get_mut(index) {
                (entry.open_free, entry.open_shown, entry.open_position) = (0, 0, NIL);
                entry.wait_key = None;
            }
            self.refresh_open_hosts(index, context);
            self.refresh_waiting(index, context);
        }
    }

    /// Updates every list for a changed node.
    pub(crate) fn refresh(&mut self, index: u32, context: Context<'_>) {
        self.refresh_connected(index, context);
        self.refresh_open_hosts(index, context);
        self.refresh_waiting(index, context);
    }

    /// The number of hosts that a client wants in total.
    pub(crate) fn want(&self, client: u32) -> u32 {
        self.nodes.get(client).want
    }

    /// Whether a client may want further hosts: it asked for some, or its offers are from before this connection.
    pub(crate) fn may_want(&self, client: u32) -> bool {
        let entry = self.nodes.get(client);
        entry.want > 0 || !entry.asked
    }

    /// Sets the number of hosts that a client wants in total, and the nodes that it avoids.
    pub(crate) fn set_want(&mut self, client: u32, want: u32, avoid: Box<[Handle]>) {
        if let Some(entry) = self.nodes.get_mut(client) {
            (entry.want, entry.asked, entry.is_slow) = (want, true, false);
        }
        if avoid.is_empty() {
            self.avoided.remove(&client);
        } else {
            self.avoided.insert(client, avoid);
        }
    }

    /// The nodes that a client avoids.
    fn avoided(&self, client: u32) -> &[Handle] {
        self.avoided.get(&client).map_or(&[], |avoided| avoided)
    }

    /// What a client wants, if it asked on this connection, and the nodes that it avoids.
    pub(crate) fn wanted(&self, client: u32) -> Option<(u32, &[Handle])> {
        let entry = self.nodes.get(client);
        entry.asked.then(|| (entry.want, self.avoided(client)))
    }

    /// Removes what belonged to a node's connection.
    pub(crate) fn disconnected(&mut self, index: u32) {
        self.asks.remove(index);
        self.set_want(index, 0, Box::default());
        if let Some(entry) = self.nodes.get_mut(index) {
            entry.asked = false;
        }
    }

    /// Forgets a node that is in no list.
    pub(crate) fn forget(&mut self, index: u32) {
        self.strikes.forget(index);
        self.avoided.remove(&index);
        self.nodes.take(index);
    }

    /// Requests that wait for hosts to admit.
    pub(crate) const fn asks(&self) -> &PendingAsks {
        &self.asks
    }

    pub(crate) const fn asks_mut(&mut self) -> &mut PendingAsks {
        &mut self.asks
    }

    /// Offers that at least one side has not seen yet.
    pub(crate) const fn pending_offers(&self) -> &PendingOffers {
        &self.pending_offers
    }

    /// Remembers that a host was offered to a client. `share` is what the offer counts to.
    pub(crate) fn offered(&mut self, (host, client): (u32, u32), share: Option<OfferShare>, context: Context<'_>) {
        self.pending_offers.add(share);
        let (address, until) = (context.agents.address(client), context.now.plus(context.limits.same_address_ms));
        let pair = (host, self.client_of(client, context));
        self.recent_pairs.offered(pair, address, until, context.limits);
    }

    /// A client, with the address block whose share its pairs count to.
    fn client_of(&self, client: u32, context: Context<'_>) -> ClientOf {
        let block = context.agents.get(client).map_or(AddressBlock::ALL, |node| self.block_of(node));
        ClientOf { client, block }
    }

    /// Counts an offer from before a start, whose client is not connected.
    pub(crate) fn offer_restored(&mut self) {
        self.pending_offers.add(None);
    }

    /// Counts an offer to a client as no longer pending: both sides saw it, or it ended. The next client in its address block goes
    /// on.
    pub(crate) fn offer_settled(&mut self, client: u32, share: Option<OfferShare>, context: Context<'_>) {
        self.pending_offers.sub(share);
        if let (Some(share), Some(node)) = (share, context.agents.get(client)) {
            self.resume_in_block(node.chain(), share.client.block, context);
        }
    }

    /// Moves a pending offer with its client to another share.
    pub(crate) fn offer_moves(&mut self, before: Option<OfferShare>, after: Option<OfferShare>) {
        self.pending_offers.sub(before);
        self.pending_offers.add(after);
    }

    /// Remembers how a host was selected for a lease of a client.
    pub(crate) fn selected(&mut self, lease: LeaseId, client: u32, selection: Selection, context: Context<'_>) {
        let ClientOf { block, .. } = self.client_of(client, context);
        self.selections.remember(lease, selection, block, context.limits);
    }

    /// Forgets how a host was selected.
    pub(crate) fn forget_selection(&mut self, lease: LeaseId) {
        self.selections.forget(lease);
    }

    /// Leases whose selection is remembered, for checks.
    pub(crate) const fn selections(&self) -> &PastSelections {
        &self.selections
    }

    /// Forgets pairs and offers that failed long enough ago.
    pub(crate) fn expire_pairs(&mut self, now: Ms) {
        self.recent_pairs.expire(now);
        self.new_host_offers.expire(now);
    }

    /// Remembers a pair that did not connect, so that it is not tried again for a while.
    pub(crate) fn pair_failed(&mut self, host: u32, client: u32, context: Context<'_>) {
        self.suspend_pair_until(host, client, context.now.plus(context.limits.same_address_ms), context);
    }

    /// Remembers the pair of a lease that ended: the node of one of them dialed the other, and may not do so again yet. The lease
    /// may have ended before the two reported that.
    pub(crate) fn pair_dialed(&mut self, lease: &Lease, context: Context<'_>) {
        let seen = lease.client_up().min(lease.host_up());
        let until = if seen == UNSEEN { lease.offered() } else { seen }.plus(REDIAL_MS);
        if until > context.now {
            let client = self.client_of(lease.client(), context);
            self.recent_pairs.dialed(lease.host(), client, until, context.limits);
        }
    }

    /// Returns how long the nodes of a client and a host may wait until one dials the other, in milliseconds. The host's node
    /// dials if the client's node can be dialed.
    pub(crate) fn redial_ms(&self, client: u32, host: u32, context: Context<'_>) -> u64 {
        let redial = self.recent_pairs.redial_ms(context.now, host, client);
        // The rest is looked up for few pairs.
        if redial.by_client_ms == 0 {
            return 0;
        }
        let calls = context.agents.get(host).is_some_and(Node::can_dial);
        let host_dials = calls && context.agents.dialed_by(client, host, context.limits).is_some();
        if host_dials { redial.by_either_ms } else { redial.by_client_ms }
    }

    /// Remembers a pair that was offered and did not connect. The client gets another host in the same address block only if
    /// none of another block is drawn, because silent hosts of one operator would cost it one offer after the other.
    /// The pair itself is kept apart from when it was `offered`.
    pub(crate) fn never_connected(&mut self, host: u32, client: u32, offered: Ms, context: Context<'_>) {
        let apart_ms = context.limits.same_address_ms;
        self.suspend_pair_until(host, client, offered.plus(apart_ms), context);
        let until = context.now.plus(apart_ms);
        let address = context.agents.get(host).and_then(Node::address).filter(|_| !self.members_only);
        if let Some(block) = address.map(AddressBlock::of) {
            self.recent_pairs.failed_in(self.client_of(client, context), block, until, context.limits);
        }
    }

    /// Does not give a host to light nodes in an address block for a while, because it disconnected one of them at once.
    pub(crate) fn light_node_failed(&mut self, host: u32, block: AddressBlock, now: Ms, limits: &Limits) {
        self.recent_pairs.light_node_failed(now, host, block, now.plus(limits.light_block_ms), limits);
    }

    /// Whether a host disconnected light nodes near a client at once, so that the client, a light node too, does not get it
    /// now. What happened elsewhere in its wide block counts against a proven client once it happened in more blocks: ids of
    /// one provider that are proven would rest the light slots of the host one after the other.
    fn light_nodes_failed(&self, client: u32, host: u32, context: Context<'_>) -> bool {
        let Context { now, agents, limits, .. } = context;
        let Some(block) = agents.address(client).map(AddressBlock::of).filter(|_| agents.is_light(client)) else {
            return false;
        };
        let blocks = if agents.is_limited(client, limits) { LIGHT_BLOCKS } else { PROVEN_LIGHT_BLOCKS };
        let of_wide = || self.recent_pairs.light_nodes_failed_in(now, host, block.wide(), blocks);
        self.recent_pairs.light_nodes_failed(now, host, block) || (!limits.members_only && of_wide())
    }

    /// Does not try a pair again before `until`.
    pub(crate) fn suspend_pair_until(&mut self, host: u32, client: u32, until: Ms, context: Context<'_>) {
        self.recent_pairs.failed(host, self.client_of(client, context), until, context.limits);
    }

    /// When matching next has something to do by itself.
    pub(crate) fn next_wake(&self) -> Option<Ms> {
        let asks = self.asks.next_deadline();
        [
            self.host_back_offs.next(),
            self.back_offs.next(),
            asks,
            self.wait_queue.serve_at(),
            self.unpaired_offers.next(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The number of deadlines of resting hosts, of suspended searches, and of requests.
    pub(crate) const fn deadlines(&self) -> usize {
        self.host_back_offs
            .len()
            .saturating_add(self.back_offs.len())
            .saturating_add(self.asks.deadlines())
            .saturating_add(self.unpaired_offers.len())
    }

    #[cfg(test)]
    pub(crate) fn node_heap_bytes(&self) -> usize {
        self.nodes.heap_bytes()
    }
}
