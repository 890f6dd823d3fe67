use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::SemaphorePermit;
use vipnode_pool_core::PoolLimits;

use crate::fairness::{
    block_resources::{BlockResources, Rate, byte_units},
    command_permits::PermitClass,
    traffic::Traffic,
};

/// What the connections of one address block (/24, /48) use together. Whatever it uses, its wide block (/16, /32) uses too.
#[derive(Debug)]
pub(crate) struct Block {
    /// The bytes of its connections.
    pub(crate) traffic: Traffic,
    /// `None` if it may use as much as there is.
    levels: Option<Levels>,
}

#[derive(Debug)]
struct Levels {
    own: BlockResources,
    wide: Arc<BlockResources>,
}

impl Block {
    /// An address block in the wide block that uses `wide`.
    pub(crate) fn new(limits: &PoolLimits, wide: Arc<BlockResources>, now: Instant) -> Self {
        let own = BlockResources::of_block(limits, now);
        Self { traffic: Traffic::default(), levels: Some(Levels { own, wide }) }
    }

    /// A block that may use as much as there is: that of the pool's own requests, and of authenticated members of a closed pool,
    /// all of whom may be at one address.
    pub(crate) fn unlimited() -> Self {
        Self { traffic: Traffic::default(), levels: None }
    }

    /// Whether the block can be forgotten without a change. The caller checks whether anything still holds it.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        self.levels.as_ref().is_none_or(|levels| levels.own.is_idle(now))
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The milliseconds until there is a token.
    pub(crate) fn take(&self, rate: Rate, now: Instant) -> Result<(), u64> {
        self.reserve(rate, now, Duration::ZERO).map(|_at_once| ())
    }

    /// Takes a token that may come later. Returns how long to wait for it.
    ///
    /// # Errors
    /// The token would come later than after `patience`: the milliseconds until it would not.
    pub(crate) fn reserve(&self, rate: Rate, now: Instant, patience: Duration) -> Result<Duration, u64> {
        self.reserve_many(rate, 1, now, patience)
    }

    /// Charges an answer. Returns how long to wait before it is sent.
    ///
    /// # Errors
    /// The wait would be longer than `patience`: the milliseconds until it would not.
    pub(crate) fn charge_bytes(&self, bytes: usize, now: Instant, patience: Duration) -> Result<Duration, u64> {
        self.reserve_many(Rate::Bytes, byte_units(bytes).max(1), now, patience)
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
        self.reserve_many(Rate::Bytes, 0, now, patience)
    }

    /// Takes the further tokens of a large call, which may be missing: the next calls of the block wait for them.
    pub(crate) fn owe(&self, rate: Rate, tokens: u32, now: Instant) {
        if tokens > 0 {
            let _no_limit = self.reserve_many(rate, tokens, now, Duration::MAX);
        }
    }

    /// Returns how long a socket that was too fast is not read: at least `least`, and until after those that were too fast
    /// before it, so that not all return at the same time. The sockets limit these, because each waits once.
    pub(crate) fn pause(&self, now: Instant, least: Duration) -> Duration {
        self.reserve(Rate::Returns, now, Duration::MAX).unwrap_or_default().max(least)
    }

    /// Whether the CPU budget is used up, its own or that of its wide block, so that others come first.
    pub(super) fn is_cpu_spent(&self, now: Instant) -> bool {
        self.levels.as_ref().is_some_and(|Levels { own, wide }| own.cpu.is_spent(now) || wide.cpu.is_spent(now))
    }

    /// Waits until the block may run one of its sockets although its CPU budget is used up.
    pub(crate) async fn poll_permits(&self, now: Instant) -> [Option<SemaphorePermit<'_>>; 2] {
        let Some(Levels { own, wide }) = &self.levels else { return [None, None] };
        // First the block's own: it waits for its wide block with one socket at a time.
        [poll_permit(own, now).await, poll_permit(wide, now).await]
    }

    /// Charges CPU time used from `began` on.
    pub(super) fn spend_cpu(&self, began: Instant, used: Duration) {
        if let Some(Levels { own, wide }) = &self.levels {
            own.cpu.spend(began, used);
            wide.cpu.spend(began, used);
        }
    }

    /// Whether the block, and its wide block, have time left for reading statements.
    ///
    /// # Errors
    /// The milliseconds until they have, at least 1.
    pub(crate) fn statement_time_left(&self, now: Instant) -> Result<(), u64> {
        let Some(Levels { own, wide }) = &self.levels else { return Ok(()) };
        if !own.statements.is_spent(now) && !wide.statements.is_spent(now) {
            return Ok(());
        }
        let wait = own.statements.spent_for(now).max(wide.statements.spent_for(now));
        Err(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1))
    }

    /// Charges the time of reading a statement from `began` on.
    pub(crate) fn spend_statement_time(&self, began: Instant, used: Duration) {
        if let Some(Levels { own, wide }) = &self.levels {
            own.statements.spend(began, used);
            wide.statements.spend(began, used);
        }
    }

    /// Counts one more command permit. Returns how many the block and its wide block held before; `None` if it may hold all.
    pub(super) fn hold_permit(&self, class: PermitClass) -> Option<(u32, u32)> {
        let Levels { own, wide } = self.levels.as_ref()?;
        Some((own.hold_permit(class), wide.hold_permit(class)))
    }

    /// Counts one command permit less.
    pub(super) fn release_permit(&self, class: PermitClass) {
        if let Some(Levels { own, wide }) = &self.levels {
            own.release_permit(class);
            wide.release_permit(class);
        }
    }

    /// Takes tokens of both levels, the block's own first: those that it is refused cost its wide block nothing.
    fn reserve_many(&self, rate: Rate, tokens: u32, now: Instant, patience: Duration) -> Result<Duration, u64> {
        let Some(Levels { own, wide }) = &self.levels else { return Ok(Duration::ZERO) };
        let own = own.rate(rate).reserve_many(tokens, now, patience)?;
        Ok(own.max(wide.rate(rate).reserve_many(tokens, now, patience)?))
    }
}

/// Waits for the permit of one level, if its CPU budget is used up.
async fn poll_permit(level: &BlockResources, now: Instant) -> Option<SemaphorePermit<'_>> {
    if !level.cpu.is_spent(now) {
        return None;
    }
    // The semaphore is never closed.
    level.poll_permit.acquire().await.ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A block in a wide block of its own.
    pub(crate) fn block(limits: &PoolLimits) -> Arc<Block> {
        blocks_of_a_wide(limits, 1).remove(0)
    }

    /// Blocks of one wide block, such as the /48s of a /32.
    pub(crate) fn blocks_of_a_wide(limits: &PoolLimits, count: usize) -> Vec<Arc<Block>> {
        let now = Instant::now();
        let wide = Arc::new(BlockResources::of_wide_block(limits, now));
        (0..count).map(|_| Arc::new(Block::new(limits, Arc::clone(&wide), now))).collect()
    }

    fn few() -> PoolLimits {
        PoolLimits {
            opens_at_once: 5,
            block_burst: 5,
            reach_burst: 5,
            block_bytes_at_once: 5 * 64,
            wide_block_factor: 3,
            ..PoolLimits::default()
        }
    }

    #[test]
    fn a_thousand_blocks_of_a_wide_block_have_no_more_than_its_rates() {
        let now = Instant::now();
        for rate in [Rate::Opens, Rate::Calls, Rate::Noise, Rate::Bytes, Rate::Reaches] {
            let blocks = blocks_of_a_wide(&few(), 1_000);
            assert_eq!((0..9).filter(|_| blocks[0].take(rate, now).is_ok()).count(), 5, "{rate:?}: one block");
            let others = blocks[1..].iter().filter(|block| block.take(rate, now).is_ok()).count();
            assert_eq!(others, 10, "{rate:?}: three times as much in all");
            assert!(block(&few()).take(rate, now).is_ok(), "{rate:?}: another wide block");
        }
    }

    #[test]
    fn sockets_of_a_thousand_blocks_of_a_wide_block_return_one_after_the_other() {
        let limits = PoolLimits { block_calls_a_second: 10, wide_block_factor: 4, ..PoolLimits::default() };
        let now = Instant::now();
        let waits = blocks_of_a_wide(&limits, 1_000).iter().map(|block| block.pause(now, Duration::ZERO)).max();
        assert!(waits >= Some(Duration::from_secs(24)), "40 a second: {waits:?}");
    }

    #[test]
    fn what_a_block_is_refused_costs_its_wide_block_nothing() {
        let (now, blocks) = (Instant::now(), blocks_of_a_wide(&few(), 2));
        for _ in 0..1_000 {
            let _busy = blocks[0].take(Rate::Calls, now);
        }
        assert!((0..5).all(|_| blocks[1].take(Rate::Calls, now).is_ok()));
    }

    #[test]
    fn cpu_time_of_a_block_is_also_its_wide_blocks() {
        let limits = PoolLimits { block_cpu_us: 100, wide_block_factor: 2, ..PoolLimits::default() };
        let (now, blocks) = (Instant::now(), blocks_of_a_wide(&limits, 3));
        for block in &blocks[..2] {
            assert!(!blocks[2].is_cpu_spent(now));
            block.spend_cpu(now, Duration::from_micros(100));
            assert!(block.is_cpu_spent(now));
        }
        assert!(blocks[2].is_cpu_spent(now) && !block(&limits).is_cpu_spent(now));
    }

    #[test]
    fn the_time_of_reading_statements_of_a_block_comes_back_slower_than_it_is_used() {
        let limits =
            PoolLimits { statement_time: Duration::from_millis(100), wide_block_factor: 2, ..PoolLimits::default() };
        let (began, blocks) = (Instant::now(), blocks_of_a_wide(&limits, 3));
        let at = |ms| began + Duration::from_millis(ms);
        blocks[0].spend_statement_time(began, Duration::from_millis(110));
        assert_eq!(blocks[0].statement_time_left(began), Err(41));
        assert_eq!(blocks[0].statement_time_left(at(41)), Ok(()));
        assert_eq!(blocks[1].statement_time_left(began), Ok(()), "half of what the wide block has");
        blocks[1].spend_statement_time(began, Duration::from_millis(90));
        assert_eq!(blocks[2].statement_time_left(began), Err(1), "all of it");
        assert_eq!(block(&limits).statement_time_left(began), Ok(()), "another wide block");
    }

    #[test]
    fn an_unlimited_block_uses_as_much_as_there_is() {
        let (now, block) = (Instant::now(), Block::unlimited());
        block.owe_bytes(usize::MAX, now);
        block.spend_cpu(now, Duration::from_secs(9));
        assert!((0..10_000).all(|_| block.take(Rate::Calls, now).is_ok()));
        assert_eq!(block.bytes_due(now, Duration::ZERO), Ok(Duration::ZERO));
        assert!(!block.is_cpu_spent(now));
        block.spend_statement_time(now, Duration::from_secs(9));
        assert_eq!(block.statement_time_left(now), Ok(()));
    }
}
