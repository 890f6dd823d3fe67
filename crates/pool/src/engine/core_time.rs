use std::collections::BTreeMap;

use vipnode_pool_core::AddressBlock;

/// How much time of the core each address block used, for the operator: the only trace of a block that has the core search
/// much, and keeps to all limits.
#[derive(Debug)]
pub(super) struct CoreTime {
    /// Blocks counted; beyond it, the half that used least is forgotten.
    most: usize,
    /// Nanoseconds since the block was first counted.
    blocks: BTreeMap<AddressBlock, u64>,
}

impl CoreTime {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, blocks: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, block: AddressBlock, ns: u64) {
        let used = self.blocks.entry(block).or_default();
        *used = used.saturating_add(ns);
        if self.blocks.len() > self.most {
            self.forget_half(block);
        }
    }

    /// Each block and its time.
    pub(super) fn all(&self) -> Vec<(AddressBlock, u64)> {
        self.blocks.iter().map(|(block, ns)| (*block, *ns)).collect()
    }

    /// Forgets those that used least, except for the one that was just counted.
    fn forget_half(&mut self, newest: AddressBlock) {
        let mut used: Vec<u64> = self.blocks.values().copied().collect();
        let middle = used.len() / 2;
        let (_, median, _) = used.select_nth_unstable(middle);
        let median = *median;
        self.blocks.retain(|block, ns| *ns > median || *block == newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u8) -> AddressBlock {
        AddressBlock::of([10, 0, number, 1].into())
    }

    #[test]
    fn the_blocks_that_used_most_are_remembered() {
        let mut time = CoreTime::new(4);
        for number in 0..100 {
            time.add(block(200), 1_000_000);
            time.add(block(number), 10);
            assert!(time.all().len() <= 4, "{number}");
        }
        assert!(time.all().contains(&(block(200), 100_000_000)));
        assert!(time.all().contains(&(block(99), 10)), "the newest too");
        let mut none = CoreTime::new(0);
        none.add(block(1), 5);
        assert!(none.all().len() <= 1);
    }
}
