use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// The tokens of one socket: a call takes one.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    refill: Refill,
    start: Instant,
    full_at: Duration,
    refused: u32,
}

/// How a bucket refills: at an even rate, up to a burst.
#[derive(Debug, Clone, Copy)]
struct Refill {
    /// The time to refill one token.
    each: Duration,
    /// The time to refill a whole burst.
    burst: Duration,
}

impl Refill {
    fn new(a_second: u32, burst: u32) -> Self {
        Self::every(Duration::from_secs(1) / a_second.max(1), burst)
    }

    fn every(each: Duration, burst: u32) -> Self {
        Self { each, burst: each.saturating_mul(burst.max(1)) }
    }

    /// Returns when the bucket is full again after one more token is taken, and how long that token is missing.
    fn take(self, full_at: Duration, now: Duration, tokens: u32) -> (Duration, Duration) {
        let full_at = full_at.max(now).saturating_add(self.each.saturating_mul(tokens));
        (full_at, full_at.saturating_sub(now).saturating_sub(self.burst))
    }
}

/// Whether there was a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Fine,
    TooFast {
        /// When the next token is there, in milliseconds.
        retry_ms: u64,
        /// How often there was no token since the bucket was last full.
        refused: u32,
    },
}

impl TokenBucket {
    pub(crate) fn new(a_second: u32, burst: u32, now: Instant) -> Self {
        Self { refill: Refill::new(a_second, burst), start: now, full_at: Duration::ZERO, refused: 0 }
    }

    /// Takes a token.
    pub(crate) fn take(&mut self, now: Instant) -> Pace {
        let now = now.duration_since(self.start);
        if self.full_at <= now {
            self.refused = 0;
        }
        let (full_at, over) = self.refill.take(self.full_at, now, 1);
        if over.is_zero() {
            self.full_at = full_at;
            return Pace::Fine;
        }
        self.refused = self.refused.saturating_add(1);
        Pace::TooFast { retry_ms: milliseconds(over), refused: self.refused }
    }

    /// Takes the further tokens of a large call, which may be missing: the next calls wait for them.
    pub(crate) fn owe(&mut self, tokens: u32, now: Instant) {
        self.full_at = self.refill.take(self.full_at, now.duration_since(self.start), tokens).0;
    }
}

/// The tokens that many sockets share; without a lock, because all threads use it.
#[derive(Debug)]
pub(crate) struct SharedTokenBucket {
    refill: Refill,
    start: Instant,
    /// When the bucket is full again, in nanoseconds after the start.
    full_at: AtomicU64,
}

impl SharedTokenBucket {
    pub(crate) fn new(a_second: u32, burst: u32, now: Instant) -> Self {
        Self { refill: Refill::new(a_second, burst), start: now, full_at: AtomicU64::new(0) }
    }

    /// Returns a bucket that refills one token per `each`, which may be longer than a second.
    pub(crate) fn every(each: Duration, burst: u32, now: Instant) -> Self {
        Self { refill: Refill::every(each, burst), start: now, full_at: AtomicU64::new(0) }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The milliseconds until there is a token.
    pub(crate) fn take(&self, now: Instant) -> Result<(), u64> {
        self.reserve(now, Duration::ZERO).map(|_at_once| ())
    }

    /// Takes a token that may come later. Returns how long to wait for it.
    ///
    /// # Errors
    /// The token would come later than after `patience`: the milliseconds until it would not.
    pub(crate) fn reserve(&self, now: Instant, patience: Duration) -> Result<Duration, u64> {
        self.reserve_many(1, now, patience)
    }

    /// The same for several tokens at once.
    ///
    /// # Errors
    /// See [`Self::reserve`].
    pub(crate) fn reserve_many(&self, tokens: u32, now: Instant, patience: Duration) -> Result<Duration, u64> {
        let now = now.duration_since(self.start);
        let mut before = self.full_at.load(Ordering::Relaxed);
        loop {
            let (full_at, over) = self.refill.take(Duration::from_nanos(before), now, tokens);
            if over > patience {
                return Err(milliseconds(over.saturating_sub(patience)));
            }
            let after = u64::try_from(full_at.as_nanos()).unwrap_or(u64::MAX);
            match self.full_at.compare_exchange_weak(before, after, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(over),
                Err(other) => before = other,
            }
        }
    }

    /// Whether no token is missing.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        Duration::from_nanos(self.full_at.load(Ordering::Relaxed)) <= now.duration_since(self.start)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d4_a_burst_and_then_an_even_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(10, 3, start);
        let taken = |bucket: &mut TokenBucket, at: u64| bucket.take(start + Duration::from_millis(at));
        assert!((0..3).all(|_| taken(&mut bucket, 0) == Pace::Fine));
        assert_eq!(taken(&mut bucket, 0), Pace::TooFast { retry_ms: 100, refused: 1 });
        assert_eq!(taken(&mut bucket, 60), Pace::TooFast { retry_ms: 40, refused: 2 });
        assert_eq!(taken(&mut bucket, 100), Pace::Fine);
        assert_eq!(
            taken(&mut bucket, 100),
            Pace::TooFast { retry_ms: 100, refused: 3 },
            "one good call does not reset the count"
        );
        assert!((0..3).all(|_| taken(&mut bucket, 10_000) == Pace::Fine));
        assert!(matches!(taken(&mut bucket, 10_000), Pace::TooFast { refused: 1, .. }));
    }

    #[test]
    fn the_calls_after_a_large_one_wait_for_its_tokens() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(10, 3, start);
        assert_eq!(bucket.take(start), Pace::Fine);
        bucket.owe(12, start);
        assert_eq!(bucket.take(start), Pace::TooFast { retry_ms: 1_100, refused: 1 });
        assert_eq!(bucket.take(start + Duration::from_millis(1_100)), Pace::Fine);
    }

    #[test]
    fn a_patient_caller_waits_for_its_token() {
        let start = Instant::now();
        let (bucket, second) = (SharedTokenBucket::new(10, 1, start), Duration::from_secs(1));
        let waits: Vec<_> = (0..13).map(|_| bucket.reserve(start, second)).collect();
        let expected: Vec<_> = (0..11).map(|n| Ok(Duration::from_millis(100 * n))).collect();
        assert_eq!(waits[..11], expected);
        assert_eq!(waits[11..], [Err(100), Err(100)], "and an impatient one takes none");
    }

    #[test]
    fn many_threads_together_take_no_more_than_the_burst() {
        let start = Instant::now();
        let bucket = SharedTokenBucket::new(1, 1_000, start);
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..1_000).filter(|_| bucket.take(start).is_ok()).count())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 1_000);
        assert_eq!(bucket.take(start), Err(1_000));
        assert!(!bucket.is_full(start + Duration::from_millis(999_999)));
        assert!(bucket.is_full(start + Duration::from_secs(1_000)));
    }
}
