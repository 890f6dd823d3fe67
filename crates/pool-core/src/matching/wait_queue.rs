use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU64,
};

use vipnode_types::Ms;

use crate::{
    collections::slab::Handle,
    matching::{Context, Matching},
};

/// Clients that want more hosts than they have, by chain, the least served first.
#[derive(Debug, Default)]
pub(crate) struct WaitQueue {
    chains: BTreeMap<u32, BTreeSet<(WaitKey, u32)>>,
    tickets: u64,
    /// When waiting clients are served next.
    serve_at: Option<Ms>,
    /// The chain that was served last, so that a busy chain does not starve the rest.
    cursor: u32,
    len: usize,
}

/// A client's position among the waiting clients of its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaitKey {
    /// The number of its leases.
    pub(crate) served: u32,
    /// The order of arrival. Not zero, which saves eight bytes per node.
    pub(crate) ticket: NonZeroU64,
}

impl WaitQueue {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// When waiting clients are served next.
    pub(crate) const fn serve_at(&self) -> Option<Ms> {
        self.serve_at
    }

    /// The number of clients that wait on a chain.
    pub(crate) fn waiting(&self, chain: u32) -> u64 {
        self.chains.get(&chain).map_or(0, |set| u64::try_from(set.len()).unwrap_or(u64::MAX))
    }

    /// Whether a client is in the queue under a key, for checks.
    pub(crate) fn holds(&self, chain: u32, key: WaitKey, client: u32) -> bool {
        self.chains.get(&chain).is_some_and(|set| set.contains(&(key, client)))
    }

    fn insert(&mut self, chain: u32, served: u32, client: u32) -> WaitKey {
        self.tickets = self.tickets.wrapping_add(1);
        let key = WaitKey { served, ticket: NonZeroU64::new(self.tickets).unwrap_or(NonZeroU64::MIN) };
        if self.chains.entry(chain).or_default().insert((key, client)) {
            self.len = self.len.saturating_add(1);
        }
        key
    }

    fn remove(&mut self, chain: u32, key: WaitKey, client: u32) {
        let Some(set) = self.chains.get_mut(&chain) else { return };
        if set.remove(&(key, client)) {
            self.len = self.len.saturating_sub(1);
        }
        if set.is_empty() {
            self.chains.remove(&chain);
        }
    }

    fn first(&self, chain: u32) -> Option<(WaitKey, u32)> {
        self.chains.get(&chain)?.first().copied()
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
        let (served, wants) = (context.leases.client_count(index), self.waits(index, context));
        let before = self.nodes.get(index).wait_key;
        if wants && before.is_some_and(|key| key.served == served) {
            return;
        }
        if let Some(key) = before {
            self.wait_queue.remove(node.chain(), key, index);
        }
        let key = wants.then(|| self.wait_queue.insert(node.chain(), served, index));
        if let Some(standing) = self.nodes.get_mut(index).filter(|_| before.is_some() || wants) {
            standing.wait_key = key;
        }
        if wants && self.wait_queue.serve_at.is_none() {
            self.wait_queue.serve_at = Some(context.now.plus(context.limits.tick_ms));
        }
    }

    /// Whether a client belongs in the queue.
    fn waits(&self, index: u32, context: Context<'_>) -> bool {
        let here = context.agents.get(index).is_some_and(|node| node.can_dial() && node.consuming());
        let standing = self.nodes.get(index);
        let wants = here && context.leases.client_count(index) < standing.want;
        wants && context.leases.admitting(index) == 0 && !standing.backing_off && !self.asks.contains(index)
    }

    /// Serves waiting clients at the next wake, because a slot became free or a client lost its host.
    pub(crate) fn serve_soon(&mut self, now: Ms) {
        if self.wait_queue.len() > 0 {
            self.wait_queue.serve_at = Some(now);
        }
    }

    /// Whether a chain has fewer free slots than waiting clients.
    pub(crate) fn scarce(&self, chain: u32) -> bool {
        self.open_hosts.free(chain) < self.wait_queue.waiting(chain)
    }

    /// Returns the client of a chain that is served next. `None` if no slot is free, or if the client has hosts and slots
    /// are scarce.
    pub(crate) fn next_served(&self, chain: u32) -> Option<u32> {
        if self.open_hosts.free(chain) == 0 {
            return None;
        }
        let (key, client) = self.wait_queue.first(chain)?;
        (key.served == 0 || !self.scarce(chain)).then_some(client)
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
        let Some(standing) = self.nodes.get_mut(client) else { return };
        if !std::mem::replace(&mut standing.backing_off, true) {
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
        if let Some(standing) = self.nodes.get_mut(client) {
            standing.backing_off = false;
        }
        self.refresh_waiting(client, context);
        self.serve_soon(context.now);
    }

    /// Checks whether the queue agrees with a client's current state. Returns whether the client is in the queue.
    ///
    /// # Errors
    /// The disagreement.
    pub(crate) fn check_waiting(&self, index: u32, context: Context<'_>) -> Result<bool, &'static str> {
        let Some(node) = context.agents.get(index) else { return Err("is unknown") };
        let key = self.nodes.get(index).wait_key;
        let served = context.leases.client_count(index);
        if key.is_some_and(|key| key.served != served) {
            return Err("has the wrong position in the queue");
        }
        if key.is_some_and(|key| !self.wait_queue.holds(node.chain(), key, index)) {
            return Err("is not in the queue");
        }
        if key.is_some() != self.waits(index, context) {
            return Err("waits but should not, or should wait but does not");
        }
        Ok(key.is_some())
    }
}
