use std::{cmp::Reverse, collections::BinaryHeap};

use vipnode_types::Ms;

/// Moments to look at something again, re-armed lazily: whoever takes one out asks the thing itself
/// whether it is due, and puts it back otherwise.
///
/// A heap, not a first-in-first-out list: an agent re-armed from its last report is due sooner than
/// one that connected later, and behind it in a list it would be judged up to a whole duration late.
#[derive(Debug)]
pub(crate) struct Deadlines<K>(BinaryHeap<Reverse<(Ms, K)>>);

impl<K: Ord + Copy> Deadlines<K> {
    pub(crate) const fn new() -> Self {
        Self(BinaryHeap::new())
    }

    pub(crate) fn push(&mut self, due: Ms, what: K) {
        self.0.push(Reverse((due, what)));
    }

    /// The next that is due by `now`, taken out.
    pub(crate) fn pop_due(&mut self, now: Ms) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, what))| what)
    }

    /// When the next is due.
    pub(crate) fn next(&self) -> Option<Ms> {
        self.0.peek().map(|Reverse((due, _))| *due)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
impl<K> Deadlines<K> {
    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(Ms, K)>()
    }
}
