use vipnode_types::Ms;

use crate::metering::budget_day::day;

/// Days whose billed time is remembered.
const DAYS: usize = 7;

/// The time that a client and a host spent together: billed on each of seven days, and today's that only the host
/// reported. Days are those of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PairWeek {
    /// The last day with any time, in days since the Unix epoch.
    pub day: u32,
    /// Milliseconds of that day that only the host reported.
    pub unpaired_ms: u32,
    /// The part of `unpaired_ms` that counts against the client's budget.
    pub counted_ms: u32,
    /// The part of `counted_ms` that counts against the budget of the client's address block too.
    pub block_ms: u32,
    /// Milliseconds billed on that day and the six before it; a day's place is its number modulo seven.
    pub billed_ms: [u32; DAYS],
}

impl PairWeek {
    /// Returns it as of a moment: a later day has no unpaired time yet, and forgets what was billed a week ago.
    pub(crate) fn at(self, now: Ms) -> Self {
        self.on(day(now))
    }

    fn on(mut self, today: u32) -> Self {
        if today > self.day {
            let passed = today.saturating_sub(self.day).min(7);
            for back in 0..passed {
                self.set_billed(today.saturating_sub(back), 0);
            }
            self = Self { day: today, unpaired_ms: 0, counted_ms: 0, block_ms: 0, ..self };
        }
        self
    }

    /// Adds billed time of its day, in milliseconds.
    pub(crate) fn add_billed(&mut self, ms: u64) {
        self.set_billed(self.day, add(self.billed_today(), ms));
    }

    /// Adds unpaired time of its day, in milliseconds. Of all that day's, `most_ms` count. Returns how much more counts
    /// than before; `in_block` is whether that counts against the address block too.
    pub(crate) fn add_unpaired(&mut self, ms: u64, most_ms: u64, in_block: bool) -> u64 {
        self.unpaired_ms = add(self.unpaired_ms, ms);
        let counted = self.unpaired_ms.min(u32::try_from(most_ms).unwrap_or(u32::MAX));
        let more = counted.saturating_sub(self.counted_ms);
        self.counted_ms = self.counted_ms.max(counted);
        if in_block {
            self.block_ms = self.block_ms.saturating_add(more);
        }
        more.into()
    }

    /// Adds the time of another pair, of the same day.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.unpaired_ms = self.unpaired_ms.saturating_add(other.unpaired_ms);
        self.counted_ms = self.counted_ms.saturating_add(other.counted_ms);
        self.block_ms = self.block_ms.saturating_add(other.block_ms);
        for (own, more) in self.billed_ms.iter_mut().zip(other.billed_ms) {
            *own = own.saturating_add(more);
        }
    }

    /// Returns it with the time of another pair added, as of the later day of the two.
    pub(crate) fn joined(self, other: &Self) -> Self {
        let day = self.day.max(other.day);
        let mut both = self.on(day);
        both.merge(&other.on(day));
        both
    }

    /// Milliseconds billed on its day.
    pub(crate) fn billed_today(&self) -> u32 {
        self.billed_ms.get(place(self.day)).copied().unwrap_or(0)
    }

    /// Milliseconds billed on all seven days.
    pub(crate) fn billed_week(&self) -> u64 {
        self.billed_ms.iter().fold(0, |sum, ms| sum.saturating_add(u64::from(*ms)))
    }

    /// Whether nothing is left to remember.
    pub(crate) fn is_empty(&self) -> bool {
        self.unpaired_ms == 0 && self.billed_week() == 0
    }

    fn set_billed(&mut self, day: u32, ms: u32) {
        if let Some(billed) = self.billed_ms.get_mut(place(day)) {
            *billed = ms;
        }
    }
}

fn place(day: u32) -> usize {
    (day % 7) as usize
}

fn add(ms: u32, more: u64) -> u32 {
    u32::try_from(u64::from(ms).saturating_add(more)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY_MS: u64 = 24 * 60 * 60 * 1000;

    proptest! {
        /// Against a list of what was billed on which day.
        #[test]
        fn a_week_is_remembered(steps in prop::collection::vec((0_u64..10, 1_u64..1000), 1..40)) {
            let (mut time, mut today, mut billed) = (PairWeek::default(), 20_000, Vec::new());
            for (passes, ms) in steps {
                today += passes;
                time = time.at(Ms::new(today * DAY_MS + 5));
                time.add_billed(ms);
                billed.push((today, ms));
                let sum = |since: u64| billed.iter().filter(|(day, _)| *day >= since).map(|(_, ms)| ms).sum::<u64>();
                prop_assert_eq!(time.billed_week(), sum(today - 6));
                prop_assert_eq!(u64::from(time.billed_today()), sum(today));
            }
            prop_assert!(time.at(Ms::new((today + 7) * DAY_MS)).is_empty());
        }
    }

    #[test]
    fn unpaired_time_counts_up_to_a_bound_and_for_one_day() {
        let now = Ms::new(20_000 * DAY_MS);
        let mut time = PairWeek::default().at(now);
        assert_eq!(time.add_unpaired(60, 100, true), 60);
        assert_eq!(time.add_unpaired(60, 100, false), 40);
        assert_eq!(time.add_unpaired(60, 100, true), 0);
        assert_eq!(time.add_unpaired(0, 150, true), 50, "a larger bound counts what it did not before");
        assert_eq!((time.unpaired_ms, time.counted_ms, time.block_ms), (180, 150, 110));
        let tomorrow = time.at(now.plus(DAY_MS));
        assert_eq!((tomorrow.unpaired_ms, tomorrow.counted_ms, tomorrow.block_ms), (0, 0, 0));
    }
}
