use std::sync::{Mutex, MutexGuard, PoisonError};

use vipnode_pool_core::{AddressBlock, BlockShares, PoolLimits};

/// Limits the ports that are tested at the same time. Address blocks share them by the rule of [`BlockShares`].
#[derive(Debug)]
pub(crate) struct PortTests {
    limit: u32,
    shares: Mutex<BlockShares>,
}

/// A port that is tested, which is counted for its address block until this is dropped.
#[derive(Debug)]
pub(crate) struct PortTest<'tests> {
    tests: &'tests PortTests,
    block: AddressBlock,
}

impl PortTests {
    pub(crate) fn new(limits: &PoolLimits) -> Self {
        let limit = u32::try_from(limits.reaches).unwrap_or(u32::MAX);
        Self { limit, shares: Mutex::new(BlockShares::new(limits.block_minimum)) }
    }

    /// Counts one more test; `None` if there are too many, of all or of that block or its wide block.
    pub(crate) fn begin(&self, block: AddressBlock) -> Option<PortTest<'_>> {
        let mut shares = self.lock();
        let free = self.limit.saturating_sub(shares.held());
        shares.may_take(block, free).then(|| {
            shares.take(block);
            PortTest { tests: self, block }
        })
    }

    /// No code panics while it holds the lock; if one did, the shares would still be whole.
    fn lock(&self) -> MutexGuard<'_, BlockShares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PortTest<'_> {
    fn drop(&mut self) {
        self.tests.lock().give_back(self.block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<'tests>(tests: &'tests PortTests, address: &str) -> Vec<PortTest<'tests>> {
        std::iter::from_fn(|| tests.begin(AddressBlock::of(address.parse().unwrap()))).collect()
    }

    #[test]
    fn a_block_that_tests_many_ports_leaves_tests_for_others() {
        let tests = PortTests::new(&PoolLimits { reaches: 100, block_minimum: 0, ..PoolLimits::default() });
        let held = all(&tests, "10.0.0.1");
        assert_eq!(held.len(), 34);
        let neighbors: Vec<_> = (1..=255).flat_map(|n| all(&tests, &format!("10.0.{n}.1"))).collect();
        assert_eq!(held.len() + neighbors.len(), 50, "the wide block has half");
        assert!(!all(&tests, "10.1.0.1").is_empty());
        drop((held, neighbors));
        assert_eq!(all(&tests, "10.2.0.1").len(), 34, "all came back");
    }

    #[test]
    fn there_may_be_none() {
        let tests = PortTests::new(&PoolLimits { reaches: 0, ..PoolLimits::default() });
        assert!(all(&tests, "10.0.0.1").is_empty());
    }
}
