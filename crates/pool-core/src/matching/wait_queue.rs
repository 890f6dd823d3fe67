use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU64,
};

use vipnode_types::Ms;

use crate::{Core, collections::slab::Handle, output::Output};

/// Clients that want more hosts than they have, chain by chain, the least served first.
#[derive(Debug, Default)]
pub(crate) struct WaitQueue {
    chains: BTreeMap<u32, BTreeSet<(WaitKey, u32)>>,
    tickets: u64,
    /// When clients are next served by themselves.
    pub(crate) serve_at: Option<Ms>,
    /// The chain that was served last, so that a busy one does not starve the rest.
    cursor: u32,
    len: usize,
}

/// Where a client stands among the hungry of its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaitKey {
    /// Leases it has.
    pub(crate) served: u32,
    /// First come, first served. Not zero, which saves each node eight bytes.
    pub(crate) ticket: NonZeroU64,
}

impl WaitQueue {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Clients that wait on a chain.
    pub(crate) fn waiting(&self, chain: u32) -> u64 {
        self.chains.get(&chain).map_or(0, |set| u64::try_from(set.len()).unwrap_or(u64::MAX))
    }

    /// Whether a client stands there, for checks.
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

    /// The next chain with hungry clients after `chain`, in a circle.
    fn chain_after(&self, chain: u32) -> Option<u32> {
        let after = self.chains.range(chain.saturating_add(1)..).next();
        after.or_else(|| self.chains.first_key_value()).map(|(chain, _)| *chain)
    }
}

impl Core {
    /// Brings a client's place among the hungry up to what it is now. Call after anything changed that
    /// is looked at here.
    pub(crate) fn refresh_waiting(&mut self, index: u32) {
        let Some(node) = self.nodes.get(index) else { return };
        let here = node.can_dial() && node.consuming;
        let wants = here && node.client_leases < node.want && node.admitting == 0;
        let wants = wants && !node.backing_off && !self.asks.contains_key(&index);
        let (chain, served, before) = (node.chain, node.client_leases, node.wait_key);
        if wants && before.is_some_and(|key| key.served == served) {
            return;
        }
        if let Some(key) = before {
            self.wait_queue.remove(chain, key, index);
        }
        let key = wants.then(|| self.wait_queue.insert(chain, served, index));
        if let Some(node) = self.nodes.get_mut(index) {
            node.wait_key = key;
        }
        if wants && self.wait_queue.serve_at.is_none() {
            self.wait_queue.serve_at = Some(self.now.plus(self.limits.tick_ms));
        }
    }

    /// Has the hungry served at the next wake, because something became free or was lost.
    pub(crate) fn serve_soon(&mut self) {
        if self.wait_queue.len() > 0 {
            self.wait_queue.serve_at = Some(self.now);
        }
    }

    /// Whether a chain has fewer free places than clients that wait for one.
    pub(crate) fn scarce(&self, chain: u32) -> bool {
        self.open_hosts.free(chain) < self.wait_queue.waiting(chain)
    }

    /// Gives hungry clients one place each, a bounded number of them.
    pub(crate) fn serve_waiting(&mut self, output: &mut Output) {
        if self.wait_queue.serve_at.is_none_or(|at| at > output.now) {
            return;
        }
        let mut budget = self.limits.served_a_tick;
        for _ in 0..self.wait_queue.chains.len() {
            let Some(chain) = self.wait_queue.chain_after(self.wait_queue.cursor).filter(|_| budget > 0) else { break };
            self.wait_queue.cursor = chain;
            self.serve_chain(output, chain, &mut budget);
            // One for the look, so that many chains are bounded too.
            budget = budget.saturating_sub(1);
        }
        self.wait_queue.serve_at = match (self.wait_queue.len(), budget) {
            (0, _) => None,
            (_, 0) => Some(output.now),
            _ => Some(output.now.plus(self.limits.tick_ms)),
        };
    }

    fn serve_chain(&mut self, output: &mut Output, chain: u32, budget: &mut u32) {
        while *budget > 0 && self.open_hosts.free(chain) > 0 {
            let Some((key, client)) = self.wait_queue.first(chain) else { return };
            if key.served > 0 && self.scarce(chain) {
                return;
            }
            *budget = budget.saturating_sub(1);
            if self.offer_slot(output, client).is_err() {
                self.back_off(client);
            }
        }
    }

    /// Leaves a client alone for a while.
    pub(crate) fn back_off(&mut self, client: u32) {
        let due = self.now.plus(self.limits.retry_ms);
        let Some(handle) = self.nodes.handle(client) else { return };
        let Some(node) = self.nodes.get_mut(client) else { return };
        if !node.backing_off {
            node.backing_off = true;
            self.timers.back_offs.push(due, handle);
        }
        self.refresh_waiting(client);
    }

    /// The while is over.
    pub(crate) fn back_off_over(&mut self, handle: Handle) {
        let Some(index) = self.nodes.live(handle) else { return };
        if let Some(node) = self.nodes.get_mut(index) {
            node.backing_off = false;
        }
        self.refresh_waiting(index);
        self.serve_soon();
    }
}
