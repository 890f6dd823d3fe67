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
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        let number = self.0.next_u64().checked_rem(end).unwrap_or(0);
        usize::try_from(number).unwrap_or(0)
    }
}

impl Keys {
    pub(crate) fn hash(self, value: &impl Hash) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        value.hash(&mut hasher);
        hasher.finish()
    }
}
