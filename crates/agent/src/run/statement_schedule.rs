use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use vipnode_types::{Ms, UtcDay};

use crate::limits::StatementLimits;

/// When a host asks its pool for the statement of which day. It reads no clock.
#[derive(Debug)]
pub(super) struct StatementSchedule {
    /// Days back that are asked for.
    days: u32,
    /// From the end of a day until its statement is asked for.
    wait_ms: u64,
    /// Days that need not be asked for any more, within the days back.
    done: BTreeSet<UtcDay>,
    /// When each day is asked for again, if the pool refused it.
    refused: BTreeMap<UtcDay, Ms>,
    /// Nothing is asked for earlier.
    pause: Ms,
}

/// What a [`StatementSchedule`] requires next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStatement {
    /// To ask for a statement now.
    Of(UtcDay),
    /// To wait until this time.
    At(Ms),
}

/// The pool states what it posted on a day once its clock is past that day, and writes its clock from time to time.
const CLOSING_MS: u64 = 5 * 60 * 1_000;
/// A day that the pool refuses is asked for again this much later.
const REFUSED_MS: u64 = 6 * 60 * 60 * 1_000;

impl StatementSchedule {
    /// `random` selects the moment within the time that the limits allow; `done` are the days that the host has.
    pub(super) fn new(limits: &StatementLimits, random: u64, done: BTreeSet<UtcDay>) -> Self {
        let longest = ms(limits.daily_statement_wait);
        let wait_ms = random.checked_rem(longest.saturating_add(1)).unwrap_or_default();
        Self { days: limits.daily_statement_days, wait_ms, done, refused: BTreeMap::new(), pause: Ms::ZERO }
    }

    /// Returns what to do next: the earliest day that is missing comes first.
    pub(super) fn next(&mut self, now: Ms) -> NextStatement {
        let today = UtcDay::of(now);
        let earliest = today.minus_days(self.days);
        self.done.retain(|day| *day >= earliest);
        self.refused.retain(|day, _| *day >= earliest);
        let missing = (0..=self.days).rev().map(|back| today.minus_days(back)).filter(|day| !self.done.contains(day));
        let due = missing.map(|day| (self.due(day), day)).min_by_key(|(due, day)| ((*due).max(now), *day));
        match due {
            Some((due, day)) if due <= now => NextStatement::Of(day),
            Some((due, _)) => NextStatement::At(due),
            None => NextStatement::At(today.end()),
        }
    }

    fn due(&self, day: UtcDay) -> Ms {
        let over = day.end().plus(CLOSING_MS.min(self.wait_ms)).plus(self.wait_ms);
        let refused = self.refused.get(&day).copied().unwrap_or_default();
        over.max(refused).max(self.pause)
    }

    /// The statement of a day is there, or never will be.
    pub(super) fn done(&mut self, day: UtcDay) {
        self.refused.remove(&day);
        self.done.insert(day);
    }

    /// The pool refused a day.
    pub(super) fn refused(&mut self, day: UtcDay, now: Ms) {
        self.refused.insert(day, now.plus(REFUSED_MS));
    }

    /// Nothing can be asked for a while.
    pub(super) fn pause(&mut self, until: Ms) {
        self.pause = until;
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    fn schedule(days: u32, wait: u64, done: &[UtcDay]) -> StatementSchedule {
        let daily_statement_wait = Duration::from_millis(wait);
        let limits = StatementLimits { daily_statement_days: days, daily_statement_wait, ..StatementLimits::default() };
        StatementSchedule::new(&limits, wait, done.iter().copied().collect())
    }

    fn day(text: &str) -> UtcDay {
        text.parse().unwrap()
    }

    #[test]
    fn missing_days_are_asked_for_once_they_are_over_the_earliest_first() {
        let [first, second, third] = ["2026-11-28", "2026-11-29", "2026-11-30"].map(day);
        let mut schedule = schedule(2, 30 * MINUTE, &[]);
        let now = third.start().plus(60 * MINUTE);
        assert_eq!(schedule.next(now), NextStatement::Of(first), "not those before");
        schedule.done(first);
        assert_eq!(schedule.next(now), NextStatement::Of(second));
        schedule.done(second);
        // The pool's clock, and the random moment.
        let due = third.end().plus(35 * MINUTE);
        assert_eq!(schedule.next(now), NextStatement::At(due));
        assert_eq!(schedule.next(due.minus(1)), NextStatement::At(due));
        assert_eq!(schedule.next(due), NextStatement::Of(third));
    }

    #[test]
    fn what_was_kept_is_not_asked_for_and_what_is_too_early_waits() {
        let [second, third] = ["2026-11-29", "2026-11-30"].map(day);
        let now = third.start().plus(MINUTE);
        let mut early = schedule(1, 30 * MINUTE, &[]);
        assert_eq!(early.next(now), NextStatement::At(second.end().plus(35 * MINUTE)));
        let mut kept = schedule(1, 0, &[second]);
        assert_eq!(kept.next(now), NextStatement::At(third.end()), "at once: the wait is zero");
    }

    #[test]
    fn a_refused_day_does_not_delay_the_others() {
        let [first, second, third] = ["2026-11-28", "2026-11-29", "2026-11-30"].map(day);
        let mut schedule = schedule(2, 0, &[]);
        let now = third.start().plus(MINUTE);
        schedule.refused(first, now);
        assert_eq!(schedule.next(now), NextStatement::Of(second));
        schedule.done(second);
        assert_eq!(schedule.next(now), NextStatement::At(now.plus(REFUSED_MS)));
        assert_eq!(schedule.next(now.plus(REFUSED_MS)), NextStatement::Of(first));
        schedule.pause(now.plus(REFUSED_MS + MINUTE));
        assert_eq!(schedule.next(now.plus(REFUSED_MS)), NextStatement::At(now.plus(REFUSED_MS + MINUTE)));
    }

    #[test]
    fn the_moment_is_within_the_wait() {
        let limits = StatementLimits { daily_statement_wait: Duration::from_millis(10), ..StatementLimits::default() };
        for random in [0, 10, 11, 12, u64::MAX] {
            assert!(StatementSchedule::new(&limits, random, BTreeSet::new()).wait_ms <= 10);
        }
    }
}
