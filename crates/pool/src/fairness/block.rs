use std::{
    sync::atomic::AtomicUsize,
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;
use vipnode_pool_core::PoolLimits;

use crate::fairness::{command_permits::HeldPermits, cpu_budget::CpuBudget, token_bucket::SharedTokenBucket};

/// What the connections of one address block (/24, /48) use together.
#[derive(Debug)]
pub(crate) struct Block {
    /// Open connections; changed by [`crate::fairness::connection_limiter::ConnectionLimiter`] only.
    pub(crate) connections: AtomicUsize,
    /// New connections.
    pub(crate) opens: SharedTokenBucket,
    /// Calls on all connections.
    pub(crate) calls: SharedTokenBucket,
    /// Frames that are not calls, at the same rate but apart: keepalives must not spend the calls' tokens.
    pub(crate) noise: SharedTokenBucket,
    /// When a socket that was too fast is read again.
    returns: SharedTokenBucket,
    /// Processor time of its sockets.
    pub(crate) cpu: CpuBudget,
    /// One of its sockets works at a time while the budget is spent.
    pub(crate) poll_permit: Semaphore,
    /// Ports that were tried for it by `vipnode_reach`.
    pub(crate) reaches: SharedTokenBucket,
    /// CommandPermits that it holds.
    pub(crate) held: HeldPermits,
}

impl Block {
    pub(crate) fn new(limits: &PoolLimits, now: Instant) -> Self {
        Self {
            connections: AtomicUsize::new(0),
            opens: SharedTokenBucket::new(limits.opens_a_second, limits.opens_at_once, now),
            calls: SharedTokenBucket::new(limits.block_calls_a_second, limits.block_burst, now),
            noise: SharedTokenBucket::new(limits.block_calls_a_second, limits.block_burst, now),
            returns: SharedTokenBucket::new(limits.block_calls_a_second, 1, now),
            cpu: CpuBudget::new(Duration::from_micros(limits.block_cpu_us.into()), now),
            poll_permit: Semaphore::new(1),
            reaches: SharedTokenBucket::every(limits.reach_every, limits.reach_burst, now),
            held: HeldPermits::default(),
        }
    }

    /// Whether nothing would change if the block were forgotten; whether anything still holds it is for the caller to
    /// check.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        let rates = [&self.opens, &self.calls, &self.noise, &self.returns, &self.reaches];
        rates.iter().all(|rate| rate.is_full(now)) && self.cpu.is_full(now)
    }

    /// How long a socket that was too fast is not read: at least `least`, and not before those that were too fast before
    /// it, else many would come back at the same moment. Those are bounded by the sockets, each of which waits once.
    pub(crate) fn pause(&self, now: Instant, least: Duration) -> Duration {
        self.returns.reserve(now, Duration::MAX).unwrap_or_default().max(least)
    }
}
