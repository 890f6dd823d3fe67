use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::fairness::Block;

/// A semaphore that is fair among address blocks, for work that costs much processor time, such as a signature check.
///
/// A waiter gets its permit after at most one waiter of each other block, however many of those there are.
#[derive(Debug)]
pub(crate) struct FairSemaphore(Mutex<Waiters>);

#[derive(Debug)]
struct Waiters {
    free: usize,
    waiting: BTreeMap<usize, VecDeque<oneshot::Sender<FairPermit>>>,
    /// Blocks that have a waiter, the next one first.
    order: VecDeque<usize>,
}

/// A permit; dropped, it goes to the next waiter.
#[derive(Debug)]
pub(crate) struct FairPermit(Option<Arc<FairSemaphore>>);

impl FairSemaphore {
    /// Gives out `at_once` permits at a time.
    pub(crate) const fn new(at_once: usize) -> Self {
        Self(Mutex::new(Waiters { free: at_once, waiting: BTreeMap::new(), order: VecDeque::new() }))
    }

    /// Returns a permit, or what will bring one. Waiters are bounded by the connections, each of which waits once.
    pub(crate) fn acquire(self: &Arc<Self>, block: &Arc<Block>) -> Result<FairPermit, oneshot::Receiver<FairPermit>> {
        let mut table = self.lock();
        if table.free > 0 {
            table.free -= 1;
            return Ok(FairPermit(Some(Arc::clone(self))));
        }
        let (send, wait) = oneshot::channel();
        let key = Arc::as_ptr(block).addr();
        let Waiters { waiting, order, .. } = &mut *table;
        let queue = waiting.entry(key).or_default();
        if queue.is_empty() {
            order.push_back(key);
        }
        queue.push_back(send);
        Err(wait)
    }

    fn release(self: Arc<Self>) {
        loop {
            let mut table = self.lock();
            let Some(next) = table.next() else {
                table.free += 1;
                return;
            };
            drop(table);
            match next.send(FairPermit(Some(Arc::clone(&self)))) {
                Ok(()) => return,
                // This one no longer waits.
                Err(mut permit) => permit.0 = None,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiters {
    fn next(&mut self) -> Option<oneshot::Sender<FairPermit>> {
        let key = self.order.pop_front()?;
        let queue = self.waiting.get_mut(&key)?;
        let next = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&key);
        } else {
            self.order.push_back(key);
        }
        next
    }
}

impl Drop for FairPermit {
    fn drop(&mut self) {
        if let Some(semaphore) = self.0.take() {
            semaphore.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use vipnode_pool_core::PoolLimits;

    use super::*;

    fn block() -> Arc<Block> {
        Arc::new(Block::new(&PoolLimits::default(), Instant::now()))
    }

    #[test]
    fn d4_a_waiter_comes_after_one_of_each_other_block() {
        let semaphore = Arc::new(FairSemaphore::new(1));
        let (flood, honest, third) = (block(), block(), block());
        let mut permit = semaphore.acquire(&flood).unwrap();
        let mut flooding: VecDeque<_> = (0..1_000).map(|_| semaphore.acquire(&flood).unwrap_err()).collect();
        let mut waiting = semaphore.acquire(&honest).unwrap_err();
        let mut last = semaphore.acquire(&third).unwrap_err();
        drop(permit);
        permit = flooding.pop_front().unwrap().try_recv().unwrap();
        assert!(waiting.try_recv().is_err());
        drop(permit);
        permit = waiting.try_recv().unwrap();
        drop(permit);
        permit = last.try_recv().unwrap();
        drop(permit);
        permit = flooding.pop_front().unwrap().try_recv().unwrap();
        drop(flooding);
        drop(permit);
        assert!(semaphore.acquire(&honest).is_ok(), "those who went hold nothing up");
    }

    #[test]
    fn a_turn_that_nobody_took_up_is_given_on() {
        let semaphore = Arc::new(FairSemaphore::new(1));
        let (one, two) = (block(), block());
        let permit = semaphore.acquire(&one).unwrap();
        let first = semaphore.acquire(&one).unwrap_err();
        let mut second = semaphore.acquire(&two).unwrap_err();
        drop(permit);
        drop(first);
        assert!(second.try_recv().is_ok());
    }
}
