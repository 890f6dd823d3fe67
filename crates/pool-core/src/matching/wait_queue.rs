use std::{collections::BTreeMap, num::NonZeroU64};

use vipnode_types::Ms;

use crate::{
    agents::node::Node,
    collections::{address_block::AddressBlock, block_shares::BlockShares, slab::Handle},
    matching::{
        Context, Matching,
        client_turns::{ClientTurns, WaitingClient},
        waiting_blocks::WaitingBlocks,
    },
};

/// Clients that want more hosts than they have, by chain, the least served first, and among equals address blocks in turn.
#[derive(Debug, Default)]
pub(crate) struct WaitQueue {
    chains: BTreeMap<u32, ChainQueue>,
    tickets: u64,
    /// When waiting clients are served next.
    serve_at: Option<Ms>,
    /// The chain that was served last, so that a busy chain does not starve the rest.
    cursor: u32,
    len: usize,
}

/// The clients that wait on one chain, by the number of their leases.
#[derive(Debug, Default)]
struct ChainQueue {
    levels: BTreeMap<u16, ClientTurns>,
    blocks: WaitingBlocks,
}

/// A client's position among the waiting clients of its chain: the number of its leases, whether it counts as proven, and
/// its ticket by the order of arrival. All in one number that is not zero, because each node has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaitKey(NonZeroU64);

/// The bits of a ticket: enough for a million a second for four years.
const TICKET_BITS: u32 = 47;
const TICKETS: u64 = (1 << TICKET_BITS) - 1;
const PROVEN: u64 = 1 << TICKET_BITS;

impl WaitKey {
    fn new(served: u16, proven: bool, ticket: u64) -> Self {
        let ticket = NonZeroU64::new(ticket & TICKETS).unwrap_or(NonZeroU64::MIN);
        let proven = if proven { PROVEN } else { 0 };
        Self(ticket | proven | (u64::from(served) << (TICKET_BITS + 1)))
    }

    /// The number of its client's leases.
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
        self.chains.values().fold(0, |sum, queue| sum.saturating_add(queue.blocks.clients().into()))
    }

    /// Whether a client is in the queue under a key, for checks.
    pub(crate) fn holds(&self, chain: u32, block: AddressBlock, key: WaitKey, client: u32) -> bool {
        let level = self.chains.get(&chain).and_then(|queue| queue.levels.get(&key.served()));
        level.is_some_and(|level| level.holds(key.of(block, client)))
    }

    fn insert(&mut self, chain: u32, block: AddressBlock, (served, proven): (u16, bool), client: u32) -> WaitKey {
        self.tickets = self.tickets.wrapping_add(1);
        let key = WaitKey::new(served, proven, self.tickets);
        let queue = self.chains.entry(chain).or_default();
        if queue.levels.entry(served).or_default().insert(key.of(block, client)) {
            queue.blocks.add(block, proven);
            self.len = self.len.saturating_add(1);
        }
        key
    }

    fn remove(&mut self, chain: u32, block: AddressBlock, key: WaitKey, client: u32) {
        let Some(queue) = self.chains.get_mut(&chain) else { return };
        let Some(level) = queue.levels.get_mut(&key.served()) else { return };
        if level.remove(key.of(block, client)) {
            queue.blocks.sub(block, key.is_proven());
            self.len = self.len.saturating_sub(1);
        }
        if level.is_empty() {
            queue.levels.remove(&key.served());
        }
        if queue.levels.is_empty() {
            self.chains.remove(&chain);
        }
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
        let (served, wants) = (leases_of(index, context), self.waits(index, context));
        let before = self.nodes.get(index).wait_key;
        if wants && before.is_some_and(|key| key.served() == served) {
            return;
        }
        let block = self.block_of(node);
        if let Some(key) = before {
            self.wait_queue.remove(node.chain(), block, key, index);
        }
        let proven = !context.agents.is_limited(index, context.limits);
        let key = wants.then(|| self.wait_queue.insert(node.chain(), block, (served, proven), index));
        if let Some(entry) = self.nodes.get_mut(index).filter(|_| before.is_some() || wants) {
            entry.wait_key = key;
        }
        if wants && self.wait_queue.serve_at.is_none() {
            self.wait_queue.serve_at = Some(context.now.plus(context.limits.tick_ms));
        }
    }

    /// Whether a client belongs in the queue.
    fn waits(&self, index: u32, context: Context<'_>) -> bool {
        let here = context.agents.get(index).is_some_and(|node| node.can_dial() && node.is_client());
        let entry = self.nodes.get(index);
        let wants = here && context.leases.client_count(index) < entry.want;
        wants && context.leases.admitting(index) == 0 && !entry.backing_off && !self.asks.contains(index)
    }

    /// Serves waiting clients at the next wake, because a slot became free or a client lost its host.
    pub(crate) fn serve_soon(&mut self, now: Ms) {
        if self.wait_queue.len() > 0 {
            self.wait_queue.serve_at = Some(now);
        }
    }

    /// Whether others need the free slots of a client's chain before a client that has a host. True of an unknown client.
    pub(crate) fn scarce(&self, client: u32, context: Context<'_>) -> bool {
        let Some(node) = context.agents.get(client) else { return true };
        self.free_on(node.chain(), context) < self.needed_before_further(client, node, context)
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

    /// How many of the free slots of a client's chain the clients of its block and of its wide block that are not proven
    /// could be offered at once.
    fn shares_of_waiting(&self, client: &Node, context: Context<'_>) -> [u64; 2] {
        BlockShares::sizes(context.limits.offers_minimum, self.free_on(client.chain(), context))
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
            if served == 0 || !self.scarce(client, context) {
                return Some(client);
            }
            // Clients of another block may have more leases, and still need not wait for these.
            from = served.checked_add(1)?;
        }
    }

    /// Returns the number of chains with waiting clients; `None` if it is too early to serve them.
    pub(crate) fn chains_to_serve(&self, now: Ms) -> Option<usize> {
        self.wait_queue.serve_at.filter(|at| *at <= now).map(|_| self.wait_queue.chains.len())
    }

    /// Returns the next chain with waiting clients, in a circle.
    pub(crate) fn next_chain(&mut self) -> Option<u32> {
        let chain = self.wait_queue.chain_after(self.wait_queue.cursor)?;
        self.wait_queue.cursor = chain;
        Some(chain)
    }

    /// Schedules the next round after waiting clients were served; `exhausted` if the step reached its limit.
    pub(crate) fn served(&mut self, exhausted: bool, context: Context<'_>) {
        self.wait_queue.serve_at = match (self.wait_queue.len(), exhausted) {
            (0, _) => None,
            (_, true) => Some(context.now),
            _ => Some(context.now.plus(context.limits.tick_ms)),
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

    /// Checks whether the queue agrees with a client's current state. Returns whether the client is in the queue.
    ///
    /// # Errors
    /// How the queue and the client's state disagree.
    pub(crate) fn check_waiting(&self, index: u32, context: Context<'_>) -> Result<bool, &'static str> {
        let Some(node) = context.agents.get(index) else { return Err("is unknown") };
        let key = self.nodes.get(index).wait_key;
        let served = leases_of(index, context);
        if key.is_some_and(|key| key.served() != served) {
            return Err("has the wrong position in the queue");
        }
        if key.is_some_and(|key| !self.wait_queue.holds(node.chain(), self.block_of(node), key, index)) {
            return Err("is not in the queue");
        }
        if key.is_some() != self.waits(index, context) {
            return Err("waits but should not, or should wait but does not");
        }
        Ok(key.is_some())
    }
}

/// The number of a client's leases.
fn leases_of(client: u32, context: Context<'_>) -> u16 {
    u16::try_from(context.leases.client_count(client)).unwrap_or(u16::MAX)
}
