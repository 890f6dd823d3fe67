use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;
use vipnode_pool_core::PoolLimits;

use crate::fairness::{
    command_permits::{HeldPermits, PermitClass},
    time_budget::TimeBudget,
    token_bucket::SharedTokenBucket,
};

/// What the connections of one address block (/24, /48), or those of one wide block (/16, /32), use together.
#[derive(Debug)]
pub(crate) struct BlockResources {
    opens: SharedTokenBucket,
    calls: SharedTokenBucket,
    noise: SharedTokenBucket,
    returns: SharedTokenBucket,
    bytes: SharedTokenBucket,
    reaches: SharedTokenBucket,
    pub(super) cpu: TimeBudget,
    /// The time of reading statements.
    pub(super) statements: TimeBudget,
    /// While the CPU budget is used up, one of the sockets runs at a time.
    pub(super) poll_permit: Semaphore,
    held: HeldPermits,
}

/// A rate at which the connections of a block use the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    /// New connections.
    Opens,
    /// Calls on all connections.
    Calls,
    /// Frames that are not calls, with a separate bucket of the same rate: keepalives must not use the tokens of calls.
    Noise,
    /// When a socket that was too fast is read again.
    Returns,
    /// Answers, in units of [`BYTE_UNIT`].
    Bytes,
    /// Port tests of `vipnode_reach`.
    Reaches,
}

impl BlockResources {
    /// Those of an address block.
    pub(super) fn of_block(limits: &PoolLimits, now: Instant) -> Self {
        Self::new(limits, 1, now)
    }

    /// Those of a wide block: [`PoolLimits::wide_block_factor`] times as much.
    pub(super) fn of_wide_block(limits: &PoolLimits, now: Instant) -> Self {
        Self::new(limits, limits.wide_block_factor, now)
    }

    fn new(limits: &PoolLimits, factor: u32, now: Instant) -> Self {
        let rate = |a_second: u32, burst: u32| {
            SharedTokenBucket::new(a_second.saturating_mul(factor), burst.saturating_mul(factor), now)
        };
        let every = limits.reach_every.checked_div(factor).unwrap_or(limits.reach_every);
        let cpu = Duration::from_micros(limits.block_cpu_us.into()).saturating_mul(factor);
        Self {
            opens: rate(limits.opens_a_second, limits.opens_at_once),
            calls: rate(limits.block_calls_a_second, limits.block_burst),
            noise: rate(limits.block_calls_a_second, limits.block_burst),
            returns: rate(limits.block_calls_a_second, 1),
            bytes: rate(byte_units(limits.block_bytes_a_second), byte_units(limits.block_bytes_at_once)),
            reaches: SharedTokenBucket::every(every, limits.reach_burst.saturating_mul(factor), now),
            cpu: TimeBudget::new(cpu, now),
            statements: TimeBudget::new(limits.statement_time.saturating_mul(factor), now),
            poll_permit: Semaphore::new(1),
            held: HeldPermits::default(),
        }
    }

    pub(super) const fn rate(&self, rate: Rate) -> &SharedTokenBucket {
        match rate {
            Rate::Opens => &self.opens,
            Rate::Calls => &self.calls,
            Rate::Noise => &self.noise,
            Rate::Returns => &self.returns,
            Rate::Bytes => &self.bytes,
            Rate::Reaches => &self.reaches,
        }
    }

    /// Counts one more command permit. Returns how many were held before.
    pub(super) fn hold_permit(&self, class: PermitClass) -> u32 {
        self.held(class).fetch_add(1, Ordering::Relaxed)
    }

    /// Counts one command permit less.
    pub(super) fn release_permit(&self, class: PermitClass) {
        self.held(class).fetch_sub(1, Ordering::Relaxed);
    }

    const fn held(&self, class: PermitClass) -> &AtomicU32 {
        self.held.of(class)
    }

    /// Whether they can be forgotten without a change. The caller checks whether anything still uses them.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        let rates = [Rate::Opens, Rate::Calls, Rate::Noise, Rate::Returns, Rate::Bytes, Rate::Reaches];
        rates.iter().all(|rate| self.rate(*rate).is_full(now))
            && [&self.cpu, &self.statements].iter().all(|budget| budget.is_full(now))
    }
}

/// The bytes of one token: small enough for the answer to a report, and large enough that the highest rate is a number of
/// tokens whose time can be counted in nanoseconds.
const BYTE_UNIT: usize = 64;

/// Returns the tokens of so many bytes.
pub(super) fn byte_units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(BYTE_UNIT)).unwrap_or(u32::MAX)
}
