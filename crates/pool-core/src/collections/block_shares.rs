use std::collections::BTreeMap;

use crate::collections::address_block::{AddressBlock, WideBlock};

/// Blocks of one wide block that may hold their minimum whatever the others hold.
const BLOCKS_WITH_MINIMUM: u32 = 4;

/// How much of something scarce each address block holds, at two levels.
///
/// A wide block may hold as many as are free, and a block as many as its wide block may still take. A wide block that is
/// alone therefore has half of everything, a single block in it a third, and one that holds nothing gets the next.
/// Below `minimum`, a block takes whatever is free, but no wide block has more than four such blocks: the holder of a /32
/// has 65,536 of /48.
#[derive(Debug, Clone, Default)]
pub struct BlockShares {
    blocks: BTreeMap<AddressBlock, u32>,
    wide: BTreeMap<WideBlock, u32>,
    held: u32,
    minimum: u32,
}

impl BlockShares {
    /// Nothing is held. Each block may always hold `minimum`, while anything is free.
    #[must_use]
    pub const fn new(minimum: u32) -> Self {
        Self { blocks: BTreeMap::new(), wide: BTreeMap::new(), held: 0, minimum }
    }

    /// Held by all blocks together.
    #[must_use]
    pub const fn held(&self) -> u32 {
        self.held
    }

    /// Held by one block.
    #[must_use]
    pub fn held_by(&self, block: AddressBlock) -> u32 {
        self.blocks.get(&block).copied().unwrap_or(0)
    }

    /// Held by a wide block.
    #[must_use]
    pub fn held_by_wide(&self, wide: WideBlock) -> u32 {
        self.wide.get(&wide).copied().unwrap_or(0)
    }

    /// Blocks that hold anything.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Wide blocks that hold anything.
    pub(crate) fn wide_len(&self) -> usize {
        self.wide.len()
    }

    /// Whether no block holds anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Whether a block may hold one more, while `free` are left.
    #[must_use]
    pub fn may_take(&self, block: AddressBlock, free: u32) -> bool {
        Self::allows(self.minimum, self.held_by(block), self.held_by_wide(block.wide()), free)
    }

    /// As [`Self::may_take`] while more are free, of which only `shared` count for shares above the minimum.
    pub(crate) fn may_take_of(&self, block: AddressBlock, shared: u32) -> bool {
        let (own, wide) = (self.held_by(block), self.held_by_wide(block.wide()));
        self.is_within_minimum(block) || leaves_enough(own, wide, shared)
    }

    /// Whether a block may hold one more as part of its minimum, while anything is free.
    pub(crate) fn is_within_minimum(&self, block: AddressBlock) -> bool {
        is_within_minimum(self.minimum, self.held_by(block), self.held_by_wide(block.wide()))
    }

    /// Whether a block that holds `own`, in a wide block that holds `wide`, may hold one more while `free` are left: the rule
    /// of [`Self::may_take`], for those who count by themselves.
    #[must_use]
    pub const fn allows(minimum: u32, own: u32, wide: u32, free: u32) -> bool {
        (free > 0 && is_within_minimum(minimum, own, wide)) || leaves_enough(own, wide, free)
    }

    /// How many of `free` a block and a wide block that hold nothing may come to hold, each alone, if only `shared` of them
    /// count for shares above the minimum: the largest numbers for which [`Self::may_take_of`] holds.
    pub(crate) fn sizes(minimum: u32, [free, shared]: [u64; 2]) -> [u64; 2] {
        let minimum_of_wide = u64::from(minimum).saturating_mul(BLOCKS_WITH_MINIMUM.into());
        [shared.div_ceil(3).max(minimum.into()), shared.div_ceil(2).max(minimum_of_wide)].map(|most| most.min(free))
    }

    /// A block holds one more.
    pub fn take(&mut self, block: AddressBlock) {
        for count in [self.blocks.entry(block).or_default(), self.wide.entry(block.wide()).or_default(), &mut self.held]
        {
            *count = count.saturating_add(1);
        }
    }

    /// A block holds one less.
    pub fn give_back(&mut self, block: AddressBlock) {
        if !self.blocks.contains_key(&block) {
            return;
        }
        give_back(&mut self.blocks, &block);
        give_back(&mut self.wide, &block.wide());
        self.held = self.held.saturating_sub(1);
    }
}

/// Whether a block that holds `own`, in a wide block that holds `wide`, may hold one more while anything is free.
const fn is_within_minimum(minimum: u32, own: u32, wide: u32) -> bool {
    own < minimum && wide < minimum.saturating_mul(BLOCKS_WITH_MINIMUM)
}

/// Whether a block that holds `own`, in a wide block that holds `wide`, may hold one more while `free` are left: each of the two
/// may hold as many as remain.
pub(crate) const fn leaves_enough(own: u32, wide: u32, free: u32) -> bool {
    wide < free && own < free.saturating_sub(wide)
}

fn give_back<K: Ord>(counts: &mut BTreeMap<K, u32>, key: &K) {
    let Some(count) = counts.get_mut(key) else { return };
    *count = count.saturating_sub(1);
    if *count == 0 {
        counts.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    /// How many of `all` the blocks take that come in turn until none may.
    fn fill(shares: &mut BlockShares, blocks: &[AddressBlock], all: u32) {
        fill_of(shares, blocks, [all, all]);
    }

    /// The same where only `shared` of them count above the minimum.
    fn fill_of(shares: &mut BlockShares, blocks: &[AddressBlock], [all, shared]: [u32; 2]) {
        loop {
            let before = shares.held();
            for &block in blocks {
                let (left, held) = (all - shares.held(), shares.held());
                if left > 0 && shares.may_take_of(block, shared.saturating_sub(held)) {
                    shares.take(block);
                }
            }
            if shares.held() == before {
                return;
            }
        }
    }

    #[test]
    fn a_block_holds_a_third_and_a_wide_block_half() {
        let mut shares = BlockShares::new(0);
        fill(&mut shares, &[block("10.0.0.1")], 300);
        assert_eq!(shares.held(), 100);
        let neighbors: Vec<_> = (0..=255).map(|n| block(&format!("10.0.{n}.1"))).collect();
        fill(&mut shares, &neighbors, 300);
        assert_eq!(shares.held(), 150);
        assert!(shares.may_take(block("10.1.0.1"), 150), "another wide block");
        for _ in 0..100 {
            shares.give_back(block("10.0.0.1"));
        }
        shares.give_back(block("10.0.0.1"));
        assert_eq!((shares.held_by(block("10.0.0.1")), shares.held()), (0, 50));
    }

    #[test]
    fn what_a_block_and_a_wide_block_come_to_hold_alone_is_known_before() {
        let neighbors: Vec<_> = (0..=255).map(|n| block(&format!("10.0.{n}.1"))).collect();
        for (minimum, free) in (0..6).flat_map(|minimum| (0..50).map(move |free| (minimum, free))) {
            for claimed in [0, 30] {
                let held = [&neighbors[..1], &neighbors[..]].map(|blocks| {
                    let mut shares = BlockShares::new(minimum);
                    fill_of(&mut shares, blocks, [free + claimed, free]);
                    u64::from(shares.held())
                });
                let free = [free + claimed, free].map(u64::from);
                assert_eq!(held, BlockShares::sizes(minimum, free), "{minimum} {free:?}");
            }
        }
    }

    #[test]
    fn a_block_holds_its_minimum_while_anything_is_free() {
        let mut shares = BlockShares::new(4);
        fill(&mut shares, &[block("2001:db8::1")], 8);
        assert_eq!(shares.held(), 4);
        fill(&mut shares, &[block("2001:db8:1::1")], 8);
        assert_eq!(shares.held(), 8);
        assert!(!shares.may_take(block("2001:db9::1"), 0));
    }

    #[test]
    fn a_wide_block_multiplies_no_minimum() {
        let mut shares = BlockShares::new(4);
        let neighbors: Vec<_> = (0..1_000).map(|n| block(&format!("2001:db8:{n:x}::1"))).collect();
        fill(&mut shares, &neighbors, 24);
        assert_eq!(shares.held(), 16);
        fill(&mut shares, &neighbors, 1_000);
        assert_eq!(shares.held(), 500, "half, as any wide block");
    }
}
