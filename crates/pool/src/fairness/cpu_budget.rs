use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// So much longer than it was used the core's time takes to come back: a part of the rule of `block_stretch_us`.
const SLOWER: u32 = 4;

/// The time of a core that somebody uses at a stretch.
///
/// No lock and no exchange: where two cores count at the same moment one may get its time for nothing.
#[derive(Debug)]
pub(crate) struct Stretch {
    limit: Duration,
    start: Instant,
    /// Nanoseconds after the start at which all is earned back.
    whole_at: AtomicU64,
}

impl Stretch {
    pub(crate) fn new(limit: Duration, now: Instant) -> Self {
        Self { limit: limit.saturating_mul(SLOWER), start: now, whole_at: AtomicU64::new(0) }
    }

    /// Whether somebody else comes first now.
    pub(crate) fn is_spent(&self, now: Instant) -> bool {
        self.whole_at().saturating_sub(now.duration_since(self.start)) >= self.limit
    }

    /// At `now` it began to use so much. No more than one stretch is owed beyond the first.
    pub(crate) fn spend(&self, now: Instant, used: Duration) {
        let now = now.duration_since(self.start);
        let most = now.saturating_add(self.limit.saturating_mul(2));
        let whole_at = self.whole_at().max(now).saturating_add(used.saturating_mul(SLOWER)).min(most);
        self.whole_at.store(u64::try_from(whole_at.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether it is as if nothing had ever been used.
    pub(crate) fn is_whole(&self, now: Instant) -> bool {
        self.whole_at() <= now.duration_since(self.start)
    }

    fn whole_at(&self) -> Duration {
        Duration::from_nanos(self.whole_at.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_used_and_comes_back_slower() {
        let start = Instant::now();
        let at = |us: u64| start + Duration::from_micros(us);
        let stretch = Stretch::new(Duration::from_micros(100), start);
        assert!(!stretch.is_spent(start) && stretch.is_whole(start));
        stretch.spend(start, Duration::from_micros(60));
        assert!(!stretch.is_spent(start) && !stretch.is_whole(start));
        stretch.spend(at(60), Duration::from_micros(60));
        assert!(stretch.is_spent(at(60)), "480 of 400");
        assert!(!stretch.is_spent(at(90)), "80 came back");
        assert!(!stretch.is_whole(at(479)) && stretch.is_whole(at(480)));
    }

    #[test]
    fn no_more_than_a_stretch_is_owed() {
        let start = Instant::now();
        let stretch = Stretch::new(Duration::from_micros(100), start);
        stretch.spend(start, Duration::from_secs(9));
        assert!(stretch.is_spent(start + Duration::from_micros(400)));
        assert!(!stretch.is_spent(start + Duration::from_micros(401)));
    }

    #[test]
    fn without_a_limit_of_time_somebody_else_always_comes_first() {
        let start = Instant::now();
        assert!(Stretch::new(Duration::ZERO, start).is_spent(start));
    }
}
