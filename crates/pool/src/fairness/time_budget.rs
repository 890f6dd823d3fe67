use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How many times slower the budget refills than it is used; part of the rules of `block_cpu_us` and `statement_time`.
const SLOWER: u32 = 4;

/// A budget of time, which refills more slowly than it is used.
///
/// It has no lock: if two threads count at the same time, the time of one may not be counted.
#[derive(Debug)]
pub(crate) struct TimeBudget {
    limit: Duration,
    start: Instant,
    /// When the budget is full again, in nanoseconds after the start.
    full_at: AtomicU64,
}

impl TimeBudget {
    pub(crate) fn new(limit: Duration, now: Instant) -> Self {
        Self { limit: limit.saturating_mul(SLOWER), start: now, full_at: AtomicU64::new(0) }
    }

    /// Whether the budget is used up, so that others come first.
    pub(crate) fn is_spent(&self, now: Instant) -> bool {
        self.owed(now) >= self.limit
    }

    /// How long the budget is still used up.
    pub(crate) fn spent_for(&self, now: Instant) -> Duration {
        self.owed(now).saturating_sub(self.limit)
    }

    /// Counts time used from `began` on. When that time ends, the debt beyond the budget is at most one budget: a single
    /// long piece of work leaves a debt too.
    pub(crate) fn spend(&self, began: Instant, used: Duration) {
        let began = began.duration_since(self.start);
        let most = began.saturating_add(used).saturating_add(self.limit.saturating_mul(2));
        let full_at = self.full_at().max(began).saturating_add(used.saturating_mul(SLOWER)).min(most);
        self.full_at.store(u64::try_from(full_at.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether the budget is full.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at() <= now.duration_since(self.start)
    }

    /// How long until the budget is full.
    fn owed(&self, now: Instant) -> Duration {
        self.full_at().saturating_sub(now.duration_since(self.start))
    }

    fn full_at(&self) -> Duration {
        Duration::from_nanos(self.full_at.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_and_comes_back_slower() {
        let start = Instant::now();
        let at = |us: u64| start + Duration::from_micros(us);
        let budget = TimeBudget::new(Duration::from_micros(100), start);
        assert!(!budget.is_spent(start) && budget.is_full(start));
        budget.spend(start, Duration::from_micros(60));
        assert!(!budget.is_spent(start) && !budget.is_full(start));
        budget.spend(at(60), Duration::from_micros(60));
        assert!(budget.is_spent(at(60)), "420 of 400");
        assert_eq!(budget.spent_for(at(60)), Duration::from_micros(20));
        assert!(!budget.is_spent(at(90)) && budget.spent_for(at(90)).is_zero(), "30 came back");
        assert!(!budget.is_full(at(479)) && budget.is_full(at(480)));
    }

    #[test]
    fn no_more_than_one_budget_is_owed() {
        let start = Instant::now();
        let budget = TimeBudget::new(Duration::from_micros(100), start);
        budget.spend(start, Duration::from_secs(9));
        let ended = start + Duration::from_secs(9);
        assert!(budget.is_spent(ended), "work that takes longer than the debt lasts");
        assert!(budget.is_spent(ended + Duration::from_micros(400)));
        assert!(!budget.is_spent(ended + Duration::from_micros(401)));
    }

    #[test]
    fn with_a_budget_of_zero_others_always_come_first() {
        let start = Instant::now();
        assert!(TimeBudget::new(Duration::ZERO, start).is_spent(start));
    }
}
