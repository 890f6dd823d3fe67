use std::collections::BTreeMap;

use crate::collections::address_block::{AddressBlock, WideBlock};

/// The number of waiting clients of a chain, by address block.
///
/// A node ID is free, so a stranger could have thousands of clients wait. Whether slots are scarce for a client therefore
/// depends on how many wide blocks wait, only within the client's own wide block on how many blocks do, and only within
/// its own block on how many clients do. Within these two, a share of the free slots can bound for how many the clients
/// count that are not proven: more slots they could not be offered at once.
#[derive(Debug, Default)]
pub(crate) struct WaitingBlocks {
    wide: BTreeMap<WideBlock, WideWaiting>,
    clients: u32,
}

/// The waiting clients in a wide block.
#[derive(Debug, Default)]
struct WideWaiting {
    blocks: BTreeMap<AddressBlock, BlockWaiting>,
    /// Blocks in which a proven client waits.
    with_proven: u32,
}

/// The waiting clients in a block.
#[derive(Debug, Clone, Copy, Default)]
struct BlockWaiting {
    proven: u32,
    others: u32,
}

impl BlockWaiting {
    const fn count(&mut self, proven: bool) -> &mut u32 {
        if proven { &mut self.proven } else { &mut self.others }
    }
}

impl WaitingBlocks {
    /// The number of clients.
    pub(crate) const fn clients(&self) -> u32 {
        self.clients
    }

    /// Counts a client in a block.
    pub(crate) fn add(&mut self, block: AddressBlock, proven: bool) {
        let wide = self.wide.entry(block.wide()).or_default();
        let clients = wide.blocks.entry(block).or_default();
        wide.with_proven = wide.with_proven.saturating_add(u32::from(proven && clients.proven == 0));
        let count = clients.count(proven);
        *count = count.saturating_add(1);
        self.clients = self.clients.saturating_add(1);
    }

    /// Removes a client that was counted in the same way.
    pub(crate) fn sub(&mut self, block: AddressBlock, proven: bool) {
        let Some(wide) = self.wide.get_mut(&block.wide()) else { return };
        let Some(clients) = wide.blocks.get_mut(&block) else { return };
        let count = clients.count(proven);
        *count = count.saturating_sub(1);
        wide.with_proven = wide.with_proven.saturating_sub(u32::from(proven && clients.proven == 0));
        self.clients = self.clients.saturating_sub(1);
        if clients.proven == 0 && clients.others == 0 {
            wide.blocks.remove(&block);
        }
        if wide.blocks.is_empty() {
            self.wide.remove(&block.wide());
        }
    }

    /// The number of slots that others need before a client of this block: one for each client in the block, one for each
    /// other block of its wide block, and one for each other wide block. `block_share` and `wide_share` bound how many of
    /// the first two may be for clients that are not proven.
    pub(crate) fn before(&self, block: AddressBlock, block_share: u64, wide_share: u64) -> u64 {
        let Some(own_wide) = self.wide.get(&block.wide()) else { return self.wide.len() as u64 };
        let own = own_wide.blocks.get(&block);
        let BlockWaiting { proven, others } = own.copied().unwrap_or_default();
        let clients = u64::from(proven).saturating_add(u64::from(others).min(block_share));
        let blocks = own_wide.blocks.len().saturating_sub(usize::from(own.is_some())) as u64;
        let with_proven = u64::from(own_wide.with_proven).saturating_sub(u64::from(proven > 0));
        let blocks = with_proven.saturating_add(blocks.saturating_sub(with_proven).min(wide_share));
        clients.saturating_add(blocks).saturating_add(self.wide.len().saturating_sub(1) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    const ANY: u64 = u64::MAX;

    #[test]
    fn only_in_its_own_block_a_client_is_behind_each_client() {
        let mut waiting = WaitingBlocks::default();
        for third in 0..10 {
            (0..100).for_each(|_| waiting.add(block(&format!("66.6.{third}.1")), false));
        }
        waiting.add(block("8.8.8.8"), false);
        assert_eq!(waiting.clients(), 1_001);
        let before = |waiting: &WaitingBlocks, text: &str| waiting.before(block(text), ANY, ANY);
        assert_eq!(before(&waiting, "9.9.9.9"), 2, "two wide blocks");
        assert_eq!(before(&waiting, "8.8.8.8"), 1 + 1);
        assert_eq!(before(&waiting, "66.6.200.1"), 10 + 1, "ten blocks of the same wide block");
        assert_eq!(before(&waiting, "66.6.5.1"), 100 + 9 + 1);
        (0..200).for_each(|_| waiting.sub(block("66.6.5.1"), false));
        assert_eq!((waiting.clients(), before(&waiting, "66.6.5.1")), (901, 9 + 1));
        waiting.sub(block("8.8.8.8"), false);
        assert_eq!(before(&waiting, "8.8.8.8"), 1);
    }

    #[test]
    fn clients_that_are_not_proven_count_up_to_their_shares_and_proven_ones_each() {
        let mut waiting = WaitingBlocks::default();
        for (third, proven) in (0..50).map(|third| (third, third < 3)) {
            (0..20).for_each(|_| waiting.add(block(&format!("66.6.{third}.1")), false));
            (0..7).for_each(|_| waiting.add(block(&format!("66.6.{third}.1")), proven));
        }
        let before = |waiting: &WaitingBlocks, text: &str| waiting.before(block(text), 10, 15);
        assert_eq!(before(&waiting, "66.6.1.1"), 7 + 10 + (2 + 15));
        assert_eq!(before(&waiting, "66.6.40.1"), 10 + (3 + 15));
        assert_eq!((before(&waiting, "66.6.200.1"), before(&waiting, "9.9.9.9")), (3 + 15, 1));
        (0..7).for_each(|_| waiting.sub(block("66.6.1.1"), true));
        assert_eq!(before(&waiting, "66.6.1.1"), 10 + (2 + 15));
        assert_eq!(before(&waiting, "66.6.2.1"), 7 + 10 + (1 + 15));
    }
}
