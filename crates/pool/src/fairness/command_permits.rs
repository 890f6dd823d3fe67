use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use vipnode_pool_core::{BlockShares, PoolLimits};

use crate::fairness::Block;

/// Limits on the commands that wait for the core, separate for each class, so that one class cannot crowd out another.
///
/// Address blocks share the permits of a class by the rule of [`BlockShares`]: a wide block may hold as many as are free, and
/// a block as many as its wide block may still take. A permit costs three atomic additions and no lock.
#[derive(Debug)]
pub(crate) struct CommandPermits {
    limits: [u32; CLASSES],
    /// [`PoolLimits::block_minimum`].
    minimum: u32,
    held: HeldPermits,
}

/// The number of held permits of each class.
#[derive(Debug, Default)]
pub(crate) struct HeldPermits([AtomicU32; CLASSES]);

const CLASSES: usize = 3;

/// The class of a command: commands of one class compete with each other for permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PermitClass {
    Connect,
    Report,
    Other,
}

/// The permit of one command to wait for the core; dropped, it is free again.
#[derive(Debug)]
pub(crate) struct CommandPermit {
    permits: Arc<CommandPermits>,
    block: Arc<Block>,
    class: PermitClass,
}

impl HeldPermits {
    pub(super) const fn of(&self, class: PermitClass) -> &AtomicU32 {
        let [connect, report, other] = &self.0;
        match class {
            PermitClass::Connect => connect,
            PermitClass::Report => report,
            PermitClass::Other => other,
        }
    }
}

impl CommandPermits {
    pub(crate) fn new(limits: &PoolLimits) -> Self {
        let limit = |limit| u32::try_from(limit).unwrap_or(u32::MAX);
        Self {
            limits: [limits.permits_connect, limits.permits_report, limits.permits_other].map(limit),
            minimum: limits.block_minimum,
            held: HeldPermits::default(),
        }
    }

    /// Returns a permit, or `None` if all are held, or too many by that block or its wide block.
    pub(crate) fn take(self: &Arc<Self>, block: &Arc<Block>, class: PermitClass) -> Option<CommandPermit> {
        let [connect, report, other] = self.limits;
        let limit = match class {
            PermitClass::Connect => connect,
            PermitClass::Report => report,
            PermitClass::Other => other,
        };
        let free = limit.saturating_sub(self.held.of(class).fetch_add(1, Ordering::Relaxed));
        let held = block.hold_permit(class);
        // If it is too much, the permit is dropped at once and so given back.
        let permit = CommandPermit { permits: Arc::clone(self), block: Arc::clone(block), class };
        let allowed = held.map_or(free > 0, |(own, wide)| BlockShares::allows(self.minimum, own, wide, free));
        allowed.then_some(permit)
    }
}

impl Drop for CommandPermit {
    fn drop(&mut self) {
        self.permits.held.of(self.class).fetch_sub(1, Ordering::Relaxed);
        self.block.release_permit(self.class);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::block::tests::{block as lone_block, blocks_of_a_wide};

    fn block() -> Arc<Block> {
        lone_block(&PoolLimits::default())
    }

    fn hundred() -> Arc<CommandPermits> {
        let limits =
            PoolLimits { permits_connect: 100, permits_report: 100, permits_other: 100, ..PoolLimits::default() };
        Arc::new(CommandPermits::new(&limits))
    }

    fn all(permits: &Arc<CommandPermits>, block: &Arc<Block>, class: PermitClass) -> Vec<CommandPermit> {
        std::iter::from_fn(|| permits.take(block, class)).collect()
    }

    #[test]
    fn d4_a_flooding_block_leaves_permits_for_others() {
        let permits = hundred();
        let (flood, second, honest) = (block(), block(), block());
        let held = all(&permits, &flood, PermitClass::Report);
        assert_eq!(held.len(), 34, "a third, because it is alone");
        let more = all(&permits, &second, PermitClass::Report);
        assert_eq!(more.len(), 22, "a third of the rest");
        for _ in 0..10_000 {
            assert!(permits.take(&flood, PermitClass::Report).is_none());
            assert!(permits.take(&honest, PermitClass::Report).is_some(), "at any time");
        }
        assert_eq!(all(&permits, &flood, PermitClass::Connect).len(), 34, "each class is apart");
        drop((held, more));
        assert_eq!(all(&permits, &honest, PermitClass::Report).len(), 34, "all came back");
    }

    #[test]
    fn d4_a_thousand_blocks_of_a_wide_block_leave_permits_for_others() {
        let (permits, blocks) = (hundred(), blocks_of_a_wide(&PoolLimits::default(), 1_000));
        let held: Vec<_> = blocks.iter().filter_map(|block| permits.take(block, PermitClass::Report)).collect();
        assert_eq!(held.len(), 50, "half, because the wide block is alone");
        assert!(permits.take(&block(), PermitClass::Report).is_some());
    }

    #[test]
    fn each_block_has_its_minimum_while_a_permit_is_free() {
        let limits = PoolLimits { permits_report: 12, block_minimum: 2, ..PoolLimits::default() };
        let permits = Arc::new(CommandPermits::new(&limits));
        let floods = [block(), block(), block()];
        let held: Vec<_> = floods.iter().flat_map(|flood| all(&permits, flood, PermitClass::Report)).collect();
        let late = block();
        let own = all(&permits, &late, PermitClass::Report).len();
        assert!(own >= 2, "{own} of {}", limits.permits_report - held.len());
    }

    #[test]
    fn nobody_gets_a_permit_when_all_are_held() {
        let limits = PoolLimits { permits_report: 8, ..PoolLimits::default() };
        let permits = Arc::new(CommandPermits::new(&limits));
        let blocks: Vec<_> = (0..100).map(|_| block()).collect();
        let held: Vec<_> = blocks.iter().filter_map(|block| permits.take(block, PermitClass::Report)).collect();
        assert_eq!(held.len(), 8);
        assert!(permits.take(&Arc::new(Block::unlimited()), PermitClass::Report).is_none());
    }

    #[test]
    fn an_unlimited_block_may_hold_all_permits() {
        let (permits, members) = (hundred(), Arc::new(Block::unlimited()));
        assert_eq!(all(&permits, &members, PermitClass::Report).len(), 100);
        assert_eq!(all(&permits, &members, PermitClass::Report).len(), 100, "all came back");
    }
}
