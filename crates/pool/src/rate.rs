use std::time::{Duration, Instant};

/// A bucket of calls: it refills at an even rate, up to a burst.
#[derive(Debug)]
pub(crate) struct Rate {
    each: Duration,
    burst: Duration,
    /// When the bucket will be full again.
    full_at: Instant,
    refused: u32,
}

/// Whether a call may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Fine,
    /// It may in so many milliseconds; and how many in a row were told so.
    TooFast {
        retry_ms: u64,
        in_a_row: u32,
    },
}

impl Rate {
    pub(crate) fn new(a_second: u32, burst: u32, now: Instant) -> Self {
        let each = Duration::from_secs(1) / a_second.max(1);
        Self { each, burst: each * burst.max(1), full_at: now, refused: 0 }
    }

    pub(crate) fn take(&mut self, now: Instant) -> Pace {
        let full_at = self.full_at.max(now) + self.each;
        let over = full_at.duration_since(now).saturating_sub(self.burst);
        if over.is_zero() {
            self.full_at = full_at;
            self.refused = 0;
            return Pace::Fine;
        }
        self.refused = self.refused.saturating_add(1);
        let retry_ms = u64::try_from(over.as_millis()).unwrap_or(u64::MAX).max(1);
        Pace::TooFast { retry_ms, in_a_row: self.refused }
    }
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
        assert_eq!(taken(&mut rate, 0), Pace::TooFast { retry_ms: 100, in_a_row: 1 });
        assert_eq!(taken(&mut rate, 60), Pace::TooFast { retry_ms: 40, in_a_row: 2 });
        assert_eq!(taken(&mut rate, 100), Pace::Fine);
        assert!((0..3).all(|_| taken(&mut rate, 10_000) == Pace::Fine));
        assert!(matches!(taken(&mut rate, 10_000), Pace::TooFast { in_a_row: 1, .. }));
    }
}
