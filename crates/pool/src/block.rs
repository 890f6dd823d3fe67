use std::{sync::atomic::AtomicUsize, time::Instant};

use crate::{PoolLimits, permits::Held, rate::SharedRate};

/// What the sockets of one address block (/24, /48) do together.
#[derive(Debug)]
pub(crate) struct Block {
    /// Open sockets; changed by [`crate::door::Door`] only.
    pub(crate) sockets: AtomicUsize,
    /// Sockets as they are opened.
    pub(crate) opens: SharedRate,
    /// Calls of all sockets.
    pub(crate) calls: SharedRate,
    /// Frames that are no calls, at the same rate but apart: keepalives must not spend the calls.
    pub(crate) noise: SharedRate,
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
            reaches: SharedRate::every(limits.reach_every, limits.reach_burst, now),
            held: Held::default(),
        }
    }

    /// Whether nothing would change if it were forgotten; that nobody holds it is seen elsewhere.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        [&self.opens, &self.calls, &self.noise, &self.reaches].iter().all(|rate| rate.is_full(now))
    }
}
