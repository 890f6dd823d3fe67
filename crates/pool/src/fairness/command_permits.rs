use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use vipnode_pool_core::PoolLimits;

use crate::fairness::Block;

/// Limits on the commands that wait for the core, separate for each class, so that one class cannot crowd out another.
///
/// An address block may hold as many permits of a class as are free at that time: a single block has at most half of them,
/// two blocks have a third each, and a block that holds none gets one at once. A permit costs two atomic additions and no
/// lock.
#[derive(Debug)]
pub(crate) struct CommandPermits {
    limits: [usize; CLASSES],
    held: HeldPermits,
}

/// The number of held permits of each class.
#[derive(Debug, Default)]
pub(crate) struct HeldPermits([AtomicUsize; CLASSES]);

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
    const fn of(&self, class: PermitClass) -> &AtomicUsize {
        let [connect, report, other] = &self.0;
        match class {
            PermitClass::Connect => connect,
            PermitClass::Report => report,
            PermitClass::Other => other,
        }
    }
}

impl CommandPermits {
    pub(crate) const fn new(limits: &PoolLimits) -> Self {
        Self {
            limits: [limits.permits_connect, limits.permits_report, limits.permits_other],
            held: HeldPermits([const { AtomicUsize::new(0) }; CLASSES]),
        }
    }

    /// Returns a permit, or `None` if all are held, or too many by that block.
    pub(crate) fn take(self: &Arc<Self>, block: &Arc<Block>, class: PermitClass) -> Option<CommandPermit> {
        let [connect, report, other] = self.limits;
        let limit = match class {
            PermitClass::Connect => connect,
            PermitClass::Report => report,
            PermitClass::Other => other,
        };
        let free = limit.saturating_sub(self.held.of(class).fetch_add(1, Ordering::Relaxed));
        let own = block.held.of(class).fetch_add(1, Ordering::Relaxed);
        // If it is too much, the permit is dropped at once and so given back.
        let permit = CommandPermit { permits: Arc::clone(self), block: Arc::clone(block), class };
        (own < free).then_some(permit)
    }
}

impl Drop for CommandPermit {
    fn drop(&mut self) {
        self.permits.held.of(self.class).fetch_sub(1, Ordering::Relaxed);
        self.block.held.of(self.class).fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Arc<Block> {
        Arc::new(Block::new(&PoolLimits::default(), std::time::Instant::now()))
    }

    fn all(permits: &Arc<CommandPermits>, block: &Arc<Block>, class: PermitClass) -> Vec<CommandPermit> {
        std::iter::from_fn(|| permits.take(block, class)).collect()
    }

    #[test]
    fn d4_a_flooding_block_leaves_permits_for_others() {
        let limits =
            PoolLimits { permits_connect: 100, permits_report: 100, permits_other: 100, ..PoolLimits::default() };
        let permits = Arc::new(CommandPermits::new(&limits));
        let (flood, second, honest) = (block(), block(), block());
        let held = all(&permits, &flood, PermitClass::Report);
        assert_eq!(held.len(), 50, "half, because it is alone");
        let more = all(&permits, &second, PermitClass::Report);
        assert_eq!(more.len(), 25);
        for _ in 0..10_000 {
            assert!(permits.take(&flood, PermitClass::Report).is_none());
            assert!(permits.take(&honest, PermitClass::Report).is_some(), "at any time");
        }
        assert_eq!(all(&permits, &flood, PermitClass::Connect).len(), 50, "each class is apart");
        drop((held, more));
        assert_eq!(all(&permits, &honest, PermitClass::Report).len(), 50, "all came back");
    }

    #[test]
    fn nobody_gets_a_permit_when_all_are_held() {
        let limits = PoolLimits { permits_report: 8, ..PoolLimits::default() };
        let permits = Arc::new(CommandPermits::new(&limits));
        let blocks: Vec<_> = (0..100).map(|_| block()).collect();
        let held: Vec<_> = blocks.iter().filter_map(|block| permits.take(block, PermitClass::Report)).collect();
        assert_eq!(held.len(), 8);
    }
}
