use std::{
    sync::atomic::AtomicUsize,
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;
use vipnode_pool_core::PoolLimits;

use crate::fairness::{
    command_permits::HeldPermits, cpu_budget::CpuBudget, token_bucket::SharedTokenBucket, traffic::Traffic,
};

/// The resources that the connections of one address block (/24, /48) use together.
#[derive(Debug)]
pub(crate) struct Block {
    /// Open connections; only [`crate::fairness::connection_limiter::ConnectionLimiter`] changes it.
    pub(crate) connections: AtomicUsize,
    /// The bytes of its connections.
    pub(crate) traffic: Traffic,
    /// New connections.
    pub(crate) opens: SharedTokenBucket,
    /// Calls on all connections.
    pub(crate) calls: SharedTokenBucket,
    /// Frames that are not calls, with a separate bucket of the same rate: keepalives must not use the tokens of calls.
    pub(crate) noise: SharedTokenBucket,
    /// When a socket that was too fast is read again.
    returns: SharedTokenBucket,
    /// Answers, in units of [`BYTE_UNIT`].
    bytes: SharedTokenBucket,
    /// The CPU time of its sockets.
    pub(crate) cpu: CpuBudget,
    /// While the CPU budget is used up, one of its sockets runs at a time.
    pub(crate) poll_permit: Semaphore,
    /// Port tests of `vipnode_reach`.
    pub(crate) reaches: SharedTokenBucket,
    /// The command permits that it holds.
    pub(crate) held: HeldPermits,
}

impl Block {
    pub(crate) fn new(limits: &PoolLimits, now: Instant) -> Self {
        Self {
            connections: AtomicUsize::new(0),
            traffic: Traffic::default(),
            opens: SharedTokenBucket::new(limits.opens_a_second, limits.opens_at_once, now),
            calls: SharedTokenBucket::new(limits.block_calls_a_second, limits.block_burst, now),
            noise: SharedTokenBucket::new(limits.block_calls_a_second, limits.block_burst, now),
            returns: SharedTokenBucket::new(limits.block_calls_a_second, 1, now),
            bytes: SharedTokenBucket::new(units(limits.block_bytes_a_second), units(limits.block_bytes_at_once), now),
            cpu: CpuBudget::new(Duration::from_micros(limits.block_cpu_us.into()), now),
            poll_permit: Semaphore::new(1),
            reaches: SharedTokenBucket::every(limits.reach_every, limits.reach_burst, now),
            held: HeldPermits::default(),
        }
    }

    /// Whether the block can be forgotten without a change. The caller checks whether anything still holds it.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        let rates = [&self.opens, &self.calls, &self.noise, &self.returns, &self.reaches, &self.bytes];
        rates.iter().all(|rate| rate.is_full(now)) && self.cpu.is_full(now)
    }

    /// Charges an answer. Returns how long to wait before it is sent.
    ///
    /// # Errors
    /// The wait would be longer than `patience`: the milliseconds until it would not.
    pub(crate) fn charge_bytes(&self, bytes: usize, now: Instant, patience: Duration) -> Result<Duration, u64> {
        self.bytes.reserve_many(units(bytes).max(1), now, patience)
    }

    /// Charges an answer that is sent at once: the next calls of the block wait for it, see [`Self::bytes_due`].
    pub(crate) fn owe_bytes(&self, bytes: usize, now: Instant) {
        let _no_limit = self.charge_bytes(bytes, now, Duration::MAX);
    }

    /// Returns how long a call has to wait for the answers that the block got before.
    ///
    /// # Errors
    /// The wait would be longer than `patience`: the milliseconds until it would not.
    pub(crate) fn bytes_due(&self, now: Instant, patience: Duration) -> Result<Duration, u64> {
        self.bytes.reserve_many(0, now, patience)
    }

    /// Returns how long a socket that was too fast is not read: at least `least`, and until after those that were too fast
    /// before it, so that not all return at the same time. The sockets limit these, because each waits once.
    pub(crate) fn pause(&self, now: Instant, least: Duration) -> Duration {
        self.returns.reserve(now, Duration::MAX).unwrap_or_default().max(least)
    }
}

/// The bytes of one token: small enough for the answer to a report, and large enough that the highest rate is a number of
/// tokens whose time can be counted in nanoseconds.
const BYTE_UNIT: usize = 64;

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(BYTE_UNIT)).unwrap_or(u32::MAX)
}
