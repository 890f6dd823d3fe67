//! The time on this machine.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::{Duration, Instant};
use vipnode_types::Ms;

/// The agent core's clock: milliseconds since the Unix epoch at the start, monotonic from there on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    at_start: Ms,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), at_start: wall() }
    }

    pub(crate) fn now(&self) -> Ms {
        self.at_start.plus(millis(self.started.elapsed()))
    }

    /// The instant of a moment; one further than a day ahead is cut to a day, and the loop waits again.
    pub(crate) fn instant(&self, moment: Ms) -> Instant {
        let wait = moment.since(self.now()).min(24 * 60 * 60 * 1000);
        Instant::now() + Duration::from_millis(wait)
    }
}

/// The wall clock of this machine.
#[must_use]
pub fn wall() -> Ms {
    Ms::new(SystemTime::now().duration_since(UNIX_EPOCH).map(millis).unwrap_or_default())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
