use vipnode_types::Ms;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Milliseconds used today (UTC).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DayBudget {
    day: u32,
    used_ms: u32,
}

impl DayBudget {
    pub(crate) fn add(&mut self, now: Ms, ms: u64) {
        let used = self.used(now).saturating_add(ms);
        *self = Self { day: day(now), used_ms: u32::try_from(used).unwrap_or(u32::MAX) };
    }

    pub(crate) fn used(&self, now: Ms) -> u64 {
        if self.day == day(now) { u64::from(self.used_ms) } else { 0 }
    }

    /// Returns the milliseconds until the next day.
    pub(crate) fn renewed_in(now: Ms) -> u64 {
        DAY_MS.saturating_sub(now.get() % DAY_MS)
    }
}

/// Returns the days since the Unix epoch.
pub(crate) fn day(now: Ms) -> u32 {
    u32::try_from(now.get() / DAY_MS).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_day_forgets() {
        let mut budget = DayBudget::default();
        budget.add(Ms::new(DAY_MS - 1), 500);
        budget.add(Ms::new(DAY_MS - 1), 500);
        assert_eq!(budget.used(Ms::new(DAY_MS - 1)), 1000);
        assert_eq!(budget.used(Ms::new(DAY_MS)), 0);
        assert_eq!(DayBudget::renewed_in(Ms::new(DAY_MS - 1)), 1);
    }
}
