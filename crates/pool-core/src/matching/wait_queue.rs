use std::{collections::BTreeMap, num::NonZeroU64};

use vipnode_types::Ms;

use crate::{
    agents::node::Node,
    collections::{address_block::AddressBlock, block_shares::BlockShares, slab::Handle},
    matching::{
        Context, Matching, NodeMatching,
        client_turns::{ClientTurns, WaitingClient},
        funding::Funding,
        no_host::NoHost,
        waiting_blocks::WaitingBlocks,
    },
};

/// Clients that want more hosts than they have, by chain, those that can pay first, of them the least served first, and among equals
/// address blocks in turn.
#[derive(Debug, Default)]
pub(crate) struct WaitQueue {
    chains: BTreeMap<u32, ChainQueue>,
    tickets: u64,
    /// When waiting clients are served next.
    serve_at: Option<Ms>,
    /// The number of chains that the current round has yet to serve; 0 between two rounds. A round that does not fit in one step
    /// goes on at once, and the next one begins after a tick. Otherwise, more chains than a step may serve would keep the core
    /// busy for ever.
    left: usize,
    /// The chain that was served last, so that a busy chain does not starve the rest.
    cursor: u32,
    len: usize,
}

/// The clients that wait on one chain, by the number of their leases.
#[derive(Debug, Default)]
struct ChainQueue {
    levels: BTreeMap<u16, ClientTurns>,
    /// Those whose search is suspended, or whose hosts stay silent, in the same order. They go on as soon as a host has a free
    /// slot again: else it would go to a client that asks at that moment, and one of a flood always does.
    suspended: BTreeMap<u16, ClientTurns>,
    /// Without those whose search is suspended, and without those that would get a trial.
    blocks: WaitingBlocks,
    /// Those that would get a trial, without those whose search is suspended.
    trials: u64,
}

impl ChainQueue {
    const fn list(&mut self, suspended: bool) -> &mut BTreeMap<u16, ClientTurns> {
        if suspended { &mut self.suspended } else { &mut self.levels }
    }
}

/// A client's position among the waiting clients of its chain: the number of its leases, whether it counts as proven, and
/// its ticket by the order of arrival. All in one number that is not zero, because each node has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaitKey(NonZeroU64);

/// Where a client enters the queue of its chain.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The number of its leases, and [`TRIAL`].
    served: u16,
    proven: bool,
    suspended: bool,
}

/// The bits of a ticket: enough for a million a second for four years.
const TICKET_BITS: u32 = 47;
const TICKETS: u64 = (1 << TICKET_BITS) - 1;
const PROVEN: u64 = 1 << TICKET_BITS;
/// Marks a client that would get a trial: it counts as served more than any that pays.
const TRIAL: u16 = 1 << 15;

impl WaitKey {
    fn new(served: u16, proven: bool, ticket: u64) -> Self {
        let ticket = NonZeroU64::new(ticket & TICKETS).unwrap_or(NonZeroU64::MIN);
        let proven = if proven { PROVEN } else { 0 };
        Self(ticket | proven | (u64::from(served) << (TICKET_BITS + 1)))
    }

    /// The number of its client's leases, and [`TRIAL`].
    fn served(self) -> u16 {
        u16::try_from(self.0.get() >> (TICKET_BITS + 1)).unwrap_or(u16::MAX)
    }

    /// Whether its client was proven when it began to wait.
    const fn is_proven(self) -> bool {
        self.0.get() & PROVEN != 0
    }

    /// Its client, which has this index.
    const fn of(self, block: AddressBlock, index: u32) -> WaitingClient {
        WaitingClient { block, proven: self.is_proven(), ticket: self.0.get() & TICKETS, index }
    }
}

impl WaitQueue {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// When waiting clients are served next.
    pub(crate) const fn serve_at(&self) -> Option<Ms> {
        self.serve_at
    }

    /// Forgets who waits.
    pub(crate) fn clear(&mut self) {
        self.chains.clear();
        self.len = 0;
    }

    /// The number of slots of a chain that others need before a client of this block; see [`WaitingBlocks::before`].
    fn before(&self, chain: u32, block: AddressBlock, [block_share, wide_share]: [u64; 2]) -> u64 {
        self.chains.get(&chain).map_or(0, |queue| queue.blocks.before(block, block_share, wide_share))
    }

    /// The number of clients that wait, for checks.
    pub(crate) fn clients(&self) -> u64 {
        let of = |queue: &ChainQueue| u64::from(queue.blocks.clients()).saturating_add(queue.trials);
        self.chains.values().fold(0, |sum, queue| sum.saturating_add(of(queue)))
    }

    /// Whether a client is in the queue under a key, for checks.
    fn holds(&self, chain: u32, block: AddressBlock, (key, suspended): (WaitKey, bool), client: u32) -> bool {
        let queue = self.chains.get(&chain);
        let list = queue.map(|queue| if suspended { &queue.suspended } else { &queue.levels });
        let level = list.and_then(|list| list.get(&key.served()));
        level.is_some_and(|level| level.holds(key.of(block, client)))
    }

    fn insert(&mut self, chain: u32, block: AddressBlock, place: Place, client: u32) -> WaitKey {
        let Place { served, proven, suspended } = place;
        self.tickets = self.tickets.wrapping_add(1);
        let key = WaitKey::new(served, proven, self.tickets);
        let queue = self.chains.entry(chain).or_default();
        if queue.list(suspended).entry(served).or_default().insert(key.of(block, client)) && !suspended {
            if served & TRIAL == 0 {
                queue.blocks.add(block, proven);
            } else {
                queue.trials = queue.trials.saturating_add(1);
            }
            self.len = self.len.saturating_add(1);
        }
        key
    }

    fn remove(&mut self, chain: u32, block: AddressBlock, (key, suspended): (WaitKey, bool), client: u32) {
        let Some(queue) = self.chains.get_mut(&chain) else { return };
        let Some(level) = queue.list(suspended).get_mut(&key.served()) else { return };
        let removed = level.remove(key.of(block, client));
        if level.is_empty() {
            queue.list(suspended).remove(&key.served());
        }
        if removed && !suspended {
            if key.served() & TRIAL == 0 {
                queue.blocks.sub(block, key.is_proven());
            } else {
                queue.trials = queue.trials.saturating_sub(1);
            }
            self.len = self.len.saturating_sub(1);
        }
        if queue.levels.is_empty() && queue.suspended.is_empty() {
            self.chains.remove(&chain);
        }
    }

    fn has_suspended(&self, chain: u32) -> bool {
        self.chains.get(&chain).is_some_and(|queue| !queue.suspended.is_empty())
    }

    /// The next client of a chain whose search is suspended, the least served first.
    fn next_suspended(&mut self, chain: u32) -> Option<u32> {
        self.chains.get_mut(&chain)?.suspended.values_mut().next()?.next()
    }

    /// The clients in a block that do not count as proven and whose search is suspended, the least served first.
    fn suspended_in(&self, chain: u32, block: AddressBlock) -> impl Iterator<Item = u32> {
        let levels = self.chains.get(&chain).into_iter().flat_map(|queue| queue.suspended.values());
        levels.flat_map(move |clients| clients.of_block(block))
    }

    /// The least number of leases, at least `from`, that a waiting client of a chain has, and those who have as many.
    fn least_served(&mut self, chain: u32, from: u16) -> Option<(u16, &mut ClientTurns)> {
        let level = self.chains.get_mut(&chain)?.levels.range_mut(from..).next()?;
        Some((*level.0, level.1))
    }

    /// The next chain with waiting clients after `chain`, in a circle.
    fn chain_after(&self, chain: u32) -> Option<u32> {
        let after = self.chains.range(chain.saturating_add(1)..).next();
        after.or_else(|| self.chains.first_key_value()).map(|(chain, _)| *chain)
    }
}

impl Matching {
    /// The clients that wait for hosts.
    pub(crate) const fn wait_queue(&self) -> &WaitQueue {
        &self.wait_queue
    }

    /// Updates a client's position in the queue.
    pub(crate) fn refresh_waiting(&mut self, index: u32, context: Context<'_>) {
        let Some(node) = context.agents.get(index) else { return };
        let place = self.place(index, context);
        let entry = self.nodes.get(index);
        let before = entry.wait_key.map(|key| (key, entry.is_suspended));
        if place.map(|place| (place.served, place.suspended))
            == before.map(|(key, suspended)| (key.served(), suspended))
        {
            return;
        }
        let block = self.block_of(node);
        if let Some(before) = before {
            self.wait_queue.remove(node.chain(), block, before, index);
        }
        let key = place.map(|place| self.wait_queue.insert(node.chain(), block, place, index));
        if let Some(entry) = self.nodes.get_mut(index) {
            (entry.wait_key, entry.is_suspended) = (key, place.is_some_and(|place| place.suspended));
        }
        if place.is_some_and(|place| !place.suspended) && self.wait_queue.serve_at.is_none() {
            self.wait_queue.serve_at = Some(context.now.plus(context.limits.tick_ms));
        }
    }

    /// Where a client belongs in the queue, if it does.
    fn place(&self, index: u32, context: Context<'_>) -> Option<Place> {
        let entry = self.nodes.get(index);
        if entry.want == 0 || !context.agents.get(index).is_some_and(|node| node.can_dial() && node.is_client()) {
            return None;
        }
        let proven = !context.agents.is_limited(index, context.limits);
        let is_trial = matches!(context.funding(index), Funding::Trial | Funding::InTrial);
        let level = |served: u16| if is_trial { served | TRIAL } else { served };
        let settled = context.leases.admitting(index) == 0 && !self.asks.contains(index);
        if settled && context.leases.client_count(index) < entry.want {
            return Some(Place { served: level(leases_of(index, context)), proven, suspended: entry.backing_off });
        }
        if !entry.is_slow {
            return None;
        }
        let connected = context.leases.of_client(index).filter(|(_, lease)| lease.is_running()).count();
        let served = u16::try_from(connected).unwrap_or(u16::MAX);
        (u32::from(served) < entry.want).then_some(Place { served: level(served), proven, suspended: true })
    }

    /// Remembers that the hosts of a client stay silent, so that it may get one of the next free slots.
    pub(crate) fn set_slow(&mut self, client: u32, context: Context<'_>) {
        if let Some(entry) = self.nodes.get_mut(client) {
            entry.is_slow = true;
        }
        self.refresh_waiting(client, context);
    }

    /// Serves waiting clients of all chains at the next wake, because a slot became free or a client lost its host.
    pub(crate) fn serve_soon(&mut self, now: Ms) {
        if self.wait_queue.len() > 0 {
            (self.wait_queue.serve_at, self.wait_queue.left) = (Some(now), 0);
        }
    }

    /// Whether others need the free slots of a client's chain before a client that has a host. True of an unknown client.
    pub(crate) fn scarce(&self, client: u32, context: Context<'_>) -> bool {
        let Some(node) = context.agents.get(client) else { return true };
        self.free_on(node.chain(), context) < self.needed_before_further(client, node, context)
    }

    /// Whether clients that pay wait for all the free slots of a client's chain. True of an unknown client.
    fn payers_need_all(&self, client: u32, context: Context<'_>) -> bool {
        let Some(node) = context.agents.get(client) else { return true };
        self.free_on(node.chain(), context) <= self.needed_before_further(client, node, context)
    }

    /// Why a client that would get a trial gets no host now, if that is so: no slot is free, or clients that pay wait for all
    /// that are.
    pub(crate) fn why_trial_waits(&self, client: u32, context: Context<'_>) -> Option<NoHost> {
        let free = context.agents.get(client).map_or(0, |node| self.free_on(node.chain(), context));
        let why = if free == 0 { NoHost::NoneFree } else { NoHost::PayersFirst };
        self.payers_need_all(client, context).then_some(why)
    }

    /// The next client of a chain that can pay and waits. The next call is another address block's turn.
    pub(crate) fn next_payer(&mut self, chain: u32) -> Option<u32> {
        let (served, turns) = self.wait_queue.least_served(chain, 0)?;
        if served & TRIAL == 0 { turns.next() } else { None }
    }

    /// The number of free slots of a client's chain that others need before it gets a further host. For a client that is
    /// not proven, no share bounds how many in its own wide block do, because it may be one of a stranger's itself.
    pub(in crate::matching) fn needed_before_further(&self, client: u32, node: &Node, context: Context<'_>) -> u64 {
        let limited = context.agents.is_limited(client, context.limits);
        let shares = if limited { [u64::MAX; 2] } else { self.shares_of_waiting(node, context) };
        self.needed_before(node, shares, context)
    }

    /// Whether a client's chain has free slots beyond those that others need before it, for a further host instead of a
    /// silent one. A stranger gains little by those: see [`Self::may_have_spare_offer`].
    pub(crate) fn has_slots_to_spare(&self, client: &Node, context: Context<'_>) -> bool {
        let needed = self.needed_before(client, self.shares_of_waiting(client, context), context);
        self.free_on(client.chain(), context) > needed
    }

    /// How many of the free slots of a client's chain the clients in its block and of its wide block that are not proven
    /// could be offered at once.
    fn shares_of_waiting(&self, client: &Node, context: Context<'_>) -> [u64; 2] {
        let free = [self.free_on(client.chain(), context), self.shown_on(client.chain(), context)];
        BlockShares::sizes(context.limits.offers_minimum, free)
    }

    fn needed_before(&self, client: &Node, shares: [u64; 2], context: Context<'_>) -> u64 {
        let (chain, block) = (client.chain(), self.block_of(client));
        let joined = context.joined_chain(chain).map_or(0, |joined| self.wait_queue.before(joined, block, shares));
        self.wait_queue.before(chain, block, shares).saturating_add(joined)
    }

    /// Returns the client of a chain that is served next; the next call is another address block's turn. `None` if no slot is
    /// free, or if slots are scarce for the clients whose turn it is, and they have hosts.
    pub(crate) fn next_served(&mut self, chain: u32, context: Context<'_>) -> Option<u32> {
        if self.free_on(chain, context) == 0 {
            return None;
        }
        let mut from = 0;
        loop {
            let (served, turns) = self.wait_queue.least_served(chain, from)?;
            let client = turns.next()?;
            let may = if served & TRIAL == 0 {
                served == 0 || !self.scarce(client, context)
            } else {
                !self.payers_need_all(client, context)
            };
            if may {
                return Some(client);
            }
            // Clients in another block may have more leases, and still need not wait for these.
            from = served.checked_add(1)?;
        }
    }

    /// Returns the number of chains with waiting clients that the current round, or a new one, has yet to serve; `None` if it is too
    /// early to serve them.
    pub(crate) fn chains_to_serve(&self, now: Ms) -> Option<usize> {
        let WaitQueue { serve_at, left, chains, .. } = &self.wait_queue;
        let all = chains.len();
        serve_at.filter(|at| *at <= now).map(|_| if *left == 0 { all } else { all.min(*left) })
    }

    /// Returns the next chain with waiting clients, in a circle.
    pub(crate) fn next_chain(&mut self) -> Option<u32> {
        let chain = self.wait_queue.chain_after(self.wait_queue.cursor)?;
        self.wait_queue.cursor = chain;
        Some(chain)
    }

    /// Schedules the next step after waiting clients were served: at once if the round has chains `left` (all of them, if it reached its
    /// limit within a chain), or else the next round.
    pub(crate) fn served(&mut self, left: usize, context: Context<'_>) {
        let waiting = self.wait_queue.len() > 0;
        self.wait_queue.left = if waiting { left } else { 0 };
        self.wait_queue.serve_at = match (waiting, left) {
            (false, _) => None,
            (true, 0) => Some(context.now.plus(context.limits.tick_ms)),
            (true, _) => Some(context.now),
        };
    }

    /// Suspends the search for a client's hosts for a while.
    pub(crate) fn back_off(&mut self, client: u32, context: Context<'_>) {
        let Some(handle) = context.agents.handle(client) else { return };
        let Some(entry) = self.nodes.get_mut(client) else { return };
        if !std::mem::replace(&mut entry.backing_off, true) {
            self.back_offs.push(context.now.plus(context.limits.retry_ms), handle);
        }
        self.refresh_waiting(client, context);
    }

    /// A host has a free slot again: it is offered to clients whose search is suspended, or whose hosts stay silent.
    pub(in crate::matching) fn host_opened(&mut self, host: u32, context: Context<'_>) {
        let Some(node) = context.agents.get(host) else { return };
        let chains = [Some(node.chain()), context.joined_chain(node.chain())];
        if chains.into_iter().flatten().any(|chain| self.wait_queue.has_suspended(chain)) {
            self.opened.extend(context.agents.handle(host));
            self.wait_queue.serve_at = Some(context.now);
        }
    }

    /// Takes the hosts that have a free slot again.
    pub(crate) fn take_opened(&mut self) -> Vec<Handle> {
        std::mem::take(&mut self.opened)
    }

    /// Returns the client that is offered such a host on a chain next. The next call is another address block's turn.
    pub(crate) fn next_suspended(&mut self, chain: u32, context: Context<'_>) -> Option<u32> {
        let client = self.wait_queue.next_suspended(chain)?;
        // In its block, others come before its next turn.
        if let Some(entry) = self.nodes.get_mut(client) {
            let key = entry.wait_key.take();
            let node = context.agents.get(client)?;
            let block = self.block_of(node);
            if let Some(key) = key {
                self.wait_queue.remove(node.chain(), block, (key, true), client);
            }
        }
        self.refresh_waiting(client, context);
        Some(client)
    }

    /// Returns a client whose suspension is over.
    pub(crate) fn pop_backed_off(&mut self, now: Ms) -> Option<Handle> {
        self.back_offs.pop_due(now)
    }

    /// Resumes the search for a client's hosts.
    pub(crate) fn back_off_over(&mut self, client: u32, context: Context<'_>) {
        if let Some(entry) = self.nodes.get_mut(client) {
            entry.backing_off = false;
        }
        self.refresh_waiting(client, context);
        self.serve_soon(context.now);
    }

    /// An offer to a client in a block was paired or ended. The first of those in the block whose search is suspended goes on: it
    /// may wait because the block had as many pending offers as it may have, and a crowd behind one address would be served
    /// in steps of `retry_ms`.
    pub(in crate::matching) fn resume_in_block(&mut self, chain: u32, block: AddressBlock, context: Context<'_>) {
        // Those whose hosts stay silent are suspended too, and they have pending offers.
        let most = context.limits.offers_minimum.max(context.limits.extra_offers).saturating_add(1) as usize;
        let mut suspended = self.wait_queue.suspended_in(chain, block).take(most);
        let first = suspended.find(|client| self.nodes.get(*client).backing_off);
        drop(suspended);
        if let Some(client) = first {
            self.back_off_over(client, context);
        }
    }

    /// Checks whether the queue agrees with a client's current state. Returns whether the client waits to be served.
    ///
    /// # Errors
    /// How the queue and the client's state disagree.
    pub(crate) fn check_waiting(&self, index: u32, context: Context<'_>) -> Result<bool, &'static str> {
        let Some(node) = context.agents.get(index) else { return Err("is unknown") };
        let NodeMatching { wait_key: key, is_suspended, .. } = *self.nodes.get(index);
        let place = self.place(index, context);
        let block = self.block_of(node);
        if key.is_some_and(|key| !self.wait_queue.holds(node.chain(), block, (key, is_suspended), index)) {
            return Err("is not in the queue");
        }
        // Whether it can pay may have changed since.
        let of_place = place.map(|place| (place.served & !TRIAL, place.suspended));
        if of_place != key.map(|key| (key.served() & !TRIAL, is_suspended)) {
            return Err("waits but should not, or should wait but does not, or has the wrong position in the queue");
        }
        Ok(key.is_some() && !is_suspended)
    }
}

/// The number of a client's leases.
fn leases_of(client: u32, context: Context<'_>) -> u16 {
    u16::try_from(context.leases.client_count(client)).unwrap_or(u16::MAX)
}
