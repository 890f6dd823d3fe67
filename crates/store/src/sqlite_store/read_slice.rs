use std::time::{Duration, Instant};

/// How long a read runs before it lets other threads run.
const SLICE: Duration = Duration::from_micros(100);

/// The time for which a read has run without letting other threads run.
///
/// A scheduler may let a thread that computes run for several milliseconds before one that wakes up, such as the one that commits.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadSlice {
    began: Instant,
}

impl ReadSlice {
    pub(super) const fn begin(now: Instant) -> Self {
        Self { began: now }
    }

    /// Whether others should run now. If so, the next slice begins.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        let is_over = now.saturating_duration_since(self.began) >= SLICE;
        if is_over {
            self.began = now;
        }
        is_over
    }

    /// Lets others run if the slice is over.
    pub(super) fn yield_if_over(&mut self, now: Instant) {
        if self.is_over(now) {
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_run_once_in_each_slice() {
        let began = Instant::now();
        let at = |us| began + Duration::from_micros(us);
        let mut slice = ReadSlice::begin(began);
        let over: Vec<u64> = (0..350).step_by(10).filter(|us| slice.is_over(at(*us))).collect();
        assert_eq!(over, [100, 200, 300]);
    }
}
