use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::fairness::Block;

/// A semaphore that is fair among address blocks, for work that takes much CPU time, such as a signature check.
///
/// A waiter gets its permit after at most one waiter of each other block, however many waiters those have.
#[derive(Debug)]
pub(crate) struct FairSemaphore(Mutex<Waiters>);

#[derive(Debug)]
struct Waiters {
    free: usize,
    /// The number of the newest waiter or turn.
    last: u64,
    blocks: BTreeMap<BlockKey, BlockWaiters>,
    /// The blocks that have waiters, by their turns.
    turns: BTreeMap<u64, BlockKey>,
}

/// The address of a [`Block`] in memory, which its waiters keep alive.
type BlockKey = usize;

/// The waiters of one block, the oldest first.
#[derive(Debug)]
struct BlockWaiters {
    turn: u64,
    waiting: BTreeMap<u64, oneshot::Sender<FairPermit>>,
}

/// A permit; dropped, it goes to the next waiter.
#[derive(Debug)]
pub(crate) struct FairPermit(Option<Arc<FairSemaphore>>);

/// A waiter for a permit; dropped, it gives its position up.
#[derive(Debug)]
pub(crate) struct FairWait {
    semaphore: Arc<FairSemaphore>,
    block: Arc<Block>,
    number: u64,
    granted: oneshot::Receiver<FairPermit>,
}

impl FairSemaphore {
    /// Returns a semaphore with `at_once` permits.
    pub(crate) const fn new(at_once: usize) -> Self {
        Self(Mutex::new(Waiters { free: at_once, last: 0, blocks: BTreeMap::new(), turns: BTreeMap::new() }))
    }

    /// Returns a permit, or a waiter for one. The connections limit the waiters, because each connection waits for at most
    /// one permit.
    pub(crate) fn acquire(self: &Arc<Self>, block: &Arc<Block>) -> Result<FairPermit, FairWait> {
        let mut waiters = self.lock();
        if waiters.free > 0 {
            waiters.free -= 1;
            return Ok(FairPermit(Some(Arc::clone(self))));
        }
        let (grant, granted) = oneshot::channel();
        let number = waiters.add(key(block), grant);
        Err(FairWait { semaphore: Arc::clone(self), block: Arc::clone(block), number, granted })
    }

    fn release(self: Arc<Self>) {
        loop {
            let mut waiters = self.lock();
            let Some(next) = waiters.next() else {
                waiters.free += 1;
                return;
            };
            drop(waiters);
            match next.send(FairPermit(Some(Arc::clone(&self)))) {
                Ok(()) => return,
                // The waiter was dropped after it was taken out.
                Err(mut permit) => permit.0 = None,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(block: &Arc<Block>) -> BlockKey {
    Arc::as_ptr(block).addr()
}

impl Waiters {
    /// Adds a waiter. Returns its number.
    fn add(&mut self, key: BlockKey, grant: oneshot::Sender<FairPermit>) -> u64 {
        self.last += 1;
        let number = self.last;
        let Self { blocks, turns, .. } = self;
        let block = blocks.entry(key).or_insert_with(|| {
            turns.insert(number, key);
            BlockWaiters { turn: number, waiting: BTreeMap::new() }
        });
        block.waiting.insert(number, grant);
        number
    }

    /// Takes out the oldest waiter of the block whose turn it is. The block's next turn is after those of all others.
    fn next(&mut self) -> Option<oneshot::Sender<FairPermit>> {
        let (_, key) = self.turns.pop_first()?;
        let block = self.blocks.get_mut(&key)?;
        let (_, next) = block.waiting.pop_first()?;
        if block.waiting.is_empty() {
            self.blocks.remove(&key);
        } else {
            self.last += 1;
            block.turn = self.last;
            self.turns.insert(block.turn, key);
        }
        Some(next)
    }

    /// Removes a waiter, if it was not taken out.
    fn remove(&mut self, key: BlockKey, number: u64) {
        let Some(block) = self.blocks.get_mut(&key) else { return };
        block.waiting.remove(&number);
        if block.waiting.is_empty() {
            self.turns.remove(&block.turn);
            self.blocks.remove(&key);
        }
    }
}

impl FairWait {
    /// Waits for the permit. `None` cannot happen while the semaphore exists, which this keeps alive.
    pub(crate) async fn permit(mut self) -> Option<FairPermit> {
        (&mut self.granted).await.ok()
    }
}

impl Drop for FairWait {
    fn drop(&mut self) {
        self.semaphore.lock().remove(key(&self.block), self.number);
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
    use std::{collections::VecDeque, time::Instant};

    use vipnode_pool_core::PoolLimits;

    use super::*;

    fn block() -> Arc<Block> {
        Arc::new(Block::new(&PoolLimits::default(), Instant::now()))
    }

    fn granted(wait: &mut FairWait) -> Option<FairPermit> {
        wait.granted.try_recv().ok()
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
        permit = granted(&mut flooding.pop_front().unwrap()).unwrap();
        assert!(granted(&mut waiting).is_none());
        drop(permit);
        permit = granted(&mut waiting).unwrap();
        drop(permit);
        permit = granted(&mut last).unwrap();
        drop(permit);
        permit = granted(&mut flooding.pop_front().unwrap()).unwrap();
        drop(flooding);
        drop(permit);
        assert!(semaphore.acquire(&honest).is_ok(), "dropped waiters delay nobody");
    }

    #[test]
    fn a_permit_that_its_waiter_did_not_take_goes_to_the_next() {
        let semaphore = Arc::new(FairSemaphore::new(1));
        let (one, two) = (block(), block());
        let permit = semaphore.acquire(&one).unwrap();
        let first = semaphore.acquire(&one).unwrap_err();
        let mut second = semaphore.acquire(&two).unwrap_err();
        drop(permit);
        drop(first);
        assert!(granted(&mut second).is_some());
    }

    #[test]
    fn a_dropped_waiter_gives_its_position_up_at_once() {
        let semaphore = Arc::new(FairSemaphore::new(1));
        let (one, two) = (block(), block());
        let permit = semaphore.acquire(&one).unwrap();
        let waits: Vec<_> = [&one, &one, &two].map(|block| semaphore.acquire(block).unwrap_err()).into();
        let mut last = semaphore.acquire(&two).unwrap_err();
        assert_eq!(Arc::strong_count(&one), 3, "the waiters hold the block");
        drop(waits);
        assert_eq!(Arc::strong_count(&one), 1);
        let waiting = |semaphore: &FairSemaphore| {
            let waiters = semaphore.lock();
            (waiters.blocks.len(), waiters.turns.len())
        };
        assert_eq!(waiting(&semaphore), (1, 1), "while the permit is still held");
        drop(permit);
        assert!(granted(&mut last).is_some());
        assert_eq!(waiting(&semaphore), (0, 0));
    }
}
