use vipnode_types::Ms;

use crate::Limits;

/// Pool time, and the pool's own downtime. It reads no clock: callers pass the time.
#[derive(Debug)]
pub(crate) struct PoolClock {
    /// The latest time passed in, never earlier than the latest time in the rows.
    now: Ms,
    started: Ms,
    /// Until then, no agent counts as silent, because it could not have reported.
    grace: Ms,
    window_ends: Ms,
    /// When the reconnect window last began.
    window_began: Ms,
    /// When the pool last resumed, after a start or a pause.
    resumed: Ms,
    /// When that pause began; zero for a start, because a pool that starts has also forgotten what it heard last.
    paused: Ms,
    /// Until then, offers from before `resumed` wait for their sides to reconnect.
    offers_wait: Ms,
    /// How far pool time is ahead of the wall clock, in milliseconds.
    ahead_ms: u64,
    /// How far pool time is behind the wall clock, in milliseconds.
    behind_ms: u64,
}

impl PoolClock {
    /// Returns the clock of a pool that starts now and had no agents before.
    pub(crate) const fn new(now: Ms) -> Self {
        Self {
            now,
            started: now,
            grace: Ms::ZERO,
            window_ends: Ms::ZERO,
            window_began: Ms::ZERO,
            resumed: now,
            paused: Ms::ZERO,
            offers_wait: Ms::ZERO,
            ahead_ms: 0,
            behind_ms: 0,
        }
    }

    /// Returns the clock of a pool that starts now and had agents before, which get a reconnect window.
    pub(crate) fn restarted(now: Ms, limits: &Limits) -> Self {
        let mut clock = Self::new(now);
        clock.open_window(now, limits);
        clock
    }

    pub(crate) const fn now(&self) -> Ms {
        self.now
    }

    /// Sets which time the wall clock shows at a moment of pool time.
    pub(crate) const fn set_wall(&mut self, now: Ms, wall: Ms) {
        (self.ahead_ms, self.behind_ms) = (now.since(wall), wall.since(now));
    }

    /// Returns which time the wall clock shows at a moment of pool time. It dates what others sign: pool time stays ahead if the
    /// wall clock was ahead once.
    pub(crate) const fn wall(&self, at: Ms) -> Ms {
        at.minus(self.ahead_ms).plus(self.behind_ms)
    }

    /// When the pool started.
    pub(crate) const fn started(&self) -> Ms {
        self.started
    }

    /// When the pool last resumed, after a start or a pause. What it did not hear before then may be its own loss.
    pub(crate) const fn resumed(&self) -> Ms {
        self.resumed
    }

    /// How much of the time between two moments the pool lost itself, in milliseconds: up to its start, because it has forgotten what it
    /// heard before, and in its last pause since. What it did not hear at other times is not its own loss.
    pub(crate) fn lost_ms(&self, from: Ms, until: Ms) -> u64 {
        let by_start = until.min(self.started).since(from);
        let by_pause = until.min(self.resumed).since(from.max(self.paused).max(self.started));
        by_start.saturating_add(by_pause)
    }

    /// The end of the reconnect window: until then no agent is evicted or forgotten for being absent.
    pub(crate) const fn window_ends(&self) -> Ms {
        self.window_ends
    }

    /// While the reconnect window is open, returns when it began.
    pub(crate) fn in_window_since(&self) -> Option<Ms> {
        (self.now < self.window_ends).then_some(self.window_began)
    }

    /// Until then, offers from before the pool's own downtime wait for their sides.
    pub(crate) const fn offers_wait(&self) -> Ms {
        self.offers_wait
    }

    /// Advances to `now`, which is not before the current time. The pool's own downtime does not count as silence of
    /// agents; returns true if there was a downtime.
    pub(crate) fn advance(&mut self, now: Ms, limits: &Limits) -> bool {
        let gap = now.since(self.now);
        let paused = gap > limits.tick_ms.saturating_mul(10);
        if paused {
            self.paused = self.now;
        }
        if paused && gap > limits.silence_ms {
            // Sockets are gone too, as after a start.
            self.open_window(now, limits);
        } else if paused {
            self.grace = self.grace.max(now);
            self.resumed = now;
            self.offers_wait = self.offers_wait.max(now.plus(limits.offer_ms));
        }
        self.now = now;
        paused
    }

    /// Opens the window in which agents reconnect and none counts as silent.
    fn open_window(&mut self, now: Ms, limits: &Limits) {
        self.window_ends = now.plus(limits.reconnect_window_ms);
        self.window_began = now;
        self.resumed = now;
        self.offers_wait = self.window_ends.plus(limits.offer_ms);
        self.grace = self.grace.max(self.window_ends.minus(limits.silence_ms)).max(now);
    }

    /// Returns the time after which an agent last seen at `seen` counts as silent.
    pub(crate) fn silent_after(&self, seen: Ms, limits: &Limits) -> Ms {
        seen.max(self.grace).plus(limits.silence_ms)
    }

    /// Whether an agent last seen at `seen` counts as silent now.
    pub(crate) fn is_silent(&self, seen: Ms, limits: &Limits) -> bool {
        self.now > self.silent_after(seen, limits)
    }

    /// Whether an offer is older than the pool's own downtime and its sides may still reconnect.
    pub(crate) fn awaits_sides(&self, offered: Ms) -> bool {
        self.now < self.offers_wait && offered <= self.resumed
    }
}
