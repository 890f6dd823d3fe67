use std::collections::{BTreeMap, VecDeque};

use vipnode_types::{LeaseId, Ms};

use crate::{
    Limits,
    collections::{address_block::AddressBlock, block_shares::BlockShares},
    matching::{Context, Matching},
};

/// Offers of hosts that no client was ever connected with: each is a trial, while it is pending and for some time after
/// the host did not admit its client.
///
/// A host id is free. A host that admits and stays silent costs each of its clients seconds, and so does one that answers
/// "full" late. So the new hosts of an address block get few clients within a while, as long as the chain has an open host
/// that is known. A host is known once a client connected with it.
#[derive(Debug, Default)]
pub(crate) struct NewHostTrials {
    leases: BTreeMap<LeaseId, AddressBlock>,
    /// The blocks of hosts that did not admit, and until when that counts; the oldest first.
    used: VecDeque<(Ms, AddressBlock)>,
    /// Of both.
    held: BlockShares,
}

/// Blocks of one wide block that may each have as many trials as a block.
const BLOCKS_OF_A_WIDE: u32 = 4;

impl NewHostTrials {
    fn is_full(&self, block: AddressBlock, limits: &Limits) -> bool {
        let most = limits.trials_a_block;
        let of_wide = self.held.held_by_wide(block.wide());
        self.held.held_by(block) >= most || of_wide >= most.saturating_mul(BLOCKS_OF_A_WIDE)
    }

    /// Remembers that a trial failed, unless its block has as many as it may: one more would change nothing.
    fn use_up(&mut self, block: AddressBlock, until: Ms, limits: &Limits) {
        if self.is_full(block, limits) {
            return;
        }
        while self.used.len() >= limits.recent_pairs.max(1) as usize {
            self.forget_oldest();
        }
        self.used.push_back((until, block));
        self.held.take(block);
    }

    /// Forgets failed trials that are old enough.
    pub(in crate::matching) fn expire(&mut self, now: Ms) {
        while self.used.front().is_some_and(|(until, _)| *until <= now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, block)) = self.used.pop_front() {
            self.held.give_back(block);
        }
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.used.len()
    }

    /// Whether each trial is counted for its address block, for checks.
    pub(crate) fn counts_right(&self) -> bool {
        self.leases.len().saturating_add(self.used.len()) == self.held.held() as usize
    }

    /// Leases that are trials, for checks.
    pub(crate) fn leases(&self) -> impl Iterator<Item = LeaseId> {
        self.leases.keys().copied()
    }
}

impl Matching {
    /// Whether a host is new, and its address block has as many trials as it may.
    pub(in crate::matching) fn awaits_trials(&self, host: u32, any_has_served: bool, context: Context<'_>) -> bool {
        let Some(node) = context.agents.get(host).filter(|_| any_has_served && !self.members_only) else {
            return false;
        };
        !self.has_served(host, context) && self.trials.is_full(self.block_of(node), context.limits)
    }

    /// Whether a client was ever connected with a host, as far as the pool remembers.
    pub(in crate::matching) fn has_served(&self, host: u32, context: Context<'_>) -> bool {
        self.nodes.get(host).paired.any() || context.agents.is_proven(host)
    }

    /// A host was offered: counts a trial if it is new.
    pub(crate) fn begin_trial(&mut self, lease: LeaseId, host: u32, context: Context<'_>) {
        let Some(node) = context.agents.get(host).filter(|_| !self.has_served(host, context)) else { return };
        let block = self.block_of(node);
        self.trials.held.take(block);
        self.trials.leases.insert(lease, block);
    }

    /// An offer was paired or ended.
    pub(crate) fn end_trial(&mut self, lease: LeaseId) {
        if let Some(block) = self.trials.leases.remove(&lease) {
            self.trials.held.give_back(block);
        }
    }

    /// A host did not admit a client. If no client was ever connected with it, that was a trial of its block, and the
    /// client gets hosts of other blocks first: else a few free ids that answer "full" in turn would hold it for good.
    /// What strangers make a known host answer costs that host nothing.
    pub(crate) fn trial_failed(&mut self, lease: LeaseId, host: u32, client: u32, context: Context<'_>) {
        let Context { now, limits, agents, .. } = context;
        self.end_trial(lease);
        let Some(node) = agents.get(host).filter(|_| !self.members_only && !self.has_served(host, context)) else {
            return;
        };
        let (block, until) = (self.block_of(node), now.plus(limits.same_address_ms));
        self.trials.use_up(block, until, limits);
        self.recent_pairs.failed_in(client, block, until, limits.recent_pairs);
    }

    /// Returns the trials, for checks.
    pub(crate) const fn trials(&self) -> &NewHostTrials {
        &self.trials
    }
}
