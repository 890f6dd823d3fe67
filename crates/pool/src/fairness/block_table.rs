use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
    time::Instant,
};

use vipnode_pool_core::{AddressBlock, BlockShares, PoolLimits, WideBlock};

use crate::fairness::{Block, block_resources::BlockResources};

/// The address blocks that have connections, or had some a short time ago, and their wide blocks.
///
/// At most [`PoolLimits::blocks`] are counted separately, by the rule of [`BlockShares`]; the further ones of a wide block are
/// one. So the holder of 65,536 /48s cannot make the blocks of others one.
#[derive(Debug)]
pub(super) struct BlockTable {
    blocks: BTreeMap<AddressBlock, Arc<Block>>,
    wide: BTreeMap<WideBlock, Wide>,
    shares: BlockShares,
    /// Where the search for unused blocks continues.
    swept: Option<AddressBlock>,
    /// Where the search for unused wide blocks continues.
    swept_wide: Option<WideBlock>,
}

#[derive(Debug)]
struct Wide {
    resources: Arc<BlockResources>,
    /// The common block of its blocks beyond the limit.
    further: Option<Arc<Block>>,
}

/// The number of blocks checked per search, so that unused ones are removed faster than new ones come.
const SWEEP: usize = 2;

impl BlockTable {
    pub(super) fn new(limits: &PoolLimits) -> Self {
        Self {
            blocks: BTreeMap::new(),
            wide: BTreeMap::new(),
            shares: BlockShares::new(limits.block_minimum),
            swept: None,
            swept_wide: None,
        }
    }

    /// Returns what the connections of a block use together. Forgets some blocks that nothing is left of.
    pub(super) fn block(&mut self, key: AddressBlock, limits: &PoolLimits, now: Instant) -> Arc<Block> {
        self.sweep(now);
        if let Some(block) = self.blocks.get(&key) {
            return Arc::clone(block);
        }
        let free = u32::try_from(limits.blocks.saturating_sub(self.blocks.len())).unwrap_or(u32::MAX);
        let is_counted = self.shares.may_take(key, free);
        let wide = self.wide(key.wide(), limits, now);
        let new = || Arc::new(Block::new(limits, Arc::clone(&wide.resources), now));
        if !is_counted {
            return Arc::clone(wide.further.get_or_insert_with(new));
        }
        let block = new();
        self.shares.take(key);
        self.blocks.insert(key, Arc::clone(&block));
        block
    }

    /// Returns the counted blocks.
    pub(super) fn iter(&self) -> impl Iterator<Item = (AddressBlock, &Block)> {
        self.blocks.iter().map(|(key, block)| (*key, &**block))
    }

    /// Returns a wide block. Those beyond the limit are one.
    fn wide(&mut self, key: WideBlock, limits: &PoolLimits, now: Instant) -> &mut Wide {
        let is_counted = self.wide.contains_key(&key) || self.wide.len() < limits.blocks;
        let key = if is_counted { key } else { AddressBlock::ALL.wide() };
        let new = || Wide { resources: Arc::new(BlockResources::of_wide_block(limits, now)), further: None };
        self.wide.entry(key).or_insert_with(new)
    }

    fn sweep(&mut self, now: Instant) {
        for _ in 0..SWEEP {
            self.swept = next(&self.blocks, self.swept);
            if let Some(key) = self.swept
                && self.blocks.get(&key).is_some_and(|block| is_unused(block, now))
            {
                self.blocks.remove(&key);
                self.shares.give_back(key);
            }
            self.swept_wide = next(&self.wide, self.swept_wide);
            if let Some(key) = self.swept_wide
                && self.wide.get_mut(&key).is_some_and(|wide| wide.is_unused(now))
            {
                self.wide.remove(&key);
            }
        }
    }
}

impl Wide {
    /// Whether it can be forgotten. Forgets its further blocks, if they can be forgotten.
    fn is_unused(&mut self, now: Instant) -> bool {
        self.further.take_if(|further| is_unused(further, now));
        Arc::strong_count(&self.resources) == 1 && self.resources.is_idle(now)
    }
}

fn is_unused(block: &Arc<Block>, now: Instant) -> bool {
    Arc::strong_count(block) == 1 && block.is_idle(now)
}

/// Returns the key after `last`; after the last one, `None`.
fn next<K: Ord + Copy, V>(map: &BTreeMap<K, V>, last: Option<K>) -> Option<K> {
    map.range((last.map_or(Unbounded, Excluded), Unbounded)).next().map(|(key, _)| *key)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(address: &str) -> AddressBlock {
        AddressBlock::of(address.parse().unwrap())
    }

    fn limits(blocks: usize) -> PoolLimits {
        PoolLimits { blocks, block_minimum: 0, ..PoolLimits::default() }
    }

    #[test]
    fn further_blocks_of_a_wide_block_are_one_and_leave_room_for_others() {
        let (limits, now) = (PoolLimits { blocks: 1_000, block_minimum: 0, ..PoolLimits::default() }, Instant::now());
        let mut table = BlockTable::new(&limits);
        let many: Vec<_> = (0..2_000).map(|n| table.block(key(&format!("2001:db8:{n:x}::1")), &limits, now)).collect();
        assert_eq!(table.blocks.len(), 500);
        assert!(Arc::ptr_eq(&many[500], &many[1_999]), "further ones are one");
        let other = table.block(key("10.0.0.1"), &limits, now);
        assert!(Arc::ptr_eq(&other, &table.blocks[&key("10.0.0.1")]), "another wide block has its own");
    }

    #[test]
    fn blocks_are_forgotten_once_nothing_is_left_of_them() {
        let (limits, now) = (limits(6), Instant::now());
        let mut table = BlockTable::new(&limits);
        let held = table.block(key("10.0.0.1"), &limits, now);
        for n in 1..10 {
            table.block(key(&format!("10.0.{n}.1")), &limits, now).owe_bytes(1, now);
        }
        assert_eq!(table.blocks.len(), 3, "half");
        let later = now + Duration::from_secs(60);
        for _ in 0..4 {
            table.block(key("10.0.0.1"), &limits, later);
        }
        assert_eq!((table.blocks.len(), table.wide.len()), (1, 1));
        drop(held);
        for _ in 0..8 {
            table.block(key("10.9.0.1"), &limits, later);
        }
        assert_eq!((table.blocks.len(), table.wide.len()), (1, 1), "only the last one");
        assert!(table.wide[&key("10.9.0.1").wide()].further.is_none());
    }

    #[test]
    fn wide_blocks_beyond_the_limit_are_one() {
        let (limits, now) = (limits(2), Instant::now());
        let mut table = BlockTable::new(&limits);
        let held: Vec<_> = (0..5).map(|n| table.block(key(&format!("10.{n}.0.1")), &limits, now)).collect();
        assert_eq!(table.wide.len(), 3);
        assert!(Arc::ptr_eq(&held[3], &held[4]));
    }
}
