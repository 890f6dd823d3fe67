use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use vipnode_types::Ms;

/// The length of a slot, whose deadlines are kept unordered until they are near.
const SLOT_MS: u16 = 1_000;
/// The number of deadlines of a slot that are allocated at once.
const CHUNK: usize = 128;

/// A queue of deadlines, re-armed lazily: the caller that removes one checks whether it is still due, and puts it back
/// otherwise.
///
/// A first-in-first-out list does not work: an agent re-armed from its last report is due sooner than one that connected
/// later, and behind it in a list it would be checked up to a whole duration late. One heap is too slow: among a million
/// agents, each step down the heap misses the CPU cache. Therefore, only the nearest slot is a heap. Later deadlines wait
/// in their slot unordered, in blocks of one size, so that the memory of one slot can be reused by any other.
#[derive(Debug)]
pub(crate) struct Deadlines<K> {
    /// The nearest slot, and newer deadlines that are due sooner; not empty while anything waits.
    soon: BinaryHeap<Reverse<(Ms, K)>>,
    /// The last slot of `soon`.
    slot: u64,
    later: BTreeMap<u64, Vec<Chunk<K>>>,
    len: usize,
}

/// Deadlines, each with its milliseconds since the start of its slot.
type Chunk<K> = Vec<(u16, K)>;

impl<K: Ord + Copy> Deadlines<K> {
    pub(crate) const fn new() -> Self {
        Self { soon: BinaryHeap::new(), slot: 0, later: BTreeMap::new(), len: 0 }
    }

    pub(crate) fn push(&mut self, due: Ms, what: K) {
        let (slot, offset) = split(due);
        if self.len == 0 {
            self.slot = slot;
        }
        self.len = self.len.saturating_add(1);
        if slot <= self.slot {
            self.soon.push(Reverse((due, what)));
            return;
        }
        let blocks = self.later.entry(slot).or_default();
        if blocks.last().is_none_or(|block| block.len() == CHUNK) {
            blocks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(block) = blocks.last_mut() {
            block.push((offset, what));
        }
    }

    /// Removes and returns the next deadline that is due by `now`.
    pub(crate) fn pop_due(&mut self, now: Ms) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, what)) = self.soon.pop()?;
        self.len = self.len.saturating_sub(1);
        if self.soon.is_empty()
            && let Some((slot, blocks)) = self.later.pop_first()
        {
            let begin = Ms::new(slot.saturating_mul(SLOT_MS.into()));
            let mut soon = Vec::with_capacity(blocks.iter().map(Vec::len).sum());
            let all = blocks.into_iter().flatten();
            soon.extend(all.map(|(offset, what)| Reverse((begin.plus(offset.into()), what))));
            self.slot = slot;
            self.soon = BinaryHeap::from(soon);
        }
        Some(what)
    }

    /// When the next deadline is due.
    pub(crate) fn next(&self) -> Option<Ms> {
        self.soon.peek().map(|Reverse((due, _))| *due)
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }
}

/// Returns the slot of a time, and its milliseconds since the start of the slot.
fn split(due: Ms) -> (u64, u16) {
    let length = u64::from(SLOT_MS);
    let slot = due.get().checked_div(length).unwrap_or(0);
    // The remainder of a division by a u16 fits in a u16.
    (slot, u16::try_from(due.get().checked_rem(length).unwrap_or(0)).unwrap_or(u16::MAX))
}

impl<K: Ord + Copy> Default for Deadlines<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
impl<K> Deadlines<K> {
    pub(crate) fn heap_bytes(&self) -> usize {
        let later = self.later.values().flatten().map(Vec::capacity).sum::<usize>();
        later * size_of::<(u16, K)>() + self.soon.capacity() * size_of::<(Ms, K)>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against one heap: the same come out, in the same order, at the same moments.
        #[test]
        fn what_is_due_comes_out_in_order(steps in prop::collection::vec((0_u64..9_000, 0_u64..700), 0..200)) {
            let (mut deadlines, mut heap) = (Deadlines::new(), BinaryHeap::new());
            let mut now = 0;
            for (what, (wait, passes)) in steps.into_iter().enumerate() {
                deadlines.push(Ms::new(now + wait), what);
                heap.push(Reverse((Ms::new(now + wait), what)));
                now += passes;
                while let Some(out) = deadlines.pop_due(Ms::new(now)) {
                    prop_assert_eq!(heap.pop().map(|Reverse((_, what))| what), Some(out));
                }
                prop_assert_eq!(deadlines.next(), heap.peek().map(|Reverse((due, _))| *due));
                prop_assert_eq!(deadlines.len(), heap.len());
            }
            prop_assert!(deadlines.next().is_none_or(|due| due > Ms::new(now)));
        }
    }
}
