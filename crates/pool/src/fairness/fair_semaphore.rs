use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::sync::oneshot;
use vipnode_pool_core::{AddressBlock, WideBlock};

use crate::fairness::round_robin::RoundRobin;

/// A semaphore that is fair among address blocks, for work that takes much CPU time, such as a signature check.
///
/// A waiter gets its permit after at most one waiter of each other wide block (/16, /32), and within its own after at most one
/// of each other block (/24, /48), however many waiters those have.
#[derive(Debug)]
pub(crate) struct FairSemaphore(Mutex<Waiters>);

#[derive(Debug)]
struct Waiters {
    free: usize,
    /// The number of the newest waiter.
    last: u64,
    turns: RoundRobin<WideBlock, RoundRobin<AddressBlock, BlockWaiters>>,
}

/// The waiters of one block, the oldest first.
type BlockWaiters = BTreeMap<u64, PermitWaiter>;

#[derive(Debug)]
struct PermitWaiter {
    permit_sender: oneshot::Sender<FairPermit>,
    held: PermitsHeld,
}

/// The number of permits that a caller holds, those included that were sent to it and that it has not received.
#[derive(Debug, Clone, Default)]
pub(crate) struct PermitsHeld(Arc<AtomicU32>);

/// A permit; dropped, it goes to the next waiter.
#[derive(Debug)]
pub(crate) struct FairPermit {
    semaphore: Option<Arc<FairSemaphore>>,
    held: PermitsHeld,
}

/// A waiter for a permit; dropped, it gives its position up.
#[derive(Debug)]
pub(crate) struct FairWait {
    semaphore: Arc<FairSemaphore>,
    block: AddressBlock,
    number: u64,
    permit_receiver: oneshot::Receiver<FairPermit>,
}

impl FairSemaphore {
    /// Returns a semaphore with `at_once` permits.
    pub(crate) const fn new(at_once: usize) -> Self {
        Self(Mutex::new(Waiters { free: at_once, last: 0, turns: RoundRobin::new() }))
    }

    /// Returns a permit, or a waiter for one. The connections limit the waiters, because each connection waits for at most
    /// one permit.
    pub(crate) fn acquire(self: &Arc<Self>, block: AddressBlock, held: &PermitsHeld) -> Result<FairPermit, FairWait> {
        let mut waiters = self.lock();
        if waiters.free > 0 {
            waiters.free -= 1;
            return Ok(FairPermit::new(Arc::clone(self), held.clone()));
        }
        let (permit_sender, permit_receiver) = oneshot::channel();
        let number = waiters.add(block, PermitWaiter { permit_sender, held: held.clone() });
        Err(FairWait { semaphore: Arc::clone(self), block, number, permit_receiver })
    }

    fn release(self: Arc<Self>) {
        loop {
            let mut waiters = self.lock();
            let Some(next) = waiters.next() else {
                waiters.free += 1;
                return;
            };
            drop(waiters);
            match next.permit_sender.send(FairPermit::new(Arc::clone(&self), next.held)) {
                Ok(()) => return,
                // The waiter was dropped after it was taken out.
                Err(mut permit) => permit.semaphore = None,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiters {
    /// Adds a waiter. Returns its number.
    fn add(&mut self, block: AddressBlock, waiter: PermitWaiter) -> u64 {
        self.last += 1;
        let blocks = self.turns.entry(block.wide(), RoundRobin::new);
        blocks.entry(block, BTreeMap::new).insert(self.last, waiter);
        self.last
    }

    /// Takes out the oldest waiter of the block whose turn it is, in the wide block whose turn it is.
    fn next(&mut self) -> Option<PermitWaiter> {
        let (_wide, blocks) = self.turns.next()?;
        let (block, waiting) = blocks.next()?;
        let (_number, next) = waiting.pop_first()?;
        self.remove_empty(block);
        Some(next)
    }

    /// Removes a waiter, if it was not taken out.
    fn remove(&mut self, block: AddressBlock, number: u64) {
        let waiting = self.turns.get_mut(block.wide()).and_then(|blocks| blocks.get_mut(block));
        if let Some(waiting) = waiting {
            waiting.remove(&number);
            self.remove_empty(block);
        }
    }

    /// Removes a block, and its wide block, if nobody waits there.
    fn remove_empty(&mut self, block: AddressBlock) {
        let Some(blocks) = self.turns.get_mut(block.wide()) else { return };
        if blocks.get_mut(block).is_some_and(|waiting| waiting.is_empty()) {
            blocks.remove(block);
        }
        if blocks.is_empty() {
            self.turns.remove(block.wide());
        }
    }
}

impl PermitsHeld {
    /// Whether the caller holds any.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Acquire) > 0
    }
}

impl FairPermit {
    fn new(semaphore: Arc<FairSemaphore>, held: PermitsHeld) -> Self {
        held.0.fetch_add(1, Ordering::Release);
        Self { semaphore: Some(semaphore), held }
    }
}

impl FairWait {
    /// Waits for the permit. `None` cannot happen while the semaphore exists, which this keeps alive.
    pub(crate) async fn permit(mut self) -> Option<FairPermit> {
        (&mut self.permit_receiver).await.ok()
    }
}

impl Drop for FairWait {
    fn drop(&mut self) {
        self.semaphore.lock().remove(self.block, self.number);
    }
}

impl Drop for FairPermit {
    fn drop(&mut self) {
        self.held.0.fetch_sub(1, Ordering::Release);
        if let Some(semaphore) = self.semaphore.take() {
            semaphore.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    fn block(address: &str) -> AddressBlock {
        AddressBlock::of(address.parse().unwrap())
    }

    fn acquire(semaphore: &Arc<FairSemaphore>, block: AddressBlock) -> Result<FairPermit, FairWait> {
        semaphore.acquire(block, &PermitsHeld::default())
    }

    fn granted(wait: &mut FairWait) -> Option<FairPermit> {
        wait.permit_receiver.try_recv().ok()
    }

    #[test]
    fn d4_a_waiter_comes_after_one_of_each_other_block() {
        for [flood, honest, third] in [["10.0.0.1", "10.1.0.1", "10.2.0.1"], ["10.0.0.1", "10.0.1.1", "10.0.2.1"]] {
            let (flood, honest, third) = (block(flood), block(honest), block(third));
            let semaphore = Arc::new(FairSemaphore::new(1));
            let mut permit = acquire(&semaphore, flood).unwrap();
            let mut flooding: VecDeque<_> = (0..1_000).map(|_| acquire(&semaphore, flood).unwrap_err()).collect();
            let mut waiting = acquire(&semaphore, honest).unwrap_err();
            let mut last = acquire(&semaphore, third).unwrap_err();
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
            assert!(acquire(&semaphore, honest).is_ok(), "dropped waiters delay nobody");
        }
    }

    #[test]
    fn d4_a_waiter_comes_after_one_of_each_other_wide_block() {
        let semaphore = Arc::new(FairSemaphore::new(1));
        let from = |n: u32| acquire(&semaphore, block(&format!("2001:db8:{n:x}::1")));
        let mut permit = from(0).unwrap();
        let mut flooding: VecDeque<_> = (0..1_000).map(|n| from(n).unwrap_err()).collect();
        let mut waiting: Vec<_> = (0..3).map(|_| acquire(&semaphore, block("10.0.0.1")).unwrap_err()).collect();
        for honest in &mut waiting {
            drop(permit);
            permit = granted(&mut flooding.pop_front().unwrap()).unwrap();
            drop(permit);
            permit = granted(honest).unwrap();
        }
    }

    #[test]
    fn a_permit_that_its_waiter_did_not_take_goes_to_the_next() {
        let semaphore = Arc::new(FairSemaphore::new(1));
        let (one, two) = (block("10.0.0.1"), block("10.1.0.1"));
        let permit = acquire(&semaphore, one).unwrap();
        let first = acquire(&semaphore, one).unwrap_err();
        let mut second = acquire(&semaphore, two).unwrap_err();
        drop(permit);
        drop(first);
        assert!(granted(&mut second).is_some());
    }

    #[test]
    fn a_dropped_waiter_gives_its_position_up_at_once() {
        let semaphore = Arc::new(FairSemaphore::new(1));
        let (one, two) = (block("10.0.0.1"), block("10.1.0.1"));
        let permit = acquire(&semaphore, one).unwrap();
        let waits: Vec<_> = [one, one, two].map(|block| acquire(&semaphore, block).unwrap_err()).into();
        let mut last = acquire(&semaphore, two).unwrap_err();
        let waits_in = |block: AddressBlock| semaphore.lock().turns.get_mut(block.wide()).is_some();
        assert!(waits_in(one) && waits_in(two));
        drop(waits);
        assert!(!waits_in(one) && waits_in(two), "while the permit is still held");
        drop(permit);
        assert!(granted(&mut last).is_some());
        assert!(semaphore.lock().turns.is_empty());
    }

    #[test]
    fn a_caller_knows_how_many_permits_it_holds() {
        let semaphore = Arc::new(FairSemaphore::new(1));
        let [first, second, third] = std::array::from_fn(|_| PermitsHeld::default());
        let one = block("10.0.0.1");
        let permit = semaphore.acquire(one, &first).unwrap();
        let waits = [&second, &third].map(|held| semaphore.acquire(one, held).unwrap_err());
        let any = || [&first, &second, &third].map(PermitsHeld::any);
        assert_eq!(any(), [true, false, false]);
        drop(permit);
        assert_eq!(any(), [false, true, false], "before it receives the permit");
        drop(waits);
        assert_eq!(any(), [false; 3]);
    }
}
