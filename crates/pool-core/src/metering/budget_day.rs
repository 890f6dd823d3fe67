use vipnode_types::Ms;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The day (UTC) for which a budget of unpaired time is valid.
#[derive(Debug)]
pub(crate) struct BudgetDay;

impl BudgetDay {
    /// Returns the milliseconds until the next day, when all budgets are renewed.
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
    fn a_day_ends_at_midnight() {
        assert_eq!((day(Ms::new(DAY_MS - 1)), BudgetDay::renewed_in(Ms::new(DAY_MS - 1))), (0, 1));
        assert_eq!((day(Ms::new(DAY_MS)), BudgetDay::renewed_in(Ms::new(DAY_MS))), (1, DAY_MS));
    }
}
