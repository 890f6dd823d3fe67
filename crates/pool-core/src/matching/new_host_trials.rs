use std::collections::BTreeMap;

use vipnode_types::LeaseId;

use crate::{
    Limits,
    collections::{address_block::AddressBlock, block_shares::BlockShares},
    matching::{Context, Matching},
};

/// Pending offers of hosts that no client was ever connected with: each is a trial.
///
/// A host id is free, and a host that admits and stays silent costs each of its clients seconds. So the new hosts of an
/// address block get few clients at a time while the chain has an open host that is known. A host is known once a client
/// connected with it.
#[derive(Debug, Default)]
pub(crate) struct NewHostTrials {
    leases: BTreeMap<LeaseId, AddressBlock>,
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

    /// Leases that are trials, for checks.
    pub(crate) fn leases(&self) -> impl Iterator<Item = LeaseId> {
        self.leases.keys().copied()
    }
}

impl Matching {
    /// Whether a host is new, and its address block has as many trials as it may.
    pub(in crate::matching) fn awaits_trials(&self, host: u32, any_known: bool, context: Context<'_>) -> bool {
        let Some(node) = context.agents.get(host).filter(|_| any_known && !self.closed) else { return false };
        !self.is_known_host(host, context) && self.trials.is_full(self.block_of(node), context.limits)
    }

    /// Whether a client was ever connected with a host, as far as the pool remembers.
    pub(in crate::matching) fn is_known_host(&self, host: u32, context: Context<'_>) -> bool {
        self.nodes.get(host).paired.any() || context.agents.is_proven(host)
    }

    /// A host was offered: counts a trial if it is new.
    pub(crate) fn begin_trial(&mut self, lease: LeaseId, host: u32, context: Context<'_>) {
        let Some(node) = context.agents.get(host).filter(|_| !self.is_known_host(host, context)) else { return };
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

    /// Returns the trials, for checks.
    pub(crate) const fn trials(&self) -> &NewHostTrials {
        &self.trials
    }
}
