use std::time::{Duration, Instant};

use vipnode_pool_core::PoolLimits;

use crate::{
    call_refusal::CallRefusal,
    fairness::{Block, Pace, Rate},
};

/// How a caller that is too fast is slowed down, over WebSocket and HTTP alike: nothing is read from it while it waits,
/// which costs nothing and holds back the other side.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pacing {
    /// How long the caller waits first.
    pub(crate) wait: Duration,
    /// Whether the call is refused after that.
    pub(crate) result: Result<(), CallRefusal>,
}

impl Pacing {
    /// Paces one call. It waits for the answers that its address block got before, too: those of the core on WebSockets
    /// leave at once, so that the core waits for nobody, and are paid for by the next calls.
    pub(crate) fn of_call(own: Pace, block: &Block, limits: &PoolLimits, now: Instant) -> Self {
        let pacing = Self::of(own, block, Rate::Calls, limits, now);
        if pacing.result.is_err() {
            return pacing;
        }
        match block.bytes_due(now, limits.block_wait) {
            Ok(due) => Self { wait: pacing.wait.max(due), ..pacing },
            Err(retry_ms) => {
                Self { wait: block.pause(now, limits.flood_pause), result: Err(CallRefusal::BlockBytes { retry_ms }) }
            }
        }
    }

    /// Paces one call, or one other frame. `own` is the pace of the connection itself, `shared` the rate of its address
    /// block for such frames.
    pub(crate) fn of(own: Pace, block: &Block, shared: Rate, limits: &PoolLimits, now: Instant) -> Self {
        let refused = |refusal| Self { wait: block.pause(now, limits.flood_pause), result: Err(refusal) };
        match own {
            Pace::TooFast { retry_ms, .. } => refused(CallRefusal::TooFast { retry_ms }),
            Pace::Fine => match block.reserve(shared, now, limits.block_wait) {
                Ok(wait) => Self { wait, result: Ok(()) },
                Err(retry_ms) => refused(CallRefusal::BlockTooFast { retry_ms }),
            },
        }
    }

    /// Charges what a large call or frame counts as beyond one, so that the next calls of the block wait for it. If it was
    /// refused, the next sockets that are too fast wait for it: reading it took time too.
    pub(crate) fn owe(&self, block: &Block, shared: Rate, further: u32, now: Instant) {
        let rate = if self.result.is_ok() { shared } else { Rate::Returns };
        block.owe(rate, further, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::lone_block;

    #[test]
    fn a_connection_is_slowed_by_its_own_rate_and_by_that_of_its_block() {
        let flood_pause = Duration::from_millis(20);
        let limits = PoolLimits {
            block_calls_a_second: 10,
            block_burst: 1,
            block_wait: Duration::from_millis(100),
            flood_pause,
            ..PoolLimits::default()
        };
        let now = Instant::now();
        let block = lone_block(&limits);
        let pace = |own| Pacing::of(own, &block, Rate::Calls, &limits, now);
        let too_fast = pace(Pace::TooFast { retry_ms: 7, refused: 1 });
        assert_eq!(too_fast, Pacing { wait: flood_pause, result: Err(CallRefusal::TooFast { retry_ms: 7 }) });
        assert_eq!(pace(Pace::Fine), Pacing { wait: Duration::ZERO, result: Ok(()) });
        assert_eq!(pace(Pace::Fine), Pacing { wait: Duration::from_millis(100), result: Ok(()) }, "the next token");
        let block_too_fast = pace(Pace::Fine);
        assert_eq!(block_too_fast.result, Err(CallRefusal::BlockTooFast { retry_ms: 100 }));
        assert!(block_too_fast.wait >= flood_pause);
    }

    #[test]
    fn what_is_large_is_owed_by_the_next_calls_or_by_the_next_refused_ones() {
        let limits = PoolLimits {
            block_calls_a_second: 10,
            block_burst: 1,
            block_wait: Duration::from_secs(9),
            flood_pause: Duration::ZERO,
            ..PoolLimits::default()
        };
        let now = Instant::now();
        let block = lone_block(&limits);
        let pace = |own| {
            let pacing = Pacing::of(own, &block, Rate::Calls, &limits, now);
            pacing.owe(&block, Rate::Calls, 31, now);
            pacing.wait
        };
        let too_fast = Pace::TooFast { retry_ms: 7, refused: 1 };
        let waits = [Pace::Fine, Pace::Fine, too_fast, too_fast].map(pace);
        assert_eq!(waits, [0, 3_200, 0, 3_200].map(Duration::from_millis));
    }

    #[test]
    fn a_call_waits_for_the_answers_that_its_block_got_before() {
        let limits = PoolLimits {
            block_bytes_a_second: 64_000,
            block_bytes_at_once: 64_000,
            block_wait: Duration::from_secs(1),
            ..PoolLimits::default()
        };
        let now = Instant::now();
        let block = lone_block(&limits);
        let pace = || Pacing::of_call(Pace::Fine, &block, &limits, now);
        block.owe_bytes(64_000, now);
        assert_eq!(pace(), Pacing { wait: Duration::ZERO, result: Ok(()) });
        block.owe_bytes(32_000, now);
        assert_eq!(pace(), Pacing { wait: Duration::from_millis(500), result: Ok(()) });
        block.owe_bytes(64_000, now);
        assert_eq!(pace().result, Err(CallRefusal::BlockBytes { retry_ms: 500 }));
        assert_eq!(block.bytes_due(now + Duration::from_secs(2), Duration::ZERO), Ok(Duration::ZERO));
    }
}
