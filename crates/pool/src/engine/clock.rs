use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vipnode_types::Ms;

/// Pool time: the wall clock at the start, then monotonic; never before the floor that the store
/// kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PoolClock {
    base: Ms,
    start: Instant,
}

impl PoolClock {
    pub(crate) fn new() -> Self {
        Self { base: wall_clock(), start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Ms {
        self.base.plus(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// The same clock, set forward where it is behind `floor`.
    pub(crate) fn not_before(self, floor: Ms) -> Self {
        Self { base: self.base.plus(floor.since(self.now())), ..self }
    }

    /// How long until `moment`.
    pub(crate) fn until(&self, moment: Ms) -> Duration {
        Duration::from_millis(moment.since(self.now()))
    }
}

/// The wall clock, which signatures are dated by.
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
        assert!(PoolClock::new().not_before(floor).now() >= floor);
        let clock = PoolClock::new();
        assert!(clock.not_before(Ms::new(5)).now() <= wall_clock().plus(1));
    }
}
