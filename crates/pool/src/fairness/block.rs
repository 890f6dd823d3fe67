use std::{
    sync::atomic::AtomicUsize,
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use crate::{
    PoolLimits,
    fairness::{command_permits::Held, cpu_budget::Stretch, token_bucket::SharedRate},
};

/// What the sockets of one address block (/24, /48) do together.
#[derive(Debug)]
pub(crate) struct Block {
    /// Open sockets; changed by [`crate::fairness::connection_limiter::ConnectionLimiter`] only.
    pub(crate) sockets: AtomicUsize,
    /// Sockets as they are opened.
    pub(crate) opens: SharedRate,
    /// Calls of all sockets.
    pub(crate) calls: SharedRate,
    /// Frames that are no calls, at the same rate but apart: keepalives must not spend the calls.
    pub(crate) noise: SharedRate,
    /// When each that was too fast is read again.
    returns: SharedRate,
    /// What its sockets use of a core.
    pub(crate) stretch: Stretch,
    /// Of its sockets one works at a time while the stretch is spent.
    pub(crate) poll_permit: Semaphore,
    /// Ports that were tried for it.
    pub(crate) reaches: SharedRate,
    pub(crate) held: Held,
}

impl Block {
    pub(crate) fn new(limits: &PoolLimits, now: Instant) -> Self {
        Self {
            sockets: AtomicUsize::new(0),
            opens: SharedRate::new(limits.opens_a_second, limits.opens_at_once, now),
            calls: SharedRate::new(limits.block_calls_a_second, limits.block_burst, now),
            noise: SharedRate::new(limits.block_calls_a_second, limits.block_burst, now),
            returns: SharedRate::new(limits.block_calls_a_second, 1, now),
            stretch: Stretch::new(Duration::from_micros(limits.block_stretch_us.into()), now),
            poll_permit: Semaphore::new(1),
            reaches: SharedRate::every(limits.reach_every, limits.reach_burst, now),
            held: Held::default(),
        }
    }

    /// Whether nothing would change if it were forgotten; that nobody holds it is seen elsewhere.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        let rates = [&self.opens, &self.calls, &self.noise, &self.returns, &self.reaches];
        rates.iter().all(|rate| rate.is_full(now)) && self.stretch.is_whole(now)
    }

    /// How long a socket is not read that was too fast: `least`, and not before those that were so before it, else
    /// many would come back at the same moment. Those are bounded by the sockets, each of which waits once.
    pub(crate) fn pause(&self, now: Instant, least: Duration) -> Duration {
        self.returns.reserve(now, Duration::MAX).unwrap_or_default().max(least)
    }
}
