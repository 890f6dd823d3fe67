use vipnode_types::Ms;

use crate::EPOCH_MS;

/// Which virtual time each moment of pool time is: after a start, a pool whose wall clock moved goes on at another time.
#[derive(Debug)]
pub struct ClockMap {
    /// When the pool started, in pool time and in virtual ms; the newest last.
    starts: Vec<(Ms, u64)>,
}

impl Default for ClockMap {
    fn default() -> Self {
        Self { starts: vec![(Ms::new(EPOCH_MS), 0)] }
    }
}

impl ClockMap {
    /// The pool starts at a moment of pool time, at virtual time `now`. What it knew of later moments is lost.
    pub fn started(&mut self, at: Ms, now: u64) {
        self.starts.retain(|(start, _)| *start < at);
        self.starts.push((at, now));
    }

    /// Returns the virtual time of a moment of pool time. While the pool did not run, no later time passed than until its start.
    #[must_use]
    pub fn virtual_ms(&self, at: Ms) -> u64 {
        let after = self.starts.partition_point(|(start, _)| *start <= at);
        let (start, now) = after.checked_sub(1).map_or((Ms::new(EPOCH_MS), 0), |newest| self.starts[newest]);
        let passed = now + at.since(start);
        self.starts.get(after).map_or(passed, |(_, next)| passed.min(*next))
    }

    /// Returns how much of the pool time between two moments did not pass, in ms.
    #[must_use]
    pub fn false_ms(&self, from: Ms, to: Ms) -> u64 {
        to.since(from).saturating_sub(self.virtual_ms(to).saturating_sub(self.virtual_ms(from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_did_not_pass_is_that_by_which_the_clock_moved() {
        let at = |ms: u64| Ms::new(EPOCH_MS + ms);
        let mut map = ClockMap::default();
        assert_eq!((map.virtual_ms(at(7)), map.false_ms(at(2), at(9))), (7, 0));
        // The pool stopped at 100, and started 20 ms later with a clock that is 1,000 ms ahead.
        map.started(at(1_120), 120);
        assert_eq!((map.virtual_ms(at(100)), map.virtual_ms(at(1_000)), map.virtual_ms(at(1_130))), (100, 120, 130));
        assert_eq!((map.false_ms(at(90), at(1_130)), map.false_ms(at(1_121), at(1_130))), (1_000, 0));
        // What it did in the last 5 ms of 80 is lost.
        map.started(at(1_195), 230);
        assert_eq!((map.virtual_ms(at(1_195)), map.virtual_ms(at(1_200))), (230, 235));
    }
}
