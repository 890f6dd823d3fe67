use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vipnode_types::Ms;

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

/// Returns the wall clock time, which dates signatures.
pub(crate) fn wall_clock() -> Ms {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ms::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_to_the_floor() {
        let floor = wall_clock().plus(1_000_000);
        assert!(EngineClock::new().not_before(floor).now() >= floor);
        let clock = EngineClock::new();
        assert!(clock.not_before(Ms::new(5)).now() <= wall_clock().plus(1));
    }
}
