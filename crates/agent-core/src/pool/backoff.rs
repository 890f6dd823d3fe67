use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::limits;

/// Growing waits with full jitter: each is random between zero and a bound that doubles.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first_ms: u64,
    most_ms: u64,
    bound_ms: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(limits::BACKOFF_FIRST_MS, limits::BACKOFF_MOST_MS)
    }
}

impl Backoff {
    pub(crate) const fn new(first_ms: u64, most_ms: u64) -> Self {
        Self { first_ms, most_ms, bound_ms: first_ms }
    }

    /// Returns the next wait, in milliseconds.
    pub(crate) fn next_ms(&mut self, rng: &mut ChaCha8Rng) -> u64 {
        let bound_ms = self.bound_ms;
        self.bound_ms = bound_ms.saturating_mul(2).min(self.most_ms);
        up_to(bound_ms, rng)
    }

    /// Resets the bound.
    pub(crate) fn reset(&mut self) {
        self.bound_ms = self.first_ms;
    }
}

/// Returns a number from 0 to `most`, inclusive. The bias of the remainder does not matter for jitter.
pub(crate) fn up_to(most: u64, rng: &mut ChaCha8Rng) -> u64 {
    rng.next_u64().checked_rem(most.saturating_add(1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn d41_waits_grow_to_the_bound_and_stay_there() {
        let mut rng = ChaCha8Rng::from_seed([7; 32]);
        let mut backoff = Backoff::new(1_000, 60_000);
        for attempt in 0..200u32 {
            let bound = 1_000u64.checked_shl(attempt.min(6)).unwrap().min(60_000);
            assert!(backoff.next_ms(&mut rng) <= bound, "attempt {attempt}");
        }
        // A shift or product that overflows would cause a storm of retries without a wait.
        let late: u64 = (0..100).map(|_| backoff.next_ms(&mut rng)).sum();
        assert!((2_000_000..4_000_000).contains(&late), "{late}");
        backoff.reset();
        assert!(backoff.next_ms(&mut rng) <= 1_000);
    }
}
