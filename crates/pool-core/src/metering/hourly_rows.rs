use std::collections::BTreeMap;

use vipnode_types::Ms;

use crate::{
    Limits,
    collections::address_block::{AddressBlock, WideBlock},
};

pub(in crate::metering) const HOUR_MS: u64 = 60 * 60 * 1000;
/// A wide block has up to 65,536 blocks, and all of them may have as many rows as so many. In the rule of
/// `periods_an_hour_of_a_block`.
const BLOCKS_OF_A_WIDE: u32 = 4;

/// How many rows the journal got in this hour, by the address blocks of their nodes.
///
/// A limit by node alone would not bound the journal, because ids are free.
#[derive(Debug, Default)]
pub(crate) struct HourlyRows {
    hour: u32,
    blocks: BTreeMap<AddressBlock, u32>,
    wide: BTreeMap<WideBlock, u32>,
}

impl HourlyRows {
    /// Whether a block, or the wide block around it, has as many rows as it may have in an hour.
    pub(crate) fn is_full(&self, now: Ms, block: AddressBlock, limits: &Limits) -> bool {
        let [most, most_of_wide] = most(limits);
        let count = self.blocks.get(&block).copied().unwrap_or(0);
        let of_wide = self.wide.get(&block.wide()).copied().unwrap_or(0);
        self.hour == hour(now) && (count >= most || of_wide >= most_of_wide)
    }

    /// Counts a row for the blocks of its two nodes, once for each. Blocks beyond
    /// `unpaired_blocks` count for their wide blocks only.
    pub(crate) fn add(&mut self, now: Ms, blocks: [Option<AddressBlock>; 2], limits: &Limits) {
        if self.hour != hour(now) {
            *self = Self { hour: hour(now), ..Self::default() };
        }
        add(&mut self.blocks, blocks, limits);
        add(&mut self.wide, blocks.map(|block| block.map(AddressBlock::wide)), limits);
    }
}

/// The rows that a block and a wide block may have in an hour.
pub(in crate::metering) const fn most(limits: &Limits) -> [u32; 2] {
    let most = limits.periods_an_hour_of_a_block;
    [most, most.saturating_mul(BLOCKS_OF_A_WIDE)]
}

fn add<K: Ord + Copy>(counts: &mut BTreeMap<K, u32>, [first, second]: [Option<K>; 2], limits: &Limits) {
    for key in first.into_iter().chain(second.filter(|second| first != Some(*second))) {
        if counts.len() < limits.unpaired_blocks as usize || counts.contains_key(&key) {
            let count = counts.entry(key).or_default();
            *count = count.saturating_add(1);
        }
    }
}

/// The number of an hour.
pub(in crate::metering) fn hour(now: Ms) -> u32 {
    u32::try_from(now.get() / HOUR_MS).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ms = Ms::new(1_700_000_000_000);

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    #[test]
    fn a_block_has_so_many_rows_an_hour_and_a_wide_block_four_times_as_many() {
        let limits = Limits { periods_an_hour_of_a_block: 2, ..Limits::default() };
        let mut rows = HourlyRows::default();
        let mut fill = |address: &str| {
            let mut added = 0;
            while !rows.is_full(NOW, block(address), &limits) {
                rows.add(NOW, [Some(block(address)); 2], &limits);
                added += 1;
            }
            added
        };
        let added = [0, 1, 2, 3, 4, 5].map(|number| fill(&format!("2001:db8:{number}::1")));
        assert_eq!(added, [2, 2, 2, 2, 0, 0], "a row of one block counts once for it");
        assert_eq!((fill("2001:db9::1"), fill("8.8.8.8"), fill("8.8.8.9")), (2, 2, 0));
        assert!(!rows.is_full(NOW.plus(HOUR_MS), block("8.8.8.8"), &limits), "an hour later");
        rows.add(NOW.plus(HOUR_MS), [Some(block("9.9.9.9")), Some(block("9.9.8.8"))], &limits);
        assert_eq!((rows.blocks.len(), rows.wide.len()), (2, 1), "what is over is forgotten");
        assert!(rows.wide.values().all(|count| *count == 1));
    }

    #[test]
    fn blocks_beyond_the_memory_count_for_their_wide_blocks() {
        let limits = Limits { periods_an_hour_of_a_block: 1, unpaired_blocks: 1, ..Limits::default() };
        let mut rows = HourlyRows::default();
        for number in 0..4 {
            assert!(!rows.is_full(NOW, block("2001:db8:9::1"), &limits));
            rows.add(NOW, [Some(block(&format!("2001:db8:{number}::1"))), None], &limits);
        }
        assert!(rows.is_full(NOW, block("2001:db8:9::1"), &limits));
        assert_eq!((rows.blocks.len(), rows.wide.len()), (1, 1));
    }
}
