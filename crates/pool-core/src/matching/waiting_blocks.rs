use std::collections::BTreeMap;

use crate::collections::address_block::{AddressBlock, WideBlock};

/// The number of waiting clients of a chain, by address block.
///
/// A node ID is free, so a stranger could have thousands of clients wait. Whether slots are scarce for a client therefore
/// depends on how many address blocks wait, and only within the client's own block on how many clients do.
#[derive(Debug, Default)]
pub(crate) struct WaitingBlocks {
    wide: BTreeMap<WideBlock, BTreeMap<AddressBlock, u32>>,
    clients: u32,
}

impl WaitingBlocks {
    /// The number of clients.
    pub(crate) const fn clients(&self) -> u32 {
        self.clients
    }

    /// Counts a client of a block.
    pub(crate) fn add(&mut self, block: AddressBlock) {
        let clients = self.wide.entry(block.wide()).or_default().entry(block).or_default();
        *clients = clients.saturating_add(1);
        self.clients = self.clients.saturating_add(1);
    }

    /// Removes a client that was counted.
    pub(crate) fn sub(&mut self, block: AddressBlock) {
        let Some(blocks) = self.wide.get_mut(&block.wide()) else { return };
        let Some(clients) = blocks.get_mut(&block) else { return };
        *clients = clients.saturating_sub(1);
        self.clients = self.clients.saturating_sub(1);
        if *clients == 0 {
            blocks.remove(&block);
        }
        if blocks.is_empty() {
            self.wide.remove(&block.wide());
        }
    }

    /// The number of slots that others need before a client of this block: one for each client of the block, one for each
    /// other block of its wide block, and one for each other wide block.
    pub(crate) fn before(&self, block: AddressBlock) -> u64 {
        let own_wide = self.wide.get(&block.wide());
        let others = |count: usize, own: bool| count.saturating_sub(usize::from(own));
        let clients = own_wide.and_then(|blocks| blocks.get(&block)).copied();
        let blocks = own_wide.map_or(0, |blocks| others(blocks.len(), clients.is_some()));
        let wide = others(self.wide.len(), own_wide.is_some());
        u64::from(clients.unwrap_or(0)).saturating_add(blocks.saturating_add(wide) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    #[test]
    fn only_in_its_own_block_a_client_is_behind_each_client() {
        let mut waiting = WaitingBlocks::default();
        for third in 0..10 {
            (0..100).for_each(|_| waiting.add(block(&format!("66.6.{third}.1"))));
        }
        waiting.add(block("8.8.8.8"));
        assert_eq!(waiting.clients(), 1_001);
        let before = |waiting: &WaitingBlocks, text: &str| waiting.before(block(text));
        assert_eq!(before(&waiting, "9.9.9.9"), 2, "two wide blocks");
        assert_eq!(before(&waiting, "8.8.8.8"), 1 + 1);
        assert_eq!(before(&waiting, "66.6.200.1"), 10 + 1, "ten blocks of the same wide block");
        assert_eq!(before(&waiting, "66.6.5.1"), 100 + 9 + 1);
        (0..200).for_each(|_| waiting.sub(block("66.6.5.1")));
        assert_eq!((waiting.clients(), before(&waiting, "66.6.5.1")), (901, 9 + 1));
        waiting.sub(block("8.8.8.8"));
        assert_eq!(before(&waiting, "8.8.8.8"), 1);
    }
}
