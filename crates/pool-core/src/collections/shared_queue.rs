use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Limits,
    collections::{address_block::AddressBlock, block_shares::BlockShares},
};

/// A queue of bounded length that address blocks share, the oldest entry first.
///
/// In a queue that just drops its oldest entry, one block could push out what all others added. Here, a block that has
/// its share loses its own oldest entry.
#[derive(Debug)]
pub(crate) struct SharedQueue<T> {
    /// By a number that grows with each entry.
    entries: BTreeMap<u64, (AddressBlock, T)>,
    /// The numbers of each block.
    own: BTreeSet<(AddressBlock, u64)>,
    shares: BlockShares,
    next: u64,
}

impl<T> SharedQueue<T> {
    pub(crate) const fn new() -> Self {
        Self { entries: BTreeMap::new(), own: BTreeSet::new(), shares: BlockShares::new(0), next: 0 }
    }

    /// Adds an entry of a block at the end, if there may be `most`. Returns its number, and the entry that makes room for it.
    /// The members of a closed pool share the whole.
    pub(crate) fn push(&mut self, block: AddressBlock, entry: T, most: u32, limits: &Limits) -> (u64, Option<T>) {
        let free = most.saturating_sub(self.shares.held());
        let has_room = free > 0 && (limits.members_only || self.shares.may_take(block, free));
        let lost = if has_room { None } else { self.loser(block).and_then(|number| self.remove(number)) };
        let number = self.next;
        self.next = number.saturating_add(1);
        self.entries.insert(number, (block, entry));
        self.own.insert((block, number));
        self.shares.take(block);
        (number, lost)
    }

    /// The entry that makes room for one of a block: its own oldest, else one of its wide block, else the oldest of all.
    fn loser(&self, block: AddressBlock) -> Option<u64> {
        let (first, wide) = (AddressBlock::from_bits(block.wide().to_bits()), block.wide());
        let own = self.own.range((block, 0)..=(block, u64::MAX)).next();
        // The blocks of a wide block are next to each other.
        let neighbor = || self.own.range((first, 0)..).next().filter(|(other, _)| other.wide() == wide);
        own.or_else(neighbor).map(|(_, number)| *number).or_else(|| self.entries.keys().next().copied())
    }

    /// Removes an entry.
    pub(crate) fn remove(&mut self, number: u64) -> Option<T> {
        let (block, entry) = self.entries.remove(&number)?;
        self.own.remove(&(block, number));
        self.shares.give_back(block);
        Some(entry)
    }

    /// The oldest entry.
    pub(crate) fn first(&self) -> Option<&T> {
        self.entries.values().next().map(|(_, entry)| entry)
    }

    /// Removes the oldest entry.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let number = *self.entries.keys().next()?;
        self.remove(number)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> AddressBlock {
        AddressBlock::of(text.parse().unwrap())
    }

    fn all(queue: &SharedQueue<u32>) -> Vec<u32> {
        queue.entries.values().map(|(_, entry)| *entry).collect()
    }

    #[test]
    fn beyond_its_share_a_block_loses_its_own_oldest_entry() {
        let limits = Limits::default();
        let mut queue = SharedQueue::new();
        queue.push(block("9.9.9.9"), 1_000, 30, &limits);
        for number in 0..100_u32 {
            let (_, lost) = queue.push(block("8.8.8.8"), number, 30, &limits);
            assert_eq!(lost, number.checked_sub(10), "a third of what is left");
        }
        assert_eq!(all(&queue), [vec![1_000], (90..100).collect()].concat());
        // Its neighbors take the rest of the half that a wide block has.
        for number in 200..300 {
            queue.push(block(&format!("8.8.{}.8", number - 190)), number, 30, &limits);
        }
        assert!(queue.len() <= 16 && all(&queue).contains(&1_000), "{:?}", all(&queue));
        assert!(all(&queue).contains(&299), "the newest is always there");
        assert_eq!((queue.shares.held() as usize, queue.own.len()), (queue.len(), queue.len()));
    }

    #[test]
    fn a_full_queue_loses_the_oldest_entry_for_one_that_has_none() {
        let limits = Limits::default();
        let mut queue = SharedQueue::new();
        for number in 0..100 {
            queue.push(block(&format!("{}.1.1.1", number + 1)), number, 3, &limits);
        }
        assert_eq!(all(&queue), [97, 98, 99]);
        assert_eq!((queue.first().copied(), queue.pop(), queue.len()), (Some(97), Some(97), 2));
        let (number, lost) = queue.push(block("1.1.1.1"), 7, 3, &limits);
        assert_eq!((lost, queue.remove(number), queue.remove(number)), (None, Some(7), None));
    }

    #[test]
    fn members_share_the_whole() {
        let closed = Limits { members_only: true, ..Limits::default() };
        let mut queue = SharedQueue::new();
        for number in 0..100 {
            queue.push(AddressBlock::ALL, number, 30, &closed);
        }
        assert_eq!(all(&queue), (70..100).collect::<Vec<_>>());
    }
}
