use std::hash::{Hash, Hasher};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};
use siphasher::sip::SipHasher13;

/// The only source of randomness in the core.
#[derive(Debug)]
pub(crate) struct SeededRng(ChaCha8Rng);

/// Keys of the hash tables, so that an outsider cannot make ids collide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys(u64, u64);

impl SeededRng {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha8Rng::from_seed(seed))
    }

    pub(crate) fn keys(&mut self) -> Keys {
        Keys(self.0.next_u64(), self.0.next_u64())
    }

    /// Returns a number below `end`, or 0 for an `end` of 0. The bias of the remainder is negligible for the selection of
    /// hosts.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.split(end).0
    }

    /// Returns where to begin a walk around a list of so many entries, and a step that leads to each of them once before it leads to
    /// the first one again.
    pub(crate) fn cycle(&mut self, len: usize) -> (usize, usize) {
        let (start, rest) = self.split(len);
        let steps = u64::try_from(len.saturating_sub(1)).unwrap_or(u64::MAX);
        let mut step = usize::try_from(rest.checked_rem(steps).unwrap_or(0)).unwrap_or(0).saturating_add(1);
        // The last possible step leads backward, one entry at a time.
        while step < len && greatest_common_divisor(step, len) > 1 {
            step = step.saturating_add(1);
        }
        (start, step)
    }

    /// Returns a random number below `end`, or 0 for an `end` of 0, and another one that is independent of it.
    fn split(&mut self, end: usize) -> (usize, u64) {
        let (end, number) = (u64::try_from(end).unwrap_or(u64::MAX), self.0.next_u64());
        let below = usize::try_from(number.checked_rem(end).unwrap_or(0)).unwrap_or(0);
        (below, number.checked_div(end).unwrap_or(0))
    }
}

fn greatest_common_divisor(mut a: usize, mut b: usize) -> usize {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

impl Keys {
    pub(crate) fn hash(self, value: &impl Hash) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        value.hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_leads_to_each_entry_once() {
        let mut rng = SeededRng::new([1; 32]);
        for len in 1..200 {
            let (start, step) = rng.cycle(len);
            let mut seen = vec![false; len];
            (0..len).for_each(|number| seen[(start + number * step) % len] = true);
            assert!(seen.into_iter().all(|seen| seen), "{len} entries from {start} by {step}");
        }
    }
}
