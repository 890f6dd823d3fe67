use vipnode_types::Ms;

use crate::Limits;

/// Pool time, and the time in which the pool itself was not there. It reads no clock: moments are handed in.
#[derive(Debug)]
pub(crate) struct PoolClock {
    /// The latest moment handed in, never earlier than what the rows say.
    now: Ms,
    started: Ms,
    /// An agent is not silent if it reported, or could not report, up to here.
    grace: Ms,
    window_ends: Ms,
    /// When the pool itself last came back, from a start or a pause.
    resumed: Ms,
    /// Until when offers from before `resumed` wait for their sides to come back.
    offers_wait: Ms,
}

impl PoolClock {
    /// A pool that starts now and had no agents before.
    pub(crate) const fn new(now: Ms) -> Self {
        Self { now, started: now, grace: Ms::ZERO, window_ends: Ms::ZERO, resumed: now, offers_wait: Ms::ZERO }
    }

    /// A pool that starts now and had agents before: they have a reconnect window.
    pub(crate) fn restarted(now: Ms, limits: &Limits) -> Self {
        let mut clock = Self::new(now);
        clock.open_window(now, limits);
        clock
    }

    pub(crate) const fn now(&self) -> Ms {
        self.now
    }

    /// When the pool started.
    pub(crate) const fn started(&self) -> Ms {
        self.started
    }

    /// The end of the reconnect window: until then no agent is evicted or forgotten for being absent.
    pub(crate) const fn window_ends(&self) -> Ms {
        self.window_ends
    }

    /// Until when offers from before the pool's own absence wait for their sides.
    pub(crate) const fn offers_wait(&self) -> Ms {
        self.offers_wait
    }

    /// Takes a moment that is not before the present one. Time in which the pool itself was absent is no
    /// agent's silence; true where that was so.
    pub(crate) fn advance(&mut self, now: Ms, limits: &Limits) -> bool {
        let gap = now.since(self.now);
        let paused = gap > limits.tick_ms.saturating_mul(10);
        if paused && gap > limits.silence_ms {
            // Sockets are gone too: as after a start.
            self.open_window(now, limits);
        } else if paused {
            self.grace = self.grace.max(now);
            self.resumed = now;
            self.offers_wait = self.offers_wait.max(now.plus(limits.offer_ms));
        }
        self.now = now;
        paused
    }

    /// Begins the time in which agents come back and none is judged.
    fn open_window(&mut self, now: Ms, limits: &Limits) {
        self.window_ends = now.plus(limits.reconnect_window_ms);
        self.resumed = now;
        self.offers_wait = self.window_ends.plus(limits.offer_ms);
        self.grace = self.grace.max(self.window_ends.minus(limits.silence_ms)).max(now);
    }

    /// The last moment at which an agent that was last seen at `seen` does not count as silent.
    pub(crate) fn silent_after(&self, seen: Ms, limits: &Limits) -> Ms {
        seen.max(self.grace).plus(limits.silence_ms)
    }

    /// Whether an agent that was last seen at `seen` has said nothing for too long.
    pub(crate) fn is_silent(&self, seen: Ms, limits: &Limits) -> bool {
        self.now > self.silent_after(seen, limits)
    }

    /// Whether an offer is older than the pool's own absence and its sides may still be on their way back.
    pub(crate) fn awaits_sides(&self, offered: Ms) -> bool {
        self.now < self.offers_wait && offered < self.resumed
    }
}
