use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// A bucket: it refills at an even rate, up to a burst.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    each: Duration,
    burst: Duration,
}

impl Bucket {
    fn new(a_second: u32, burst: u32) -> Self {
        Self::every(Duration::from_secs(1) / a_second.max(1), burst)
    }

    fn every(each: Duration, burst: u32) -> Self {
        Self { each, burst: each.saturating_mul(burst.max(1)) }
    }

    /// When it will be full again after one more, and how long that is too early.
    fn take(self, full_at: Duration, now: Duration) -> (Duration, Duration) {
        let full_at = full_at.max(now).saturating_add(self.each);
        (full_at, full_at.saturating_sub(now).saturating_sub(self.burst))
    }
}

/// The calls of one socket.
#[derive(Debug)]
pub(crate) struct Rate {
    bucket: Bucket,
    start: Instant,
    full_at: Duration,
    refused: u32,
}

/// Whether a call may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Fine,
    /// It may in so many milliseconds; and how many were told so since the bucket was last full.
    TooFast {
        retry_ms: u64,
        refused: u32,
    },
}

impl Rate {
    pub(crate) fn new(a_second: u32, burst: u32, now: Instant) -> Self {
        Self { bucket: Bucket::new(a_second, burst), start: now, full_at: Duration::ZERO, refused: 0 }
    }

    pub(crate) fn take(&mut self, now: Instant) -> Pace {
        let now = now.duration_since(self.start);
        if self.full_at <= now {
            self.refused = 0;
        }
        let (full_at, over) = self.bucket.take(self.full_at, now);
        if over.is_zero() {
            self.full_at = full_at;
            return Pace::Fine;
        }
        self.refused = self.refused.saturating_add(1);
        Pace::TooFast { retry_ms: milliseconds(over), refused: self.refused }
    }
}

/// What many sockets do together; no lock, since all cores may count here.
#[derive(Debug)]
pub(crate) struct SharedRate {
    bucket: Bucket,
    start: Instant,
    /// Nanoseconds after the start.
    full_at: AtomicU64,
}

impl SharedRate {
    pub(crate) fn new(a_second: u32, burst: u32, now: Instant) -> Self {
        Self { bucket: Bucket::new(a_second, burst), start: now, full_at: AtomicU64::new(0) }
    }

    /// One in so much time, which may be longer than a second.
    pub(crate) fn every(each: Duration, burst: u32, now: Instant) -> Self {
        Self { bucket: Bucket::every(each, burst), start: now, full_at: AtomicU64::new(0) }
    }

    /// One more, at once; where that is too fast, in how many milliseconds it is not.
    pub(crate) fn take(&self, now: Instant) -> Result<(), u64> {
        self.reserve(now, Duration::ZERO).map(|_at_once| ())
    }

    /// One more, and how long it has to wait for that; where that is longer than `patience`, in how many
    /// milliseconds it is not.
    pub(crate) fn reserve(&self, now: Instant, patience: Duration) -> Result<Duration, u64> {
        let now = now.duration_since(self.start);
        let mut before = self.full_at.load(Ordering::Relaxed);
        loop {
            let (full_at, over) = self.bucket.take(Duration::from_nanos(before), now);
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

    /// Whether it is as if nothing had ever been taken.
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
        let mut rate = Rate::new(10, 3, start);
        let taken = |rate: &mut Rate, at: u64| rate.take(start + Duration::from_millis(at));
        assert!((0..3).all(|_| taken(&mut rate, 0) == Pace::Fine));
        assert_eq!(taken(&mut rate, 0), Pace::TooFast { retry_ms: 100, refused: 1 });
        assert_eq!(taken(&mut rate, 60), Pace::TooFast { retry_ms: 40, refused: 2 });
        assert_eq!(taken(&mut rate, 100), Pace::Fine);
        assert_eq!(taken(&mut rate, 100), Pace::TooFast { retry_ms: 100, refused: 3 }, "one good call is no calm");
        assert!((0..3).all(|_| taken(&mut rate, 10_000) == Pace::Fine));
        assert!(matches!(taken(&mut rate, 10_000), Pace::TooFast { refused: 1, .. }));
    }

    #[test]
    fn who_is_patient_gets_its_place_in_the_row() {
        let start = Instant::now();
        let (rate, second) = (SharedRate::new(10, 1, start), Duration::from_secs(1));
        let waits: Vec<_> = (0..13).map(|_| rate.reserve(start, second)).collect();
        let expected: Vec<_> = (0..11).map(|n| Ok(Duration::from_millis(100 * n))).collect();
        assert_eq!(waits[..11], expected);
        assert_eq!(waits[11..], [Err(100), Err(100)], "and who is not takes none");
    }

    #[test]
    fn many_threads_together_take_no_more_than_the_burst() {
        let start = Instant::now();
        let rate = SharedRate::new(1, 1_000, start);
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..1_000).filter(|_| rate.take(start).is_ok()).count())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 1_000);
        assert_eq!(rate.take(start), Err(1_000));
        assert!(!rate.is_full(start + Duration::from_millis(999_999)));
        assert!(rate.is_full(start + Duration::from_secs(1_000)));
    }
}
