use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vipnode_types::Ms;

use crate::engine::start_error::StartError;

/// How far the wall clock may be behind the latest time that is stored.
const MOST_BEHIND: Duration = Duration::from_secs(24 * 60 * 60);
/// How far it may be ahead: a pool that was off for longer is rare.
const MOST_AHEAD: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Pool time: the wall clock at the start, then monotonic; never earlier than the time in the stored rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EngineClock {
    base: Ms,
    start: Instant,
}

impl EngineClock {
    pub(crate) fn new() -> Self {
        Self { base: wall_clock(), start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Ms {
        self.base.plus(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Returns the clock, set forward if it is behind `floor`.
    pub(crate) fn not_before(self, floor: Ms) -> Self {
        Self { base: self.base.plus(floor.since(self.now())), ..self }
    }

    /// Returns how long it is until `moment`.
    pub(crate) fn until(&self, moment: Ms) -> Duration {
        Duration::from_millis(moment.since(self.now()))
    }
}

/// Checks the wall clock against the latest time that is stored, zero if there is none: what is billed depends on it.
///
/// # Errors
/// [`StartError::ClockBehind`] and [`StartError::ClockAhead`].
pub(super) fn check_clock(clock: Ms, stored: Ms) -> Result<(), StartError> {
    let longer_than = |ms: u64, most: Duration| Duration::from_millis(ms) > most;
    if longer_than(stored.since(clock), MOST_BEHIND) {
        return Err(StartError::ClockBehind { clock, stored });
    }
    if stored > Ms::ZERO && longer_than(clock.since(stored), MOST_AHEAD) {
        return Err(StartError::ClockAhead { clock, stored });
    }
    Ok(())
}

/// Returns the wall clock time, which dates signatures.
pub(crate) fn wall_clock() -> Ms {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ms::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_far_from_the_stored_time_is_refused() {
        const DAY: u64 = 24 * 60 * 60 * 1_000;
        let stored = Ms::new(1_700_000_000_000);
        let check = |clock| check_clock(clock, stored);
        assert!(check(stored.minus(DAY)).is_ok() && check(stored.plus(90 * DAY)).is_ok());
        assert!(matches!(check(stored.minus(DAY + 1)), Err(StartError::ClockBehind { .. })));
        assert!(matches!(check(stored.plus(90 * DAY + 1)), Err(StartError::ClockAhead { .. })));
        assert!(check_clock(stored, Ms::ZERO).is_ok(), "a new pool");
    }

    #[test]
    fn keeps_to_the_floor() {
        let floor = wall_clock().plus(1_000_000);
        assert!(EngineClock::new().not_before(floor).now() >= floor);
        let clock = EngineClock::new();
        assert!(clock.not_before(Ms::new(5)).now() <= wall_clock().plus(1));
    }
}
